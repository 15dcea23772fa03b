//! A client that writes exactly the bytes it is told to.

use std::net::{SocketAddr, TcpStream};

use crate::PATIENCE;
use crate::answer::Answer;
use crate::wire::{Unframed, Wire, latin};

/// One connection to the gateway.
pub struct Peer(pub Wire);

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// In an orderly way: FIN.
    Closed,
    /// With a reset.
    Reset,
}

impl Peer {
    /// Connects.
    ///
    /// # Panics
    /// When nobody listens.
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Peer {
        let stream = TcpStream::connect_timeout(&address, PATIENCE);
        Peer(Wire::new(stream.expect("the gateway listens")))
    }

    /// Writes these bytes.
    ///
    /// # Panics
    /// When the gateway has closed before.
    #[track_caller]
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Peer {
        self.0
            .write(bytes.as_ref())
            .expect("the gateway still takes bytes");
        self
    }

    /// Writes these bytes as far as the gateway takes them.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write(bytes.as_ref()).is_ok()
    }

    /// Reads one answer, whatever its status; not of a HEAD request.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn answer(&mut self) -> Answer {
        self.read(false)
            .unwrap_or_else(|why| panic!("no answer: {why}"))
    }

    /// Reads one answer to a HEAD request.
    #[track_caller]
    pub fn answer_to_head(&mut self) -> Answer {
        self.read(true)
            .unwrap_or_else(|why| panic!("no answer: {why}"))
    }

    /// Sends a request and reads its answer.
    #[track_caller]
    pub fn ask(&mut self, request: impl AsRef<[u8]>) -> Answer {
        self.send(request.as_ref());
        let head = request.as_ref().starts_with(b"HEAD ");
        match self.read(head) {
            Ok(answer) => answer,
            Err(why) => panic!("no answer to {:?}: {why}", latin(request.as_ref())),
        }
    }

    /// An answer, or why there is no whole one.
    pub fn read(&mut self, to_head: bool) -> std::io::Result<Answer> {
        let message = self.0.head()?;
        let mut message = message.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        let status = message.line.get(9..12).unwrap_or_default();
        let bodiless = to_head || status.starts_with('1') || matches!(status, "204" | "304");
        let unframed = if bodiless {
            Unframed::Never
        } else {
            Unframed::UntilClose
        };
        self.0.body(&mut message, unframed)?;
        Ok(Answer::new(message))
    }

    /// GETs a path.
    #[track_caller]
    pub fn get(&mut self, path: &str) -> Answer {
        self.ask(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"))
    }

    /// Waits for the end; nothing more may come before it.
    ///
    /// # Panics
    /// When bytes come, or nothing happens.
    #[track_caller]
    pub fn end(&mut self) -> End {
        let (bytes, end) = self.0.drain();
        assert_eq!(latin(&bytes), "", "more bytes before the end");
        match end {
            Ok(()) => End::Closed,
            Err(why) if why.kind() == std::io::ErrorKind::ConnectionReset => End::Reset,
            Err(why) => panic!("the connection does not end: {why}"),
        }
    }

    /// Everything up to the end, and the end.
    #[track_caller]
    pub fn to_end(&mut self) -> (Vec<u8>, End) {
        let (bytes, end) = self.0.drain();
        match end {
            Ok(()) => (bytes, End::Closed),
            Err(why) if why.kind() == std::io::ErrorKind::ConnectionReset => (bytes, End::Reset),
            Err(why) => panic!("the connection does not end: {why}; {:?}", latin(&bytes)),
        }
    }

    /// Fails unless the gateway closes the connection in an orderly way.
    #[track_caller]
    pub fn is_closed(&mut self) {
        assert_eq!(self.end(), End::Closed);
    }
}

//! What clients say and wait for: connecting, asking, and the ways in which that ends.

use std::io;
use std::net::{SocketAddr, TcpStream};

use super::frame::{Frame, PREFACE};
use super::peer::{Goaway, Http2, Manners};
use super::stream::Coming;
use crate::PATIENCE;
use crate::answer::Answer;
use crate::wire::Wire;

impl Http2 {
    /// Connects as a client and says nothing.
    ///
    /// # Panics
    /// When nobody listens.
    #[track_caller]
    pub fn raw(address: SocketAddr) -> Http2 {
        let stream = TcpStream::connect_timeout(&address, PATIENCE);
        Http2::new(
            Wire::new(stream.expect("the gateway listens")),
            Manners::GOOD,
        )
    }

    /// Connects as a client with good manners; SETTINGS have gone both ways.
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Http2 {
        Http2::connect_with(address, &[], Manners::GOOD)
    }

    /// Connects as a client with SETTINGS of its own.
    #[track_caller]
    pub fn connect_with(address: SocketAddr, settings: &[(u16, u32)], manners: Manners) -> Http2 {
        Http2::begin(Http2::raw(address).wire, settings, manners)
    }

    /// Begins as a client on a connection that stands, with SETTINGS of its own.
    ///
    /// # Panics
    /// When the gateway does not answer them.
    #[track_caller]
    pub fn begin(wire: Wire, settings: &[(u16, u32)], manners: Manners) -> Http2 {
        let mut http2 = Http2::new(wire, Manners::GOOD);
        http2.wire.write(PREFACE).expect("it takes bytes");
        http2
            .send(&Frame::settings(settings))
            .expect("it takes bytes");
        let settled = http2.until(|it| !it.settings.is_empty() && it.acknowledged == 1);
        assert!(
            settled.expect("it answers"),
            "no SETTINGS: {:?}",
            http2.goaways
        );
        http2.manners = manners;
        http2
    }

    /// Opens a stream with a GET that has no body.
    ///
    /// # Panics
    /// When the gateway takes nothing.
    #[track_caller]
    pub fn open(&mut self, stream: u32, path: &str) {
        let head = super::request("GET", path);
        self.head(stream, &head, true)
            .expect("the gateway takes bytes");
    }

    /// GETs a path on a stream.
    #[track_caller]
    pub fn get(&mut self, stream: u32, path: &str) -> Answer {
        self.open(stream, path);
        self.answer(stream)
    }

    /// Waits for the whole answer on a stream.
    ///
    /// # Panics
    /// When the stream is reset or the connection ends before.
    #[track_caller]
    pub fn answer(&mut self, stream: u32) -> Answer {
        let whole = self.until(|it| it.streams.get(&stream).is_some_and(Coming::is_over));
        let coming = self.coming(stream);
        let (interim, reset, goaways) = (&coming.interim, coming.reset, &self.goaways);
        assert!(
            coming.ended && whole.is_ok(),
            "no whole answer on {stream}: {whole:?}, reset {reset:?}, {goaways:?}, {interim:?}, {:?}",
            coming.head
        );
        Answer::of_stream(coming.message())
    }

    /// Waits for RST_STREAM on a stream; its code.
    ///
    /// # Panics
    /// When the connection ends before.
    #[track_caller]
    pub fn reset(&mut self, stream: u32) -> u32 {
        let came = self.until(|it| it.coming(stream).reset.is_some());
        let goaways = &self.goaways;
        assert!(
            matches!(came, Ok(true)),
            "no RST_STREAM on {stream}: {came:?}, {goaways:?}"
        );
        self.coming(stream).reset.expect("it has come")
    }

    /// Waits for the first GOAWAY with this code, then for the end of the connection.
    ///
    /// # Panics
    /// When the connection ends without, or does not end.
    #[track_caller]
    pub fn ends_with(&mut self, code: u32) -> Goaway {
        let end = self.to_end();
        let found = self.goaways.iter().find(|it| it.code == code).cloned();
        let words = format!(
            "no GOAWAY {code} before the end: {:?}, {end:?}",
            self.goaways
        );
        found.expect(&words)
    }

    /// Reads to the end, which may be a reset: what the gateway had not read when it closed makes one.
    ///
    /// # Panics
    /// When nothing comes and it does not end.
    #[track_caller]
    pub fn to_end(&mut self) -> io::Result<bool> {
        let end = self.until(|_| false);
        if let Err(error) = &end {
            let kinds = [
                io::ErrorKind::ConnectionReset,
                io::ErrorKind::UnexpectedEof,
                io::ErrorKind::BrokenPipe,
            ];
            assert!(kinds.contains(&error.kind()), "it does not end: {error}");
        }
        end
    }

    /// Whether the gateway has dealt with all that was sent and the connection goes on: a PING is answered.
    pub fn is_alive(&mut self) -> bool {
        let probe = (self.pongs.len() as u64 + 0x70_72_6f_62_65_00).to_be_bytes();
        self.send(&Frame::ping(probe)).is_ok()
            && self.until(|it| it.pongs.contains(&probe)).unwrap_or(false)
    }
}

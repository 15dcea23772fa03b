//! The two ends of the measured exchange: an origin on threads of its own and clients on the test's.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Barrier};

use tests::PATIENCE;

/// Bytes of the body of each answer, and of each POST.
pub(crate) const ANSWER: usize = 1024;
pub(crate) const POSTED: usize = 100;

/// Starts an origin that answers each request with 200 and 1 KB. The first request of each connection
/// waits until there are so many of them, so that the pool is as large as it can become.
pub(crate) fn origin(connections: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let all = Arc::new(Barrier::new(connections));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, all) = (stream.expect("a connection"), Arc::clone(&all));
            std::thread::spawn(move || serve(stream, &all));
        }
    });
    address
}

fn serve(mut stream: TcpStream, all: &Barrier) {
    let _ = stream.set_nodelay(true);
    let body = [b'x'; ANSWER];
    let answer = [&b"HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Type: text/plain\r\nContent-Length: 1024\r\n\r\n"[..], &body].concat();
    let mut room = [0; 16 << 10];
    let (mut filled, mut begun) = (0, false);
    // Until the gateway closes.
    while let Ok(n @ 1..) = stream.read(&mut room[filled..]) {
        filled += n;
        let Some(head) = end_of_head(&room[..filled]) else {
            continue;
        };
        let body = if room.starts_with(b"POST") { POSTED } else { 0 };
        if filled < head + body {
            continue;
        }
        assert_eq!(
            filled,
            head + body,
            "the gateway sends one request at a time"
        );
        filled = 0;
        if !std::mem::replace(&mut begun, true) {
            all.wait();
        }
        if stream.write_all(&answer).is_err() {
            return;
        }
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    Some(end + 4)
}

/// A keep-alive connection to the gateway.
pub(crate) struct Client {
    stream: TcpStream,
    room: Box<[u8]>,
}

impl Client {
    pub(crate) fn connect(gateway: SocketAddr) -> Client {
        let stream = TcpStream::connect(gateway).expect("the gateway listens");
        stream.set_nodelay(true).expect("TCP");
        stream.set_read_timeout(Some(PATIENCE)).expect("not zero");
        Client {
            stream,
            room: vec![0; 16 << 10].into(),
        }
    }

    /// Sends a whole request in one write.
    pub(crate) fn send(&mut self, request: &[u8]) {
        self.stream.write_all(request).expect("the gateway reads");
    }

    /// Takes in one answer, which must be a good one.
    pub(crate) fn receive(&mut self) {
        let mut filled = 0;
        loop {
            let n = match self.stream.read(&mut self.room[filled..]) {
                Ok(n) => n,
                // The end of the ring that this thread has probed io_uring with.
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => panic!("no answer: {error}"),
            };
            filled += n;
            let so_far = &self.room[..filled];
            assert!(n > 0, "closed: {}", String::from_utf8_lossy(so_far));
            let Some(head) = end_of_head(so_far) else {
                continue;
            };
            assert!(
                so_far.starts_with(b"HTTP/1.1 200 OK\r\n"),
                "{}",
                String::from_utf8_lossy(so_far)
            );
            if filled >= head + ANSWER {
                assert_eq!(filled, head + ANSWER);
                return;
            }
        }
    }
}

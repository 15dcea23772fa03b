//! The same over HTTP/2, on either side and on both, and over TLS.
//!
//! Clients send what clients send: fields that repeat from the dynamic table, paths as they come, some bodies.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use engine_net::testing::Tally;
use tests::Origin;
use tests::http2::hpack::{indexed, indexed_literal, literal};
use tests::http2::{Answering, Frame, Http2, Manners, fields};
use tests::secure::{self, Secure};

use crate::gateway::Gateway;
use crate::peers::{self, ANSWER, POSTED};
use crate::{drivers, steady};

/// Connections of clients, and the streams that each has open at the same time.
const CLIENTS: usize = 2;
const STREAMS: usize = 4;
/// Requests that are counted.
const REQUESTS: usize = 2_000;

#[test]
fn h2c_to_http1_allocates_nothing() {
    static TALLY: Tally = Tally::new();
    let origin = peers::origin(CLIENTS * STREAMS);
    check(&text(origin, "http/1.1", ""), &[], 0, &TALLY, connect);
}

/// One block for each request: the stream that is lent.
#[test]
fn h2c_to_h2c_allocates_little() {
    static TALLY: Tally = Tally::new();
    let origin = origin().address;
    let most = REQUESTS as u64;
    check(&text(origin, "h2", ""), &[], most, &TALLY, connect);
}

#[test]
fn h2_over_tls_to_http1_allocates_nothing() {
    static TALLY: Tally = Tally::new();
    let dir = tempfile::TempDir::new().expect("a temporary folder");
    secure::certificate(dir.path());
    let read = |name: &str| std::fs::read(dir.path().join(name)).expect("it was made");
    let (chain, key) = (read("edge.pem"), read("edge.key"));
    let files = [("edge.pem", &chain[..]), ("edge.key", &key[..])];
    let origin = peers::origin(CLIENTS * STREAMS);
    let text = text(origin, "http/1.1", "certificates = [\"edge\"]")
        + "[certificate.edge]\nchain = \"edge.pem\"\nkey = \"edge.key\"\n";
    check(&text, &files, 0, &TALLY, connect_secure);
}

fn text(origin: SocketAddr, protocol: &str, listener: &str) -> String {
    format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\n{listener}\n\
         [upstream.backend]\nendpoints = [\"{origin}\"]\nprotocol = \"{protocol}\"\n\
         [route.all]\npath = \"/*\"\nupstream = \"backend\"\nauth = \"none\"\n"
    )
}

#[track_caller]
fn check(
    text: &str,
    files: &[(&str, &[u8])],
    most: u64,
    tally: &'static Tally,
    connect: fn(SocketAddr) -> Client,
) {
    for driver in drivers() {
        let gateway = Gateway::start(text, files, driver, tally);
        let mut load = Load {
            clients: (0..CLIENTS).map(|_| connect(gateway.address)).collect(),
            sent: 0,
        };
        steady::check(REQUESTS, most, driver, tally, &mut |requests| {
            load.round(requests)
        });
    }
}

/// An origin that answers each request with 200 and 1 KB.
fn origin() -> Origin {
    Origin::start(|link| {
        let mut http2 = link.http2(&[], Manners::GOOD)?.http2;
        while let Some(stream) = http2.begun()? {
            serve(&mut http2, stream)?;
        }
        Ok(())
    })
}

fn serve(http2: &mut Http2, stream: u32) -> io::Result<()> {
    let mut answer = Answering::ok([b'x'; ANSWER]);
    answer.head.extend(fields(&[
        ("server", "origin"),
        ("content-type", "text/plain"),
        ("content-length", "1024"),
    ]));
    http2.until(|it| it.coming(stream).is_over())?;
    http2.head(stream, &answer.head, false)?;
    http2.body(stream, &answer.body, true)?;
    http2.forget(stream);
    Ok(())
}

/// A connection to the gateway.
struct Client {
    http2: Http2,
    stream: u32,
    /// What its TLS lives in.
    _secure: Option<Secure>,
}

fn connect(gateway: SocketAddr) -> Client {
    Client {
        http2: Http2::connect(gateway),
        stream: 1,
        _secure: None,
    }
}

fn connect_secure(gateway: SocketAddr) -> Client {
    let (secure, wire) = Secure::connect(gateway, "h2");
    Client {
        http2: Http2::begin(wire, &[], Manners::GOOD),
        stream: 1,
        _secure: Some(secure),
    }
}

impl Client {
    /// Sends so many requests in one write.
    fn send(&mut self, number: usize) -> Vec<u32> {
        let (mut streams, mut frames) = (Vec::new(), Vec::new());
        for number in number..number + STREAMS {
            let posts = number % 3 == 0;
            frames.push(Frame::headers(
                self.stream,
                block(self.stream == 1, posts, number),
                !posts,
            ));
            if posts {
                self.http2.spend(self.stream, POSTED);
                frames.push(Frame::data(self.stream, [b'y'; POSTED], true));
            }
            streams.push(self.stream);
            self.stream += 2;
        }
        self.http2.send_all(&frames).expect("the gateway reads");
        streams
    }

    /// Takes in the answers, which must be good ones.
    fn receive(&mut self, streams: &[u32]) {
        for stream in streams {
            let answer = self.http2.answer(*stream);
            assert_eq!((answer.status, answer.message.body.len()), (200, ANSWER));
            self.http2.forget(*stream);
        }
    }
}

/// A request's header block; the first of a connection fills the dynamic table.
fn block(first: bool, posts: bool, number: usize) -> Vec<u8> {
    let (method, scheme) = (if posts { 3 } else { 2 }, 6);
    let path = format!("/products/{}?page=2", number % 50);
    let repeated = match first {
        true => [
            indexed_literal(":authority", secure::HOST),
            indexed_literal("user-agent", "test"),
            indexed_literal("accept", "*/*"),
        ],
        // The newest is the first behind the static table.
        false => [indexed(64), indexed(63), indexed(62)],
    };
    let mut block = [
        indexed(method),
        indexed(scheme),
        literal(0, 4, ":path", &path),
    ]
    .concat();
    block.extend(repeated.concat());
    if posts {
        block.extend(literal(0, 4, "content-length", &POSTED.to_string()));
    }
    block
}

struct Load {
    clients: Vec<Client>,
    sent: usize,
}

impl Load {
    /// Sends so many requests, [`STREAMS`] on each connection at a time. The longest that a connection was quiet.
    fn round(&mut self, requests: usize) -> Duration {
        let mut quiet = Duration::ZERO;
        let mut begun = Instant::now();
        for _ in 0..requests / (CLIENTS * STREAMS) {
            let mut open = Vec::new();
            for client in &mut self.clients {
                open.push(client.send(self.sent));
                self.sent += STREAMS;
            }
            for (client, streams) in self.clients.iter_mut().zip(&open) {
                client.receive(streams);
            }
            quiet = quiet.max(begun.elapsed());
            begun = Instant::now();
        }
        quiet
    }
}

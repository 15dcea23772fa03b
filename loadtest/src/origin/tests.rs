//! The origin over TCP, byte for byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;

/// A client of one connection.
struct Client {
    stream: BufReader<TcpStream>,
}

/// An answer, its body taken out of its framing.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
    /// Sizes of its chunks, the last one of 0 included; none when it has a length.
    chunks: Vec<usize>,
}

impl Client {
    fn of(origin: &Origin) -> Client {
        let stream = TcpStream::connect(origin.address()).expect("it listens");
        // Only so that a fault of the test does not hang it.
        let patience = Some(Duration::from_secs(20));
        stream.set_read_timeout(patience).expect("a time-out");
        Client {
            stream: BufReader::new(stream),
        }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Client {
        // What is refused may be closed before it is written wholly.
        let _ = self.stream.get_mut().write_all(bytes.as_ref());
        self
    }

    fn get(&mut self, target: &str) -> Answer {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        self.answer()
    }

    fn head(&mut self) -> String {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = self.stream.read_line(&mut head).expect("a line");
            assert!(read > 0, "the head ends early: {head:?}");
        }
        head
    }

    fn answer(&mut self) -> Answer {
        let head = self.head();
        let status = head
            .get(9..12)
            .and_then(|it| it.parse().ok())
            .expect("a status");
        let field = |name: &str| {
            let line = head.lines().find_map(|line| line.strip_prefix(name));
            line.map(|it| it.trim().to_owned())
        };
        let mut answer = Answer {
            status,
            body: Vec::new(),
            chunks: Vec::new(),
            head: head.clone(),
        };
        if let Some(length) = field("Content-Length:") {
            answer.body = self.bytes(length.parse().expect("a length"));
        } else if field("Transfer-Encoding:").is_some() {
            while answer.chunks.last() != Some(&0) {
                let mut line = String::new();
                self.stream.read_line(&mut line).expect("a chunk's size");
                let size = usize::from_str_radix(line.trim(), 16).expect("hexadecimal");
                answer.body.extend(self.bytes(size));
                answer.chunks.push(size);
                assert_eq!(self.bytes(2), b"\r\n");
            }
        }
        answer
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).expect("so many bytes");
        bytes
    }

    /// What comes until the end, and whether that is a reset.
    fn rest(&mut self) -> (Vec<u8>, bool) {
        let mut bytes = Vec::new();
        match self.stream.read_to_end(&mut bytes) {
            Ok(_) => (bytes, false),
            Err(error) => {
                assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
                (bytes, true)
            }
        }
    }
}

fn origin() -> Origin {
    Origin::start(&Options::default()).expect("an origin")
}

#[test]
fn sizes_by_path_on_one_connection() {
    let origin = origin();
    let mut client = Client::of(&origin);
    for (target, size) in [
        ("/1k", 1024),
        ("/0", 0),
        ("/16k", 16 << 10),
        ("/bytes/16385", 16385),
        ("/100k", 100 << 10),
        ("/1m", 1 << 20),
        ("/items?size=700", 700),
        ("/1k", 1024),
    ] {
        let answer = client.get(target);
        assert_eq!((answer.status, answer.body.len()), (200, size), "{target}");
        let line = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.\n";
        let pattern = line.iter().cycle();
        assert!(answer.body.iter().eq(pattern.take(size)), "{target}");
    }
    assert_eq!(client.get("/items/7").body, b"ok\n");
    assert!(client.get("/").body.starts_with(b"The test origin"));
    origin.stop().expect("a good end");
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    let origin = origin();
    let mut client = Client::of(&origin);
    let mut all = String::new();
    for size in 0..300 {
        all += &format!("GET /{size} HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    all += "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhiGET /17k HTTP/1.1\r\nHost: x\r\n\r\n";
    client.send(all);
    for size in 0..300 {
        assert_eq!(client.answer().body.len(), size);
    }
    assert!(client.answer().head.contains("application/json"));
    assert_eq!(client.answer().body.len(), 17 << 10);
}

#[test]
fn a_request_may_come_in_pieces() {
    let origin = origin();
    let mut client = Client::of(&origin);
    for byte in b"GET /512 HTTP/1.1\r\nHost: x\r\n\r\n" {
        client.send([*byte]);
    }
    assert_eq!(client.answer().body.len(), 512);
}

#[test]
fn head_has_no_body() {
    let origin = origin();
    let mut client = Client::of(&origin);
    for (target, length) in [("/1k", 1024), ("/1m", 1 << 20), ("/1k?status=500", 1024)] {
        client.send(format!("HEAD {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let head = client.head();
        assert!(
            head.contains(&format!("Content-Length: {length}\r\n")),
            "{head}"
        );
    }
    for target in ["/1k?chunks=3", "/sse"] {
        client.send(format!("HEAD {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        assert!(client.head().contains("chunked"));
    }
    assert_eq!(client.get("/1k").status, 200);
}

#[test]
fn statuses_as_asked() {
    let origin = origin();
    let mut client = Client::of(&origin);
    for status in [200, 201, 404, 429, 503, 599] {
        let answer = client.get(&format!("/1k?status={status}"));
        assert_eq!((answer.status, answer.body.len()), (status, 1024));
    }
    for status in [204, 304] {
        let answer = client.get(&format!("/1k?status={status}"));
        assert!(!answer.head.contains("Content-"), "{}", answer.head);
        assert_eq!(answer.status, status);
    }
}

#[test]
fn faults_apply_to_a_share_of_requests() {
    let origin = origin();
    let mut client = Client::of(&origin);
    let mut failed = |rate: &str| {
        let target = format!("/1?status=503&chunks=1&rate={rate}");
        let all = (0..1000).map(|_| client.get(&target));
        all.filter(|it| {
            // All of the faults, or none.
            assert_eq!(it.status == 503, !it.chunks.is_empty());
            it.status == 503
        })
        .count()
    };
    assert_eq!(failed("0"), 0);
    assert_eq!(failed("1"), 1000);
    // Eleven standard deviations either way.
    let some = failed("0.1");
    assert!((1..=200).contains(&some), "{some}");
}

#[test]
fn a_delay_is_waited_for() {
    let origin = origin();
    let mut client = Client::of(&origin);
    let begun = Instant::now();
    assert_eq!(client.get("/1k?delay=30ms").body.len(), 1024);
    assert!(
        begun.elapsed() >= Duration::from_millis(29),
        "{:?}",
        begun.elapsed()
    );
    let begun = Instant::now();
    let answer = client.get("/10?chunks=3&every=10ms");
    assert_eq!(answer.chunks, [3, 3, 4, 0]);
    assert!(
        begun.elapsed() >= Duration::from_millis(19),
        "{:?}",
        begun.elapsed()
    );
}

#[test]
fn bodies_in_pieces() {
    let origin = origin();
    let mut client = Client::of(&origin);
    let answer = client.get("/1m?chunks=10");
    assert_eq!((answer.body.len(), answer.chunks.len()), (1 << 20, 11));
    // No piece can be empty: it would end the body.
    assert_eq!(client.get("/3?chunks=10").chunks, [1, 1, 1, 0]);
    assert_eq!(client.get("/0?chunks=10").chunks, [0]);
    assert!(client.get("/echo?chunks=2").chunks.len() == 3);
}

#[test]
fn resets_are_resets() {
    let origin = origin();
    let mut client = Client::of(&origin);
    assert_eq!(client.get("/1k").status, 200);
    client.send("GET /1k?reset=1 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.rest(), (vec![], true));
    for target in [
        "/1k?reset=body",
        "/1k?reset=body&chunks=4",
        "/sse?events=4&every=0&reset=body",
    ] {
        let mut client = Client::of(&origin);
        client.send(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"));
        let (_, reset) = client.rest();
        assert!(reset, "{target}");
    }
}

#[test]
fn events_are_sent_one_by_one() {
    let origin = origin();
    let mut client = Client::of(&origin);
    let answer = client.get("/sse?events=3&every=1ms");
    assert!(answer.head.contains("Content-Type: text/event-stream\r\n"));
    assert_eq!(answer.chunks.len(), 4);
    let text = String::from_utf8(answer.body).expect("text");
    let expected = (1..=3).map(|n| format!("id: {n}\ndata: {{\"event\":{n},\"of\":3}}\n\n"));
    assert_eq!(text, expected.collect::<String>());
    assert_eq!(client.get("/sse?events=0").chunks, [0]);
    // An old client is told the end by the end.
    client.send("GET /sse?events=1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert!(client.head().contains("Connection: close\r\n"));
    assert_eq!(
        client.rest(),
        (b"id: 1\ndata: {\"event\":1,\"of\":1}\n\n".to_vec(), false)
    );
}

#[test]
fn echo_shows_the_request() {
    let origin = origin();
    let mut client = Client::of(&origin);
    let mut echo = |request: String| -> Value {
        let answer = client.send(request).answer();
        assert!(answer.head.contains("Content-Type: application/json\r\n"));
        serde_json::from_slice(&answer.body).expect("JSON")
    };
    let head = "PUT /echo?a=%20b&status=418 HTTP/1.1\r\nHost: x\r\nX: \"1\"\r\nx: 2\r\n";
    let expected = |framing: [&str; 2], bytes: usize, text: &str| {
        json!({
            "method": "PUT", "path": "/echo", "query": "a=%20b&status=418", "version": "HTTP/1.1",
            "headers": [["Host", "x"], ["X", "\"1\""], ["x", "2"], framing],
            "body": {"bytes": bytes, "text": text},
        })
    };
    let found = echo(format!("{head}Content-Length: 7\r\n\r\nhé\n\"{{}}"));
    assert_eq!(found, expected(["Content-Length", "7"], 7, "hé\n\"{}"));
    let found = echo(format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    ));
    assert_eq!(
        found,
        expected(["Transfer-Encoding", "chunked"], 5, "abcde")
    );
    let found = echo(format!(
        "{head}Content-Length: 3000000\r\n\r\n{}",
        "x".repeat(3_000_000)
    ));
    let shown = "x".repeat(64 * 1024);
    assert_eq!(
        found,
        expected(["Content-Length", "3000000"], 3_000_000, &shown)
    );
}

#[test]
fn a_client_that_asks_is_told_to_go_on() {
    let origin = origin();
    let mut client = Client::of(&origin);
    let head = "POST /1k HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    client.send(head);
    assert_eq!(client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
    assert_eq!(client.send("hello").answer().body.len(), 1024);
    // One that does not wait needs no word, and one without a body none either.
    client.send(format!("{head}hello"));
    assert_eq!(client.answer().status, 200);
    client.send("GET /1k HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n");
    assert_eq!(client.answer().status, 200);
}

#[test]
fn connections_stay_or_close_as_is_said() {
    let origin = origin();
    let check = |request: &str, told: &str, stays: bool| {
        let mut client = Client::of(&origin);
        client.send(request);
        let answer = client.answer();
        assert_eq!(answer.status, 200);
        let told_of = answer.head.lines().find(|it| it.starts_with("Connection"));
        assert_eq!(told_of.unwrap_or_default(), told);
        if stays {
            assert_eq!(client.get("/1k").status, 200);
        } else {
            assert_eq!(client.rest(), (vec![], false));
        }
    };
    check(
        "GET /1k HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        "Connection: close",
        false,
    );
    check("GET /1k HTTP/1.0\r\n\r\n", "Connection: close", false);
    check(
        "GET /1k HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "Connection: keep-alive",
        true,
    );
    check("GET /1k HTTP/1.1\r\nHost: x\r\n\r\n", "", true);
}

#[test]
fn bad_requests_are_refused_and_the_connection_ends() {
    let origin = origin();
    let long = format!(
        "GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n\r\n",
        "x".repeat(64 * 1024)
    );
    for (request, status, reason) in [
        ("nonsense\r\n\r\n", 400, "request line"),
        ("GET / HTTP/1.1\r\n\r\n", 400, "Host"),
        ("GET / HTTP/1.1\nHost: x\n\n", 400, "CRLF"),
        ("GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505, "HTTP/1.1"),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "ambiguous",
        ),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
            400,
            "chunked",
        ),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
            501,
            "chunked",
        ),
        (
            "POST / HTTP/1.1\r\nHost: x\r\nExpect: x\r\n\r\n",
            417,
            "100-continue",
        ),
        (
            "GET /?delay=soon HTTP/1.1\r\nHost: x\r\n\r\n",
            400,
            "delay=soon",
        ),
        (&long, 431, "too large"),
    ] {
        let mut client = Client::of(&origin);
        // One that was good before is answered first.
        client
            .send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\n")
            .send(request);
        assert_eq!(client.answer().status, 200);
        let answer = client.answer();
        assert_eq!(answer.status, status, "{request:.60}");
        assert!(answer.head.contains("Connection: close\r\n"));
        let text = String::from_utf8(answer.body).expect("text");
        assert!(text.contains(reason), "{text}");
        assert_eq!(client.rest(), (vec![], false), "{request:.60}");
    }
}

#[test]
fn several_threads_share_an_address() {
    let options = Options {
        threads: Some(3),
        ..Options::default()
    };
    let origin = Origin::start(&options).expect("an origin");
    let mut clients: Vec<Client> = (0..30).map(|_| Client::of(&origin)).collect();
    for client in &mut clients {
        assert_eq!(client.get("/1k").status, 200);
    }
    origin.stop().expect("a good end");
    for client in &mut clients {
        assert_eq!(client.rest(), (vec![], false));
    }
}

#[test]
fn the_end_lets_a_request_in_flight_finish() {
    let origin = origin();
    let mut client = Client::of(&origin);
    // An answer to the first one shows that the origin has the second one too.
    client.send("GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2?delay=50ms HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer().body.len(), 1);
    origin.stop().expect("a good end");
    assert_eq!(client.answer().body.len(), 2);
    assert_eq!(client.rest(), (vec![], false));
}

#[test]
fn a_taken_address_is_an_error() {
    let first = origin();
    let options = Options {
        listen: first.address(),
        ..Options::default()
    };
    let error = Origin::start(&options).err().expect("it is taken");
    assert_eq!(error.kind(), io::ErrorKind::AddrInUse);
    assert!(
        error.to_string().contains(&first.address().to_string()),
        "{error}"
    );
    let options = Options {
        cores: vec![100_000],
        ..Options::default()
    };
    let error = Origin::start(&options)
        .err()
        .expect("there is no such core");
    assert!(error.to_string().contains("core 100000"), "{error}");
}

#[test]
fn a_websocket_sends_back_what_it_is_sent() {
    let origin = origin();
    let mut client = Client::of(&origin);
    let ask = |key: &str| {
        format!(
            "GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: a, b\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        )
    };
    // A message comes with the handshake already.
    let mut first = ask("dGhlIHNhbXBsZSBub25jZQ==").into_bytes();
    first.extend([0x81, 0x82, 0, 0, 0, 0, b'h', b'i']);
    client.send(first);
    let head = client.head();
    assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
    assert!(head.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    assert!(head.contains("Sec-WebSocket-Protocol: a\r\n"));
    assert_eq!(client.bytes(4), [0x81, 2, b'h', b'i']);
    // A ping amid a long message in two frames.
    let half = [5; 100_000];
    let long = |first: u8| {
        let mut frame = vec![first, 0xff];
        frame.extend(100_000_u64.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(half);
        frame
    };
    client.send(long(0x02));
    client.send([0x89, 0x81, 1, 1, 1, 1, 7]);
    assert_eq!(client.bytes(3), [0x8a, 1, 6]);
    client.send(long(0x80));
    assert_eq!(client.bytes(10), [0x82, 127, 0, 0, 0, 0, 0, 3, 13, 64]);
    assert_eq!(client.bytes(200_000), [5; 200_000]);
    client.send([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9]);
    assert_eq!(client.rest(), (vec![0x88, 2, 0x03, 0xe9], false));

    let mut client = Client::of(&origin);
    client.send(ask("dGhlIHNhbXBsZSBub25jZQ=="));
    client.head();
    client.send([0x81, 0x01, b'a']);
    assert_eq!(client.rest(), (vec![0x88, 2, 0x03, 0xea], false));

    let refused = Client::of(&origin).get("/ws");
    assert_eq!(refused.status, 426);
    assert!(refused.head.contains("\r\nUpgrade: websocket\r\n"));
    let mut client = Client::of(&origin);
    assert_eq!(client.send(ask("short")).answer().status, 400);
    // What is asked for goes before what is there.
    assert_eq!(Client::of(&origin).get("/ws?status=503").status, 503);
}

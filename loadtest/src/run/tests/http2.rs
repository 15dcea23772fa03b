//! Runs over HTTP/2 against servers that are written frame by frame.

use std::collections::VecDeque;
use std::sync::Mutex;

use super::*;
use crate::http2::frame::{self, Header};

/// A server's side of a connection.
struct Peer {
    conn: TcpStream,
    /// Bytes of bodies that have come.
    bodies: usize,
    /// Streams that were reset.
    resets: Vec<u32>,
}

/// A request as far as these servers care: its stream.
type Stream = u32;

impl Peer {
    /// Exchanges the first words.
    fn greet(mut conn: TcpStream, settings: &[(u16, u32)]) -> Option<Peer> {
        let mut preface = [0; 24];
        conn.read_exact(&mut preface).ok()?;
        assert_eq!(preface, frame::PREFACE);
        let mut peer = Peer {
            conn,
            bodies: 0,
            resets: Vec::new(),
        };
        let mut said = Vec::new();
        frame::settings(settings, &mut said);
        peer.write(&said);
        Some(peer)
    }

    fn write(&mut self, bytes: &[u8]) {
        // Whoever has left need not be told.
        let _ = self.conn.write_all(bytes);
    }

    fn frame(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut out = Vec::new();
        Header {
            len: payload.len(),
            kind,
            flags,
            stream,
        }
        .write(&mut out);
        out.extend_from_slice(payload);
        self.write(&out);
    }

    /// Waits for the end of the next request; none at the end of the connection.
    fn request(&mut self) -> Option<Stream> {
        loop {
            let mut head = [0; 9];
            self.conn.read_exact(&mut head).ok()?;
            let header = Header::read(&head)?;
            let mut payload = vec![0; header.len];
            self.conn.read_exact(&mut payload).ok()?;
            match header.kind {
                frame::DATA => {
                    self.bodies += payload.len();
                    if !payload.is_empty() {
                        let mut said = Vec::new();
                        frame::number(frame::WINDOW_UPDATE, 0, payload.len() as u32, &mut said);
                        let stream = header.stream;
                        frame::number(
                            frame::WINDOW_UPDATE,
                            stream,
                            payload.len() as u32,
                            &mut said,
                        );
                        self.write(&said);
                    }
                }
                frame::RST_STREAM => self.resets.push(header.stream),
                frame::GOAWAY => return None,
                _ => {}
            }
            let asks = matches!(header.kind, frame::HEADERS | frame::DATA);
            if asks && header.has(frame::END_STREAM) {
                return Some(header.stream);
            }
        }
    }

    /// 200 with `hello`.
    fn answer(&mut self, stream: Stream) {
        self.frame(frame::HEADERS, frame::END_HEADERS, stream, &[0x88]);
        self.frame(frame::DATA, frame::END_STREAM, stream, b"hello");
    }
}

/// A server; `serve` is called for each connection.
fn peer(
    settings: &'static [(u16, u32)],
    serve: impl Fn(&mut Peer) + Send + Sync + 'static,
) -> SocketAddr {
    server(move |_, conn| {
        if let Some(mut peer) = Peer::greet(conn, settings) {
            serve(&mut peer);
        }
    })
}

fn over(over: Overrides, streams: &str) -> Overrides {
    Overrides {
        http2: some("on"),
        streams: some(streams),
        ..over
    }
}

#[test]
fn a_closed_loop_keeps_every_stream_busy() {
    for (workers, connections, streams) in [(1, "1", 1), (1, "1", 4), (2, "3", 5)] {
        // So many requests must be under way before the first is answered.
        let address = peer(&[], move |peer| {
            let first: Vec<_> = (0..streams).map_while(|_| peer.request()).collect();
            first.into_iter().for_each(|stream| peer.answer(stream));
            while let Some(stream) = peer.request() {
                peer.answer(stream);
            }
        });
        let scenario = scenario(
            address,
            over(closed("60", connections), &streams.to_string()),
        );
        let results = run_with(&scenario, &setup(workers)).unwrap();
        assert_eq!(errors(&results), []);
        assert_eq!(results.counts.answered, 60);
        assert_eq!(results.counts.sent, 60);
        assert_eq!(results.counts.connections.to_string(), connections);
        assert_eq!(results.about.streams, streams as u64);
    }
}

#[test]
fn an_open_loop_sends_what_is_due_on_streams_of_few_connections() {
    let address = peer(&[], |peer| {
        while let Some(stream) = peer.request() {
            peer.answer(stream);
        }
    });
    let open = Overrides {
        rate: some("2000/s"),
        duration: some("500ms"),
        connections: some("2"),
        ..Overrides::default()
    };
    let results = run_with(&scenario(address, over(open, "100")), &setup(2)).unwrap();
    assert_eq!(errors(&results), []);
    assert_eq!(results.counts.sent + results.counts.unsent, 1000);
    assert_eq!(results.counts.answered, results.counts.sent);
    assert_eq!(results.counts.connections, 2);
    assert_eq!(results.generator.lag.count(), results.counts.sent);
}

#[test]
fn a_stall_of_one_answer_holds_up_no_other() {
    let address = peer(&[], |peer| {
        let first = peer.request();
        for _ in 0..9 {
            if let Some(stream) = peer.request() {
                peer.answer(stream);
            }
        }
        first.into_iter().for_each(|stream| peer.answer(stream));
        while peer.request().is_some() {}
    });
    let results = run(address, over(closed("10", "1"), "2"));
    assert_eq!(errors(&results), []);
    assert_eq!(results.counts.answered, 10);
}

#[test]
fn no_more_is_under_way_than_the_server_allows() {
    let most = Arc::new(AtomicUsize::new(0));
    let seen = most.clone();
    let address = peer(&[(frame::MAX_CONCURRENT_STREAMS, 2)], move |peer| {
        let mut held = VecDeque::new();
        while let Some(stream) = peer.request() {
            held.push_back(stream);
            seen.fetch_max(held.len(), Ordering::Relaxed);
            if held.len() == 2 {
                held.drain(..).for_each(|stream| peer.answer(stream));
            }
        }
    });
    let results = run(address, over(closed("20", "1"), "8"));
    assert_eq!(errors(&results), []);
    assert_eq!(most.load(Ordering::Relaxed), 2);
}

#[test]
fn each_failure_is_counted_as_what_it_is() {
    let check = |serve: fn(&mut Peer, Stream), more: Overrides, expected: &[(ErrorKind, u64)]| {
        let address = peer(&[], move |peer| {
            while let Some(stream) = peer.request() {
                serve(peer, stream);
            }
        });
        let results = run(address, over(more, "1"));
        assert_eq!(errors(&results), expected);
        results.counts.connections
    };
    let three = || closed("3", "1");
    let reset = |peer: &mut Peer, stream| peer.frame(frame::RST_STREAM, 0, stream, &[0, 0, 0, 2]);
    // A stream that fails leaves the connection alone, a rule of the connection's ends it.
    assert_eq!(check(reset, three(), &[(ErrorKind::Reset, 3)]), 1);
    let brief = Overrides {
        timeout: some("50ms"),
        ..three()
    };
    assert_eq!(check(|_, _| {}, brief, &[(ErrorKind::Timeout, 3)]), 1);
    let close = |peer: &mut Peer, _| peer.conn.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(check(close, three(), &[(ErrorKind::Closed, 3)]), 3);
    let headless =
        |peer: &mut Peer, stream| peer.frame(frame::DATA, frame::END_STREAM, stream, b"a");
    assert_eq!(check(headless, three(), &[(ErrorKind::Protocol, 3)]), 1);
    let odd = |peer: &mut Peer, _| peer.frame(frame::PING, 0, 0, b"short");
    assert_eq!(check(odd, three(), &[(ErrorKind::Protocol, 3)]), 3);
    const ENDS: u8 = frame::END_HEADERS | frame::END_STREAM;
    let failing = |peer: &mut Peer, stream| peer.frame(frame::HEADERS, ENDS, stream, &[0x8e]);
    assert_eq!(check(failing, three(), &[(ErrorKind::Status, 3)]), 1);
    let expecting = Overrides {
        expect_status: some("500"),
        ..three()
    };
    assert_eq!(check(failing, expecting, &[]), 1);
    // Refused once, a request is sent again; refused twice, it has failed.
    let refusing =
        |peer: &mut Peer, stream| peer.frame(frame::RST_STREAM, 0, stream, &[0, 0, 0, 7]);
    assert_eq!(check(refusing, three(), &[(ErrorKind::Reset, 3)]), 1);
    let refusing_half = |peer: &mut Peer, stream: u32| match stream % 4 {
        1 => peer.frame(frame::RST_STREAM, 0, stream, &[0, 0, 0, 7]),
        _ => peer.answer(stream),
    };
    assert_eq!(check(refusing_half, three(), &[]), 1);
}

#[test]
fn requests_that_a_leaving_server_has_not_looked_at_are_sent_again() {
    // Each connection serves three requests of those that it gets; two are under way at any time.
    let address = peer(&[], |peer| {
        let mut served = 0;
        while let Some(stream) = peer.request() {
            served += 1;
            if served <= 3 {
                peer.answer(stream);
            }
            if served == 3 {
                let last = stream.to_be_bytes();
                peer.frame(frame::GOAWAY, 0, 0, &[&last[..], &[0; 4]].concat());
            }
        }
    });
    let results = run(address, over(closed("10", "1"), "2"));
    assert_eq!(errors(&results), []);
    assert_eq!(results.counts.answered, 10);
    assert_eq!(results.counts.sent, 10);
    assert!(results.counts.connections >= 4);
}

#[test]
fn expectations_are_held_against_headers_and_bodies() {
    let address = peer(&[], |peer| {
        let mut odd = false;
        while let Some(stream) = peer.request() {
            let block = match odd {
                false => &[0x88, 0x40, 1, b'x', 1, b'y'][..],
                // What entered the table is told by its index.
                true => &[0x88, 0xbe],
            };
            odd = true;
            peer.frame(frame::HEADERS, frame::END_HEADERS, stream, block);
            peer.frame(frame::DATA, 0, stream, b"some");
            peer.frame(frame::DATA, frame::END_STREAM, stream, b"thing");
        }
    });
    let scenario = |expected: &str| {
        let text = format!(
            "[target]\nurl = \"http://{address}\"\nhttp2 = true\n[load]\nconnections = 1\nrequests = 4\n\
             [request.a]\n{expected}\n"
        );
        let read = Scenario::parse(&text, "test.toml", std::path::Path::new(""));
        read.unwrap_or_else(|why| panic!("{}", crate::scenario::show(&why)))
    };
    let errors_of = |expected| errors(&run_with(&scenario(expected), &setup(1)).unwrap());
    let met = "expect_headers = { X = \"y\" }\nexpect_body = \"mething\"";
    assert_eq!(errors_of(met), []);
    assert_eq!(
        errors_of("expect_headers = { X = \"z\" }"),
        [(ErrorKind::Header, 4)]
    );
    assert_eq!(errors_of("expect_body = \"else\""), [(ErrorKind::Body, 4)]);
}

#[test]
fn long_bodies_pass_both_ways() {
    const SIZE: usize = 1_000_000;
    let received = Arc::new(Mutex::new(0));
    let sum = received.clone();
    let address = peer(&[(frame::INITIAL_WINDOW_SIZE, 20_000)], move |peer| {
        while let Some(stream) = peer.request() {
            peer.frame(frame::HEADERS, frame::END_HEADERS, stream, &[0x88]);
            let body = vec![b'x'; SIZE];
            let mut pieces = body.chunks(16_384).peekable();
            while let Some(piece) = pieces.next() {
                let ends = u8::from(pieces.peek().is_none());
                peer.frame(frame::DATA, ends, stream, piece);
            }
        }
        *sum.lock().unwrap() += peer.bodies;
    });
    let posting = Overrides {
        method: some("POST"),
        body_size: some("1MiB"),
        ..closed("6", "1")
    };
    let results = run(address, over(posting, "3"));
    assert_eq!(errors(&results), []);
    assert_eq!(results.counts.answered, 6);
    assert!(results.counts.bytes_in > 6 * SIZE as u64);
    assert!(results.counts.bytes_out > 6 * 1_048_576);
}

#[test]
fn a_connection_serves_as_many_requests_as_it_may_and_streams_pause() {
    let address = peer(&[], |peer| {
        while let Some(stream) = peer.request() {
            peer.answer(stream);
        }
    });
    let few = Overrides {
        requests_per_connection: some("4"),
        ..closed("10", "1")
    };
    let results = run(address, over(few, "2"));
    assert_eq!(results.counts.answered, 10);
    assert_eq!(results.counts.connections, 3);
    let pausing = Overrides {
        think: some("20ms"),
        ..closed("9", "1")
    };
    let results = run(address, over(pausing, "3"));
    assert_eq!(results.counts.answered, 9);
    // Three rounds on three streams, with a pause after the first two.
    assert!(results.duration_ns >= 40_000_000, "{}", results.duration_ns);
}

#[test]
fn who_does_not_speak_it_is_told_apart() {
    let refused = |address| {
        let scenario = scenario(address, over(closed("1", "1"), "1"));
        let failed = run_with(&scenario, &setup(1));
        failed.expect_err("it does not speak HTTP/2").to_string()
    };
    let address = answering("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    let why = refused(address);
    assert!(why.contains("HTTP/2: the server speaks HTTP/1.1"), "{why}");
    let address = peer(&[(frame::MAX_CONCURRENT_STREAMS, 0)], |peer| {
        while peer.request().is_some() {}
    });
    let why = refused(address);
    assert!(why.contains("takes no requests"), "{why}");
}

#[test]
fn an_interruption_ends_the_run_with_what_it_has() {
    for rate in [None, some("1000/s")] {
        let signals = Signals::default();
        let raise = signals.clone();
        let answered = AtomicUsize::new(0);
        let address = peer(&[], move |peer| {
            while let Some(stream) = peer.request() {
                peer.answer(stream);
                if answered.fetch_add(1, Ordering::Relaxed) == 100 {
                    raise.raise();
                }
            }
        });
        let long = Overrides {
            rate,
            duration: some("1h"),
            connections: some("2"),
            ..Overrides::default()
        };
        let scenario = scenario(address, over(long, "3"));
        let results = execute(&scenario, &setup(1), &signals, &mut Progress::quiet()).unwrap();
        assert!(results.about.interrupted);
        assert!(results.counts.answered >= 100);
        assert_eq!(results.counts.failed, 0);
    }
}

#[test]
fn steady_requests_allocate_nothing() {
    let address = peer(&[], |peer| {
        while let Some(stream) = peer.request() {
            peer.answer(stream);
        }
    });
    let of = |requests: &str| allocations(address, over(closed(requests, "2"), "8"));
    let (few, many) = (of("1000"), of("21000"));
    // As in HTTP/1.1: a second's end costs some, a request nothing.
    assert!(many < few + 200, "{few} for 1,000, {many} for 21,000");
    let of = |duration: &str| {
        let open = Overrides {
            rate: some("4000/s"),
            duration: some(duration),
            connections: some("2"),
            ..Overrides::default()
        };
        allocations(address, over(open, "8"))
    };
    let (few, many) = (of("100ms"), of("900ms"));
    assert!(many < few + 200, "{few} for 400, {many} for 3,600");
}

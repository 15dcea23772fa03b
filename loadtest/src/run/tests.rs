//! Runs against servers that are scripted byte by byte.
//!
//! A server is a closure on a thread of its own for each connection; what it has seen comes back over a channel. No times
//! are asserted but those that the scenario itself sets a lower bound to.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine_net::runtime::{Wish, probe};

use super::*;
use crate::scenario::Overrides;

mod crate_server;
mod foreign;
mod grpc;
mod http2;
mod secure;

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// A server; `serve` is called for each connection with its number, on a thread of its own.
fn server(serve: impl Fn(usize, TcpStream) + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for (number, conn) in listener.incoming().enumerate() {
            let (conn, serve) = (conn.unwrap(), serve.clone());
            conn.set_nodelay(true).unwrap();
            std::thread::spawn(move || serve(number, conn));
        }
    });
    address
}

/// Reads a request without a body; none at the end.
fn request(conn: &mut TcpStream) -> Option<String> {
    let mut text = Vec::new();
    let mut byte = [0];
    while !text.ends_with(b"\r\n\r\n") {
        match conn.read(&mut byte) {
            Ok(1) => text.push(byte[0]),
            _ => return None,
        }
    }
    Some(String::from_utf8(text).unwrap())
}

/// Answers each request with the same bytes.
fn answering(answer: &'static str) -> SocketAddr {
    server(move |_, mut conn| {
        while request(&mut conn).is_some() {
            if conn.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    })
}

fn setup(workers: usize) -> Setup {
    Setup {
        name: "test".to_owned(),
        command: "test".to_owned(),
        rates: None,
        cores: vec![None; workers],
        driver: probe(Wish::Auto).unwrap().0,
        pipeline: 1,
        client: Client::Own,
    }
}

fn scenario(address: SocketAddr, over: Overrides) -> Scenario {
    Scenario::single(&format!("http://{address}/"), &over)
        .unwrap_or_else(|why| panic!("{}", crate::scenario::show(&why)))
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// So many requests on so many connections.
fn closed(requests: &str, connections: &str) -> Overrides {
    Overrides {
        requests: some(requests),
        connections: some(connections),
        ..Overrides::default()
    }
}

fn run_with(scenario: &Scenario, setup: &Setup) -> Result<Results, Failure> {
    execute(scenario, setup, &Signals::default(), &mut Progress::quiet())
}

fn run(address: SocketAddr, over: Overrides) -> Results {
    run_with(&scenario(address, over), &setup(1)).unwrap()
}

/// What went wrong, and how often.
fn errors(results: &Results) -> Vec<(ErrorKind, u64)> {
    results.errors.iter().map(|(kind, n)| (*kind, *n)).collect()
}

#[test]
fn a_closed_loop_sends_exactly_as_many_as_it_was_told() {
    for (workers, connections) in [(1, "1"), (1, "7"), (3, "7"), (4, "2")] {
        let address = answering(OK);
        let scenario = scenario(address, closed("1000", connections));
        let results = run_with(&scenario, &setup(workers)).unwrap();
        assert_eq!(results.counts.answered, 1000);
        assert_eq!(results.counts.sent, 1000);
        assert_eq!(results.counts.failed, 0);
        assert_eq!(results.latency.count(), 1000);
        assert_eq!(results.counts.bytes_in, 1000 * OK.len() as u64);
        assert_eq!(results.counts.connections.to_string(), connections);
        assert_eq!(results.connect.count(), results.counts.connections);
        assert_eq!(results.status.get(&200), Some(&1000));
        assert!(results.generator.workers.len() <= workers);
    }
}

#[test]
fn an_open_loop_sends_every_request_that_is_due() {
    let address = answering(OK);
    let over = Overrides {
        rate: some("2000/s"),
        duration: some("500ms"),
        ..Overrides::default()
    };
    let results = run_with(&scenario(address, over), &setup(2)).unwrap();
    assert_eq!(results.counts.sent + results.counts.unsent, 1000);
    assert_eq!(results.counts.answered, results.counts.sent);
    assert_eq!(results.generator.lag.count(), results.counts.sent);
    assert_eq!(results.service.count(), results.counts.answered);
    assert_eq!(results.about.mode, Mode::Open);
}

#[test]
fn a_stall_is_in_the_latency_of_all_that_were_due_meanwhile() {
    // One connection; the first answer takes 300 ms, the others none. Requests are due each 10 ms.
    let stalled = Arc::new(AtomicUsize::new(0));
    let stall = stalled.clone();
    let address = server(move |_, mut conn| {
        while request(&mut conn).is_some() {
            if stall.fetch_add(1, Ordering::Relaxed) == 0 {
                std::thread::sleep(Duration::from_millis(300));
            }
            conn.write_all(OK.as_bytes()).unwrap();
        }
    });
    let over = Overrides {
        rate: some("100/s"),
        duration: some("600ms"),
        connections: some("1"),
        ..Overrides::default()
    };
    let results = run(address, over);
    assert_eq!(results.counts.sent + results.counts.unsent, 60);
    // Those due in the first half of the stall waited at least its other half.
    let late = results.latency.count_between(150_000_000, 60_000_000_000);
    assert!(late >= 15, "{late}");
    // By the clock of who only looks at what was sent, only one was slow.
    let slow = results.service.count_between(150_000_000, 60_000_000_000);
    assert!(slow < 5, "{slow}");
    // That was the server's doing, not the generator's.
    let lagged = results
        .generator
        .lag
        .count_between(150_000_000, 60_000_000_000);
    assert!(lagged < 5, "{lagged}");
}

#[test]
fn an_open_loop_opens_connections_while_requests_wait() {
    let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let seen = most.clone();
    let address = server(move |_, mut conn| {
        seen.fetch_max(open.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
        while request(&mut conn).is_some() {
            std::thread::sleep(Duration::from_millis(200));
            conn.write_all(OK.as_bytes()).unwrap();
        }
        open.fetch_sub(1, Ordering::Relaxed);
    });
    let over = Overrides {
        rate: some("1000/s"),
        duration: some("300ms"),
        connections: some("100"),
        ..Overrides::default()
    };
    let results = run(address, over);
    assert!(most.load(Ordering::Relaxed) > FIRST_CONNECTIONS);
    assert!(results.counts.connections <= 100);
    assert_eq!(results.counts.sent + results.counts.unsent, 300);
    assert_eq!(results.counts.failed, 0);
}

#[test]
fn what_warms_up_is_not_counted() {
    let address = answering(OK);
    let over = Overrides {
        warmup: some("200ms"),
        ..closed("50", "2")
    };
    let results = run(address, over);
    assert_eq!(results.counts.answered, 50);
    let over = Overrides {
        warmup: some("200ms"),
        rate: some("500/s"),
        duration: some("200ms"),
        ..Overrides::default()
    };
    let results = run(address, over);
    assert_eq!(results.counts.sent + results.counts.unsent, 100);
}

#[test]
fn each_failure_is_counted_as_what_it_is() {
    let check = |serve: fn(&mut TcpStream), over: Overrides, expected: &[(ErrorKind, u64)]| {
        let address = server(move |_, mut conn| {
            while request(&mut conn).is_some() {
                serve(&mut conn);
            }
        });
        let results = run(address, over);
        assert_eq!(errors(&results), expected);
    };
    let three = || closed("3", "1");
    let brief = Overrides {
        timeout: some("50ms"),
        ..three()
    };
    let close = |conn: &mut TcpStream| conn.shutdown(std::net::Shutdown::Both).unwrap();
    check(|_| {}, brief, &[(ErrorKind::Timeout, 3)]);
    check(close, three(), &[(ErrorKind::Closed, 3)]);
    check(
        |conn| {
            conn.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel")
                .unwrap();
            conn.shutdown(std::net::Shutdown::Both).unwrap();
        },
        three(),
        &[(ErrorKind::Closed, 3)],
    );
    let odd = |conn: &mut TcpStream| drop(conn.write_all(b"HTTP/1.1 200 OK\n\n"));
    check(odd, three(), &[(ErrorKind::Protocol, 3)]);
    let surplus = |conn: &mut TcpStream| {
        drop(conn.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab"));
    };
    check(surplus, three(), &[(ErrorKind::Protocol, 3)]);
    let refusing = |conn: &mut TcpStream| {
        drop(conn.write_all(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"));
    };
    check(refusing, three(), &[(ErrorKind::Status, 3)]);
    let expecting = Overrides {
        expect_status: some("503"),
        ..three()
    };
    check(refusing, expecting, &[]);
}

#[test]
fn an_answer_may_take_any_of_its_forms() {
    let check = |over: Overrides, answer: &'static str, closes: bool, bytes: usize| {
        let address = server(move |_, mut conn| {
            while request(&mut conn).is_some() {
                // In pieces, so that every state is waited in.
                for piece in answer.as_bytes().chunks(7) {
                    conn.write_all(piece).unwrap();
                    conn.flush().unwrap();
                }
                if closes {
                    return;
                }
            }
        });
        let results = run(address, over);
        assert_eq!(errors(&results), [], "{answer:?}");
        assert_eq!(results.counts.answered, 5);
        assert_eq!(results.counts.bytes_in, 5 * bytes as u64, "{answer:?}");
        let connections = if closes { 5 } else { 1 };
        assert_eq!(results.counts.connections, connections);
    };
    let five = || closed("5", "1");
    let head = Overrides {
        method: some("HEAD"),
        ..five()
    };
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n1;x\r\ne\r\n0\r\nA: b\r\n\r\n";
    check(five(), chunked, false, chunked.len());
    let until_close = "HTTP/1.1 200 OK\r\n\r\neverything until the end";
    check(five(), until_close, true, until_close.len());
    let closing = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nab";
    check(five(), closing, true, closing.len());
    let none = "HTTP/1.1 204 No Content\r\n\r\n";
    check(five(), none, false, none.len());
    let interim =
        "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na";
    check(five(), interim, false, interim.len());
    let without_body = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
    check(head, without_body, false, without_body.len());
}

#[test]
fn long_bodies_pass_both_ways() {
    const SIZE: usize = 1_000_000;
    let address = server(|_, mut conn| {
        while let Some(head) = request(&mut conn) {
            assert!(head.contains("Content-Length: 1048576"), "{head}");
            let mut body = vec![0; 1_048_576];
            conn.read_exact(&mut body).unwrap();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n");
            conn.write_all(head.as_bytes()).unwrap();
            conn.write_all(&vec![b'x'; SIZE]).unwrap();
        }
    });
    let over = Overrides {
        method: some("POST"),
        body_size: some("1MiB"),
        ..closed("6", "2")
    };
    let results = run(address, over);
    assert_eq!(errors(&results), []);
    assert_eq!(results.counts.answered, 6);
    assert!(results.counts.bytes_in > 6 * SIZE as u64);
    assert!(results.counts.bytes_out > 6 * 1_048_576);
}

#[test]
fn an_answer_before_the_request_was_all_sent_is_taken() {
    // Nothing of the body is read: it can't all be sent.
    let address = server(|_, mut conn| {
        request(&mut conn);
        conn.write_all(b"HTTP/1.1 413 Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut rest = Vec::new();
        let _ = conn.take(1).read_to_end(&mut rest);
        // The connection stays open until the client leaves.
        std::thread::park();
    });
    let over = Overrides {
        method: some("POST"),
        body_size: some("64MiB"),
        expect_status: some("413"),
        ..closed("2", "1")
    };
    let results = run(address, over);
    assert_eq!(errors(&results), []);
    assert_eq!(results.status.get(&413), Some(&2));
}

#[test]
fn a_connection_serves_as_many_requests_as_it_may() {
    for (each, connections) in [("1", 10), ("4", 3)] {
        let address = answering(OK);
        let over = Overrides {
            requests_per_connection: some(each),
            ..closed("10", "1")
        };
        let results = run(address, over);
        assert_eq!(results.counts.answered, 10);
        assert_eq!(results.counts.connections, connections);
    }
}

#[test]
fn pipelined_requests_go_together() {
    let together = Arc::new(AtomicUsize::new(0));
    let seen = together.clone();
    let address = server(move |_, mut conn| {
        // Four must have come before any is answered.
        while (0..4).all(|_| request(&mut conn).is_some()) {
            seen.fetch_add(1, Ordering::Relaxed);
            conn.write_all(OK.repeat(4).as_bytes()).unwrap();
        }
    });
    let setup = Setup {
        pipeline: 4,
        ..setup(1)
    };
    let results = run_with(&scenario(address, closed("40", "1")), &setup).unwrap();
    assert_eq!(errors(&results), []);
    assert_eq!(results.counts.answered, 40);
    assert_eq!(results.counts.bytes_in, 40 * OK.len() as u64);
    assert_eq!(together.load(Ordering::Relaxed), 10);
}

#[test]
fn a_target_that_refuses_is_an_error_and_not_a_result() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let refused = run_with(&scenario(address, closed("10", "4")), &setup(2));
    let why = refused.expect_err("nobody listens").to_string();
    assert!(why.contains("refused"), "{why}");
}

#[test]
fn a_server_that_goes_away_fails_what_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut conn, _) = listener.accept().unwrap();
        drop(listener);
        request(&mut conn).unwrap();
        conn.write_all(OK.as_bytes()).unwrap();
        request(&mut conn).unwrap();
    });
    let results = run(address, closed("10", "1"));
    server.join().unwrap();
    assert_eq!(results.counts.answered, 1);
    assert_eq!(results.counts.failed, 9);
    assert_eq!(results.errors.get(&ErrorKind::Connect), Some(&8));
}

#[test]
fn an_interruption_ends_the_run_with_what_it_has() {
    let check = |rate: Option<&str>| {
        let signals = Signals::default();
        let raise = signals.clone();
        let answered = AtomicUsize::new(0);
        let address = server(move |_, mut conn| {
            while request(&mut conn).is_some() {
                let sent = conn.write_all(OK.as_bytes());
                if answered.fetch_add(1, Ordering::Relaxed) == 100 {
                    raise.raise();
                }
                if sent.is_err() {
                    return;
                }
            }
        });
        let over = Overrides {
            duration: some("1h"),
            rate: rate.map(str::to_owned),
            ..Overrides::default()
        };
        let scenario = scenario(address, over);
        let results = execute(&scenario, &setup(2), &signals, &mut Progress::quiet()).unwrap();
        assert!(results.about.interrupted);
        assert!(results.counts.answered >= 100);
        assert_eq!(results.counts.failed, 0);
        assert!(results.duration_ns < 3_600_000_000_000);
    };
    check(None);
    check(Some("1000/s"));
}

/// The end is asked for while the search opens the connections of its next step.
#[test]
fn a_search_that_is_interrupted_keeps_its_steps() {
    let signals = Signals::default();
    let raise = signals.clone();
    let address = server(move |number, mut conn| {
        if number >= 2 {
            // The second step's.
            raise.raise();
            raise.raise();
        }
        while request(&mut conn).is_some() && conn.write_all(OK.as_bytes()).is_ok() {}
    });
    let over = Overrides {
        rate: some("20/s"),
        duration: some("300ms"),
        connections: some("2"),
        ..Overrides::default()
    };
    let scenario = scenario(address, over);
    let quest = sweep::Quest {
        until: "p99=1m".to_owned(),
        promise: crate::scenario::Threshold::until("p99=1m").unwrap(),
        from: 20.0,
        step: std::time::Duration::from_millis(300),
        precision: 0.05,
    };
    let mut progress = Progress::quiet();
    let results = sweep::run(&scenario, &quest, &setup(1), &signals, &mut progress).unwrap();
    assert!(results.about.interrupted);
    assert_eq!(results.sweep.unwrap().points[0].wanted, 20.0);
}

#[test]
fn whoever_asks_twice_does_not_wait_for_answers() {
    let signals = Signals::default();
    let raise = signals.clone();
    let address = server(move |_, mut conn| {
        request(&mut conn);
        raise.raise();
        raise.raise();
        std::thread::park();
    });
    let over = Overrides {
        duration: some("1h"),
        timeout: some("1h"),
        connections: some("1"),
        ..Overrides::default()
    };
    let scenario = scenario(address, over);
    let results = execute(&scenario, &setup(1), &signals, &mut Progress::quiet()).unwrap();
    assert_eq!(results.counts.answered, 0);
}

/// What a worker allocates for so many requests, on this thread.
fn allocations(address: SocketAddr, over: Overrides) -> u64 {
    let scenario = scenario(address, over);
    let board = Arc::new(Board::new(1));
    let job = Job {
        address: Address::Tcp(address),
        tls: None,
        worker: 0,
        workers: 1,
        core: None,
        driver: probe(Wish::Auto).unwrap().0,
        pipeline: 1,
        board: board.clone(),
        scenario: Arc::new(scenario),
    };
    board.begin(clock::now());
    let (report, counts) = engine_net::testing::count(|| worker::run(job));
    assert!(report.unwrap().is_some());
    counts.allocations
}

#[test]
fn steady_requests_allocate_nothing() {
    let address = answering(OK);
    let of = |requests: &str| allocations(address, closed(requests, "4"));
    let (few, many) = (of("1000"), of("21000"));
    // A second's end costs some, and so does a connection that is opened: not a request.
    assert!(many < few + 200, "{few} for 1,000, {many} for 21,000");
    let of = |duration: &str| {
        let over = Overrides {
            rate: some("4000/s"),
            duration: some(duration),
            connections: some("16"),
            ..Overrides::default()
        };
        allocations(address, over)
    };
    let (few, many) = (of("100ms"), of("900ms"));
    assert!(many < few + 200, "{few} for 400, {many} for 3,600");
}

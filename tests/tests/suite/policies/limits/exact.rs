//! Exact admission: over two workers and many connections a bucket gives out what it holds, no more
//! and no less.
//!
//! Each connection asks until it is refused, so that at the end no worker holds a token back.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use tests::{Gateway, Peer};

use super::limited;

const TWO: &str = "[gateway]\nworkers = 2\npin = false\n";

/// Asks on so many connections at once, on each until it has been refused thrice; gives the number of
/// requests that passed.
#[track_caller]
fn admitted(gateway: &Gateway, connections: usize) -> usize {
    let passed = Arc::new(AtomicUsize::new(0));
    let mut peers: Vec<Peer> = (0..connections).map(|_| gateway.peer()).collect();
    let threads = peers.drain(..).map(|mut peer| {
        let passed = Arc::clone(&passed);
        thread::spawn(move || {
            let mut refused = 0;
            while refused < 3 {
                match peer.get("/a").status {
                    200 => passed.fetch_add(1, Ordering::Relaxed),
                    429 => {
                        refused += 1;
                        0
                    }
                    other => panic!("{other}"),
                };
            }
        })
    });
    let threads: Vec<_> = threads.collect();
    for thread in threads {
        thread.join().expect("a peer's thread");
    }
    passed.load(Ordering::Relaxed)
}

#[test]
fn one_token_for_everybody() {
    let gateway = limited("rate = \"1/day\"\nkey = \"global\"", TWO);
    assert_eq!(admitted(&gateway, 64), 1);
    assert_eq!(admitted(&gateway, 16), 0);
}

#[test]
fn a_few_tokens() {
    for burst in [2, 3, 5, 17] {
        let limit = format!("rate = \"1/day\"\nburst = {burst}\nkey = \"global\"");
        let gateway = limited(&limit, TWO);
        assert_eq!(admitted(&gateway, 48), burst, "burst {burst}");
    }
}

#[test]
fn thousands_of_tokens() {
    let gateway = limited("rate = \"1/day\"\nburst = 8000\nkey = \"global\"", TWO);
    assert_eq!(admitted(&gateway, 32), 8_000);
    assert_eq!(admitted(&gateway, 8), 0);
}

#[test]
fn what_one_worker_gives_back_another_can_have() {
    // Connections come one after the other, on whichever worker: nothing may be lost in between.
    let gateway = limited("rate = \"1/day\"\nburst = 400\nkey = \"global\"", TWO);
    let mut passed = 0;
    for _ in 0..1_000 {
        passed += usize::from(gateway.get("/a").status == 200);
    }
    assert_eq!(passed, 400);
}

#[test]
fn by_key_on_two_workers() {
    let gateway = limited("rate = \"1/day\"\nburst = 3\nkey = \"header:K\"", TWO);
    let mut peers: Vec<Peer> = (0..8).map(|_| gateway.peer()).collect();
    for key in 0..200 {
        let request = format!("GET /a HTTP/1.1\r\nHost: a\r\nK: {key}\r\n\r\n");
        let passed = peers.iter_mut().map(|peer| peer.ask(&request).status);
        let passed = passed.filter(|status| *status == 200).count();
        assert_eq!(passed, 3, "key {key}");
    }
}

#[test]
fn while_it_refills() {
    let gateway = limited("rate = \"2000/s\"\nburst = 50\nkey = \"global\"", TWO);
    let start = Instant::now();
    let threads: Vec<_> = (0..16)
        .map(|_| {
            let mut peer = gateway.peer();
            thread::spawn(move || (0..300).filter(|_| peer.get("/a").status == 200).count())
        })
        .collect();
    let passed: usize = threads
        .into_iter()
        .map(|thread| thread.join().expect("a peer's thread"))
        .sum();
    let most = 50.0 + 2_000.0 * start.elapsed().as_secs_f64();
    assert!(passed as f64 <= most, "{passed} of {most}");
    assert!(passed >= 50, "{passed}");
}

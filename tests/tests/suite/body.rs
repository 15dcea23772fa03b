//! Bodies of any size, both ways, in memory that does not grow with them.

use std::io;
use std::sync::LazyLock;
use std::thread;

use tests::wire::{Unframed, Wire};
use tests::{Answer, Gateway, Origin, Peer};

const MIB: usize = 1024 * 1024;
const SIZES: [usize; 12] = [
    0,
    1,
    15,
    16 * 1024 - 1,
    16 * 1024,
    16 * 1024 + 1,
    65_535,
    65_536,
    128 * 1024,
    200_001,
    5 * MIB + 3,
    64 * MIB,
];

/// Bytes in which a shifted, missing or repeated part shows. Made once: they take a while without optimisation, and an
/// origin that thinks for long is timed out.
static PATTERN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let words =
        (0..(64 * MIB / 8) as u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_le_bytes());
    let mut bytes = Vec::with_capacity(64 * MIB);
    words.for_each(|word| bytes.extend_from_slice(&word));
    bytes
});

fn pattern(length: usize) -> Vec<u8> {
    PATTERN[..length].to_vec()
}

fn chunked(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + body.len() / 64 + 64);
    for chunk in body.chunks(size) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

/// Sends on one thread what is read on another, so that neither side waits for the other.
#[track_caller]
fn exchange(peer: &mut Peer, bytes: Vec<u8>) -> Answer {
    let stream = peer.0.stream().try_clone().expect("a second descriptor");
    let writer = thread::spawn(move || Wire::new(stream).write(&bytes));
    let answer = peer.answer();
    writer
        .join()
        .expect("no panic")
        .expect("all of it is taken");
    answer
}

/// Resident memory in KiB.
fn resident(gateway: &Gateway) -> usize {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).expect("it runs");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .expect("Linux says so");
    line.split_whitespace()
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("a number")
}

#[test]
fn answers_of_every_size_arrive_whole() {
    LazyLock::force(&PATTERN);
    let origin = Origin::start(|link| {
        while let Some(request) = link.request()? {
            let (kind, size) = request.target[1..].split_once('/').expect("/KIND/SIZE");
            let body = pattern(size.parse().expect("a number"));
            match kind {
                "length" => {
                    link.send(format!(
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n",
                        body.len()
                    ))?;
                    link.send(&body)?;
                }
                "chunked" => {
                    link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                    link.send(chunked(&body, 40_000))?;
                }
                _ => {
                    link.send("HTTP/1.1 200 OK\r\n\r\n")?;
                    return link.send(&body);
                }
            }
        }
        Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for size in SIZES {
        let body = pattern(size);
        for kind in ["length", "chunked", "close"] {
            peer.get(&format!("/{kind}/{size}")).is(200).body_is(&body);
        }
    }
    let kib = resident(&gateway);
    assert!(
        kib < 96 * 1024,
        "{kib} KiB at the most for bodies of 64 MiB"
    );
}

#[test]
fn request_bodies_of_every_size_arrive_whole() {
    LazyLock::force(&PATTERN);
    let origin = Origin::start(|link| {
        while let Some(mut message) = link.wire.head()? {
            link.wire.body(&mut message, Unframed::Empty)?;
            let right = message.body == pattern(message.body.len());
            link.send(tests::origin::ok(&format!(
                "{} {right}",
                message.body.len()
            )))?;
        }
        io::Result::Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    for size in SIZES {
        let body = pattern(size);
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n");
        let bytes = [head.as_bytes(), &body].concat();
        exchange(&mut peer, bytes)
            .is(200)
            .body_is(format!("{size} true"));
        for chunk in [7 * 1024, 100_000] {
            let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
            let bytes = [head.as_bytes(), &chunked(&body, chunk)].concat();
            exchange(&mut peer, bytes)
                .is(200)
                .body_is(format!("{size} true"));
        }
    }
    let kib = resident(&gateway);
    assert!(
        kib < 96 * 1024,
        "{kib} KiB at the most for bodies of 64 MiB"
    );
}

#[test]
fn tiny_chunks_arrive_whole() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    let body = pattern(50_000);
    for size in [1, 2, 15, 17] {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let bytes = [head.as_bytes(), &chunked(&body, size)].concat();
        exchange(&mut peer, bytes).is(200).body_is(&body);
    }
}

#[test]
fn an_upstream_that_does_not_read_holds_the_client_back() {
    let origin = Origin::start(|link| {
        link.request_head()?;
        link.wait_closed();
        Ok(())
    });
    // The origin reads at its own pace; what matters here is that nothing is kept in between.
    let gateway = Gateway::before(origin.address, "");
    let before = resident(&gateway);
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 67108864\r\n\r\n");
    peer.send(pattern(63 * MIB));
    let grown = resident(&gateway) - before;
    assert!(grown < 16 * 1024, "{grown} KiB for one request");
}

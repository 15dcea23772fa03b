//! Budgets: a request that the origin answers from what it keeps allocates nothing, and neither does recording an answer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use engine_net::runtime::{self, Driver};
use engine_net::testing::{CountingAllocator, count, counts};
use engine_net::{Address, Buffer, Conn, Listener, connect};
use loadtest::origin;
use loadtest::results::{Answer, Mode, Part};

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

/// Sends the request and reads `bytes` of answers.
async fn exchange(conn: &Conn, request: &[u8], bytes: usize) {
    let mut buffer = Buffer::standard();
    assert!(buffer.extend(request));
    let (written, mut buffer) = conn.write(buffer).await;
    written.expect("a write");
    let mut left = bytes;
    while left > 0 {
        buffer.clear();
        let (read, back) = conn.read(buffer).await;
        buffer = back;
        left -= read.expect("a read").min(left);
        assert!(!buffer.is_empty(), "the answer ends early");
    }
}

/// How many bytes the answer to a request has.
async fn size(conn: &Conn, request: &[u8], body: usize) -> usize {
    let mut buffer = Buffer::standard();
    assert!(buffer.extend(request));
    let (written, mut buffer) = conn.write(buffer).await;
    written.expect("a write");
    buffer.clear();
    let (read, buffer) = conn.read(buffer).await;
    let first = read.expect("a read");
    let end = buffer.filled().windows(4).position(|it| it == b"\r\n\r\n");
    let whole = end.expect("a head") + 4 + body;
    let mut left = whole - first;
    while left > 0 {
        let (read, _) = conn.read(Buffer::large()).await;
        left -= read.expect("a read");
    }
    whole
}

#[test]
fn answering_allocates_nothing() {
    // Client and server on one thread: its counts are those of both.
    let allocated = runtime::run(Driver::Epoll, || async {
        let listener = Listener::bind(&Address::Tcp(([127, 0, 0, 1], 0).into()), 16);
        let listener = listener.expect("a listener");
        let address = listener.local();
        let stopped = Rc::new(Cell::new(false));
        let (stop, over) = (Rc::clone(&stopped), Rc::new(Cell::new(false)));
        let ended = Rc::clone(&over);
        runtime::spawn(async move {
            let stop = async {
                while !stop.get() {
                    runtime::sleep(Duration::from_millis(1)).await;
                }
            };
            origin::serve(listener, stop).await;
            ended.set(true);
        });
        let conn = connect(&address).await.expect("a connection");
        let mut allocated = Vec::new();
        for (request, body) in [
            ("GET /1k HTTP/1.1\r\nHost: x\r\n\r\n", 1024),
            (
                "GET /16k?id=7 HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n",
                16 << 10,
            ),
            (
                "POST /items HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
                3,
            ),
            (
                "POST /1k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                1024,
            ),
            ("GET /1k?status=503 HTTP/1.1\r\nHost: x\r\n\r\n", 1024),
            (
                "GET /1k?chunks=0&size=100k HTTP/1.1\r\nHost: x\r\n\r\n",
                100 << 10,
            ),
        ] {
            let bytes = size(&conn, request.as_bytes(), body).await;
            for _ in 0..100 {
                exchange(&conn, request.as_bytes(), bytes).await;
            }
            let before = counts();
            for _ in 0..1000 {
                exchange(&conn, request.as_bytes(), bytes).await;
            }
            allocated.push((request, counts().allocations - before.allocations));
        }
        drop(conn);
        stopped.set(true);
        while !over.get() {
            runtime::sleep(Duration::from_millis(1)).await;
        }
        allocated
    });
    for (request, allocations) in allocated.expect("a runtime") {
        // The timers of the test's own `stop`, and of the second's tick, are the runtime's; a request's would be 1000.
        assert!(allocations < 100, "{request}: {allocations}");
    }
}

#[test]
fn recording_allocates_nothing_within_a_second() {
    let mut part = Part::new(0, Mode::Open, 3);
    let ((), counts) = count(|| {
        for n in 0..10_000_u64 {
            part.sent(100);
            part.lagged(n);
            part.answered(Answer {
                template: (n % 3) as usize,
                status: 200,
                bytes: 1000,
                due: n,
                sent: n + 10,
                first_byte: n + 5000,
                done: n * 50_000 + 6000,
                grpc: None,
                unmet: None,
            });
        }
    });
    assert_eq!(counts.allocations, 0);
    assert_eq!(part.counts().answered, 10_000);
}

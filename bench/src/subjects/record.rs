//! What is left of a request: its counters, a histogram's observation, and its line in the access log's
//! buffer; and what the answer tells of limits.

use std::hint::black_box;
use std::sync::Arc;

use engine_bridge::logs::Line;
use engine_bridge::metrics::{DURATION, Histogram};
use policy::context::Context;
use policy::problem::json_string;
use protocol::message::Method;

use crate::{Sample, Subject, World};

const TEXT: &str = r#"
[listener.public]
address = "127.0.0.1:0"

[access_log.main]
path = "access.log"

[limit.per_ip]
rate = "100000/s"
key = "ip"

[route.all]
path = "/*"
respond = "200 ok"
auth = "none"
access_log = "main"
limits = ["per_ip"]
"#;

/// Names and values as long as those of a real line.
const MEMBERS: [(&str, &str); 12] = [
    ("timestamp", "2026-11-22T02:55:42.296Z"),
    ("requestId", "0198a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"),
    ("method", "GET"),
    ("path", "/gw/products/17"),
    ("protocol", "HTTP/1.1"),
    ("clientIp", "192.0.2.1"),
    (
        "userAgent",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    ),
    ("userId", "user-17"),
    ("tenant", "acme"),
    ("route", "gw"),
    ("backendService", "backend"),
    ("backendEndpoint", "127.0.0.1:19101"),
];

/// The subjects of this room.
pub fn all() -> Vec<Subject> {
    vec![
        Subject::new("record/histogram", || {
            let (histogram, mut total) = (Histogram::new(&DURATION), 50_000);
            move || {
                total = next(total);
                black_box(&histogram).observe(total);
            }
        }),
        Subject::new("record/count", || {
            let series = World::new(TEXT, 1).bridge.metrics.route(0, "all");
            let mut total = 50_000;
            move || {
                total = next(total);
                let (method, status) = (black_box(Method::Get), black_box(200));
                series.count(method, status, total, Some(total / 2));
            }
        }),
        Subject::new("record/log_line", log_line),
        Subject::new("record/limit_headers", limit_headers),
    ]
}

/// Another duration, up to 5 ms.
fn next(total: u64) -> u64 {
    (total + 7_919) % 5_000_000
}

fn log_line() -> impl FnMut() {
    let world = World::new(TEXT, 1);
    let mut sink = world.bridge.logs.sink(0, &world.snapshot.access_logs[0]);
    let log = Arc::clone(&world.bridge.logs.all()[0]);
    let mut lines = 0_u64;
    move || {
        let line = sink.line(|out| {
            out.push(b'{');
            for (name, value) in black_box(MEMBERS) {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(name.as_bytes());
                out.extend_from_slice(b"\":");
                json_string(out, value.as_bytes());
            }
            out.extend_from_slice(b"\"statusCode\":200}\n");
        });
        lines += 1;
        // The writer's part, as rarely as a batch is full.
        if lines.is_multiple_of(64)
            && let Some(batch) = log.take()
        {
            log.give_back(batch);
        }
        assert_eq!(line, Line::Written);
    }
}

fn limit_headers() -> impl FnMut() {
    let world = World::new(TEXT, 1);
    let (mut state, mut context) = (world.state(), Context::new());
    let sample = Sample::get("/", "");
    let view = sample.view(1, [192, 0, 2, 1].into());
    let chain = world.snapshot.routes[0].chain.clone();
    assert!(
        chain
            .request(&view, &mut state, &mut context)
            .refusal()
            .is_none()
    );
    let mut out = Vec::with_capacity(1024);
    move || {
        out.clear();
        black_box(&context)
            .limits
            .write_headers(chain.limits(), &mut out);
        black_box(out.len());
    }
}

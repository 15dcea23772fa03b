//! What is left of a request: its counters, and its line in the access log's buffer.

use std::hint::black_box;

use bench::World;
use criterion::{Criterion, criterion_group, criterion_main};
use engine_bridge::logs::Line;
use policy::problem::json_string;
use protocol::message::Method;

const TEXT: &str = r#"
[listener.public]
address = "127.0.0.1:0"

[access_log.main]
path = "access.log"

[route.all]
path = "/*"
respond = "200 ok"
auth = "none"
access_log = "main"
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

fn record(criterion: &mut Criterion) {
    let world = World::new(TEXT);
    let series = world.bridge.metrics.route(0, "all");
    criterion.bench_function("record/count", |bencher| {
        let mut total = 50_000;
        bencher.iter(|| {
            total = (total + 7_919) % 5_000_000;
            series.count(
                black_box(Method::Get),
                black_box(200),
                total,
                Some(total / 2),
            );
        });
    });
    let mut sink = world.bridge.logs.sink(0, &world.snapshot.access_logs[0]);
    let logs = world.bridge.logs.all();
    criterion.bench_function("record/log_line", |bencher| {
        bencher.iter(|| {
            let line = sink.line(|out| {
                out.push(b'{');
                for (name, value) in black_box(MEMBERS) {
                    json_string(out, name.as_bytes());
                    out.push(b':');
                    json_string(out, value.as_bytes());
                    out.push(b',');
                }
                out.extend_from_slice(b"\"statusCode\":200}\n");
            });
            if let Some(batch) = logs[0].take() {
                logs[0].give_back(batch);
            }
            assert_eq!(line, Line::Written);
        });
    });
}

criterion_group!(benches, record);
criterion_main!(benches);

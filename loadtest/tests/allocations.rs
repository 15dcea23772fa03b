//! Budget: making a request allocates nothing once the buffer that it goes to has grown, and neither does holding an
//! answer against what is expected of it.

use engine_net::testing::{CountingAllocator, count};
use loadtest::scenario::{Scenario, show};
use std::path::Path;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

const TEXT: &str = r#"
[target]
url = "http://127.0.0.1:8080"

[token.users]
algorithm = "HS256"
key = "secret"
claims = { sub = "user-{n:1..100}" }

[request.plain]
path = "/"

[request.get]
path = "/items/{id:1..10000}?t={uuid}&c={color:red|green}"
headers = { Authorization = "Bearer {token.users}", X-Text = "{text:16}" }

[request.post]
method = "POST"
path = "/items"
body = '{"id": {counter}, "text": "{text:100}"}'
think = "1ms..2ms"
expect_status = [201]
expect_headers = { content-type = "application/json*" }
expect_body = "created"
"#;

#[test]
fn making_requests_allocates_nothing() {
    let scenario = Scenario::parse(TEXT, "test.toml", Path::new(""));
    let scenario = scenario.unwrap_or_else(|why| panic!("{}", show(&why)));
    let mut generator = scenario.generator(0, 1, 1_000_000);
    let mut out = Vec::with_capacity(4096);
    let mut seen = [false; 3];
    let (made, counts) = count(|| {
        let mut bytes = 0;
        for _ in 0..10_000 {
            out.clear();
            let index = generator.next(&mut out);
            seen[index] = true;
            bytes += out.len() + generator.think(index).as_nanos() as usize;
            generator.refresh();
        }
        bytes
    });
    assert!(made > 1_000_000 && seen == [true; 3]);
    assert_eq!(counts.allocations, 0);
}

#[test]
fn expecting_allocates_nothing() {
    let scenario = Scenario::parse(TEXT, "test.toml", Path::new(""));
    let scenario = scenario.unwrap_or_else(|why| panic!("{}", show(&why)));
    let expect = scenario.templates[2].expect();
    let head = b"HTTP/1.1 201 Created\r\nServer: x\r\nContent-Type: application/json; charset=utf-8\r\n\r\n";
    let (met, counts) =
        count(|| (0..1000).all(|_| expect.check(201, head, Some(b"it was created")).is_ok()));
    assert!(met);
    assert_eq!(counts.allocations, 0);
}

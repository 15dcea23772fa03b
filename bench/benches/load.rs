//! The load generator's own cost: making a request, by what varies in it, and holding an answer against what is expected.

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use loadtest::scenario::{Scenario, show};

const TARGET: &str = "[target]\nurl = \"http://127.0.0.1:8080\"\n\
    [token.users]\nalgorithm = \"ES256\"\nkey = \"file:p256.pem\"\n\
    claims = { iss = \"https://issuer.example\", aud = \"api\", sub = \"user-{n:1..100}\", scope = \"read write\" }\n";

/// What a request says, below its header.
const REQUESTS: [(&str, &str); 6] = [
    ("fixed", "[request.a]\n"),
    ("range", "[request.a]\npath = \"/items/{id:1..10000}\"\n"),
    (
        "token",
        "[request.a]\nheaders = { Authorization = \"Bearer {token.users}\" }\n",
    ),
    (
        "token_and_range",
        "[request.a]\npath = \"/items/{id:1..10000}\"\nheaders = { Authorization = \"Bearer {token.users}\" }\n",
    ),
    (
        "body_that_varies",
        "[request.a]\nmethod = \"POST\"\nbody = '{\"id\": \"{uuid}\", \"name\": \"{text:20}\", \"n\": {n:1..10000}}'\n",
    ),
    (
        "three_by_weight",
        "[request.a]\nweight = 7\npath = \"/items/{id:1..10000}\"\n[request.b]\nweight = 2\npath = \"/b\"\n\
         [request.c]\npath = \"/c/{counter}\"\n",
    ),
];

fn scenario(requests: &str) -> Scenario {
    let folder = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../loadtest/src/scenario/token/key/data"
    );
    let scenario = Scenario::parse(&format!("{TARGET}{requests}"), "bench", Path::new(folder));
    scenario.unwrap_or_else(|why| panic!("{}", show(&why)))
}

fn request(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load_request");
    for (name, text) in REQUESTS {
        let mut generator = scenario(text).generator(0, 1, 1_000_000);
        let mut out = Vec::with_capacity(4096);
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                out.clear();
                let index = generator.next(black_box(&mut out));
                black_box(&out);
                index
            });
        });
    }
    group.finish();
}

fn expectation(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load_expect");
    let head = b"HTTP/1.1 200 OK\r\nServer: x\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
        Content-Length: 1024\r\nContent-Type: application/json\r\n\r\n";
    let mut body = vec![b'x'; 1024];
    body[1000..1007].copy_from_slice(b"created");
    for (name, text) in [
        ("status", "[request.a]\n"),
        (
            "header_and_body",
            "[request.a]\nexpect_headers = { content-type = \"application/json*\" }\nexpect_body = \"created\"\n",
        ),
    ] {
        let scenario = scenario(text);
        let expect = scenario.templates[0].expect();
        group.bench_function(name, |bencher| {
            bencher.iter(|| expect.check(black_box(200), black_box(head), Some(black_box(&body))));
        });
    }
    group.finish();
}

fn minting(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("load_mint");
    group.sample_size(10);
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/data"));
    for (name, key) in [
        ("hs256", "algorithm = \"HS256\"\nkey = \"secret\""),
        ("rs256", "algorithm = \"RS256\"\nkey = \"file:rs256.pk8\""),
    ] {
        let text = format!(
            "[target]\nurl = \"http://h\"\n[token.a]\n{key}\nclaims = {{ sub = \"u{{n:1..100}}\" }}\n"
        );
        let read = || {
            Scenario::parse(&text, "bench", folder).unwrap_or_else(|why| panic!("{}", show(&why)))
        };
        group.bench_function(format!("{name}_100"), |bencher| {
            bencher.iter_batched(read, |scenario| scenario.mint(1), BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(benches, request, expectation, minting);
criterion_main!(benches);

//! Heads: bytes to a parsed request or response, and a response's head to bytes.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use protocol::http1::{decode_request, decode_response, encode};
use protocol::limits::HeadLimits;
use protocol::message::{Method, RequestHead, ResponseHead, Version};

/// What load generators send, and what browsers do.
const PLAIN: &str = "GET /products/17?page=2 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: wrk\r\nAccept: */*\r\n\r\n";
const BROWSER: &str = "GET /products/17?page=2&sort=price HTTP/1.1\r\nHost: shop.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://shop.example.com/products?page=1\r\nDNT: 1\r\nConnection: keep-alive\r\n\
    Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1\r\n\
    Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\nIf-None-Match: \"33a64df551425fcc\"\r\n\
    Cache-Control: max-age=0\r\nPriority: u=0, i\r\n\r\n";
const ANSWER: &str = "HTTP/1.1 200 OK\r\nServer: nginx/1.28.0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Type: application/json\r\nContent-Length: 1024\r\nConnection: keep-alive\r\nETag: \"33a64df5\"\r\n\r\n";

fn decode(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("head/decode");
    let limits = HeadLimits::default();
    for (name, text) in [("request_plain", PLAIN), ("request_browser", BROWSER)] {
        let mut head = RequestHead::new();
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| decode_request(black_box(text.as_bytes()), &mut head, &limits));
        });
    }
    let mut head = ResponseHead::new();
    group.throughput(Throughput::Bytes(ANSWER.len() as u64));
    group.bench_function("response", |bencher| {
        let bytes = ANSWER.as_bytes();
        bencher.iter(|| decode_response(black_box(bytes), &mut head, Method::Get, &limits));
    });
    group.finish();
}

fn encode(criterion: &mut Criterion) {
    let mut out = Vec::with_capacity(1024);
    criterion.bench_function("head/encode/response", |bencher| {
        bencher.iter(|| {
            out.clear();
            encode::status_line(&mut out, Version::Http11, black_box(200), None);
            encode::field(&mut out, b"Server", b"nginx/1.28.0");
            encode::field(&mut out, b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT");
            encode::field(&mut out, b"Content-Type", b"application/json");
            encode::field_u64(&mut out, b"Content-Length", black_box(1024));
            encode::field(&mut out, b"ETag", b"\"33a64df5\"");
            encode::field(&mut out, b"Via", b"1.1 portcullis");
            out.extend_from_slice(b"\r\n");
            black_box(out.len())
        });
    });
}

criterion_group!(benches, decode, encode);
criterion_main!(benches);

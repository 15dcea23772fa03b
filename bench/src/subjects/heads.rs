//! Heads: bytes to a parsed request or response, and heads to bytes. What an exchange leaves out and adds
//! on the way is `edits`'.

use std::hint::black_box;

use protocol::http1::{decode_request, decode_response, encode};
use protocol::limits::HeadLimits;
use protocol::message::{Method, RequestHead, ResponseHead, Version};

use crate::Subject;

/// What load generators send, and what browsers do.
pub(super) const PLAIN: &str = "GET /products/17?page=2 HTTP/1.1\r\nHost: api.example.com\r\nUser-Agent: wrk\r\nAccept: */*\r\n\r\n";
pub(super) const BROWSER: &str = "GET /products/17?page=2&sort=price HTTP/1.1\r\nHost: shop.example.com\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\nAccept-Encoding: gzip, deflate, br, zstd\r\n\
    Referer: https://shop.example.com/products?page=1\r\nDNT: 1\r\nConnection: keep-alive\r\n\
    Cookie: session=8f14e45fceea167a5a36dedd4bea2543; theme=dark; consent=1\r\n\
    Upgrade-Insecure-Requests: 1\r\nSec-Fetch-Dest: document\r\nSec-Fetch-Mode: navigate\r\n\
    Sec-Fetch-Site: same-origin\r\nSec-Fetch-User: ?1\r\nIf-None-Match: \"33a64df551425fcc\"\r\n\
    Cache-Control: max-age=0\r\nPriority: u=0, i\r\n\r\n";
pub(super) const ANSWER: &str = "HTTP/1.1 200 OK\r\nServer: nginx/1.28.0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Type: application/json\r\nContent-Length: 1024\r\nConnection: keep-alive\r\nETag: \"33a64df5\"\r\n\r\n";

/// The subjects of this room.
pub fn all() -> Vec<Subject> {
    vec![
        decode("plain", PLAIN),
        decode("browser", BROWSER),
        Subject::new("head/decode/response", || {
            let (mut head, limits) = (ResponseHead::new(), HeadLimits::default());
            move || {
                let bytes = black_box(ANSWER.as_bytes());
                black_box(decode_response(bytes, &mut head, Method::Get, &limits).is_ok());
            }
        })
        .bytes(ANSWER.len()),
        Subject::new("head/encode/request", || {
            encoded(|out| {
                encode::request_line(out, b"GET", black_box(b"/products/17?page=2"));
                encode::field(out, b"Host", b"api.example.com");
                encode::field(out, b"User-Agent", b"wrk");
                encode::field(out, b"Accept", b"*/*");
                encode::field(out, b"Via", b"1.1 portcullis");
                encode::field(out, b"X-Forwarded-For", black_box(b"192.0.2.1"));
                encode::field(out, b"X-Forwarded-Proto", b"http");
                encode::field(out, b"X-Forwarded-Host", b"api.example.com");
                encode::field(
                    out,
                    b"X-Request-ID",
                    b"0198a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
                );
            })
        }),
        Subject::new("head/encode/response", || {
            encoded(|out| {
                encode::status_line(out, Version::Http11, black_box(200), None);
                encode::field(out, b"Server", b"nginx/1.28.0");
                encode::field(out, b"Date", b"Sun, 06 Nov 1994 08:49:37 GMT");
                encode::field(out, b"Content-Type", b"application/json");
                encode::field_u64(out, b"Content-Length", black_box(1024));
                encode::field(out, b"ETag", b"\"33a64df5\"");
                encode::field(out, b"Via", b"1.1 portcullis");
            })
        }),
    ]
}

fn decode(name: &str, text: &'static str) -> Subject {
    Subject::new(format!("head/decode/{name}"), move || {
        let (mut head, limits) = (RequestHead::new(), HeadLimits::default());
        move || {
            let bytes = black_box(text.as_bytes());
            black_box(decode_request(bytes, &mut head, &limits).is_ok());
        }
    })
    .bytes(text.len())
}

fn encoded(write: impl Fn(&mut Vec<u8>)) -> impl FnMut() {
    let mut out = Vec::with_capacity(1024);
    move || {
        out.clear();
        write(&mut out);
        out.extend_from_slice(b"\r\n");
        black_box(out.len());
    }
}

//! Heads from blocks and blocks from heads, by the section of RFC 9113 they belong to.

use super::*;
use crate::limits::BlockLimits;
use crate::message::{Method, RequestHead};

#[test]
fn smoke() {
    let mut e = Encoder::new();
    let mut d = Decoder::new(4096);
    let mut head = RequestHead::new();
    let mut arena = Vec::new();
    for i in 0..5 {
        let mut out = Vec::new();
        e.request(b"GET /a/b HTTP/1.1\r\nHost: example.com\r\nUser-Agent: curl/8\r\nX-Thing: 1\r\nConnection: close\r\n\r\n", b"https", &mut out);
        println!("{} {:?}", out.len(), out.escape_ascii().to_string());
        let r = d.request(
            &out,
            i % 2 == 0,
            &BlockLimits::DEFAULT,
            &mut head,
            &mut arena,
        );
        println!("{r:?} {}", arena.escape_ascii());
        assert_eq!(r, Ok(()));
        assert_eq!(head.method, Method::Get);
        assert_eq!(head.view(&arena).authority(), b"example.com");
    }
}

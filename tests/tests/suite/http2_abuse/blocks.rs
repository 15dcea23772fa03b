//! Header blocks as weapons: CONTINUATION without end, and small blocks that stand for large heads.

use super::*;

/// HEADERS that do not end their block, sent once.
pub(super) fn open_block(http2: &mut Http2) -> io::Result<()> {
    http2.send(&Frame::new(
        kind::HEADERS,
        0,
        1,
        hpack::block(&request("GET", "/")),
    ))
}

/// A CONTINUATION flood is over before a PING could tell that the connection lives: nothing may come in between.
#[track_caller]
fn continuations(cause: &'static str, most: u32, part: impl Fn(u32) -> Vec<u8>) {
    let gateway = gateway();
    let mut good = gateway.http2();
    good.get(1, "/").is(200);
    let before = resident(&gateway);
    let mut ended = Vec::new();
    for attacker in 0..ATTACKERS {
        let mut http2 = gateway.http2();
        open_block(&mut http2).expect("it takes bytes");
        for n in 0..most {
            if http2.send(&Frame::continuation(1, part(n), false)).is_err() {
                break;
            }
        }
        assert_eq!(http2.ends_with(code::ENHANCE_YOUR_CALM).words, cause);
        good.get(2 * attacker as u32 + 3, "/").is(200);
        ended.push(http2);
    }
    let grown = resident(&gateway).saturating_sub(before);
    assert!(grown < GROWTH, "{grown} bytes");
}

#[test]
fn continuation_flood() {
    // CVE-2024-27316 and its kin: small ones, empty ones, large ones.
    continuations("continuation_flood", 33, |_| {
        hpack::block(&fields(&[("x", "y")]))
    });
    continuations("continuation_flood", 33, |_| Vec::new());
    continuations("header_block_too_large", 9, |n| {
        let name = format!("x-{n}");
        let mut block = hpack::block(&fields(&[(&name, &"y".repeat(16_000))]));
        block.truncate(16_384);
        block
    });
}

#[test]
fn hpack_bomb() {
    let gateway = gateway();
    let mut good = gateway.http2();
    good.get(1, "/").is(200);
    let before = resident(&gateway);
    let mut ended = Vec::new();
    for attacker in 0..ATTACKERS {
        let mut http2 = gateway.http2();
        // One entry as large as the table, then a block of references to it: 16 KiB for 60 MiB.
        let entry = hpack::indexed_literal("x", &"y".repeat(4000));
        let first = [hpack::block(&request("GET", "/")), entry].concat();
        http2
            .send(&Frame::headers(1, first, true))
            .expect("it takes bytes");
        http2.answer(1).is(200);
        let bomb = [
            hpack::block(&request("GET", "/")),
            hpack::indexed(62).repeat(16_000),
        ]
        .concat();
        http2
            .send(&Frame::headers(3, bomb, true))
            .expect("it takes bytes");
        assert_eq!(http2.ends_with(code::ENHANCE_YOUR_CALM).words, "hpack_bomb");
        good.get(2 * attacker as u32 + 3, "/").is(200);
        ended.push(http2);
    }
    let grown = resident(&gateway).saturating_sub(before);
    assert!(grown < GROWTH, "{grown} bytes");
}

//! Sections 3.4, 4.1 to 4.3, 5.5 and 6.10: the preface, the frame's form, and header blocks over several frames.

use tests::http2::frame::{PREFACE, flag, kind, setting};

use super::*;

const CASES: &[Case] = &[
    ("4.1", "a frame of an unknown type", Ignored, |it| {
        it.send(&Frame::new(0xfe, 0xff, 0, *b"whatever"))?;
        it.send(&Frame::new(0xfe, 0, 7, []))
    }),
    ("4.1", "flags that are not defined", Ignored, |it| {
        it.send(&Frame::new(kind::PING, 0x16, 0, *b"12345678"))
    }),
    ("4.1", "the reserved bit", Ignored, |it| {
        it.send(&Frame::new(kind::PING, 0, 0x8000_0000, *b"12345678"))
    }),
    ("4.2", "DATA of the largest size", Answered(1, 200), |it| {
        it.send_all(&[post(1), Frame::data(1, vec![b'x'; 16_384], true)])
    }),
    (
        "4.2",
        "DATA above the largest size",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send_all(&[post(1), Frame::data(1, vec![b'x'; 16_385], true)]),
    ),
    (
        "4.2",
        "HEADERS above the largest size",
        Connection(code::FRAME_SIZE_ERROR),
        |it| {
            it.send(&Frame::headers(
                1,
                block("GET", &[("x", &"y".repeat(16_385))]),
                true,
            ))
        },
    ),
    (
        "4.2",
        "an unknown frame above the largest size",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send(&Frame::new(0xfe, 0, 0, vec![0; 16_385])),
    ),
    (
        "4.3",
        "a block that ends in the middle of a field",
        Connection(code::COMPRESSION_ERROR),
        |it| {
            it.send(&Frame::headers(
                1,
                [block("GET", &[]), vec![0x40]].concat(),
                true,
            ))
        },
    ),
    (
        "4.3",
        "PRIORITY within a block",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[open_block(1), Frame::priority(1, 0)]),
    ),
    (
        "4.3",
        "HEADERS of another stream within a block",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[open_block(1), post(3)]),
    ),
    (
        "4.3",
        "DATA of the stream within its block",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[open_block(1), Frame::data(1, *b"x", true)]),
    ),
    (
        "5.5",
        "an unknown frame within a block",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[open_block(1), Frame::new(0xfe, 0, 1, [])]),
    ),
    (
        "5.5",
        "an unknown frame between two requests",
        Answered(1, 200),
        |it| {
            it.send_all(&[
                Frame::new(0xfe, 0, 1, []),
                Frame::headers(1, block("GET", &[]), true),
            ])
        },
    ),
    (
        "6.10",
        "a block over many frames, some of them empty",
        Answered(1, 200),
        |it| {
            it.send(&open_block(1))?;
            it.send(&Frame::continuation(1, [], false))?;
            for byte in hpack::block(&fields(&[("x", "y")])) {
                it.send(&Frame::continuation(1, [byte], false))?;
            }
            it.send(&Frame::continuation(1, [], true))
        },
    ),
    (
        "6.10",
        "an empty HEADERS and the block behind it",
        Answered(1, 200),
        |it| {
            let mut first = Frame::headers(1, [], true);
            first.flags &= !flag::END_HEADERS;
            it.send_all(&[first, Frame::continuation(1, block("GET", &[]), true)])
        },
    ),
    (
        "6.10",
        "CONTINUATION behind END_HEADERS",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[post(1), Frame::continuation(1, [], true)]),
    ),
    (
        "6.10",
        "CONTINUATION behind the last CONTINUATION",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            let last = Frame::continuation(1, [], true);
            it.send_all(&[open_block(1), last.clone(), last])
        },
    ),
    (
        "6.10",
        "CONTINUATION behind DATA",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            it.send_all(&[
                post(1),
                Frame::data(1, *b"x", true),
                Frame::continuation(1, [], true),
            ])
        },
    ),
    (
        "6.10",
        "CONTINUATION on stream 0",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[open_block(1), Frame::continuation(0, [], true)]),
    ),
    (
        "6.10",
        "CONTINUATION of another stream",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[open_block(1), Frame::continuation(3, [], true)]),
    ),
    (
        "6.10",
        "END_STREAM stands in HEADERS, whatever CONTINUATION says",
        Answered(1, 200),
        |it| {
            let last = Frame::new(kind::CONTINUATION, flag::END_HEADERS | 0xf2, 1, []);
            it.send_all(&[open_block(1), last])
        },
    ),
];

/// HEADERS of a whole GET, but without END_HEADERS.
fn open_block(stream: u32) -> Frame {
    let mut frame = Frame::headers(stream, block("GET", &[]), true);
    frame.flags &= !flag::END_HEADERS;
    frame
}

#[test]
fn the_form_of_frames() {
    play(CASES, Gateway::http2);
}

const BEGINNINGS: &[Case] = &[
    (
        "3.4",
        "the preface and SETTINGS in one piece",
        Ignored,
        |it| {
            it.wire
                .write(&[PREFACE, &Frame::settings(&[]).bytes()].concat())
        },
    ),
    ("3.4", "the preface byte by byte", Ignored, |it| {
        for byte in [PREFACE, &Frame::settings(&[]).bytes()].concat() {
            it.wire.write(&[byte])?;
        }
        Ok(())
    }),
    (
        "3.4",
        "a request before any SETTINGS of the server",
        Answered(1, 200),
        |it| {
            let request = Frame::headers(1, block("GET", &[]), true);
            it.wire
                .write(&[PREFACE, &Frame::settings(&[]).bytes(), &request.bytes()].concat())
        },
    ),
    ("3.4", "a preface that goes wrong", Closed, |it| {
        it.wire.write(b"PRI * HTTP/2.0\r\n\r\nSX\r\n\r\n")
    }),
    (
        "3.4",
        "nothing but the preface's first line",
        Closed,
        |it| {
            it.wire.write(b"PRI * HTTP/2.0\r\n\r\n")?;
            it.wire.finish();
            Ok(())
        },
    ),
    (
        "3.4",
        "PING in front of SETTINGS",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            it.wire
                .write(&[PREFACE, &Frame::ping(*b"12345678").bytes()].concat())
        },
    ),
    (
        "3.4",
        "HEADERS in front of SETTINGS",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            let request = Frame::headers(1, block("GET", &[]), true);
            it.wire.write(&[PREFACE, &request.bytes()].concat())
        },
    ),
    (
        "3.4",
        "an acknowledgement in front of SETTINGS",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            it.wire
                .write(&[PREFACE, &Frame::settings_ack().bytes()].concat())
        },
    ),
    (
        "3.4",
        "an unknown frame in front of SETTINGS",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            it.wire
                .write(&[PREFACE, &Frame::new(0xfe, 0, 0, []).bytes()].concat())
        },
    ),
];

#[test]
fn how_a_connection_begins() {
    play(BEGINNINGS, |gateway| Http2::raw(gateway.address("public")));
}

#[test]
fn the_gateway_begins_with_settings_that_bound_the_client() {
    let gateway = gateway();
    let http2 = gateway.http2();
    assert_eq!(http2.setting(setting::MAX_CONCURRENT_STREAMS), Some(10));
    assert_eq!(
        http2.setting(setting::ENABLE_PUSH),
        None,
        "that is the client's to say"
    );
    let list = http2.setting(setting::MAX_HEADER_LIST_SIZE);
    assert!(
        list.is_some_and(|it| (16_384..200_000).contains(&it)),
        "{list:?}"
    );
    let window = http2.setting(setting::INITIAL_WINDOW_SIZE);
    assert!(window.is_none_or(|it| it <= 1 << 20), "{window:?}");
}

#[test]
fn a_listener_that_speaks_http_1_alone_does_not_take_the_preface() {
    let listener = "[listener.public]\naddress = \"127.0.0.1:0\"\nprotocols = [\"http/1.1\"]\n";
    let gateway = Gateway::before(Origin::saying("hi").address, listener);
    let mut peer = gateway.peer();
    peer.send(PREFACE).answer().is(505);
    gateway.get("/").is(200);
}

#[test]
fn a_listener_that_speaks_http_2_alone_takes_nothing_else() {
    let listener = "[listener.public]\naddress = \"127.0.0.1:0\"\nprotocols = [\"h2c\"]\n";
    let gateway = Gateway::before(Origin::saying("hi").address, listener);
    gateway.http2().get(1, "/").is(200).body_is("hi");
    let mut http2 = Http2::raw(gateway.address("public"));
    http2
        .wire
        .write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .expect("it takes bytes");
    let (bytes, _) = http2.wire.drain();
    assert!(!bytes.windows(3).any(|it| it == b"200"), "{bytes:?}");
}

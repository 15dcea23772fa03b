//! Sections 5.1, 5.1.1, 5.1.2 and 5.3: in which state of a stream which frame may come, and with which number.

use tests::http2::frame::kind;

use super::*;

const CASES: &[Case] = &[
    ("5.1 idle", "DATA", Connection(code::PROTOCOL_ERROR), |it| {
        it.send(&Frame::data(1, *b"x", true))
    }),
    (
        "5.1 idle",
        "RST_STREAM",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::reset(1, 8)),
    ),
    (
        "5.1 idle",
        "WINDOW_UPDATE",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::window_update(1, 100)),
    ),
    (
        "5.1 idle",
        "CONTINUATION",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::continuation(1, block("GET", &[]), true)),
    ),
    ("5.1 idle", "PRIORITY", Ignored, |it| {
        it.send(&Frame::priority(1, 0))
    }),
    (
        "5.1 idle",
        "DATA on a stream above the last",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[post(1), Frame::data(3, *b"x", true)]),
    ),
    (
        "5.1 open",
        "DATA, PRIORITY, WINDOW_UPDATE",
        Answered(1, 200),
        |it| {
            let frames = [
                post(1),
                Frame::priority(1, 0),
                Frame::data(1, *b"x", false),
                Frame::window_update(1, 100),
                Frame::data(1, [], true),
            ];
            it.send_all(&frames)
        },
    ),
    ("5.1 open", "RST_STREAM", Ignored, |it| {
        it.send_all(&[post(1), Frame::reset(1, 8)])
    }),
    (
        "5.1 half-closed (remote)",
        "DATA",
        Stream(1, code::STREAM_CLOSED),
        |it| it.send_all(&[held(1), Frame::data(1, *b"x", true)]),
    ),
    (
        "5.1 half-closed (remote)",
        "HEADERS",
        Stream(1, code::STREAM_CLOSED),
        |it| it.send_all(&[held(1), post(1)]),
    ),
    (
        "5.1 half-closed (remote)",
        "CONTINUATION",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[held(1), Frame::continuation(1, block("GET", &[]), true)]),
    ),
    (
        "5.1 half-closed (remote)",
        "PRIORITY and WINDOW_UPDATE",
        Ignored,
        |it| it.send_all(&[held(1), Frame::priority(1, 0), Frame::window_update(1, 100)]),
    ),
    ("5.1 half-closed (remote)", "RST_STREAM", Ignored, |it| {
        it.send_all(&[held(1), Frame::reset(1, code::CANCEL)])
    }),
    (
        "5.1 closed by END_STREAM",
        "DATA",
        Connection(code::STREAM_CLOSED),
        |it| {
            it.get(1, "/").is(200);
            it.send(&Frame::data(1, *b"x", true))
        },
    ),
    (
        "5.1 closed by END_STREAM",
        "HEADERS",
        Connection(code::STREAM_CLOSED),
        |it| {
            it.get(1, "/").is(200);
            it.send(&Frame::headers(1, block("GET", &[]), true))
        },
    ),
    (
        "5.1 closed by END_STREAM",
        "CONTINUATION",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            it.get(1, "/").is(200);
            it.send(&Frame::continuation(1, block("GET", &[]), true))
        },
    ),
    (
        "5.1 closed by END_STREAM",
        "PRIORITY, WINDOW_UPDATE, RST_STREAM",
        Ignored,
        |it| {
            it.get(1, "/").is(200);
            it.send_all(&[
                Frame::priority(1, 0),
                Frame::window_update(1, 1),
                Frame::reset(1, 0),
            ])
        },
    ),
    (
        "5.1 closed by the client's reset",
        "DATA",
        Connection(code::STREAM_CLOSED),
        |it| it.send_all(&[post(1), Frame::reset(1, 8), Frame::data(1, *b"x", true)]),
    ),
    (
        "5.1 closed by the client's reset",
        "HEADERS",
        Connection(code::STREAM_CLOSED),
        |it| it.send_all(&[post(1), Frame::reset(1, 8), post(1)]),
    ),
    (
        "5.1 closed by the client's reset",
        "CONTINUATION",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            it.send_all(&[
                post(1),
                Frame::reset(1, 8),
                Frame::continuation(1, [], true),
            ])
        },
    ),
    (
        "5.1 closed by the client's reset",
        "PRIORITY, WINDOW_UPDATE, RST_STREAM",
        Answered(3, 200),
        |it| {
            let late = [
                Frame::priority(1, 0),
                Frame::window_update(1, 1),
                Frame::reset(1, 0),
            ];
            it.send_all(&[vec![post(1), Frame::reset(1, 8)], late.to_vec()].concat())?;
            it.send(&Frame::headers(3, block("GET", &[]), true))
        },
    ),
    (
        "5.1 closed by the gateway's reset",
        "what was under way",
        Stream(1, code::PROTOCOL_ERROR),
        |it| {
            // The third DATA is beyond the content-length; what follows could not know.
            it.send(&Frame::headers(
                1,
                block("POST", &[("content-length", "2")]),
                false,
            ))?;
            let more = Frame::data(1, *b"x", false);
            it.send_all(&[more.clone(), more.clone(), more.clone(), more.clone(), more])?;
            it.send(&Frame::window_update(1, 5))?;
            it.send(&Frame::headers(
                1,
                hpack::block(&fields(&[("x", "y")])),
                true,
            ))
        },
    ),
    (
        "5.1.1",
        "an even number",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&post(2)),
    ),
    (
        "5.1.1",
        "a number below the last",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send_all(&[held(5), held(3)]),
    ),
    ("5.1.1", "numbers left out", Answered(77, 200), |it| {
        it.send(&Frame::headers(77, block("GET", &[]), true))
    }),
    (
        "5.1.1",
        "HEADERS on stream 0",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&post(0)),
    ),
    (
        "5.1.2",
        "one stream too many",
        Stream(21, code::REFUSED_STREAM),
        |it| {
            let mut streams: Vec<Frame> = (0..11).map(|n| held(2 * n + 1)).collect();
            streams.push(Frame::reset(1, code::CANCEL));
            it.send_all(&streams)
        },
    ),
    (
        "5.1.2",
        "as many streams as are allowed, again and again",
        Ignored,
        |it| {
            for n in 0..30 {
                it.send_all(&[post(2 * n + 1), Frame::reset(2 * n + 1, code::CANCEL)])?;
            }
            Ok(())
        },
    ),
    ("5.3.1", "HEADERS with priority", Answered(1, 200), |it| {
        it.send(&prioritised(1, 0))
    }),
    (
        "5.3.1",
        "HEADERS that depend on an idle stream",
        Answered(1, 200),
        |it| it.send(&prioritised(1, 77)),
    ),
    (
        "5.3.1",
        "HEADERS that depend on themselves",
        Stream(1, code::PROTOCOL_ERROR),
        |it| it.send(&prioritised(1, 1)),
    ),
    (
        "5.3.1",
        "PRIORITY that depends on itself",
        Stream(1, code::PROTOCOL_ERROR),
        |it| it.send_all(&[post(1), Frame::priority(1, 1)]),
    ),
    ("5.3.2", "PRIORITY_UPDATE (RFC 9218)", Ignored, |it| {
        let update = Frame::new(kind::PRIORITY_UPDATE, 0, 0, *b"\0\0\0\x01u=1");
        it.send_all(&[update.clone(), held(1), update])
    }),
];

/// A GET with the priority fields of RFC 7540.
fn prioritised(stream: u32, depends_on: u32) -> Frame {
    let mut frame = Frame::headers(stream, depends_on.to_be_bytes(), true);
    frame.flags |= tests::http2::frame::flag::PRIORITY;
    frame.payload.push(200);
    frame.payload.extend(block("GET", &[]));
    frame
}

#[test]
fn the_states_of_a_stream() {
    play(CASES, Gateway::http2);
}

#[test]
fn a_connection_error_names_the_last_stream_and_its_cause() {
    let gateway = gateway();
    let mut http2 = gateway.http2();
    http2.get(1, "/").is(200);
    http2.get(3, "/").is(200);
    http2
        .send(&Frame::data(0, *b"x", true))
        .expect("it takes bytes");
    let goaway = http2.ends_with(code::PROTOCOL_ERROR);
    assert_eq!(goaway.last, 3);
    assert!(!goaway.words.is_empty(), "the debug data says why");
}

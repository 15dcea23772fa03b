//! Sections 6.1, 6.2 and 8.1: DATA and HEADERS as frames, and the order of a message's frames.

use tests::http2::frame::{flag, kind};

use super::*;

const CASES: &[Case] = &[
    (
        "6.1",
        "DATA on stream 0",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::data(0, *b"x", true)),
    ),
    ("6.1", "padded DATA", Answered(1, 200), |it| {
        let padded = Frame::new(
            kind::DATA,
            flag::PADDED | flag::END_STREAM,
            1,
            *b"\x03hi\0\0\0",
        );
        it.send_all(&[post(1), padded])?;
        it.answer(1).body_is("hi");
        Ok(())
    }),
    ("6.1", "DATA that is all padding", Answered(1, 200), |it| {
        let padded = Frame::new(
            kind::DATA,
            flag::PADDED | flag::END_STREAM,
            1,
            *b"\x03\0\0\0",
        );
        it.send_all(&[post(1), padded])
    }),
    (
        "6.1",
        "DATA with as much padding as payload",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            it.send_all(&[
                post(1),
                Frame::new(kind::DATA, flag::PADDED, 1, *b"\x04hi\0"),
            ])
        },
    ),
    (
        "6.1",
        "padded DATA of no bytes",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send_all(&[post(1), Frame::new(kind::DATA, flag::PADDED, 1, [])]),
    ),
    ("6.2", "padded HEADERS", Answered(1, 200), |it| {
        it.send(&padded(3, 3))
    }),
    (
        "6.2",
        "HEADERS with more padding than payload",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&padded(200, 3)),
    ),
    (
        "6.2",
        "HEADERS on stream 0",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::headers(0, block("GET", &[]), true)),
    ),
    (
        "8.1",
        "a second head without END_STREAM",
        Stream(1, code::PROTOCOL_ERROR),
        |it| it.send_all(&[post(1), Frame::headers(1, block("POST", &[]), false)]),
    ),
    (
        "8.1",
        "trailers without END_STREAM",
        Stream(1, code::PROTOCOL_ERROR),
        |it| {
            let trailers = hpack::block(&fields(&[("x", "y")]));
            it.send_all(&[
                post(1),
                Frame::data(1, *b"x", false),
                Frame::headers(1, trailers, false),
            ])
        },
    ),
    ("8.1", "trailers without a body", Answered(1, 200), |it| {
        let trailers = hpack::block(&fields(&[("x", "y")]));
        it.send_all(&[post(1), Frame::headers(1, trailers, true)])
    }),
    (
        "8.1.1",
        "more than the content-length",
        Stream(1, code::PROTOCOL_ERROR),
        |it| it.send_all(&[announcing("1"), Frame::data(1, *b"test", true)]),
    ),
    (
        "8.1.1",
        "more than the content-length in several frames",
        Stream(1, code::PROTOCOL_ERROR),
        |it| {
            let part = Frame::data(1, *b"test", false);
            it.send_all(&[announcing("7"), part, Frame::data(1, *b"test", true)])
        },
    ),
    (
        "8.1.1",
        "less than the content-length",
        Stream(1, code::PROTOCOL_ERROR),
        |it| it.send_all(&[announcing("5"), Frame::data(1, *b"test", true)]),
    ),
    (
        "8.1.1",
        "less than the content-length in front of trailers",
        Stream(1, code::PROTOCOL_ERROR),
        |it| {
            let trailers = hpack::block(&fields(&[("x", "y")]));
            it.send_all(&[
                announcing("5"),
                Frame::data(1, *b"test", false),
                Frame::headers(1, trailers, true),
            ])
        },
    ),
    (
        "8.1.1",
        "a content-length and no DATA",
        Stream(1, code::PROTOCOL_ERROR),
        |it| {
            it.send(&Frame::headers(
                1,
                block("POST", &[("content-length", "5")]),
                true,
            ))
        },
    ),
    (
        "8.1.1",
        "a content-length of 0 and no DATA",
        Answered(1, 200),
        |it| {
            it.send(&Frame::headers(
                1,
                block("POST", &[("content-length", "0")]),
                true,
            ))
        },
    ),
    (
        "8.1.1",
        "exactly the content-length",
        Answered(1, 200),
        |it| it.send_all(&[announcing("4"), Frame::data(1, *b"test", true)]),
    ),
];

fn announcing(length: &str) -> Frame {
    Frame::headers(1, block("POST", &[("content-length", length)]), false)
}

/// A GET that says it has so much padding, and has so much.
fn padded(says: u8, has: usize) -> Frame {
    let mut frame = Frame::headers(1, [says], true);
    frame.flags |= flag::PADDED;
    frame.payload.extend(block("GET", &[]));
    frame.payload.extend(vec![0; has]);
    frame
}

#[test]
fn bodies_and_the_order_of_frames() {
    play(CASES, Gateway::http2);
}

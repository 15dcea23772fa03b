//! Sections 6.3 to 6.9 and 7: PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, error codes.

use tests::http2::frame::{flag, kind, setting};

use super::*;

const CASES: &[Case] = &[
    (
        "6.3",
        "PRIORITY on stream 0",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::priority(0, 1)),
    ),
    // A stream error would do; the RFC lets a stream error be answered as one of the connection.
    (
        "6.3",
        "PRIORITY of 4 bytes",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send_all(&[held(1), Frame::new(kind::PRIORITY, 0, 1, [0; 4])]),
    ),
    (
        "6.4",
        "RST_STREAM on stream 0",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::reset(0, 8)),
    ),
    (
        "6.4",
        "RST_STREAM of 3 bytes",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send_all(&[held(1), Frame::new(kind::RST_STREAM, 0, 1, [0; 3])]),
    ),
    (
        "6.5",
        "an acknowledgement with a payload",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send(&Frame::new(kind::SETTINGS, flag::ACK, 0, [0; 6])),
    ),
    (
        "6.5",
        "SETTINGS on a stream",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::new(kind::SETTINGS, 0, 1, [])),
    ),
    (
        "6.5",
        "SETTINGS of 5 bytes",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send(&Frame::new(kind::SETTINGS, 0, 0, [0; 5])),
    ),
    (
        "6.5",
        "an acknowledgement that nobody asked for",
        Ignored,
        |it| it.send(&Frame::settings_ack()),
    ),
    (
        "6.5.2",
        "ENABLE_PUSH 2",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::settings(&[(setting::ENABLE_PUSH, 2)])),
    ),
    ("6.5.2", "ENABLE_PUSH 0 and 1", Ignored, |it| {
        it.send(&Frame::settings(&[
            (setting::ENABLE_PUSH, 0),
            (setting::ENABLE_PUSH, 1),
        ]))
    }),
    (
        "6.5.2",
        "INITIAL_WINDOW_SIZE 2^31",
        Connection(code::FLOW_CONTROL_ERROR),
        |it| it.send(&Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 1 << 31)])),
    ),
    (
        "6.5.2",
        "MAX_FRAME_SIZE 2^14 - 1",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            it.send(&Frame::settings(&[(
                setting::MAX_FRAME_SIZE,
                (1 << 14) - 1,
            )]))
        },
    ),
    (
        "6.5.2",
        "MAX_FRAME_SIZE 2^24",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::settings(&[(setting::MAX_FRAME_SIZE, 1 << 24)])),
    ),
    ("6.5.2", "every value at its bounds", Ignored, |it| {
        let entries = [
            (setting::HEADER_TABLE_SIZE, 0),
            (setting::HEADER_TABLE_SIZE, u32::MAX),
            (setting::MAX_CONCURRENT_STREAMS, 0),
            (setting::INITIAL_WINDOW_SIZE, 0),
            (setting::INITIAL_WINDOW_SIZE, (1 << 31) - 1),
            (setting::MAX_FRAME_SIZE, 1 << 14),
            (setting::MAX_FRAME_SIZE, (1 << 24) - 1),
            (setting::MAX_HEADER_LIST_SIZE, 0),
        ];
        it.send(&Frame::settings(&entries))
    }),
    ("6.5.2", "parameters that nobody knows", Ignored, |it| {
        it.send(&Frame::settings(&[(0xff, 1), (0x7777, u32::MAX), (0, 0)]))
    }),
    (
        "6.6",
        "PUSH_PROMISE of a client",
        Connection(code::PROTOCOL_ERROR),
        |it| {
            let promise = [2_u32.to_be_bytes().to_vec(), block("GET", &[])].concat();
            it.send_all(&[
                post(1),
                Frame::new(kind::PUSH_PROMISE, flag::END_HEADERS, 1, promise),
            ])
        },
    ),
    (
        "6.7",
        "PING on a stream",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::new(kind::PING, 0, 1, *b"12345678")),
    ),
    (
        "6.7",
        "PING of 6 bytes",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send(&Frame::new(kind::PING, 0, 0, *b"123456")),
    ),
    (
        "6.7",
        "an answer to a PING that was not sent",
        Ignored,
        |it| {
            it.send(&Frame::new(kind::PING, flag::ACK, 0, *b"unasked "))?;
            assert!(
                it.is_alive() && !it.pongs.contains(b"unasked "),
                "it was answered"
            );
            Ok(())
        },
    ),
    (
        "6.8",
        "GOAWAY on a stream",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::new(kind::GOAWAY, 0, 1, [0; 8])),
    ),
    (
        "6.8",
        "GOAWAY of 7 bytes",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send(&Frame::new(kind::GOAWAY, 0, 0, [0; 7])),
    ),
    (
        "6.9",
        "WINDOW_UPDATE of the connection by 0",
        Connection(code::PROTOCOL_ERROR),
        |it| it.send(&Frame::window_update(0, 0)),
    ),
    (
        "6.9",
        "WINDOW_UPDATE of a stream by 0",
        Stream(1, code::PROTOCOL_ERROR),
        |it| it.send_all(&[held(1), Frame::window_update(1, 0)]),
    ),
    (
        "6.9",
        "WINDOW_UPDATE of 3 bytes",
        Connection(code::FRAME_SIZE_ERROR),
        |it| it.send(&Frame::new(kind::WINDOW_UPDATE, 0, 0, [0, 0, 1])),
    ),
    ("6.9", "the reserved bit of an increment", Ignored, |it| {
        it.send(&Frame::window_update(0, 0x8000_0001))
    }),
    (
        "6.9.1",
        "the connection's window above 2^31 - 1",
        Connection(code::FLOW_CONTROL_ERROR),
        |it| {
            let most = Frame::window_update(0, 0x7fff_ffff);
            it.send_all(&[most.clone(), most])
        },
    ),
    (
        "6.9.1",
        "a stream's window above 2^31 - 1",
        Stream(1, code::FLOW_CONTROL_ERROR),
        |it| {
            let most = Frame::window_update(1, 0x7fff_ffff);
            it.send_all(&[held(1), most.clone(), most])
        },
    ),
    (
        "6.9.2",
        "SETTINGS that bring a window above 2^31 - 1",
        Connection(code::FLOW_CONTROL_ERROR),
        |it| {
            it.send_all(&[held(1), Frame::window_update(1, 0x7fff_0000)])?;
            it.send(&Frame::settings(&[(
                setting::INITIAL_WINDOW_SIZE,
                0x7fff_ffff,
            )]))
        },
    ),
    (
        "7",
        "RST_STREAM with a code that nobody knows",
        Ignored,
        |it| it.send_all(&[held(1), Frame::reset(1, 0xff)]),
    ),
];

#[test]
fn control_frames() {
    play(CASES, Gateway::http2);
}

#[test]
fn settings_are_acknowledged_each() {
    let gateway = gateway();
    let mut http2 = gateway.http2();
    for n in 2..6 {
        http2
            .send(&Frame::settings(&[(setting::ENABLE_PUSH, 0)]))
            .expect("it takes bytes");
        assert!(http2.until(|it| it.acknowledged == n).expect("it answers"));
    }
}

#[test]
fn pings_are_answered_with_what_they_carry() {
    let gateway = gateway();
    let mut http2 = gateway.http2();
    for payload in [*b"12345678", [0; 8], [0xff; 8]] {
        http2.send(&Frame::ping(payload)).expect("it takes bytes");
        assert!(
            http2
                .until(|it| it.pongs.last() == Some(&payload))
                .expect("it answers")
        );
    }
}

#[test]
fn after_a_clients_goaway_its_streams_are_answered() {
    let gateway = gateway();
    let mut http2 = gateway.http2();
    http2.send(&post(1)).expect("it takes bytes");
    // With a code and words that nobody knows.
    let mut goaway = Frame::goaway(0, 0xffff);
    goaway.payload.extend(b"farewell");
    http2.send(&goaway).expect("it takes bytes");
    http2
        .send(&Frame::data(1, *b"x", true))
        .expect("it takes bytes");
    http2.answer(1).is(200).body_is("x");
}

#[test]
fn a_smaller_frame_size_and_table_are_kept_to() {
    // The test's own peer fails on a larger frame than it has allowed, and on an entry beyond its table.
    let settings = [
        (setting::HEADER_TABLE_SIZE, 0),
        (setting::MAX_FRAME_SIZE, 16_384),
    ];
    let gateway = gateway();
    let mut http2 = Http2::connect_with(
        gateway.address("public"),
        &settings,
        tests::http2::Manners::GOOD,
    );
    for n in 0..5 {
        http2.get(2 * n + 1, "/").is(200);
    }
}

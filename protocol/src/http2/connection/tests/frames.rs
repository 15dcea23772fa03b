//! Frames that a connection does not survive, and frames that it ignores (RFC 9113 sections 3.4, 4, 5.5, 6).

use super::*;

const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;
const SIZE: ErrorCode = ErrorCode::FRAME_SIZE_ERROR;

#[test]
fn a_client_begins_with_the_preface_and_settings() {
    let fresh = || Side::new(Role::Server, Settings::DEFAULT, Budgets::CLIENTS);
    let mut side = fresh();
    side.out.clear();
    assert_eq!(side.fail(b"GET / HTTP/1.1\r\n"), (PROTOCOL, "bad_preface"));
    for wrong in [
        headers(1, WHOLE, GET),
        settings_ack(),
        frame(6, 0, 0, b"12345678"),
        frame(0x77, 0, 0, b""),
    ] {
        let mut side = fresh();
        side.out.clear();
        let bytes = [&PREFACE[..], &wrong].concat();
        assert_eq!(side.fail(&bytes), (PROTOCOL, "settings_not_first"));
    }
    let mut side = Side::new(Role::Client, Settings::DEFAULT, Budgets::SERVICES);
    side.out.clear();
    assert_eq!(side.fail(&settings_ack()), (PROTOCOL, "settings_not_first"));
}

#[test]
fn an_error_is_told_once_and_stays() {
    let mut side = Side::server();
    assert_eq!(
        side.fail(&data(0, 0, b"x")),
        (PROTOCOL, "frame_on_wrong_stream")
    );
    let error = side.error;
    side.shown.clear();
    assert_eq!(side.show(&headers(1, WHOLE, GET)), []);
    assert_eq!((side.error, side.sent()), (error, Vec::new()));
}

#[test]
fn frames_of_wrong_sizes() {
    let check = |bytes: &[u8]| {
        let mut side = Side::server();
        side.post(1);
        side.fail(bytes)
    };
    let large = vec![0; 16_385];
    assert_eq!(check(&data(1, 0, &large)), (SIZE, "frame_too_large"));
    assert_eq!(check(&headers(3, WHOLE, &large)), (SIZE, "frame_too_large"));
    assert_eq!(check(&frame(0x77, 0, 1, &large)), (SIZE, "frame_too_large"));
    for wrong in [
        frame(2, 0, 1, b"1234"),
        frame(3, 0, 1, b"123"),
        frame(4, 0, 0, b"12345"),
        frame(4, flag::ACK, 0, b"123456"),
        frame(6, 0, 0, b"1234567"),
        frame(7, 0, 0, b"1234567"),
        frame(8, 0, 0, b"123"),
        frame(8, 0, 1, b"12345"),
        data(1, flag::PADDED, b""),
    ] {
        assert_eq!(check(&wrong), (SIZE, "frame_size"), "{wrong:?}");
    }
    let padded = data(1, flag::PADDED, b"\x05hello");
    assert_eq!(Side::server().show(&padded), [], "fits");
    let padded = data(1, flag::PADDED, b"\x06hello");
    assert_eq!(check(&padded), (PROTOCOL, "padding_too_long"));
}

#[test]
fn nothing_comes_between_the_frames_of_a_block() {
    let between = [
        data(1, 0, b"x"),
        headers(3, WHOLE, GET),
        frame(2, 0, 1, b"\0\0\0\x05\x10"),
        settings(&[]),
        frame(6, 0, 0, b"12345678"),
        window_update(0, 1),
        frame(9, END_HEADERS, 3, b""),
        frame(0x77, 0, 0, b""),
    ];
    for wrong in between {
        let mut side = Side::server();
        assert_eq!(side.show(&headers(1, END_STREAM, GET)), []);
        assert_eq!(side.fail(&wrong), (PROTOCOL, "header_block_interrupted"));
    }
    // After its end none of them belongs to it.
    let mut side = Side::server();
    side.get(1);
    let late = frame(9, END_HEADERS, 1, b"");
    assert_eq!(side.fail(&late), (PROTOCOL, "continuation_without_headers"));
}

#[test]
fn values_of_settings() {
    let check = |entry| Side::server().fail(&settings(&[entry]));
    assert_eq!(check((2, 2)), (PROTOCOL, "bad_enable_push"));
    let flow = ErrorCode::FLOW_CONTROL_ERROR;
    assert_eq!(check((4, 0x8000_0000)), (flow, "bad_initial_window_size"));
    assert_eq!(check((5, 16_383)), (PROTOCOL, "bad_max_frame_size"));
    assert_eq!(check((5, 1 << 24)), (PROTOCOL, "bad_max_frame_size"));
    assert_eq!(check((8, 2)), (PROTOCOL, "bad_enable_connect_protocol"));
    assert_eq!(check((9, 2)), (PROTOCOL, "bad_no_rfc7540_priorities"));
    let mut side = Side::client();
    assert_eq!(
        side.fail(&settings(&[(2, 1)])),
        (PROTOCOL, "bad_enable_push")
    );
    // RFC 8441 section 3: it can't be taken back.
    let mut side = Side::client();
    assert_eq!(side.show(&settings(&[(8, 1)])), [Event::Settings]);
    assert!(side.connection.peer_takes_connect_protocol());
    side.out.clear();
    let back = settings(&[(8, 0)]);
    assert_eq!(side.fail(&back), (PROTOCOL, "bad_enable_connect_protocol"));
    let mut side = Side::server();
    let sound = settings(&[
        (1, 0),
        (2, 1),
        (3, 0),
        (5, 16_384),
        (6, 9),
        (8, 0),
        (9, 1),
        (0xff, 7),
    ]);
    assert_eq!(side.show(&sound), [Event::Settings]);
    assert_eq!(side.sent(), ["SETTINGS ack"]);
    assert_eq!(side.connection.peer_max_header_list(), 9);
}

#[test]
fn blocks_that_can_not_be_read_end_the_connection() {
    let compression = ErrorCode::COMPRESSION_ERROR;
    let (code, _) = Side::server().fail(&headers(1, WHOLE, b"\xff\xff\xff\xff\xff\xff\xff"));
    assert_eq!(code, compression);
    let mut side = Side::server();
    side.post(1);
    let (code, _) = side.fail(&headers(1, WHOLE, b"\xfe"));
    assert_eq!(code, compression);
    // Of streams that nobody wants too.
    let mut side = Side::server();
    let stream = side.post(1);
    side.connection
        .reset(stream, ErrorCode::CANCEL, &mut side.out);
    let (code, _) = side.fail(&headers(1, WHOLE, b"\xfe"));
    assert_eq!(code, compression);
}

#[test]
fn a_smaller_table_holds_once_it_is_acknowledged() {
    let small = Settings {
        header_table: 0,
        ..Settings::DEFAULT
    };
    let mut side = Side::new(Role::Server, small, Budgets::CLIENTS);
    let hello = [&PREFACE[..], &settings(&[])].concat();
    assert_eq!(side.show(&hello), [Event::Settings]);
    assert_eq!(side.get(1).number(), 1);
    assert_eq!(side.show(&settings_ack()), []);
    side.out.clear();
    // The first block after it has to say that it knows (RFC 7541 section 4.2).
    let (code, _) = side.fail(&headers(3, WHOLE, GET));
    assert_eq!(code, ErrorCode::COMPRESSION_ERROR);
}

#[test]
fn what_is_unknown_is_ignored() {
    let mut side = Side::server();
    let bytes = [
        frame(0x77, 0xff, 0, b"12345"),
        frame(0x77, 0xff, 9, b""),
        frame(16, 0, 0, b"\0\0\0\x09u=1"),
        frame(2, 0, 9, b"\0\0\0\x05\x10"),
        frame(6, flag::ACK | 0xf0, 0, b"unasked."),
    ]
    .concat();
    let payload = *b"unasked.";
    assert_eq!(side.show(&bytes), [Event::Pong { payload }]);
    // Flags that a type does not have, and the reserved bit.
    assert_eq!(side.get(1 | 0x8000_0000).number(), 1);
    side.post(3);
    assert_eq!(side.show(&data(3, 0xf6 & !flag::PADDED, b"x")).len(), 1);
    assert_eq!(side.sent(), [""; 0]);
}

#[test]
fn a_ping_is_answered_with_what_it_carries() {
    let mut side = Side::server();
    assert_eq!(side.show(&frame(6, 0, 0, b"12345678")), []);
    assert_eq!(side.sent(), ["PING ack 12345678"]);
    side.connection.ping(*b"abcdefgh", &mut side.out);
    assert_eq!(side.sent(), ["PING abcdefgh"]);
    let payload = *b"abcdefgh";
    let pong = frame(6, flag::ACK, 0, &payload);
    assert_eq!(side.show(&pong), [Event::Pong { payload }]);
    assert_eq!(side.sent(), [""; 0]);
}

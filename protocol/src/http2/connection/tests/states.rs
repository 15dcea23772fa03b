//! Which frame may come in which state of a stream (RFC 9113 sections 5.1 and 8.1).

use super::*;

const PROTOCOL: ErrorCode = ErrorCode::PROTOCOL_ERROR;
const CLOSED: ErrorCode = ErrorCode::STREAM_CLOSED;

/// The stream error that these bytes are: what the event says, and that RST_STREAM says the same.
fn stream_error(side: &mut Side, bytes: &[u8]) -> (u32, ErrorCode, &'static str) {
    let mut events = side.show(bytes);
    let Some(Event::Reset {
        stream,
        code,
        by: By::Us,
        cause,
        ..
    }) = events.pop()
    else {
        panic!("no stream error, {:?} {:?}", events, side.error);
    };
    assert_eq!(events, []);
    let line = format!("RST_STREAM {} {code}", stream.number());
    assert!(side.sent().contains(&line));
    assert!(!side.connection.is_open(stream));
    (stream.number(), code, cause)
}

#[test]
fn idle_streams_take_nothing_but_headers_and_priority() {
    let check = |bytes: &[u8]| Side::server().fail(bytes);
    assert_eq!(check(&data(1, 0, b"x")), (PROTOCOL, "data_on_idle_stream"));
    let code = ErrorCode::CANCEL;
    assert_eq!(check(&reset(1, code)), (PROTOCOL, "reset_of_idle_stream"));
    assert_eq!(
        check(&window_update(1, 1)),
        (PROTOCOL, "window_update_on_idle_stream")
    );
    let continuation = frame(9, END_HEADERS, 1, GET);
    assert_eq!(
        check(&continuation),
        (PROTOCOL, "continuation_without_headers")
    );
    // Streams of the server's, of which there are none.
    assert_eq!(
        check(&headers(2, WHOLE, GET)),
        (PROTOCOL, "headers_on_idle_stream")
    );
    assert_eq!(check(&data(2, 0, b"x")), (PROTOCOL, "data_on_idle_stream"));
    let mut side = Side::server();
    assert_eq!(side.show(&frame(2, 0, 1, b"\0\0\0\x05\x10")), []);
    assert_eq!(side.get(1).number(), 1);
}

#[test]
fn numbers_only_grow() {
    let mut side = Side::server();
    side.get(5);
    let three = headers(3, WHOLE, GET);
    assert_eq!(side.fail(&three), (PROTOCOL, "stream_number_goes_back"));
}

#[test]
fn half_closed_streams_take_no_more_of_a_message() {
    let mut side = Side::server();
    side.get(1);
    let expected = (1, CLOSED, "data_after_end");
    assert_eq!(stream_error(&mut side, &data(1, 0, b"x")), expected);
    side.get(3);
    let expected = (3, CLOSED, "headers_after_end");
    assert_eq!(
        stream_error(&mut side, &headers(3, WHOLE, TRAILER)),
        expected
    );
    // But what is not part of it.
    let five = side.get(5);
    assert_eq!(side.show(&window_update(5, 1)), []);
    assert_eq!(side.show(&frame(2, 0, 5, b"\0\0\0\x07\x10")), []);
    let events = side.show(&reset(5, ErrorCode::CANCEL));
    assert_eq!(
        events,
        [Event::Reset {
            stream: five,
            token: 0,
            code: ErrorCode::CANCEL,
            by: By::Peer,
            cause: "reset_by_peer"
        }]
    );
    assert_eq!(side.connection.active_streams(), 0);
}

#[test]
fn streams_that_both_sides_ended_take_no_more() {
    let ended = || {
        let mut side = Side::server();
        let stream = side.get(1);
        let text = b"HTTP/1.1 204 No Content\r\n\r\n";
        let sent = side
            .connection
            .send_response(stream, text, true, &mut side.out);
        assert_eq!(sent, Ok(()));
        side
    };
    let expected = (CLOSED, "frame_after_end");
    assert_eq!(ended().fail(&data(1, 0, b"x")), expected);
    assert_eq!(ended().fail(&headers(1, WHOLE, GET)), expected);
    // These may cross our end on the way.
    assert_eq!(ended().show(&window_update(1, 1)), []);
    assert_eq!(ended().show(&reset(1, ErrorCode::CANCEL)), []);
    assert_eq!(ended().show(&frame(2, 0, 1, b"\0\0\0\x05\x10")), []);
}

#[test]
fn streams_that_the_peer_reset_take_no_more() {
    let check = |bytes: &[u8]| {
        let mut side = Side::server();
        side.post(1);
        assert_eq!(side.show(&reset(1, ErrorCode::CANCEL)).len(), 1);
        side.fail(bytes)
    };
    assert_eq!(check(&data(1, 0, b"x")), (CLOSED, "frame_after_reset"));
    assert_eq!(
        check(&headers(1, WHOLE, TRAILER)),
        (CLOSED, "frame_after_reset")
    );
}

#[test]
fn streams_that_we_reset_take_what_was_under_way() {
    let mut side = Side::server();
    let stream = side.post(1);
    side.connection
        .reset(stream, ErrorCode::CANCEL, &mut side.out);
    assert_eq!(side.sent(), ["RST_STREAM 1 cancel"]);
    assert_eq!(side.show(&data(1, 0, b"late")), []);
    assert_eq!(side.show(&window_update(1, 1)), []);
    // The table goes on with a block that nobody wants: what it enters is there for the next.
    let entering = b"\x40\x01a\x01b";
    assert_eq!(side.show(&headers(1, WHOLE, entering)), []);
    assert_eq!(side.show(&reset(1, ErrorCode::NO_ERROR)), []);
    assert_eq!(
        side.only(&headers(3, WHOLE, &[GET, b"\xbe"].concat()))
            .number(),
        3
    );
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    side.connection.take_request(&mut head, &mut arena);
    assert_eq!(head.view(&arena).header_named("a"), Some(&b"b"[..]));
    assert_eq!(side.sent(), [""; 0]);
    assert_eq!(side.connection.receive_window.held(), 0);
}

#[test]
fn a_reset_in_the_middle_of_a_frame_drops_the_rest() {
    let mut side = Side::server();
    let stream = side.post(1);
    let frame = data(1, END_STREAM, b"hello");
    assert_eq!(side.show(&frame[..11]).len(), 1);
    side.connection.consumed(stream, 2, &mut side.out);
    side.connection
        .reset(stream, ErrorCode::NO_ERROR, &mut side.out);
    assert_eq!(side.show(&frame[11..]), []);
    assert_eq!(side.get(3).number(), 3);
    // All five are back.
    assert_eq!(side.connection.receive_window.held(), 0);
}

#[test]
fn content_length_is_kept_to() {
    let with = |length: &str| [POST, &content_length(length)].concat();
    let mismatch = |number| (number, PROTOCOL, "content_length_mismatch");
    let mut side = Side::server();
    side.only(&headers(1, END_HEADERS, &with("5")));
    assert_eq!(stream_error(&mut side, &data(1, 0, b"123456")), mismatch(1));
    side.only(&headers(3, END_HEADERS, &with("5")));
    assert_eq!(
        stream_error(&mut side, &data(3, END_STREAM, b"1234")),
        mismatch(3)
    );
    side.only(&headers(5, END_HEADERS, &with("5")));
    assert_eq!(side.show(&data(5, 0, b"1234")).len(), 1);
    assert_eq!(
        stream_error(&mut side, &headers(5, WHOLE, TRAILER)),
        mismatch(5)
    );
    side.only(&headers(7, END_HEADERS, &with("5")));
    assert_eq!(side.show(&data(7, 0, b"12345")).len(), 1);
    assert_eq!(side.show(&data(7, END_STREAM, b"")).len(), 1);
    // Padding is no content.
    side.only(&headers(9, END_HEADERS, &with("5")));
    let padded = data(9, flag::PADDED | END_STREAM, b"\x0212345..");
    assert_eq!(side.show(&padded).len(), 1);
}

#[test]
fn a_second_head_is_no_trailer_section() {
    let mut side = Side::server();
    side.post(1);
    let second = headers(1, END_HEADERS, TRAILER);
    assert_eq!(
        stream_error(&mut side, &second),
        (1, PROTOCOL, "second_head")
    );
    side.post(3);
    let with_pseudo_fields = headers(3, WHOLE, GET);
    let (number, code, _) = stream_error(&mut side, &with_pseudo_fields);
    assert_eq!((number, code), (3, PROTOCOL));
}

#[test]
fn answers_come_in_order() {
    let asked = || {
        let mut side = Side::client();
        let text = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
        let sent = side
            .connection
            .send_request(text, b"http", 0, true, &mut side.out);
        assert!(sent.is_ok());
        side.out.clear();
        side
    };
    let expected = (1, PROTOCOL, "data_before_head");
    assert_eq!(stream_error(&mut asked(), &data(1, 0, b"x")), expected);
    let (number, code, _) = stream_error(&mut asked(), &headers(1, WHOLE, b"\x08\x03103"));
    assert_eq!((number, code), (1, PROTOCOL));
    let (number, code, _) = stream_error(&mut asked(), &headers(1, WHOLE, TRAILER));
    assert_eq!((number, code), (1, PROTOCOL));
    let mut side = asked();
    assert_eq!(side.show(&headers(1, END_HEADERS, OK)).len(), 1);
    let (number, code, _) = stream_error(&mut side, &headers(1, END_HEADERS, OK));
    assert_eq!((number, code), (1, PROTOCOL));
    // Of streams that were never asked for.
    assert_eq!(
        asked().fail(&headers(3, WHOLE, OK)),
        (PROTOCOL, "headers_on_idle_stream")
    );
    assert_eq!(
        asked().fail(&headers(2, WHOLE, OK)),
        (PROTOCOL, "headers_on_idle_stream")
    );
    assert_eq!(
        asked().fail(&data(3, 0, b"x")),
        (PROTOCOL, "data_on_idle_stream")
    );
    let promise = frame(5, END_HEADERS, 1, &[&b"\0\0\0\x02"[..], GET].concat());
    assert_eq!(asked().fail(&promise), (PROTOCOL, "push_promise"));
}

#[test]
fn more_streams_than_allowed_are_refused_and_forgotten() {
    let mut side = Side::server_with(Settings {
        max_concurrent_streams: 2,
        ..Settings::DEFAULT
    });
    let one = side.post(1);
    side.post(3);
    // What its block enters into the table stays.
    let block = [POST, b"\x40\x01a\x01b"].concat();
    assert_eq!(
        side.show(&headers(5, END_HEADERS, &block)),
        [Event::Rejected {
            number: 5,
            code: ErrorCode::REFUSED_STREAM,
            cause: "too_many_streams"
        }]
    );
    assert_eq!(side.sent(), ["RST_STREAM 5 refused_stream"]);
    assert_eq!(side.show(&data(5, 0, b"under way")), []);
    assert_eq!(side.show(&reset(1, ErrorCode::CANCEL)).len(), 1);
    assert!(!side.connection.is_open(one));
    let block = [POST, b"\xbe"].concat();
    assert_eq!(side.only(&headers(7, END_HEADERS, &block)).number(), 7);
}

#[test]
fn streams_that_depend_on_themselves() {
    let cause = "depends_on_itself";
    let mut side = Side::server();
    let itself = headers(
        1,
        flag::PRIORITY | WHOLE,
        &[b"\0\0\0\x01\x10", GET].concat(),
    );
    let code = PROTOCOL;
    assert_eq!(
        side.show(&itself),
        [Event::Rejected {
            number: 1,
            code,
            cause
        }]
    );
    assert_eq!(side.sent(), ["RST_STREAM 1 protocol_error"]);
    side.get(3);
    let priority = frame(2, 0, 3, b"\0\0\0\x03\x10");
    assert_eq!(stream_error(&mut side, &priority), (3, PROTOCOL, cause));
    assert_eq!(
        side.fail(&frame(2, 0, 5, b"\0\0\0\x05\x10")),
        (PROTOCOL, cause)
    );
}

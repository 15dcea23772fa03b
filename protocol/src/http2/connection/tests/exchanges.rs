//! Requests and answers as they go well (RFC 9113 section 8.1).

use super::*;
use crate::http2::head::HeadError;
use crate::message::{BodyLength, Method};

#[test]
fn each_side_says_hello() {
    let mut server = Side::new(Role::Server, Settings::DEFAULT, Budgets::CLIENTS);
    assert_eq!(
        server.sent(),
        [
            "SETTINGS 4=262144 6=16384 3=100 9=1 8=1",
            "WINDOW_UPDATE 0 983041"
        ]
    );
    let mut client = Side::new(Role::Client, Settings::DEFAULT, Budgets::SERVICES);
    let preface = client.out.drain(..PREFACE.len()).collect::<Vec<u8>>();
    assert_eq!(preface, PREFACE);
    assert_eq!(
        client.sent(),
        ["SETTINGS 4=262144 6=16384 2=0", "WINDOW_UPDATE 0 983041"]
    );
    let mut other = Side::new(
        Role::Server,
        Settings {
            initial_window: 1000,
            connection_window: 7,
            max_frame_size: 20_000,
            header_table: 0,
            max_concurrent_streams: 1_000_000,
            head: crate::limits::BlockLimits {
                extended_connect: false,
                ..Settings::DEFAULT.head
            },
        },
        Budgets::CLIENTS,
    );
    assert_eq!(
        other.sent(),
        ["SETTINGS 4=1000 6=16384 3=16384 9=1 5=20000 1=0"]
    );
}

#[test]
fn a_connection_is_settled_when_both_have_spoken_and_ours_was_acknowledged() {
    let mut server = Side::new(Role::Server, Settings::DEFAULT, Budgets::CLIENTS);
    assert_eq!(server.show(&PREFACE[..10]), []);
    assert_eq!(server.show(&PREFACE[10..]), []);
    server.out.clear();
    assert_eq!(server.show(&settings(&[(3, 7)])), [Event::Settings]);
    assert_eq!(server.sent(), ["SETTINGS ack"]);
    assert!(server.connection.is_peer_known() && !server.connection.is_settled());
    assert_eq!(server.show(&settings_ack()), []);
    assert!(server.connection.is_settled());
}

#[test]
fn a_preface_is_recognised_as_it_comes() {
    for len in 0..PREFACE.len() {
        assert_eq!(is_preface(&PREFACE[..len]), None);
    }
    assert_eq!(is_preface(PREFACE), Some(true));
    assert_eq!(
        is_preface(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore"),
        Some(true)
    );
    assert_eq!(is_preface(b"PRI * HTTP/1.1\r\n"), Some(false));
    assert_eq!(
        is_preface(b"GET / HTTP/1.1\r\n\r\nand some more"),
        Some(false)
    );
    assert_eq!(is_preface(b"X"), Some(false));
}

#[test]
fn a_request_without_a_body_and_its_answer() {
    let mut side = Side::server();
    let events = side.show(&headers(1, WHOLE, GET));
    let [
        Event::Head {
            stream,
            token: 0,
            end: true,
        },
    ] = events[..]
    else {
        panic!("{events:?}");
    };
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    side.connection.take_request(&mut head, &mut arena);
    let request = head.view(&arena);
    assert_eq!((request.method(), request.path()), (Method::Get, &b"/"[..]));
    assert_eq!(
        (request.authority(), head.body),
        (&b"a"[..], BodyLength::None)
    );
    assert_eq!((stream.number(), stream.slot()), (1, 0));
    side.connection.set_token(stream, 77);
    assert_eq!(side.connection.token(stream), Some(77));

    let c = &mut side.connection;
    let out = &mut side.out;
    assert_eq!(c.send_data(stream, b"x", true, out), Err(SendError::Order));
    assert_eq!(
        c.send_trailers(stream, b"a: b\r\n", out),
        Err(SendError::Order)
    );
    assert_eq!(
        c.send_interim(stream, b"HTTP/1.1 103 Early Hints\r\n\r\n", out),
        Ok(())
    );
    assert_eq!(
        c.send_response(stream, b"HTTP/1.1 200 OK\r\n\r\n", false, out),
        Ok(())
    );
    let again = c.send_response(stream, b"HTTP/1.1 200 OK\r\n\r\n", false, out);
    assert_eq!(again, Err(SendError::Order));
    assert_eq!(c.send_data(stream, b"hello", false, out), Ok(5));
    assert_eq!(c.active_streams(), 1);
    assert_eq!(c.send_data(stream, b" you", true, out), Ok(4));
    assert_eq!((c.active_streams(), c.is_open(stream)), (0, false));
    assert_eq!(c.send_data(stream, b"", true, out), Err(SendError::Closed));
    assert_eq!(c.token(stream), None);
    assert_eq!(
        side.sent(),
        ["HEADERS 1", "HEADERS 1", "DATA 1 5", "DATA 1 4 end"]
    );
}

#[test]
fn a_body_comes_in_pieces_and_ends_by_trailers() {
    let mut side = Side::server();
    let stream = side.post(1);
    side.connection.set_token(stream, 5);
    let frame = data(1, 0, b"hello");
    let piece = |payload, end| Event::Data {
        stream,
        token: 5,
        payload,
        end,
    };
    assert_eq!(side.show(&frame[..9]), []);
    assert_eq!(side.show(&frame[9..12]), [piece(0..3, false)]);
    assert_eq!(side.show(&frame[12..]), [piece(0..2, false)]);
    let trailers = headers(1, WHOLE, TRAILER);
    let token = 5;
    assert_eq!(side.show(&trailers), [Event::Trailers { stream, token }]);
    let (mut fields, mut arena) = (Vec::new(), Vec::new());
    side.connection.take_trailers(&mut fields, &mut arena);
    assert_eq!(arena, b"a: b\r\n");
    assert_eq!(fields.len(), 1);
    // Half closed: the answer may still come, and ends it.
    assert!(side.connection.is_open(stream));
    let text = b"HTTP/1.1 204 No Content\r\n\r\n";
    let sent = side
        .connection
        .send_response(stream, text, true, &mut side.out);
    assert_eq!((sent, side.connection.is_open(stream)), (Ok(()), false));
}

#[test]
fn padding_is_passed_over_and_given_back() {
    let mut side = Side::server();
    let stream = side.post(1);
    let padded = data(1, flag::PADDED | END_STREAM, b"\x03hi...");
    let expected = Event::Data {
        stream,
        token: 0,
        payload: 10..12,
        end: true,
    };
    assert_eq!(side.show(&padded), [expected]);
    let padded = headers(
        3,
        flag::PADDED | flag::PRIORITY | WHOLE,
        b"\x02\0\0\0\x09\x0f\x82\x86\x84\x01\x01a..",
    );
    assert_eq!(side.only(&padded).number(), 3);
    assert_eq!(side.get(5).number(), 5);
}

#[test]
fn a_block_may_come_in_many_frames() {
    let mut side = Side::server();
    let first = headers(1, END_STREAM, &GET[..1]);
    let second = frame(9, 0, 1, b"");
    let third = frame(9, END_HEADERS, 1, &GET[1..]);
    assert_eq!(side.show(&first), []);
    assert!(side.connection.is_in_block());
    assert_eq!(side.show(&second), []);
    let stream = side.only(&third);
    assert!(!side.connection.is_in_block());
    assert_eq!(stream.number(), 1);
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    side.connection.take_request(&mut head, &mut arena);
    assert_eq!(head.view(&arena).authority(), b"a");
}

#[test]
fn a_client_asks_and_is_answered() {
    let mut side = Side::client();
    let c = &mut side.connection;
    let text = b"POST /x HTTP/1.1\r\nHost: a\r\n\r\n";
    let one = c
        .send_request(text, b"http", 11, false, &mut side.out)
        .unwrap();
    let head = b"HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n";
    let three = c
        .send_request(head, b"http", 33, true, &mut side.out)
        .unwrap();
    assert_eq!((one.number(), three.number()), (1, 3));
    assert_eq!(c.send_data(one, b"body", false, &mut side.out), Ok(4));
    assert_eq!(c.send_trailers(one, b"a: b\r\n", &mut side.out), Ok(()));
    assert_eq!(
        side.sent(),
        ["HEADERS 1", "HEADERS 3 end", "DATA 1 4", "HEADERS 1 end"]
    );

    let interim = headers(1, END_HEADERS, b"\x08\x03103");
    let (stream, token) = (one, 11);
    assert_eq!(side.show(&interim), [Event::Interim { stream, token }]);
    let (mut head, mut arena) = (ResponseHead::new(), Vec::new());
    side.connection.take_response(&mut head, &mut arena);
    assert_eq!(head.status, 103);
    let end = false;
    let answer = headers(1, END_HEADERS, OK);
    assert_eq!(side.show(&answer), [Event::Head { stream, token, end }]);
    side.connection.take_response(&mut head, &mut arena);
    assert_eq!((head.status, head.body), (200, BodyLength::Frames));
    let trailers = headers(1, WHOLE, TRAILER);
    assert_eq!(side.show(&trailers), [Event::Trailers { stream, token }]);
    assert!(!side.connection.is_open(one));

    // An answer to HEAD has a length and no body.
    let block = [OK, &content_length("5")].concat();
    let (stream, token, end) = (three, 33, true);
    assert_eq!(
        side.show(&headers(3, WHOLE, &block)),
        [Event::Head { stream, token, end }]
    );
    assert_eq!(side.connection.active_streams(), 0);
    assert_eq!(side.connection.opened_streams(), 2);
}

#[test]
fn a_request_that_is_refused_can_be_answered() {
    let mut side = Side::server();
    let connect = b"\x02\x07CONNECT\x01\x01a";
    let events = side.show(&headers(1, END_HEADERS, connect));
    let [
        Event::Refused {
            stream,
            error: HeadError::Connect,
            end: false,
        },
    ] = events[..]
    else {
        panic!("{events:?}");
    };
    let text = b"HTTP/1.1 501 Not Implemented\r\nContent-Length: 0\r\n\r\n";
    let sent = side
        .connection
        .send_response(stream, text, true, &mut side.out);
    assert_eq!(sent, Ok(()));
    side.connection
        .reset(stream, ErrorCode::NO_ERROR, &mut side.out);
    assert_eq!(side.sent(), ["HEADERS 1 end", "RST_STREAM 1 no_error"]);
    // What is malformed too, and the table is in step after it.
    let upper = [GET, b"\x40\x01A\x01b"].concat();
    let events = side.show(&headers(3, WHOLE, &upper));
    assert!(matches!(
        events[..],
        [Event::Refused {
            error: HeadError::Malformed(_),
            end: true,
            ..
        }]
    ));
    assert_eq!(side.get(5).number(), 5);
}

#[test]
fn big_heads_go_out_in_frames_that_the_peer_takes() {
    let mut side = Side::server();
    let stream = side.get(1);
    let text = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "\u{7f}".repeat(40_000));
    let sent = side
        .connection
        .send_response(stream, text.as_bytes(), true, &mut side.out);
    assert_eq!(sent, Ok(()));
    assert_eq!(
        side.sent(),
        ["HEADERS 1 end", "CONTINUATION 1", "CONTINUATION 1"]
    );
    // Once it takes larger ones, one is enough.
    assert_eq!(side.show(&settings(&[(5, 50_000)])), [Event::Settings]);
    let stream = side.get(3);
    let sent = side
        .connection
        .send_response(stream, text.as_bytes(), true, &mut side.out);
    assert_eq!(sent, Ok(()));
    assert_eq!(side.sent(), ["SETTINGS ack", "HEADERS 3 end"]);
}

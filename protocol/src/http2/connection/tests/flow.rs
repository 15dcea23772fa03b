//! Flow control (RFC 9113 sections 5.2 and 6.9): what may be sent, what the peer may send, who is told when.

use super::*;

const FLOW: ErrorCode = ErrorCode::FLOW_CONTROL_ERROR;

/// A server with requests on the streams 1, 3, ... that are being answered.
fn answering(streams: usize) -> (Side, Vec<StreamId>) {
    let mut side = Side::server();
    let ids = (0..streams as u32)
        .map(|at| {
            let stream = side.get(1 + 2 * at);
            side.connection.set_token(stream, u64::from(at) + 1);
            let text = b"HTTP/1.1 200 OK\r\n\r\n";
            let sent = side
                .connection
                .send_response(stream, text, false, &mut side.out);
            assert_eq!(sent, Ok(()));
            stream
        })
        .collect();
    side.out.clear();
    (side, ids)
}

#[test]
fn a_stream_sends_what_its_window_allows() {
    let (mut side, ids) = answering(1);
    assert_eq!(side.show(&window_update(0, 1_000_000)), []);
    let body = vec![b'x'; 70_000];
    let (stream, token) = (ids[0], 1);
    let c = &mut side.connection;
    assert_eq!(c.sendable(stream), 65_535);
    assert_eq!(c.send_data(stream, &body, true, &mut side.out), Ok(65_535));
    assert_eq!(
        side.sent(),
        [
            "DATA 1 16384",
            "DATA 1 16384",
            "DATA 1 16384",
            "DATA 1 16383"
        ]
    );
    assert_eq!(side.connection.stalled_since(stream), Some(1));
    side.now = 55;
    assert_eq!(side.show(&frame(6, 0, 0, b"12345678")), []);
    assert_eq!(
        side.connection.send_data(stream, b"x", true, &mut side.out),
        Ok(0)
    );
    assert_eq!(side.connection.stalled_since(stream), Some(1));
    assert_eq!(side.sent(), ["PING ack 12345678"]);
    assert_eq!(
        side.show(&window_update(1, 10)),
        [Event::Writable { stream, token }]
    );
    assert_eq!(side.show(&window_update(1, 1)), [], "told once");
    assert_eq!(side.connection.stalled_since(stream), Some(1));
    let c = &mut side.connection;
    assert_eq!(c.send_data(stream, &body, true, &mut side.out), Ok(11));
    assert_eq!(c.stalled_since(stream), Some(55), "short again at once");
    // Nothing is needed to end it.
    assert_eq!(c.send_data(stream, b"", true, &mut side.out), Ok(0));
    assert_eq!(side.sent(), ["DATA 1 11", "DATA 1 0 end"]);
    assert!(!side.connection.is_open(stream));
}

#[test]
fn streams_share_the_connections_window() {
    let (mut side, ids) = answering(3);
    let body = vec![b'x'; 65_535];
    let c = &mut side.connection;
    assert_eq!(
        c.send_data(ids[0], &body[..60_000], false, &mut side.out),
        Ok(60_000)
    );
    assert_eq!(c.send_data(ids[1], &body, false, &mut side.out), Ok(5_535));
    assert_eq!(c.sendable(ids[2]), 0);
    // A stream's window alone is no help, and nobody is told that it were.
    assert_eq!(side.show(&window_update(3, 1000)), []);
    assert_eq!(side.show(&window_update(0, 1000)), [Event::WritableAll]);
    assert_eq!(side.show(&window_update(0, 1000)), [], "told once");
    let c = &mut side.connection;
    assert_eq!((c.sendable(ids[0]), c.sendable(ids[2])), (2000, 2000));
}

#[test]
fn a_stream_whose_window_opens_while_the_connections_is_used_up_is_told_later() {
    let (mut side, ids) = answering(2);
    let (stream, token) = (ids[0], 1);
    assert_eq!(side.show(&settings(&[(4, 40_000)])), [Event::Settings]);
    let body = vec![b'x'; 40_000];
    let c = &mut side.connection;
    assert_eq!(c.send_data(stream, &body, false, &mut side.out), Ok(40_000));
    assert_eq!(c.sendable(stream), 0);
    // The other takes the rest, exactly, and waits for nothing.
    assert_eq!(
        c.send_data(ids[1], &body[..25_535], false, &mut side.out),
        Ok(25_535)
    );
    assert_eq!(side.show(&window_update(1, 10)), []);
    assert_eq!(side.show(&window_update(0, 10)), [Event::WritableAll]);
    assert_eq!(
        side.connection
            .send_data(stream, &body, false, &mut side.out),
        Ok(10)
    );
    // Now it waits for both.
    assert_eq!(side.show(&window_update(0, 10)), [Event::WritableAll]);
    assert_eq!(
        side.connection
            .send_data(stream, &body, false, &mut side.out),
        Ok(0)
    );
    assert_eq!(
        side.show(&window_update(1, 10)),
        [Event::Writable { stream, token }]
    );
}

#[test]
fn a_header_alone_is_as_good_as_a_frame() {
    let (mut side, ids) = answering(1);
    let (stream, token) = (ids[0], 1);
    let c = &mut side.connection;
    assert_eq!(c.begin_data(stream, 0, false, &mut side.out), Ok(0));
    assert_eq!(side.out, b"");
    let mut left = 65_536;
    while left > 1 {
        let taken = c.begin_data(stream, left, true, &mut side.out).unwrap();
        assert_eq!(Header::parse(&side.out).unwrap().len as usize, taken);
        assert_eq!(side.out.len(), HEADER_LEN);
        side.out.clear();
        left -= taken;
    }
    // The last one came short, and so counts as waiting.
    assert_eq!(side.show(&window_update(0, 10)), [Event::WritableAll]);
    assert_eq!(
        side.show(&window_update(1, 10)),
        [Event::Writable { stream, token }]
    );
    let c = &mut side.connection;
    assert_eq!(c.begin_data(stream, 1, true, &mut side.out), Ok(1));
    assert!(!c.is_open(stream));
}

#[test]
fn who_is_not_waiting_is_not_told() {
    let (mut side, ids) = answering(1);
    assert_eq!(side.show(&window_update(1, 10)), []);
    assert_eq!(
        side.connection
            .send_data(ids[0], b"x", false, &mut side.out),
        Ok(1)
    );
    assert_eq!(side.show(&window_update(1, 10)), []);
    assert_eq!(side.show(&window_update(0, 10)), []);
}

#[test]
fn a_changed_initial_window_changes_all_streams_and_may_make_them_negative() {
    let (mut side, ids) = answering(2);
    let body = vec![b'x'; 1000];
    let c = &mut side.connection;
    assert_eq!(c.send_data(ids[0], &body, false, &mut side.out), Ok(1000));
    assert_eq!(side.show(&settings(&[(4, 10)])), [Event::Settings]);
    let c = &mut side.connection;
    assert_eq!((c.sendable(ids[0]), c.sendable(ids[1])), (0, 10));
    // 990 below nothing.
    assert_eq!(side.show(&window_update(1, 990)), []);
    assert_eq!(side.connection.sendable(ids[0]), 0);
    let (stream, token) = (ids[0], 1);
    assert_eq!(
        side.show(&window_update(1, 1)),
        [Event::Writable { stream, token }]
    );
    assert_eq!(side.connection.sendable(ids[0]), 1);
    // New streams begin with it.
    let five = side.get(5);
    let c = &mut side.connection;
    let text = b"HTTP/1.1 200 OK\r\n\r\n";
    assert_eq!(c.send_response(five, text, false, &mut side.out), Ok(()));
    assert_eq!(c.send_data(five, &body, false, &mut side.out), Ok(10));
}

#[test]
fn windows_end_at_31_bits() {
    let (mut side, _) = answering(1);
    let cause = "connection_window_overflow";
    assert_eq!(side.fail(&window_update(0, 0x7fff_ffff)), (FLOW, cause));
    let (mut side, ids) = answering(2);
    let (stream, token) = (ids[0], 1);
    assert_eq!(side.show(&window_update(1, 0x7fff_ffff - 65_535)), []);
    assert_eq!(
        side.show(&window_update(1, 1)),
        [Event::Reset {
            stream,
            token,
            code: FLOW,
            by: By::Us,
            cause: "stream_window_overflow"
        }]
    );
    assert_eq!(side.sent(), ["RST_STREAM 1 flow_control_error"]);
    assert_eq!(side.show(&window_update(3, 0x7fff_ffff - 65_535)), []);
    let larger = settings(&[(4, 65_536)]);
    assert_eq!(side.fail(&larger), (FLOW, "initial_window_overflow"));
}

#[test]
fn an_increment_of_nothing_is_an_error() {
    let (mut side, ids) = answering(1);
    let events = side.show(&window_update(1, 0));
    let code = ErrorCode::PROTOCOL_ERROR;
    let cause = "window_update_by_zero";
    let (stream, token, by) = (ids[0], 1, By::Us);
    assert_eq!(
        events,
        [Event::Reset {
            stream,
            token,
            code,
            by,
            cause
        }]
    );
    side.out.clear();
    assert_eq!(side.fail(&window_update(0, 0)), (code, cause));
}

/// A server with small windows that a client has begun to send to.
fn receiving(settings: Settings) -> (Side, StreamId) {
    let mut side = Side::server_with(settings);
    let stream = side.post(1);
    (side, stream)
}

#[test]
fn a_peer_keeps_to_the_windows() {
    let small = Settings {
        initial_window: 100,
        ..Settings::DEFAULT
    };
    let (mut side, stream) = receiving(small);
    assert_eq!(side.show(&data(1, 0, &[0; 100])).len(), 1);
    let events = side.show(&data(1, 0, &[0; 1]));
    assert!(matches!(
        events[..],
        [Event::Reset {
            code: FLOW,
            cause: "stream_window_exceeded",
            ..
        }]
    ));
    assert!(!side.connection.is_open(stream));
    // What came too much is given back to the connection, what was handed out is not until it is reported.
    assert_eq!(side.connection.receive_window.held(), 100);
    side.connection.consumed(stream, 100, &mut side.out);
    assert_eq!(side.connection.receive_window.held(), 0);

    let (mut side, _) = receiving(Settings {
        connection_window: 65_535,
        ..Settings::DEFAULT
    });
    for _ in 0..3 {
        assert_eq!(side.show(&data(1, 0, &[0; 16_384])).len(), 1);
    }
    let last = data(1, 0, &[0; 16_384]);
    assert_eq!(side.fail(&last), (FLOW, "connection_window_exceeded"));
}

#[test]
fn half_a_window_is_given_back_at_once() {
    let (mut side, stream) = receiving(Settings {
        initial_window: 1000,
        connection_window: 65_535,
        ..Settings::DEFAULT
    });
    assert_eq!(side.show(&data(1, 0, &[0; 900])).len(), 1);
    side.connection.consumed(stream, 499, &mut side.out);
    assert_eq!(side.sent(), [""; 0]);
    side.connection.consumed(stream, 1, &mut side.out);
    assert_eq!(side.sent(), ["WINDOW_UPDATE 1 500"]);
    // Nobody needs a window of a stream that has ended; the connection's goes on.
    assert_eq!(side.show(&data(1, END_STREAM, &[0; 600])).len(), 1);
    side.connection.consumed(stream, 1000, &mut side.out);
    assert_eq!(side.sent(), [""; 0]);
    for number in (3..200).step_by(2) {
        let stream = side.post(number);
        assert_eq!(side.show(&data(number, 0, &[0; 1000])).len(), 1);
        side.connection
            .reset(stream, ErrorCode::CANCEL, &mut side.out);
        side.connection.consumed(stream, 1000, &mut side.out);
    }
    let updates = |line: &&String| line.starts_with("WINDOW_UPDATE");
    let sent = side.sent();
    let updates: Vec<&String> = sent.iter().filter(updates).collect();
    assert_eq!(
        updates,
        [
            "WINDOW_UPDATE 0 33500",
            "WINDOW_UPDATE 0 33000",
            "WINDOW_UPDATE 0 33000"
        ]
    );
}

#[test]
fn padding_counts_and_is_given_back_at_once() {
    let (mut side, stream) = receiving(Settings {
        initial_window: 100,
        ..Settings::DEFAULT
    });
    let padded = data(1, flag::PADDED, &[&[59][..], &[0; 60]].concat());
    assert_eq!(side.show(&padded).len(), 1);
    assert_eq!(side.sent(), ["WINDOW_UPDATE 1 60"]);
    side.connection.consumed(stream, 1, &mut side.out);
    assert_eq!(side.show(&data(1, 0, &[0; 99])).len(), 1);
}

#[test]
fn a_smaller_initial_window_holds_once_it_is_acknowledged() {
    let small = Settings {
        initial_window: 100,
        ..Settings::DEFAULT
    };
    let mut side = Side::new(Role::Server, small, Budgets::CLIENTS);
    let hello = [&PREFACE[..], &settings(&[])].concat();
    assert_eq!(side.show(&hello), [Event::Settings]);
    // The client does not know yet.
    let one = side.post(1);
    assert_eq!(side.show(&data(1, 0, &[0; 10_000])).len(), 1);
    side.out.clear();
    assert_eq!(side.show(&settings_ack()), []);
    side.connection.consumed(one, 9_900, &mut side.out);
    assert_eq!(side.sent(), ["WINDOW_UPDATE 1 9900"]);
    side.connection.consumed(one, 100, &mut side.out);
    assert_eq!(side.sent(), ["WINDOW_UPDATE 1 100"]);
    assert_eq!(side.show(&data(1, 0, &[0; 100])).len(), 1);
    side.post(3);
    let events = side.show(&data(3, 0, &[0; 101]));
    assert!(matches!(events[..], [Event::Reset { code: FLOW, .. }]));
}

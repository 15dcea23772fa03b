//! How connections end well: GOAWAY both ways, drains, and what there is no room for (RFC 9113 section 6.8).

use super::*;

const NO_ERROR: ErrorCode = ErrorCode::NO_ERROR;
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";

fn goaway(last: u32, code: ErrorCode) -> Vec<u8> {
    let payload = [
        &last.to_be_bytes()[..],
        &code.0.to_be_bytes(),
        b"debug data",
    ]
    .concat();
    frame(7, 0, 0, &payload)
}

fn ask(side: &mut Side, token: u64) -> Result<StreamId, OpenError> {
    let c = &mut side.connection;
    c.send_request(REQUEST, b"http", token, true, &mut side.out)
}

fn answer(side: &mut Side, stream: StreamId) {
    let text = b"HTTP/1.1 204 No Content\r\n\r\n";
    let sent = side
        .connection
        .send_response(stream, text, true, &mut side.out);
    assert_eq!(sent, Ok(()));
    side.out.clear();
}

#[test]
fn a_server_drains_in_two_steps() {
    let mut side = Side::server();
    let one = side.get(1);
    side.connection.drain(&mut side.out);
    side.connection.drain(&mut side.out);
    let ping = "PING \\xd6drained";
    assert_eq!(side.sent(), ["GOAWAY 2147483647 no_error", ping]);
    // What was under way is taken as ever.
    let three = side.get(3);
    answer(&mut side, one);
    assert!(!side.connection.is_drained());
    assert_eq!(side.show(&frame(6, flag::ACK, 0, &control::DRAIN_PING)), []);
    assert_eq!(side.sent(), ["GOAWAY 3 no_error"]);
    // What comes now is not, and nobody hears of it; but its block is read.
    let block = [POST, b"\x40\x01a\x01b"].concat();
    assert_eq!(side.show(&headers(5, END_HEADERS, &block)), []);
    assert_eq!(side.show(&data(5, END_STREAM, b"body")), []);
    assert_eq!(side.connection.receive_window.held(), 0);
    assert_eq!(side.sent(), [""; 0]);
    assert!(!side.connection.is_drained());
    answer(&mut side, three);
    assert!(side.connection.is_drained());
    side.connection.goaway(NO_ERROR, &mut side.out);
    assert_eq!(side.sent(), ["GOAWAY 3 no_error"]);
}

#[test]
fn a_drain_need_not_wait_for_the_answer_to_its_ping() {
    let mut side = Side::server();
    side.connection.drain(&mut side.out);
    assert!(!side.connection.is_drained());
    side.sent();
    side.connection.goaway(NO_ERROR, &mut side.out);
    assert_eq!(side.sent(), ["GOAWAY 0 no_error"]);
    assert!(side.connection.is_drained());
    assert_eq!(side.show(&frame(6, flag::ACK, 0, &control::DRAIN_PING)), []);
    assert_eq!(side.sent(), [""; 0]);
}

#[test]
fn a_client_learns_which_requests_were_not_taken() {
    let mut side = Side::client();
    let streams: Vec<StreamId> = (1..=4)
        .map(|token| ask(&mut side, token).unwrap())
        .collect();
    let left_out = |at: usize| Event::Reset {
        stream: streams[at],
        token: at as u64 + 1,
        code: ErrorCode::REFUSED_STREAM,
        by: By::Goaway,
        cause: "goaway",
    };
    // The first step of the server's drain says nothing about any.
    let last = 0x7fff_ffff;
    let code = NO_ERROR;
    assert_eq!(
        side.show(&goaway(last, code)),
        [Event::Goaway { last, code }]
    );
    assert_eq!(ask(&mut side, 5), Err(OpenError::GoingAway));
    let last = 3;
    let mut events = side.show(&goaway(last, code));
    assert_eq!(events.remove(0), Event::Goaway { last, code });
    events.sort_by_key(|event| matches!(event, Event::Reset { token: 4, .. }));
    assert_eq!(events, [left_out(2), left_out(3)]);
    assert_eq!(side.connection.active_streams(), 2);
    // It can't take more than it said.
    let events = side.show(&goaway(5, code));
    assert_eq!(events, [Event::Goaway { last, code }]);
    for stream in &streams[..2] {
        assert!(!side.connection.is_drained());
        assert_eq!(side.show(&headers(stream.number(), WHOLE, OK)).len(), 1);
    }
    assert!(side.connection.is_drained());
    // A late frame for one of the others is no error.
    assert_eq!(side.show(&headers(7, WHOLE, OK)), []);
}

#[test]
fn a_client_that_goes_away_ends_what_it_has_begun() {
    let mut side = Side::client();
    let one = ask(&mut side, 1).unwrap();
    side.out.clear();
    side.connection.drain(&mut side.out);
    assert_eq!(side.sent(), [""; 0]);
    assert_eq!(ask(&mut side, 2), Err(OpenError::GoingAway));
    assert!(!side.connection.is_drained());
    assert_eq!(side.show(&headers(one.number(), WHOLE, OK)).len(), 1);
    assert!(side.connection.is_drained());
    side.connection.goaway(NO_ERROR, &mut side.out);
    assert_eq!(side.sent(), ["GOAWAY 0 no_error"]);
    // To a server it says nothing about requests.
    let mut side = Side::server();
    side.get(1);
    let (last, code) = (0, NO_ERROR);
    assert_eq!(
        side.show(&goaway(last, code)),
        [Event::Goaway { last, code }]
    );
    assert_eq!(side.connection.active_streams(), 1);
    assert_eq!(side.get(3).number(), 3);
}

#[test]
fn room_is_the_least_of_what_both_allow() {
    let mut side = Side::client();
    assert_eq!(side.connection.room(), Ok(100));
    assert_eq!(side.show(&settings(&[(3, 2)])), [Event::Settings]);
    assert_eq!(side.connection.room(), Ok(2));
    let one = ask(&mut side, 1).unwrap();
    assert_eq!(ask(&mut side, 2).map(StreamId::number), Ok(3));
    assert_eq!(side.connection.room(), Err(OpenError::Full));
    assert_eq!(ask(&mut side, 3), Err(OpenError::Full));
    assert_eq!(side.show(&headers(1, WHOLE, OK)).len(), 1);
    assert!(!side.connection.is_open(one));
    assert_eq!(side.connection.room(), Ok(1));
    // Fewer than are open already.
    assert_eq!(side.show(&settings(&[(3, 0)])), [Event::Settings]);
    assert_eq!(side.connection.room(), Err(OpenError::Full));
}

#[test]
fn stream_identifiers_run_out() {
    let mut side = Side::client();
    side.connection.last = 0x7fff_fffb;
    assert_eq!(side.connection.room(), Ok(2));
    assert_eq!(ask(&mut side, 1).map(StreamId::number), Ok(0x7fff_fffd));
    assert_eq!(side.connection.room(), Ok(1));
    assert_eq!(ask(&mut side, 1).map(StreamId::number), Ok(0x7fff_ffff));
    assert_eq!(ask(&mut side, 1), Err(OpenError::Exhausted));
}

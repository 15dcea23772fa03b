//! Each budget, by the attack that it is for: after how many frames the connection is ended, and that a peer which
//! does the same in proportion to its work is not.

use super::*;

/// Shows the same attack again and again, `pause` nanoseconds apart: how often it is suffered before the error, which
/// is checked.
fn suffered(
    side: &mut Side,
    budget: Budget,
    pause: u64,
    mut attack: impl FnMut(&mut Side, u32) -> Vec<u8>,
) -> u32 {
    for times in 0..20_000 {
        side.now += pause;
        let bytes = attack(side, times);
        side.show(&bytes);
        if let Some(error) = side.error {
            assert_eq!(error.code, ErrorCode::ENHANCE_YOUR_CALM);
            assert_eq!((error.budget, error.cause), (Some(budget), budget.as_str()));
            let last = side.sent().pop().unwrap();
            assert!(last.ends_with("enhance_your_calm"), "{last}");
            return times;
        }
        side.out.clear();
    }
    u32::MAX
}

const NEVER: u32 = u32::MAX;
const SECOND: u64 = 1_000_000_000;

fn number(times: u32) -> u32 {
    1 + 2 * times
}

#[test]
fn rapid_reset() {
    let attack = |_: &mut Side, times| {
        let number = number(times);
        [
            headers(number, WHOLE, GET),
            reset(number, ErrorCode::CANCEL),
        ]
        .concat()
    };
    let mut side = Side::server();
    assert_eq!(suffered(&mut side, Budget::Resets, 0, attack), 200);
    // At the rate that is allowed, for ever; at twice that, not.
    let rate = u64::from(Budgets::CLIENTS.resets.per_second);
    let mut side = Side::server();
    assert_eq!(
        suffered(&mut side, Budget::Resets, SECOND / rate, attack),
        NEVER
    );
    let mut side = Side::server();
    let times = suffered(&mut side, Budget::Resets, SECOND / rate / 2, attack);
    assert!((399..=401).contains(&times), "{times}");
    // Resets of streams that are gone already are no better.
    let mut side = Side::server();
    side.get(1);
    let again = |_: &mut Side, _| reset(1, ErrorCode::CANCEL);
    assert_eq!(suffered(&mut side, Budget::Resets, 0, again), 200);
}

#[test]
fn half_of_the_requests_may_be_cancelled() {
    let mut side = Side::server();
    let times = suffered(&mut side, Budget::Resets, 0, |side, times| {
        let stream = side.get(number(2 * times));
        let text = b"HTTP/1.1 204 No Content\r\n\r\n";
        let sent = side
            .connection
            .send_response(stream, text, true, &mut side.out);
        assert_eq!(sent, Ok(()));
        let next = number(2 * times + 1);
        [headers(next, WHOLE, GET), reset(next, ErrorCode::CANCEL)].concat()
    });
    assert_eq!(times, NEVER);
}

#[test]
fn resets_that_the_client_makes_us_send() {
    // CVE-2025-8671 in its forms: each is a frame that we must answer by RST_STREAM.
    type Force = fn(u32) -> Vec<u8>;
    let forms: [Force; 5] = [
        |number| window_update(number, 0),
        |number| window_update(number, 0x7fff_ffff),
        |number| data(number, 0, b"after the end"),
        |number| headers(number, WHOLE, TRAILER),
        |number| frame(2, 0, number, &[&number.to_be_bytes()[..], b"\x10"].concat()),
    ];
    for force in forms {
        let mut side = Side::server();
        let times = suffered(&mut side, Budget::ForcedResets, 0, |_, times| {
            let number = number(times);
            [headers(number, WHOLE, GET), force(number)].concat()
        });
        assert_eq!(times, 100);
    }
    // More streams than allowed.
    let mut side = Side::server();
    let times = suffered(&mut side, Budget::ForcedResets, 0, |_, times| {
        headers(number(times), WHOLE, GET)
    });
    assert_eq!(times, 100 + Settings::DEFAULT.max_concurrent_streams);
}

#[test]
fn resets_that_the_owner_must_send_count_at_the_next_frame() {
    let attack = |code| {
        move |side: &mut Side, times| {
            let stream = side.only(&headers(
                number(times),
                WHOLE,
                &[GET, b"\0\x01A\x01b"].concat(),
            ));
            side.connection.reset(stream, code, &mut side.out);
            frame(6, flag::ACK, 0, b"12345678")
        }
    };
    let mut side = Side::server();
    let malformed = attack(ErrorCode::PROTOCOL_ERROR);
    assert_eq!(suffered(&mut side, Budget::ForcedResets, 0, malformed), 100);
    // Its own reasons are not the client's fault. (The ping that shows the frame is counted elsewhere.)
    let mut side = Side::server();
    let cancelled = attack(ErrorCode::CANCEL);
    assert_eq!(
        suffered(&mut side, Budget::ForcedResets, SECOND, cancelled),
        NEVER
    );
}

#[test]
fn continuation_floods() {
    let mut side = Side::server();
    assert_eq!(side.show(&headers(1, END_STREAM, GET)), []);
    let flood = |_: &mut Side, _| frame(9, 0, 1, b"");
    assert_eq!(suffered(&mut side, Budget::BlockFrames, SECOND, flood), 32);
    let mut side = Side::server();
    assert_eq!(side.show(&headers(1, END_STREAM, GET)), []);
    let flood = |_: &mut Side, _| frame(9, 0, 1, &[0; 16_384]);
    assert_eq!(suffered(&mut side, Budget::BlockBytes, SECOND, flood), 7);
}

#[test]
fn a_bomb_of_a_block() {
    let mut side = Side::server();
    // An entry of 4000 bytes, then named again and again.
    let mut block = [GET, b"\x40\x01a\x7f\xa1\x1e"].concat();
    block.extend_from_slice(&[b'x'; 4000]);
    block.extend_from_slice(&[0xbe; 1000]);
    let times = suffered(&mut side, Budget::Bombs, 0, |_, _| {
        headers(1, WHOLE, &block)
    });
    assert_eq!(times, 0);
}

#[test]
fn floods_of_frames_that_ask_for_little() {
    let rates = Budgets::CLIENTS;
    let ping = |_: &mut Side, _| frame(6, 0, 0, b"12345678");
    let times = suffered(&mut Side::server(), Budget::Pings, 0, ping);
    assert_eq!(times, rates.pings.burst);
    let empty = |_: &mut Side, _| settings(&[]);
    let times = suffered(&mut Side::server(), Budget::Settings, 0, empty);
    assert_eq!(times, rates.settings.burst - 1, "one was the greeting");
    let priority = |_: &mut Side, _| frame(2, 0, 1, b"\0\0\0\x05\x10");
    let times = suffered(&mut Side::server(), Budget::Ignored, 0, priority);
    assert_eq!(times, rates.ignored.burst);
    let update = |_: &mut Side, _| frame(16, 0, 0, b"\0\0\0\x01u=1");
    let times = suffered(&mut Side::server(), Budget::Ignored, 0, update);
    assert_eq!(times, rates.ignored.burst);
    let unknown = |_: &mut Side, _| frame(0x77, 0, 0, b"");
    let times = suffered(&mut Side::server(), Budget::Ignored, 0, unknown);
    assert_eq!(times, rates.ignored.burst);
    let tiny = |_: &mut Side, _| window_update(0, 1);
    let times = suffered(&mut Side::server(), Budget::WindowUpdates, 0, tiny);
    assert_eq!(times, rates.window_updates.burst);
    for nothing in [data(1, 0, b""), data(1, flag::PADDED, b"\x02..")] {
        let mut side = Side::server();
        side.post(1);
        let attack = |_: &mut Side, _| nothing.clone();
        let times = suffered(&mut side, Budget::EmptyData, 0, attack);
        assert_eq!(times, rates.empty_data.burst);
    }
}

#[test]
fn a_download_may_be_pinged_and_updated_as_it_goes() {
    let mut side = Side::server();
    let stream = side.get(1);
    let text = b"HTTP/1.1 200 OK\r\n\r\n";
    let sent = side
        .connection
        .send_response(stream, text, false, &mut side.out);
    assert_eq!(sent, Ok(()));
    let times = suffered(&mut side, Budget::Pings, 0, |side, _| {
        let sent = side
            .connection
            .send_data(stream, &[0; 1000], false, &mut side.out);
        assert_eq!(sent, Ok(1000));
        let ping = frame(6, 0, 0, b"12345678");
        [ping, window_update(0, 1000), window_update(1, 1000)].concat()
    });
    assert_eq!(times, NEVER);
}

#[test]
fn late_frames_are_free_as_far_as_the_peer_could_not_know() {
    let small = Settings {
        initial_window: 1000,
        ..Settings::DEFAULT
    };
    let mut side = Side::server_with(small);
    let stream = side.post(1);
    side.connection
        .reset(stream, ErrorCode::CANCEL, &mut side.out);
    // A whole window in the smallest pieces, and then what can't have been under way.
    let times = suffered(&mut side, Budget::LateFrames, 0, |_, _| data(1, 0, b"x"));
    assert_eq!(times, 1000 + Budgets::CLIENTS.late_frames.burst);
    let mut side = Side::server_with(small);
    let stream = side.post(1);
    side.connection
        .reset(stream, ErrorCode::CANCEL, &mut side.out);
    let times = suffered(&mut side, Budget::LateFrames, 0, |_, _| {
        headers(1, WHOLE, TRAILER)
    });
    assert_eq!(times, Budgets::CLIENTS.late_frames.burst);
}

#[test]
fn a_request_that_was_not_taken_may_have_its_body_under_way() {
    let small = Settings {
        initial_window: 1000,
        max_concurrent_streams: 1,
        ..Settings::DEFAULT
    };
    let late = |side: &mut Side| {
        side.show(&headers(3, END_HEADERS, POST));
        suffered(side, Budget::LateFrames, 0, |_, _| data(3, 0, b"x"))
    };
    let free = 1000 + Budgets::CLIENTS.late_frames.burst;
    // One too many.
    let mut side = Side::server_with(small);
    side.post(1);
    assert_eq!(late(&mut side), free);
    // One after the last of a drain.
    let mut side = Side::server_with(small);
    side.connection.goaway(ErrorCode::NO_ERROR, &mut side.out);
    assert_eq!(late(&mut side), free);
}

#[test]
fn budgets_can_be_another() {
    let budgets = Budgets {
        pings: Rate {
            burst: 3,
            per_second: 1,
        },
        ..Budgets::CLIENTS
    };
    let mut side = Side::new(Role::Server, Settings::DEFAULT, budgets);
    side.show(&[&PREFACE[..], &settings(&[])].concat());
    side.out.clear();
    let ping = |_: &mut Side, _| frame(6, 0, 0, b"12345678");
    assert_eq!(suffered(&mut side, Budget::Pings, 0, ping), 3);
}

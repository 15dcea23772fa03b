//! What is told, with the clock and the log's writer played by hand.

use std::sync::Arc;

use engine_bridge::Bridge;

use super::*;

fn fail(debug: &DebugLog, now: u64, detail: &str) {
    let from = "192.0.2.7:4711".parse().expect("an address");
    debug.handshake_failed(now, "secure", &from, (Reason::Protocol, detail));
}

/// What the writer would write, without the times.
fn written(bridge: &Arc<Bridge>) -> Vec<String> {
    let mut text = Vec::new();
    for log in bridge.logs.all() {
        while let Some(batch) = log.take() {
            text.extend_from_slice(&batch);
            log.give_back(batch);
        }
    }
    let text = String::from_utf8(text).expect("lines are text");
    let untimed = |line: &str| line.split_once("Z ").expect("a time").1.to_owned();
    text.lines().map(untimed).collect()
}

#[test]
fn a_line_says_who_where_and_why_in_printable_characters() {
    let bridge = Bridge::new(1);
    let debug = DebugLog::new(0, &bridge.logs);
    fail(&debug, 5, "bad\r\n\x1b[31mname \u{fc}");
    fail(&debug, 6, &"x".repeat(10_000));
    debug.tick(7);
    let lines = written(&bridge);
    let about = "debug: listener secure: TLS handshake with 192.0.2.7:4711 failed: protocol: ";
    let expected = [
        format!("{about}bad???[31mname ??"),
        about.to_owned() + &"x".repeat(200),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn beyond_some_a_second_only_the_number_is_told() {
    let bridge = Bridge::new(4);
    let debug = DebugLog::new(3, &bridge.logs);
    let begun = 77 * SPAN;
    for n in 0..500 {
        fail(&debug, begun + n, "x");
    }
    debug.tick(begun + SPAN - 1);
    assert_eq!(written(&bridge).len(), MOST as usize);
    debug.tick(begun + SPAN);
    let lines = written(&bridge);
    assert_eq!(lines, ["debug: worker 3: 490 more TLS handshakes failed"]);
    fail(&debug, begun + SPAN + 1, "y");
    debug.tick(begun + SPAN + 2);
    assert_eq!(written(&bridge).len(), 1, "another span has begun");
    debug.tick(begun + 9 * SPAN);
    assert_eq!(written(&bridge).len(), 0, "quiet is nothing to tell");
}

#[test]
fn the_number_is_told_at_the_end_too() {
    let bridge = Bridge::new(1);
    let debug = DebugLog::new(0, &bridge.logs);
    for _ in 0..MOST + 2 {
        fail(&debug, 1, "x");
    }
    drop(debug);
    let lines = written(&bridge);
    assert_eq!(lines.len(), MOST as usize + 1);
    assert_eq!(
        lines.last().map(String::as_str),
        Some("debug: worker 0: 2 more TLS handshakes failed")
    );
}

#[test]
fn a_log_that_nobody_writes_takes_only_so_much() {
    let bridge = Bridge::new(1);
    let debug = DebugLog::new(0, &bridge.logs);
    let detail = "x".repeat(MOST_DETAIL);
    let mut now = 0;
    for _ in 0..10_000 {
        now += SPAN;
        for _ in 0..MOST {
            fail(&debug, now, &detail);
        }
        debug.tick(now);
    }
    let lines = written(&bridge);
    assert!(lines.len() < 50_000, "{} lines waited", lines.len());
    // What found no room is told once there is some.
    debug.tick(now + SPAN);
    let told = written(&bridge);
    let more = told.last().expect("a number");
    assert!(
        more.contains("more TLS handshakes failed") && !more.contains(" 0 more"),
        "{more}"
    );
}

//! Calls and what they ask for.

use super::*;

fn request<'a>(path: &'a str, lines: &'a str) -> Request<'a> {
    Request {
        method: b"POST",
        path: path.as_bytes(),
        lines: lines.as_bytes(),
    }
}

const GRPC: &str = "content-type: application/grpc\r\n";

fn asked(path: &str, lines: &str) -> Asked {
    Asked::of(&request(path, lines), |_| true)
}

#[test]
fn calls_are_told_by_their_content_type() {
    for (kind, call) in [
        ("application/grpc", true),
        ("application/grpc+proto", true),
        ("application/grpc;charset=x", true),
        ("application/grpc-web", false),
        ("application/json", false),
    ] {
        let lines = format!("te: trailers\r\ncontent-type: {kind}\r\n");
        assert_eq!(is_call(&request("/a.B/C", &lines)), call, "{kind}");
    }
    let get = Request {
        method: b"GET",
        ..request("/a.B/C", GRPC)
    };
    assert!(!is_call(&get));
}

#[test]
fn a_call_asks_in_its_query_and_in_a_header() {
    let lines = format!("{GRPC}x-answer: size=1k&every=2ms\r\n");
    let found = asked("/a.B/C?count=3&delay=5ms&once=1", &lines);
    assert_eq!((found.count, found.size, found.once), (3, Some(1024), true));
    assert_eq!((found.delay, found.every), (5_000_000, 2_000_000));
    assert_eq!((found.status, found.kind), (0, Kind::Echo));
    // What is not ours is let pass.
    assert_eq!(asked("/a.B/C?n=1", GRPC), asked("/a.B/C", GRPC));
}

#[test]
fn a_failure_answers_nothing_unless_it_is_said() {
    assert_eq!(asked("/a.B/C?status=14", GRPC).count, 0);
    assert_eq!(asked("/a.B/C?status=14&count=2", GRPC).count, 2);
    assert_eq!(asked("/a.B/C?count=2&status=14", GRPC).count, 2);
    assert_eq!(asked("/a.B/C?status=0", GRPC).count, 1);
}

#[test]
fn a_share_of_the_calls_is_spared() {
    let of = |befalls| Asked::of(&request("/a.B/C?status=14&rate=0.5", GRPC), |_| befalls);
    assert_eq!((of(true).status, of(false).status), (14, 0));
    assert_eq!(of(false).count, 1);
}

#[test]
fn what_is_not_understood_is_refused() {
    for query in [
        "status=17",
        "status=x",
        "count=-1",
        "size=65m",
        "delay=5",
        "rate=2",
        "reset=x",
    ] {
        let found = asked(&format!("/a.B/C?{query}"), GRPC);
        assert_eq!(
            (found.status, found.count),
            (INVALID_ARGUMENT, 0),
            "{query}"
        );
    }
}

#[test]
fn of_health_there_is_check_alone() {
    let check = asked("/grpc.health.v1.Health/Check", GRPC);
    assert_eq!((check.kind, check.status), (Kind::Health, 0));
    let watch = asked("/grpc.health.v1.Health/Watch", GRPC);
    assert_eq!((watch.status, watch.count), (UNIMPLEMENTED, 0));
}

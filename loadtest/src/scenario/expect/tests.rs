//! Tests of expectations.

use super::*;
use crate::scenario::Scenario;
use std::path::Path;

fn expected(text: &str) -> Expect {
    let text = format!("[target]\nurl = \"http://h\"\n[request.a]\n{text}");
    match Scenario::parse(&text, "t", Path::new("")) {
        Ok(scenario) => scenario.templates[0].expect().clone(),
        Err(why) => panic!("{}", crate::scenario::show(&why)),
    }
}

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nServer:nginx\r\n\
    X-A: one\r\nx-a: two\r\n\r\n";

#[test]
fn statuses_are_numbers_classes_and_ranges() {
    let expect = expected("expect_status = [200, \"3xx\", \"404..405\"]");
    let good = |status| expect.check(status, HEAD, None).is_ok();
    for status in [200, 300, 399, 404, 405] {
        assert!(good(status), "{status}");
    }
    for status in [
        0,
        99,
        100,
        201,
        299,
        400,
        403,
        406,
        500,
        599,
        612,
        999,
        u16::MAX,
    ] {
        assert!(!good(status), "{status}");
    }
    assert!(!expect.is_plain());
    assert_eq!(expect.check(500, HEAD, None), Err(Unmet::Status(500)));
}

#[test]
fn nothing_said_is_plain() {
    let expect = expected("");
    assert!(expect.is_plain() && !expect.wants_body());
    assert!(expect.check(204, b"", None).is_ok());
    assert!(expect.check(404, b"", None).is_err());
    assert!(expected("expect_status = [\"2xx\", \"3xx\"]").is_plain());
}

#[test]
fn headers_are_exact_or_begin_so_or_are_there() {
    let check =
        |headers: &str| expected(&format!("expect_headers = {headers}")).check(200, HEAD, None);
    for good in [
        "{ server = \"nginx\" }",
        "{ content-type = \"application/json*\" }",
        "{ Content-Type = \"*\", X-A = \"two\" }",
        "[\"SERVER: nginx\", \"x-a: one\"]",
    ] {
        assert_eq!(check(good), Ok(()), "{good}");
    }
    for wrong in [
        "{ server = \"Nginx\" }",
        "{ content-type = \"application/json\" }",
        "{ x-b = \"*\" }",
        "{ x-a = \"three\" }",
        "{ server = \"nginx\", x-b = \"\" }",
    ] {
        assert_eq!(check(wrong), Err(Unmet::Header), "{wrong}");
    }
}

#[test]
fn a_body_contains_all_that_is_said() {
    let expect = expected("expect_body = [\"created\", \"id\"]");
    assert!(expect.wants_body());
    assert_eq!(
        expect.check(200, HEAD, Some(b"{\"id\":1,\"created\":true}")),
        Ok(())
    );
    assert_eq!(
        expect.check(200, HEAD, Some(b"{\"id\":1}")),
        Err(Unmet::Body)
    );
    assert_eq!(expect.check(200, HEAD, None), Err(Unmet::Body));
}

#[test]
fn heads_that_make_no_sense_meet_nothing_and_break_nothing() {
    let expect = expected("expect_headers = { a = \"*\" }");
    for head in [
        &b""[..],
        b":",
        b"\r\n\r\n",
        b"a",
        b"\n:\n",
        b"HTTP/1.1 200 a: b",
    ] {
        assert_eq!(expect.check(200, head, None), Err(Unmet::Header));
    }
}

#[test]
fn what_was_not_met_is_told_in_a_line() {
    let told = |text: &str, status, body: &[u8]| expected(text).unmet(status, HEAD, body);
    assert_eq!(told("expect_status = 200", 200, b""), None);
    let status = told("expect_status = 200", 404, b"");
    assert_eq!(status.as_deref(), Some("status 404"));
    let header = told("expect_headers = { server = \"apache*\" }", 200, b"");
    assert_eq!(
        header.as_deref(),
        Some("header `server` is `nginx`, and not `apache*`")
    );
    let missing = told("expect_headers = { x-b = \"*\" }", 200, b"");
    assert_eq!(missing.as_deref(), Some("no header `x-b`"));
    let body = told(
        "expect_body = [\"a\", \"b\"]",
        200,
        &b"a\x1b\n".repeat(1000),
    );
    let body = body.unwrap();
    assert!(
        body.starts_with("`b` is not in a body that begins `a\u{fffd}\u{fffd}a"),
        "{body}"
    );
    assert!(body.ends_with("…`") && body.chars().count() < 120, "{body}");
}

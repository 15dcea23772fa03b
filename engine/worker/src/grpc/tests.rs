//! How requests speak gRPC, until when, and what becomes of the bodies of browsers.

use super::*;
use protocol::http1::decode_request;
use protocol::limits::HeadLimits;
use protocol::message::RequestHead;

fn call(version: Version, fields: &str) -> Option<(Framing, Framing)> {
    let text = format!("POST /a.B/C HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    let mut head = RequestHead::new();
    decode_request(text.as_bytes(), &mut head, &HeadLimits::default()).expect("it is sound");
    head.version = version;
    Call::of(head.view(text.as_bytes())).map(|call| (call.asked, call.framing))
}

#[test]
fn what_a_request_is_taken_for() {
    use Framing::{Grpc, Web, WebText};
    use Version::{Http2, Http11};
    let grpc = "Content-Type: application/grpc+proto\r\n";
    let web = "Content-Type: application/grpc-web\r\n";
    let text = "Content-Type: application/grpc-web-text\r\n";
    let table = [
        (Http2, String::new(), None),
        (Http2, "Content-Type: text/plain\r\n".into(), None),
        (Http2, "Content-Type: application/grpcx\r\n".into(), None),
        (Http2, grpc.into(), Some((Grpc, Grpc))),
        (Http11, grpc.into(), None),
        (Http11, web.into(), Some((Web, Web))),
        (Http2, text.into(), Some((WebText, WebText))),
        (
            Http11,
            format!("{web}Accept: application/grpc-web-text\r\n"),
            Some((Web, WebText)),
        ),
        (
            Http11,
            format!("{text}Accept: application/grpc-web+proto\r\n"),
            Some((WebText, Web)),
        ),
        (
            Http11,
            format!("{text}Accept: */*\r\n"),
            Some((WebText, WebText)),
        ),
        (
            Http2,
            format!("{grpc}Accept: application/grpc-web-text\r\n"),
            Some((Grpc, Grpc)),
        ),
    ];
    for (version, fields, expected) in table {
        assert_eq!(call(version, &fields), expected, "{version:?} {fields}");
    }
}

#[test]
fn until_when_a_call_goes() {
    let table = [
        ("", Some(u64::MAX)),
        ("grpc-timeout: 5n\r\n", Some(1_005)),
        ("Grpc-Timeout: 2S\r\n", Some(2_000_001_000)),
        ("grpc-timeout: 99999999H\r\n", Some(u64::MAX)),
        ("grpc-timeout: 5\r\n", None),
        ("grpc-timeout: \r\n", None),
        ("grpc-timeout: -1S\r\n", None),
    ];
    for (fields, expected) in table {
        let text = format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let mut head = RequestHead::new();
        decode_request(text.as_bytes(), &mut head, &HeadLimits::default()).expect("it is sound");
        let at = deadline(head.view(text.as_bytes()), 1_000);
        assert_eq!(at.ok(), expected, "{fields}");
    }
}

/// What goes out for an answer that comes in these steps and ends with these trailers.
fn answered(framing: Framing, steps: &[&[u8]], trailers: &[u8]) -> Vec<u8> {
    let mut translation = Translation::of_answer(framing, Vec::new());
    let mut out = Vec::new();
    for step in steps {
        assert_eq!(translation.pass(step, &mut out), Ok(()));
    }
    assert_eq!(translation.end(trailers, &mut out), Ok(()));
    assert_eq!(translation.written(), out.len() as u64);
    out
}

const FRAME: &[u8] = b"\x80\x00\x00\x00\x10grpc-status: 0\r\n";

#[test]
fn an_answers_trailers_are_put_into_its_body() {
    let steps: [&[u8]; 3] = [b"\0\0\0\0", b"\x02h", b"i"];
    let out = answered(Framing::Web, &steps, b"grpc-status: 0\r\n");
    assert_eq!(out, [b"\0\0\0\0\x02hi", FRAME].concat());
    assert_eq!(answered(Framing::Web, &[b"\0\0\0\0\0"], b""), b"\0\0\0\0\0");
}

#[test]
fn each_step_of_text_stands_for_itself() {
    let out = answered(
        Framing::WebText,
        &[b"\0\0\0\0", b"\x01h"],
        b"grpc-status: 0\r\n",
    );
    // Python: base64.b64encode of each step and of the frame.
    assert_eq!(out, b"AAAAAA==AWg=gAAAABBncnBjLXN0YXR1czogMA0K");
}

#[test]
fn a_status_of_the_head_is_put_into_the_body() {
    let status = b"grpc-status: 5\r\n".to_vec();
    let mut translation = Translation::of_answer(Framing::Web, status);
    let mut out = Vec::new();
    assert_eq!(translation.end(b"", &mut out), Ok(()));
    assert_eq!(out, b"\x80\x00\x00\x00\x10grpc-status: 5\r\n");
}

#[test]
fn an_answer_is_broken_off_between_messages_alone() {
    let table: [(&[u8], bool); 5] = [
        (b"", true),
        (b"\0\0\0\0\x02hi", true),
        (b"\0\0\0\0\x02h", false),
        (b"\0\0", false),
        (b"<html>", false),
    ];
    for (came, expected) in table {
        let mut translation = Translation::of_answer(Framing::Web, Vec::new());
        let mut out = Vec::new();
        assert_eq!(translation.pass(came, &mut out), Ok(()));
        let mut end = Vec::new();
        let broken = translation.break_off(b"grpc-status: 0\r\n", &mut end);
        assert_eq!(broken, expected, "{came:?}");
        assert_eq!(end, if expected { FRAME } else { b"" }, "{came:?}");
    }
}

#[test]
fn a_requests_text_is_decoded_as_it_comes_and_must_end() {
    let mut translation = Translation::of_request(Framing::WebText).expect("it is text");
    let mut out = Vec::new();
    for (step, so_far) in [
        ("AAA", ""),
        ("AAA", "\0\0\0"),
        ("=", "\0\0\0\0"),
        ("=", "\0\0\0\0"),
    ] {
        assert_eq!(translation.pass(step.as_bytes(), &mut out), Ok(()));
        assert_eq!(out, so_far.as_bytes(), "{step}");
    }
    assert_eq!(translation.end(b"", &mut out), Ok(()));
    assert_eq!(translation.pass(b"A", &mut out), Ok(()));
    assert_eq!(translation.end(b"", &mut out), Err("grpc_web_cut_base64"));
    assert_eq!(translation.pass(b"?", &mut out), Err("grpc_web_bad_base64"));
    assert!(Translation::of_request(Framing::Web).is_none());
}

#[test]
fn faults_are_statuses() {
    use protocol::http2::ErrorCode;
    let table = [
        (Fault::BadPath, 13),
        (Fault::NoRoute, 12),
        (Fault::BodyTooLarge, 8),
        (Fault::BodyTimeout, 4),
        (Fault::GrpcTimeout, 4),
        (Fault::WholeTimeout, 4),
        (Fault::StreamIdle, 4),
        (Fault::ConnectFailed, 14),
        (Fault::NoEndpoint, 14),
        (Fault::ClientGone, 1),
        (Fault::UpstreamReset(ErrorCode::CANCEL), 1),
        (Fault::UpstreamReset(ErrorCode::INTERNAL_ERROR), 13),
    ];
    for (fault, code) in table {
        let mut lines = Vec::new();
        assert_eq!(status_lines(&fault, &mut lines).number(), code, "{fault:?}");
        let text = String::from_utf8(lines).expect("it is ASCII");
        let expected = format!(
            "grpc-status: {code}\r\ngrpc-message: {}\r\n",
            fault.row().detail
        );
        assert_eq!(text, expected);
    }
}

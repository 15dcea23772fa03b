//! Requests that are sound, and what their heads say (RFC 9113 section 8.3.1, RFC 8441).

use super::*;
use crate::http1::{Decoded, decode_request};
use crate::limits::HeadLimits;
use crate::message::{TargetForm, Version};

#[test]
fn a_head_is_what_http1_would_have_made_of_it() {
    let list = [
        (":method", "POST"),
        (":scheme", "https"),
        (":authority", "a.example:8443"),
        (":path", "/p/q?x=1&y"),
        ("user-agent", "t"),
        ("accept", "*/*"),
        ("x-empty", ""),
        ("content-length", "12"),
        ("te", "trailers"),
        ("x-latin", "caf\u{e9}"),
    ];
    let (head, arena) = request(&list, End::Later).unwrap();
    let text = "POST /p/q?x=1&y HTTP/1.1\r\nhost: a.example:8443\r\nuser-agent: t\r\naccept: */*\r\n\
        x-empty:\r\ncontent-length: 12\r\nte: trailers\r\nx-latin: caf\u{e9}\r\n\r\n";
    let mut other = RequestHead::new();
    let decoded = decode_request(text.as_bytes(), &mut other, &HeadLimits::DEFAULT);
    assert_eq!(decoded, Ok(Decoded::Complete));

    let (ours, theirs) = (head.view(&arena), other.view(text.as_bytes()));
    assert_eq!(head.version, Version::Http2);
    assert_eq!(ours.method(), theirs.method());
    assert_eq!(ours.method_text(), theirs.method_text());
    assert_eq!(ours.path(), theirs.path());
    assert_eq!(ours.query(), theirs.query());
    assert_eq!(ours.authority(), theirs.authority());
    assert_eq!(head.target.of(&arena), other.target.of(text.as_bytes()));
    assert_eq!(
        (head.form, head.has_query, head.body, head.keep_alive),
        (other.form, other.has_query, other.body, other.keep_alive)
    );
    assert_eq!(
        (head.expect_continue, head.upgrade, head.te_trailers),
        (other.expect_continue, other.upgrade, other.te_trailers)
    );
    assert_eq!(head.len, arena.len());
    let all = |request: crate::message::Request<'_>| -> Vec<_> {
        request
            .fields()
            .map(|(field, name, value)| {
                (field.known, field.hop_by_hop, name.to_vec(), value.to_vec())
            })
            .collect()
    };
    assert_eq!(all(ours), all(theirs));
    fields(&head.fields, &arena);
}

#[test]
fn lines_stand_one_after_the_other() {
    let list = with_get(&[("a", "1"), ("b", ""), ("c", "3")]);
    let (head, arena) = request(&list, End::Here).unwrap();
    assert!(arena.ends_with(b"host: a.example\r\na: 1\r\nb: \r\nc: 3\r\n"));
    assert_eq!(
        fields(&head.fields, &arena),
        [("host", "a.example"), ("a", "1"), ("b", ""), ("c", "3")]
    );
}

#[test]
fn the_body_ends_where_length_or_stream_say() {
    let table = [
        ("", End::Here, BodyLength::None),
        ("", End::Later, BodyLength::Frames),
        ("0", End::Here, BodyLength::Exact(0)),
        ("0", End::Later, BodyLength::Exact(0)),
        ("5", End::Later, BodyLength::Exact(5)),
        (
            "9223372036854775807",
            End::Later,
            BodyLength::Exact(i64::MAX as u64),
        ),
    ];
    for (length, end, body) in table {
        let mut list = with_get(&[]);
        if !length.is_empty() {
            list.push(("content-length", length));
        }
        let (head, _) = request(&list, end).unwrap();
        assert_eq!(head.body, body, "{length} {end:?}");
    }
}

#[test]
fn host_alone_counts_as_the_authority() {
    let list = [
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/"),
        ("a", "1"),
        ("host", "b.example"),
    ];
    let (head, arena) = request(&list, End::Here).unwrap();
    assert_eq!(head.view(&arena).authority(), b"b.example");
    assert_eq!(
        head.view(&arena).header(Name::Host),
        Some(b"b.example".as_slice())
    );
    assert_eq!(
        fields(&head.fields, &arena),
        [("a", "1"), ("host", "b.example")]
    );
}

#[test]
fn host_beside_the_authority_says_nothing_new() {
    for host in ["a.example", "A.EXAMPLE", "a.example:443"] {
        let list = with_get(&[("x", "1"), ("host", host), ("y", "2")]);
        let (head, arena) = request(&list, End::Here).unwrap();
        assert_eq!(
            fields(&head.fields, &arena),
            [("host", "a.example"), ("x", "1"), ("y", "2")]
        );
        assert!(arena.ends_with(b"x: 1\r\ny: 2\r\n"), "no trace of it");
    }
}

#[test]
fn cookies_come_together_in_one_line() {
    let table: [(&[&str], &str); 4] = [
        (&["a=1"], "a=1"),
        (&["a=1", "b=2"], "a=1; b=2"),
        (&["a=1; b=2", "c=3", "d=4"], "a=1; b=2; c=3; d=4"),
        (&["", "a=1"], "; a=1"),
    ];
    for (crumbs, expected) in table {
        let mut list = with_get(&[("first", "1")]);
        for crumb in crumbs {
            list.push(("cookie", *crumb));
            list.push(("between", "2"));
        }
        let (head, arena) = request(&list, End::Here).unwrap();
        let got = fields(&head.fields, &arena);
        assert_eq!(
            got[..3],
            [("host", "a.example"), ("first", "1"), ("cookie", expected)]
        );
        assert_eq!(got.len(), 3 + crumbs.len());
        assert_eq!(head.len, arena.len());
    }
    let list = with_get(&[("cookie", "a=1"), ("cookie", "b=2")]);
    let (head, arena) = request(&list, End::Here).unwrap();
    assert_eq!(head.view(&arena).cookie("b"), Some(b"2".as_slice()));
}

#[test]
fn targets_and_methods() {
    let table = [
        ("GET", "/", TargetForm::Origin, "/", "", false),
        ("GET", "/?", TargetForm::Origin, "/", "", true),
        ("PUT", "/a?b?c", TargetForm::Origin, "/a", "b?c", true),
        ("M-SEARCH", "//", TargetForm::Origin, "//", "", false),
        ("OPTIONS", "*", TargetForm::Asterisk, "*", "", false),
    ];
    for (method, target, form, path, query, has_query) in table {
        let list = [
            (":path", target),
            (":authority", "[::1]:80"),
            (":scheme", "HTTP"),
            (":method", method),
        ];
        let (head, arena) = request(&list, End::Here).unwrap();
        let view = head.view(&arena);
        assert_eq!(view.method_text(), method.as_bytes());
        assert_eq!(view.method(), Method::parse(method.as_bytes()));
        assert_eq!((head.form, head.has_query), (form, has_query));
        assert_eq!(view.path(), path.as_bytes());
        assert_eq!(view.query(), query.as_bytes());
        assert_eq!(head.target.of(&arena), target.as_bytes());
    }
}

#[test]
fn expectations() {
    let (head, _) = request(&with_get(&[("expect", "100-Continue")]), End::Later).unwrap();
    assert!(head.expect_continue);
    let other = request(&with_get(&[("expect", "101")]), End::Later);
    assert_eq!(other.err(), Some(HeadError::Expectation));
}

#[test]
fn an_extended_connect_asks_for_an_upgrade() {
    let mut list = with_get(&[("sec-websocket-version", "13")]);
    list[0].1 = "CONNECT";
    list.insert(1, (":protocol", "websocket"));
    let (head, arena) = request(&list, End::Later).unwrap();
    assert_eq!(head.protocol.of(&arena), b"websocket");
    assert_eq!((head.upgrade, head.method), (true, Method::Connect));
    assert_eq!(head.body, BodyLength::Frames);
    assert_eq!(head.view(&arena).path(), b"/");

    let closed = BlockLimits {
        extended_connect: false,
        ..LIMITS
    };
    let refused = request_with(&list, End::Later, &closed);
    assert_eq!(refused.err(), Some(Malformed::UnknownPseudoField.into()));

    let (head, _) = request(&with_get(&[]), End::Here).unwrap();
    assert!(head.protocol.is_empty() && !head.upgrade);
}

#[test]
fn connect_is_refused() {
    let list = [(":method", "CONNECT"), (":authority", "a.example:443")];
    let refused = request(&list, End::Later);
    assert_eq!(refused.err(), Some(HeadError::Connect));
    assert_eq!(HeadError::Connect.status(), 501);
}

#[test]
fn nothing_of_the_last_head_is_left() {
    let mut decoder = Decoder::new(4096);
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    let long = block(&with_get(&[
        ("te", "trailers"),
        ("expect", "100-continue"),
        ("a", "b"),
    ]));
    decoder
        .request(&long, false, &LIMITS, &mut head, &mut arena)
        .unwrap();
    let short = block(&with_get(&[]));
    decoder
        .request(&short, true, &LIMITS, &mut head, &mut arena)
        .unwrap();
    let (fresh, fresh_arena) = request(&with_get(&[]), End::Here).unwrap();
    assert_eq!(format!("{head:?}"), format!("{fresh:?}"));
    assert_eq!(arena, fresh_arena);
}

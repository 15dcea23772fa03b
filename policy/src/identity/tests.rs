//! Header names, credential places, forwarded claims.

use super::credential::{Found, Source};
use super::forward::{ForwardClaim, duplicate_header, write_line};
use super::*;
use crate::testing::Sample;

#[test]
fn identity_headers_match_in_any_spelling() {
    let names = HeaderNames::new(["X-Roles", "X-Roles", "Email"]);
    let cases: [(&str, bool); 14] = [
        ("X-User-ID", true),
        ("x-user-id", true),
        ("X_USER_ID", true),
        ("x_User-iD", true),
        ("X-Tenant-ID", true),
        ("X-Consumer", true),
        ("x_roles", true),
        ("EMAIL", true),
        ("X-User-I", false),
        ("X-User-IDs", false),
        ("XX-User-ID", false),
        ("Accept", false),
        ("", false),
        ("X-Rolez", false),
    ];
    for (name, expected) in cases {
        assert_eq!(names.matches(name.as_bytes()), expected, "{name}");
    }
    assert_eq!(names.iter().count(), 5);
    let long = "x".repeat(80);
    assert!(HeaderNames::new([long.as_str()]).matches(long.as_bytes()));
}

fn found(source: &str, target: &str, lines: &[&str]) -> String {
    let sample = Sample::get(target, lines);
    match Source::parse(source).unwrap().read(sample.view().request) {
        Found::One(value) => String::from_utf8(value.to_vec()).unwrap(),
        other => format!("{other:?}"),
    }
}

#[test]
fn bearer_tokens_are_read_as_rfc_6750_section_2_1_has_them() {
    let bearer = |line: &str| found("header", "/", &[line]);
    assert_eq!(bearer("Authorization: Bearer abc"), "abc");
    assert_eq!(bearer("authorization: bEARER   abc  "), "abc");
    assert_eq!(bearer("Authorization: Bearer"), "Missing");
    assert_eq!(bearer("Authorization: Bearer   "), "Missing");
    assert_eq!(bearer("Authorization: Bearerabc"), "Missing");
    assert_eq!(bearer("Authorization: Basic dTpw"), "Missing");
    assert_eq!(bearer("Authorization: "), "Missing");
    assert_eq!(bearer("Authorization: Bearer a b"), "a b");
    assert_eq!(bearer("X-Other: Bearer abc"), "Missing");
    let twice = ["Authorization: Bearer a", "Authorization: Bearer a"];
    assert_eq!(found("header:authorization", "/", &twice), "Repeated");
}

#[test]
fn other_places_are_read_whole() {
    assert_eq!(found("header:X-Key", "/", &["x-key:  k1 "]), "k1");
    assert_eq!(found("header:X-Key", "/", &["x-key:"]), "Missing");
    assert_eq!(
        found("header:X-Key", "/", &["X-Key: a", "x-key: b"]),
        "Repeated"
    );
    assert_eq!(
        found("cookie:sid", "/", &["Cookie: a=b; sid=xyz; c=d"]),
        "xyz"
    );
    assert_eq!(
        found("cookie:sid", "/", &["Cookie: xsid=xyz; sidx=1"]),
        "Missing"
    );
    assert_eq!(
        found("cookie:sid", "/", &["Cookie: sid=1; sid=2"]),
        "Repeated"
    );
    assert_eq!(found("query:t", "/?t=abc", &[]), "abc");
    assert_eq!(found("query:t", "/?a=1&t=abc&tt=2", &[]), "abc");
    assert_eq!(found("query:t", "/?tt=2&xt=3", &[]), "Missing");
    assert_eq!(found("query:t", "/?t", &[]), "Missing");
    assert_eq!(found("query:t", "/?t=1&t=2", &[]), "Repeated");
    assert_eq!(found("query:t", "/", &[]), "Missing");
}

#[test]
fn places_that_make_no_sense_are_refused() {
    for text in ["", "body", "cookie", "query:", "header:a b", "cookie:a=b"] {
        assert!(Source::parse(text).is_err(), "{text}");
    }
}

#[test]
fn forward_claims_are_parsed() {
    let claim = ForwardClaim::parse(" realm.sub->X-User ").unwrap();
    assert_eq!((&*claim.claim, &*claim.header), ("realm.sub", "X-User"));
    for text in [
        "sub",
        "-> X-User",
        "sub ->",
        "sub -> X User",
        "sub -> X-User:",
        "sub -> Host",
        "sub -> content_length",
        "sub -> Transfer-Encoding",
        "sub -> Authorization",
    ] {
        assert!(ForwardClaim::parse(text).is_err(), "{text}");
    }
    let twice = ["a -> X-U", "b -> x_u"].map(|text| ForwardClaim::parse(text).unwrap());
    assert_eq!(duplicate_header(&twice), Some("x_u"));
    assert_eq!(duplicate_header(&ForwardClaim::defaults()), None);
}

#[test]
fn values_that_could_break_a_line_or_change_meaning_are_not_forwarded() {
    let line = |value: &str| {
        let mut out = Vec::new();
        let written = write_line(&mut out, "X-A", value);
        assert_eq!(written, !out.is_empty());
        String::from_utf8(out).unwrap()
    };
    assert_eq!(line("v"), "X-A: v\r\n");
    assert_eq!(line("a b"), "X-A: a b\r\n");
    assert_eq!(line("žluť"), "X-A: žluť\r\n");
    for bad in [
        "",
        " v",
        "v ",
        "\tv",
        "a\r\nB: c",
        "a\nb",
        "a\0b",
        "a\x7fb",
        "a\tb",
    ] {
        assert_eq!(line(bad), "", "{bad:?}");
    }
    assert_eq!(line(&"x".repeat(4097)), "");
}

#[test]
fn nobody_is_nobody() {
    let identity = Identity::default();
    assert!(identity.is_empty());
    assert_eq!(identity.subject(), None);
    assert_eq!(identity.tenant(), None);
    assert_eq!(identity.consumer_name(), None);
    assert_eq!(identity.tier(), None);
    assert_eq!(identity.claim("sub"), None);
    let mut lines = Vec::new();
    identity.forward_lines(&mut lines);
    assert!(lines.is_empty());
}

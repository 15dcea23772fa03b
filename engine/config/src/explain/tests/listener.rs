//! What is said of a URL that is none, and of how the listener was chosen.

use super::super::is_url;
use super::{Question, ROUTES, explain, good};

#[test]
fn what_is_no_url_says_what_was_meant() {
    for good in [
        "http://h",
        "https://h:1/x?y",
        "/orders",
        "h/orders",
        "*",
        "/a://b",
    ] {
        assert_eq!(is_url(good), Ok(()), "{good}");
    }
    let why = is_url("nonsense").unwrap_err();
    assert!(
        why.contains("https://nonsense/") && why.contains("a path /nonsense"),
        "{why}"
    );
    let why = is_url("ftp://h/").unwrap_err();
    assert!(why.contains("ftp:// is neither"), "{why}");
}

#[test]
fn how_the_listener_was_chosen_is_said_where_there_are_several() {
    let line = |text: &str, url: &str, listener: Option<&str>| {
        let question = Question {
            method: "GET",
            url,
            headers: &[],
            client: "192.0.2.1".parse().unwrap(),
            listener,
            shown: &[],
            unix: 0,
        };
        let said = explain(&good(text), &question).to_string();
        said.lines().nth(1).unwrap_or_default().to_owned()
    };
    let of = |rest: &str| format!("from      192.0.2.1 on listener {rest}");
    assert_eq!(
        line(ROUTES, "/x", None),
        of("inner (the first by name, since the URL does not say which; --listener names another)")
    );
    assert_eq!(
        line(ROUTES, "http://h/x", None),
        of("inner (the first of the URL's scheme; --listener names another)")
    );
    assert_eq!(line(ROUTES, "http://h:8081/x", None), of("inner"));
    assert_eq!(line(ROUTES, "/x", Some("inner")), of("inner"));
    let one = "[listener.only]\naddress = \"127.0.0.1:1\"\n";
    assert_eq!(line(one, "/x", None), of("only"));
}

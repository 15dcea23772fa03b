//! Tests of URLs.

use super::*;

fn check(url: &str, expected: Option<(&str, u16, &str, &str)>) {
    let read = parse(url).ok();
    let read = read.as_ref().map(|(target, path)| {
        (
            target.host.as_str(),
            target.port,
            target.authority.as_str(),
            *path,
        )
    });
    assert_eq!(read, expected, "{url}");
}

#[test]
fn urls_are_taken_apart() {
    check("http://h", Some(("h", 80, "h", "")));
    check("http://h:80/", Some(("h", 80, "h", "/")));
    check(
        "http://api.example.com:8080/a/b?c=d",
        Some(("api.example.com", 8080, "api.example.com:8080", "/a/b?c=d")),
    );
    check("http://h?c=d", Some(("h", 80, "h", "?c=d")));
    check(
        "http://[::1]:8080/a",
        Some(("::1", 8080, "[::1]:8080", "/a")),
    );
    check("https://h/", Some(("h", 443, "h", "/")));
    check("https://h:80/", Some(("h", 80, "h:80", "/")));
    let tls = |url| parse(url).map(|(target, _)| target.tls.map(|tls| (tls.name, tls.resume)));
    assert_eq!(tls("https://h:1"), Ok(Some(("h".to_owned(), true))));
    assert_eq!(tls("http://h:443"), Ok(None));
}

#[test]
fn what_is_no_url_is_told() {
    for wrong in [
        "",
        "h",
        "h:8080",
        "ftp://h",
        "http://",
        "http:///a",
        "http://u:p@h",
        "http://h:0",
        "http://h:",
        "http://h:x",
        "http://h:65536",
        "http://[::1",
        "http://[h]",
        "http://a b",
        "http://h\r\nX: y",
        "http://ä",
        "http://{h:1..2}",
        "http://::1",
    ] {
        check(wrong, None);
    }
}

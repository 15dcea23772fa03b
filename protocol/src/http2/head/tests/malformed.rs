//! What is refused, and why; first what a proxy that let it pass would have smuggled (RFC 9113 sections 8.1.1 to 8.3 and
//! 10.3).

use super::*;

/// Its name is a fault's too.
const GET: Method = Method::Get;

fn check(table: &[(&str, &str, Malformed)]) {
    for (name, value, fault) in table {
        let expected = Err(HeadError::Malformed(*fault));
        let got = request(&with_get(&[(name, value)]), End::Later).map(drop);
        assert_eq!(got, expected, "request {name:?}: {value:?}");
        let list = [(":status", "200"), (*name, *value)];
        let got = response(&list, GET, End::Later).map(drop);
        assert_eq!(got, expected, "answer {name:?}: {value:?}");
        let got = Decoder::new(4096).trailers(
            &block(&[(*name, *value)]),
            &LIMITS,
            &mut Vec::new(),
            &mut Vec::new(),
        );
        assert_eq!(got, expected, "trailers {name:?}: {value:?}");
    }
}

#[test]
fn values_that_would_be_more_than_one_line() {
    use Malformed::*;
    check(&[
        ("a", "b\r\nc: d", FieldValue),
        (
            "a",
            "b\r\n\r\nGET /admin HTTP/1.1\r\nHost: x\r\n",
            FieldValue,
        ),
        ("a", "b\nc", FieldValue),
        ("a", "b\rc", FieldValue),
        ("a", "\n", FieldValue),
        ("a", "b\0c", FieldValue),
        ("a", "\x7f", FieldValue),
        ("a", "b\x0bc", FieldValue),
        ("a", " b", FieldValueBlank),
        ("a", "b ", FieldValueBlank),
        ("a", "\tb", FieldValueBlank),
        ("a", " ", FieldValueBlank),
        ("set-cookie", "a=b\r\nx: y", FieldValue),
        ("cookie", "a=b\0", FieldValue),
        (
            "content-type",
            "a/b\r\ntransfer-encoding: chunked",
            FieldValue,
        ),
    ]);
}

#[test]
fn names_that_would_be_something_else() {
    use Malformed::*;
    check(&[
        ("", "x", FieldName),
        ("a b", "x", FieldName),
        (" a", "x", FieldName),
        ("a ", "x", FieldName),
        ("a:", "x", FieldName),
        ("a:b", "x", FieldName),
        ("transfer-encoding: chunked\r\nx", "x", FieldName),
        ("a\r\n", "x", FieldName),
        ("a\0", "x", FieldName),
        ("a\tb", "x", FieldName),
        ("\u{e9}", "x", FieldName),
        ("a\"b", "x", FieldName),
        ("A B", "x", FieldName),
        ("Accept", "x", UppercaseName),
        ("accepT", "x", UppercaseName),
        ("Content-Length", "5", UppercaseName),
        ("Transfer-Encoding", "chunked", UppercaseName),
        ("content_length", "5", DisguisedFramingField),
        ("transfer_encoding", "chunked", DisguisedFramingField),
        (":", "x", UnknownPseudoField),
        (":Path", "/", UnknownPseudoField),
        (":path ", "/", UnknownPseudoField),
        (":foo", "x", UnknownPseudoField),
    ]);
}

#[test]
fn fields_that_speak_of_the_connection() {
    use Malformed::*;
    check(&[
        ("connection", "close", ConnectionSpecific),
        ("connection", "", ConnectionSpecific),
        ("keep-alive", "timeout=5", ConnectionSpecific),
        ("proxy-connection", "keep-alive", ConnectionSpecific),
        ("transfer-encoding", "chunked", ConnectionSpecific),
        ("upgrade", "h2c", ConnectionSpecific),
        ("te", "gzip", Te),
        ("te", "trailers, gzip", Te),
        ("te", "", Te),
    ]);
    // By its index, with no value of its own.
    let indexed = [b"\x82\x87\x84\x01\x01a".as_slice(), b"\xb9"].concat();
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    let got = Decoder::new(4096).request(&indexed, true, &LIMITS, &mut head, &mut arena);
    assert_eq!(got, Err(Malformed::ConnectionSpecific.into()));
}

#[test]
fn content_length_has_one_reading() {
    use Malformed::*;
    let both = [
        (vec!["5", "5"], RepeatedContentLength),
        (vec!["5", "6"], RepeatedContentLength),
        (vec!["5, 5"], ContentLength),
        (vec![""], ContentLength),
        (vec!["+5"], ContentLength),
        (vec!["-5"], ContentLength),
        (vec!["5a"], ContentLength),
        (vec!["0x5"], ContentLength),
        (vec!["9223372036854775808"], ContentLength),
        (vec!["18446744073709551621"], ContentLength),
        (vec!["99999999999999999999999999"], ContentLength),
    ];
    for (lengths, fault) in both {
        let fields: Vec<_> = lengths.iter().map(|it| ("content-length", *it)).collect();
        let got = request(&with_get(&fields), End::Later).map(drop);
        assert_eq!(got, Err(fault.into()), "{lengths:?}");
        let list = [vec![(":status", "200")], fields].concat();
        let got = response(&list, GET, End::Later).map(drop);
        assert_eq!(got, Err(fault.into()), "{lengths:?}");
    }
    let got = request(&with_get(&[("content-length", "5")]), End::Here).map(drop);
    assert_eq!(got, Err(LengthMismatch.into()));
}

#[test]
fn pseudo_fields_of_requests() {
    use Malformed::*;
    let (m, s, p, a) = (
        (":method", "GET"),
        (":scheme", "https"),
        (":path", "/"),
        (":authority", "a.example"),
    );
    let field = ("x", "y");
    let host = |host| ("host", host);
    let table: Vec<(Vec<(&str, &str)>, Malformed)> = vec![
        (vec![], MissingPseudoField),
        (vec![field], MissingPseudoField),
        (vec![s, p, a], MissingPseudoField),
        (vec![m, p, a], MissingPseudoField),
        (vec![m, s, a], MissingPseudoField),
        (vec![m, s, p], MissingAuthority),
        (vec![m, m, s, p, a], RepeatedPseudoField),
        (vec![m, s, s, p, a], RepeatedPseudoField),
        (vec![m, s, p, p, a], RepeatedPseudoField),
        (vec![m, s, p, (":path", "/b"), a], RepeatedPseudoField),
        (vec![m, s, p, a, a], RepeatedPseudoField),
        (vec![m, s, p, field, a], LatePseudoField),
        (vec![field, m, s, p, a], LatePseudoField),
        (vec![m, s, p, host("a.example"), a], LatePseudoField),
        (
            vec![m, s, p, a, field, (":method", "POST")],
            LatePseudoField,
        ),
        (vec![m, s, p, a, (":status", "200")], MisplacedPseudoField),
        (vec![m, s, p, a, (":foo", "x")], UnknownPseudoField),
        (vec![m, s, p, a, (":protocol", "websocket")], Protocol),
        (vec![m, s, p, a, (":protocol", "")], Protocol),
        (vec![m, s, p, a, host("b.example")], HostMismatch),
        (vec![m, s, p, a, host("a.example:80")], HostMismatch),
        (
            vec![m, s, p, a, host("a.example"), host("a.example")],
            RepeatedHost,
        ),
        (
            vec![m, s, p, host("a.example"), host("b.example")],
            RepeatedHost,
        ),
        (vec![m, s, p, a, host("")], Authority),
        (vec![m, s, p, host("a b")], Authority),
        (vec![m, s, p, host("a.example, b.example")], Authority),
        (vec![m, s, p, (":authority", "")], Authority),
        (vec![m, s, p, (":authority", "u@a.example")], Authority),
        (vec![m, s, p, (":authority", "a.example/x")], Authority),
        (
            vec![m, s, p, (":authority", "a.example\r\nx: y")],
            Authority,
        ),
        (vec![m, (":scheme", "ftp"), p, a], Scheme),
        (vec![m, (":scheme", ""), p, a], Scheme),
        (vec![m, (":scheme", "https://a.example/?"), p, a], Scheme),
        (vec![(":method", ""), s, p, a], Method),
        (
            vec![(":method", "GET /admin HTTP/1.1\r\nx:"), s, p, a],
            Method,
        ),
        (vec![(":method", "G T"), s, p, a], Method),
        (vec![m, s, (":path", ""), a], Path),
        (vec![m, s, (":path", "a"), a], Path),
        (vec![m, s, (":path", "*"), a], Path),
        (vec![m, s, (":path", "/a b"), a], Path),
        (vec![m, s, (":path", "/a#b"), a], Path),
        (vec![m, s, (":path", "/a\tb"), a], Path),
        (vec![m, s, (":path", "/a HTTP/1.1\r\nx: y"), a], Path),
        (vec![m, s, (":path", "/\u{e9}"), a], Path),
        (vec![m, s, (":path", "http://a.example/"), a], Path),
        (vec![m, s, (":path", "?a"), a], Path),
    ];
    for (list, fault) in table {
        let got = request(&list, End::Later).map(drop);
        assert_eq!(got, Err(fault.into()), "{list:?}");
    }
    let tunnel = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        s,
        p,
        a,
        ("content-length", "0"),
    ];
    let got = request(&tunnel, End::Later).map(drop);
    assert_eq!(got, Err(ContentLength.into()));
}

#[test]
fn pseudo_fields_of_answers() {
    use Malformed::*;
    let ok = (":status", "200");
    let table: Vec<(Vec<(&str, &str)>, Malformed)> = vec![
        (vec![], MissingPseudoField),
        (vec![("x", "y")], MissingPseudoField),
        (vec![ok, ok], RepeatedPseudoField),
        (vec![("x", "y"), ok], LatePseudoField),
        (vec![ok, (":path", "/")], MisplacedPseudoField),
        (vec![(":method", "GET"), ok], MisplacedPseudoField),
        (vec![(":authority", "a"), ok], MisplacedPseudoField),
        (vec![(":protocol", "a"), ok], MisplacedPseudoField),
        (vec![(":status", "")], Status),
        (vec![(":status", "20")], Status),
        (vec![(":status", "2000")], Status),
        (vec![(":status", "099")], Status),
        (vec![(":status", "+20")], Status),
        (vec![(":status", "200 OK")], Status),
        (vec![(":status", "20x")], Status),
    ];
    for (list, fault) in table {
        let got = response(&list, GET, End::Later).map(drop);
        assert_eq!(got, Err(fault.into()), "{list:?}");
    }
}

#[test]
fn every_fault_has_a_word_and_a_sentence_of_its_own() {
    use Malformed::*;
    let all = [
        FieldName,
        UppercaseName,
        FieldValue,
        FieldValueBlank,
        ConnectionSpecific,
        Te,
        DisguisedFramingField,
        UnknownPseudoField,
        MisplacedPseudoField,
        LatePseudoField,
        RepeatedPseudoField,
        MissingPseudoField,
        Method,
        Scheme,
        Path,
        Protocol,
        Authority,
        MissingAuthority,
        RepeatedHost,
        HostMismatch,
        ContentLength,
        RepeatedContentLength,
        LengthMismatch,
        Status,
        SwitchingProtocols,
        InterimEnd,
    ];
    let words: std::collections::HashSet<_> = all.iter().map(|fault| fault.cause()).collect();
    let sentences: std::collections::HashSet<_> = all.iter().map(|fault| fault.detail()).collect();
    assert_eq!((words.len(), sentences.len()), (all.len(), all.len()));
    for fault in all {
        let error = HeadError::from(fault);
        assert_eq!((error.status(), error.ends_connection()), (400, false));
        assert_eq!(error.to_string(), fault.detail());
        let is_word = |byte: u8| byte == b'_' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(error.cause().bytes().all(is_word));
    }
}

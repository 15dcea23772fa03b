//! The compact form and the header.

use super::*;

/// The outcome of a token with this header, signed with HS256.
fn header(text: &str) -> &'static str {
    let token = Keys::new().token(Algorithm::Hs256, text, &good(""));
    outcome(&secret(|_| ()), &token)
}

#[test]
fn headers_that_hold() {
    for text in [
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","typ":"JWT"}"#,
        r#"{"alg":"HS256","typ":"jwt"}"#,
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":"application/at+JWT"}"#,
        r#"{"alg":"HS256","b64":true}"#,
        r#"{"alg":"HS256","kid":"whatever"}"#,
        r#" { "alg" : "HS256" , "x" : [ { "y" : 1 } ] } "#,
        r#"{"alg":"HS256","jku":"https://evil.example/jwks","x5u":"https://evil.example"}"#,
    ] {
        assert_eq!(header(text), "ok", "{text}");
    }
}

#[test]
fn headers_that_are_refused() {
    for (text, reason) in [
        (r#"{"alg":"none"}"#, "unsupported_algorithm"),
        (r#"{"alg":"None"}"#, "unsupported_algorithm"),
        (r#"{"alg":"hs256"}"#, "unsupported_algorithm"),
        (r#"{"alg":""}"#, "unsupported_algorithm"),
        (r#"{"alg":"ES512"}"#, "unsupported_algorithm"),
        (r#"{"alg":"RS256"}"#, "algorithm_not_allowed"),
        (r#"{"alg":["HS256"]}"#, "malformed_header"),
        (r#"{"alg":null}"#, "malformed_header"),
        (r#"{}"#, "malformed_header"),
        (r#"[]"#, "malformed_header"),
        (r#""HS256""#, "malformed_header"),
        (r#"{"alg":"HS256""#, "malformed_header"),
        (r#"{"alg":"HS256"}{"#, "malformed_header"),
        (r#"{"alg":"none","alg":"HS256"}"#, "malformed_header"),
        (r#"{"alg":"HS256","alg":"HS256"}"#, "malformed_header"),
        (r#"{"alg":"HS256","a":{"b":1,"b":1}}"#, "malformed_header"),
        (r#"{"alg":"HS256","kid":7}"#, "malformed_header"),
        (
            r#"{"alg":"HS256","crit":["exp"],"exp":1}"#,
            "critical_header",
        ),
        (
            r#"{"alg":"HS256","crit":["b64"],"b64":true}"#,
            "critical_header",
        ),
        (r#"{"alg":"HS256","crit":[]}"#, "critical_header"),
        (r#"{"alg":"HS256","crit":null}"#, "critical_header"),
        (r#"{"alg":"HS256","b64":false}"#, "unencoded_payload"),
        (r#"{"alg":"HS256","b64":"true"}"#, "unencoded_payload"),
        (r#"{"alg":"HS256","typ":"logout+jwt"}"#, "wrong_type"),
        (r#"{"alg":"HS256","typ":"dpop+jwt"}"#, "wrong_type"),
        (r#"{"alg":"HS256","typ":7}"#, "wrong_type"),
        (r#"{"alg":"HS256","typ":""}"#, "wrong_type"),
    ] {
        assert_eq!(header(text), reason, "{text}");
    }
    let deep = format!(
        r#"{{"alg":"HS256","a":{}{}}}"#,
        "[".repeat(64),
        "]".repeat(64)
    );
    assert_eq!(header(&deep), "malformed_header");
    let long = format!(r#"{{"alg":"HS256","a":"{}"}}"#, "x".repeat(2048));
    assert_eq!(header(&long), "malformed_token");
}

#[test]
fn an_unsigned_token_of_any_shape_is_refused() {
    let verifier = secret(|_| ());
    let body = encode(good(""));
    let none = encode(r#"{"alg":"none"}"#);
    let hs256 = encode(r#"{"alg":"HS256"}"#);
    assert_eq!(
        outcome(&verifier, &format!("{none}.{body}.")),
        "unsupported_algorithm"
    );
    assert_eq!(
        outcome(&verifier, &format!("{none}.{body}")),
        "malformed_token"
    );
    assert_eq!(
        outcome(&verifier, &format!("{hs256}.{body}.")),
        "malformed_token"
    );
    assert_eq!(
        outcome(&verifier, &format!("{hs256}.{body}.AA")),
        "bad_signature"
    );
    let other = encode([0; 32]);
    assert_eq!(
        outcome(&verifier, &format!("{hs256}.{body}.{other}")),
        "bad_signature"
    );
}

#[test]
fn only_the_one_spelling_of_a_token_holds() {
    let verifier = secret(|_| ());
    let token = hs256(&good(""));
    assert_eq!(outcome(&verifier, &token), "ok");
    let (head, tail) = token.split_at(token.len() - 1);
    // 32 bytes are 43 characters: the last one has two bits to spare.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet
        .iter()
        .position(|c| *c == tail.as_bytes()[0])
        .unwrap();
    for spare in 1..4 {
        let same = char::from(alphabet[at + spare]);
        assert_eq!(
            outcome(&verifier, &format!("{head}{same}")),
            "malformed_token"
        );
    }
    let parts: Vec<&str> = token.split('.').collect();
    for bad in [
        format!("{token}="),
        format!("{token}=="),
        format!("{token}."),
        format!(".{token}"),
        format!("{token}.{token}"),
        format!("{}.{}", parts[0], parts[1]),
        format!("{}..{}", parts[0], parts[2]),
        format!(".{}.{}", parts[1], parts[2]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}\n.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{} .{}", parts[0], parts[1], parts[2]),
        token.replace(parts[2], &format!("{}+", parts[2])),
        token.replace(parts[2], &format!("{}/", parts[2])),
        format!("{}.{}.x.y.z", parts[0], parts[1]),
        "..".to_owned(),
        ".".to_owned(),
        "a".to_owned(),
        "ž.ž.ž".to_owned(),
        "%65%79.a.b".to_owned(),
    ] {
        let word = outcome(&verifier, &bad);
        assert!(word.starts_with("malformed_"), "{bad}: {word}");
    }
    assert!(verifier.verify_bytes(b"\xff.\xff.\xff", NOW).is_err());
}

#[test]
fn a_changed_byte_anywhere_breaks_the_token() {
    let verifier = secret(|_| ());
    let token = hs256(&good(""));
    for at in 0..token.len() {
        let mut bytes = token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(verifier.verify_bytes(&bytes, NOW).is_err(), "byte {at}");
    }
}

#[test]
fn a_token_that_is_too_long_is_not_looked_at() {
    let claims = good(&format!(r#","pad":"{}""#, "x".repeat(8192)));
    assert_eq!(outcome(&secret(|_| ()), &hs256(&claims)), "token_too_long");
    let claims = good(&format!(r#","pad":"{}""#, "x".repeat(4096)));
    assert_eq!(outcome(&secret(|_| ()), &hs256(&claims)), "ok");
}

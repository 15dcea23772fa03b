//! Requests that ask for a WebSocket, answers that open one, and the key and its proof.

use super::*;
use crate::http1::{Decoded, decode_request, decode_response};
use crate::limits::HeadLimits;
use crate::message::{Method, RequestHead, ResponseHead};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

fn ask(text: &str) -> Result<Option<Key>, HandshakeError> {
    let mut head = RequestHead::new();
    let decoded = decode_request(text.as_bytes(), &mut head, &HeadLimits::DEFAULT);
    assert_eq!(decoded, Ok(Decoded::Complete), "{text}");
    asked(head.view(text.as_bytes()))
}

/// A sound request with one text replaced by another.
fn ask_with(from: &str, to: &str) -> Result<Option<Key>, HandshakeError> {
    let sound = format!(
        "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    assert!(sound.contains(from));
    ask(&sound.replace(from, to))
}

#[test]
fn the_example_of_the_rfc() {
    // Section 1.3.
    let random = *b"the sample nonce";
    let key = Key::from_random(random);
    assert_eq!(key.as_bytes(), KEY.as_bytes());
    assert_eq!(key.accept().as_bytes(), b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

#[test]
fn requests_that_ask() {
    let table = [
        ("GET", "GET"),
        ("websocket", "WebSocket"),
        ("websocket", "h2c, websocket"),
        ("websocket", "websocket,"),
        ("Connection: Upgrade", "Connection: keep-alive, upgrade"),
        (
            "Connection: Upgrade",
            "Connection: keep-alive\r\nConnection: UPGRADE",
        ),
        ("Host: a", "Host: a\r\nContent-Length: 0"),
        ("Host: a", "Host: a\r\nSec-WebSocket-Protocol: chat"),
    ];
    for (from, to) in table {
        let got = ask_with(from, to);
        assert_eq!(got, Ok(Key::of(KEY.as_bytes())), "{to}");
        assert_ne!(got, Ok(None));
    }
}

#[test]
fn requests_that_do_not() {
    let table = [
        ("Upgrade: websocket\r\n", ""),
        ("Upgrade: websocket", "Upgrade: websocket/13"),
        ("Upgrade: websocket", "Upgrade: h2c"),
        ("Upgrade: websocket", "Upgrade: websockets"),
        ("Upgrade: websocket", "Upgrade:"),
        ("Connection: Upgrade\r\n", ""),
        ("Connection: Upgrade", "Connection: keep-alive"),
        ("Connection: Upgrade", "Connection: close"),
        ("HTTP/1.1", "HTTP/1.0"),
    ];
    for (from, to) in table {
        assert_eq!(ask_with(from, to), Ok(None), "{from} -> {to}");
    }
}

#[test]
fn requests_that_ask_in_the_wrong_way() {
    use HandshakeError::{Body, Key, Method, Version};
    let key = |value: &str| format!("Sec-WebSocket-Key: {value}");
    let whole_key = key(KEY);
    let twice = format!("{whole_key}\r\n{whole_key}");
    let table = [
        ("GET", "POST".to_owned(), Method),
        ("GET", "HEAD".to_owned(), Method),
        ("Host: a", "Host: a\r\nContent-Length: 1".to_owned(), Body),
        (
            "Host: a",
            "Host: a\r\nTransfer-Encoding: chunked".to_owned(),
            Body,
        ),
        (&whole_key, "X: y".to_owned(), Key),
        (&whole_key, twice, Key),
        (&whole_key, key(""), Key),
        (&whole_key, key("dGhlIHNhbXBsZSBub25jZQ"), Key),
        (&whole_key, key("dGhlIHNhbXBsZSBub25jZQ=a"), Key),
        (&whole_key, key("dGhlIHNhbXBsZSBub25jZQa="), Key),
        (&whole_key, key("dGhlIHNhbXBsZSBub25jZQ====="), Key),
        (&whole_key, key("dGhlIHNhbXBsZSBub25jZWE="), Key),
        (&whole_key, key("dGhlIHNhbXBsZSBub25jZWFi"), Key),
        (&whole_key, key("dGhlIHNhbXBs-SBub25jZQ=="), Key),
        (&whole_key, key("dGhlIHNhbXBs ZSBub25jZQ="), Key),
        (&whole_key, key("dGhlIHNhbXBsZSBub25jZQ==, x"), Key),
        ("Version: 13", "Version: 8".to_owned(), Version),
        ("Version: 13", "Version: 013".to_owned(), Version),
        ("Version: 13", "Version: 13, 8".to_owned(), Version),
        ("Version: 13", "Version:".to_owned(), Version),
        ("Sec-WebSocket-Version: 13", "X: y".to_owned(), Version),
        (
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Version: 13\r\nsec-websocket-version: 13".to_owned(),
            Version,
        ),
    ];
    for (from, to, expected) in table {
        assert_eq!(ask_with(from, &to), Err(expected), "{from} -> {to}");
        let status = if expected == Version { 426 } else { 400 };
        assert_eq!(expected.status(), status);
    }
}

#[test]
fn a_connect_needs_the_version_alone() {
    let check = |fields: &str, expected| {
        let text = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let mut head = RequestHead::new();
        let decoded = decode_request(text.as_bytes(), &mut head, &HeadLimits::DEFAULT);
        assert_eq!(decoded, Ok(Decoded::Complete));
        assert_eq!(asked_by_connect(head.view(text.as_bytes())), expected);
    };
    check("sec-websocket-version: 13\r\n", Ok(()));
    check(
        "sec-websocket-version: 12\r\n",
        Err(HandshakeError::Version),
    );
    check("", Err(HandshakeError::Version));
}

#[test]
fn answers() {
    use AnswerError::{Accept, Status, Upgrade};
    let sound = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    let proof = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    let table = [
        ("", "", Ok(())),
        ("websocket", "WEBSOCKET", Ok(())),
        (
            "Connection: Upgrade",
            "connection: keep-alive, upgrade",
            Ok(()),
        ),
        ("101 Switching Protocols", "200 OK", Err(Status)),
        ("101 Switching Protocols", "426 No", Err(Status)),
        ("Upgrade: websocket\r\n", "", Err(Upgrade)),
        ("Upgrade: websocket", "Upgrade: h2c", Err(Upgrade)),
        (
            "Upgrade: websocket",
            "Upgrade: h2c, websocket",
            Err(Upgrade),
        ),
        (
            "Upgrade: websocket",
            "Upgrade: websocket\r\nUpgrade: h2c",
            Err(Upgrade),
        ),
        ("Connection: Upgrade\r\n", "", Err(Upgrade)),
        ("Connection: Upgrade", "Connection: close", Err(Upgrade)),
        (proof, "", Err(Accept)),
        (
            proof,
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n",
            Err(Accept),
        ),
        (
            proof,
            "Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO=\r\n",
            Err(Accept),
        ),
        (proof, "Sec-WebSocket-Accept:\r\n", Err(Accept)),
        (
            proof,
            "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Accept: x\r\n",
            Err(Accept),
        ),
    ];
    let key = Key::of(KEY.as_bytes()).unwrap();
    for (from, to, expected) in table {
        let text = sound.replacen(from, to, 1);
        let mut head = ResponseHead::new();
        let limits = HeadLimits {
            switching_protocols: true,
            ..HeadLimits::DEFAULT
        };
        let decoded = decode_response(text.as_bytes(), &mut head, Method::Get, &limits);
        assert_eq!(decoded, Ok(Decoded::Complete), "{text}");
        let got = accepted(head.view(text.as_bytes()), &key);
        assert_eq!(got, expected, "{from} -> {to}");
    }
    let other = Key::from_random([0; 16]);
    let mut head = ResponseHead::new();
    let limits = HeadLimits {
        switching_protocols: true,
        ..HeadLimits::DEFAULT
    };
    decode_response(sound.as_bytes(), &mut head, Method::Get, &limits).unwrap();
    let got = accepted(head.view(sound.as_bytes()), &other);
    assert_eq!(got, Err(Accept));
}

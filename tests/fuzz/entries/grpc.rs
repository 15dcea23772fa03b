//! What gRPC puts into fields and bodies.

use protocol::grpc::{
    Code, ContentType, Framing, Messages, TextDecoder, TextEncoder, decode_status_message,
    decode_trailers, encode_status_message, encode_timeout, encode_trailers, health, parse_timeout,
    push_message,
};

use super::arrival::{WAYS, pieces, starts};
use super::outcome;

/// Bounds on a message that are met by few bytes.
const MOST: u32 = 600;

/// Values of fields: content types, statuses, time-outs, status messages.
pub(super) fn fields(bytes: &[u8]) -> u64 {
    let content_type = ContentType::parse(bytes);
    if let Some(parsed) = content_type {
        for framing in [Framing::Grpc, Framing::Web, Framing::WebText] {
            let mut out = Vec::new();
            parsed.write_as(framing, &mut out);
            let format = parsed.format;
            assert_eq!(
                ContentType::parse(&out),
                Some(ContentType { framing, format })
            );
        }
    }
    let code = Code::parse(bytes);
    let timeout = parse_timeout(bytes);
    if let Some(nanos) = timeout {
        let mut out = Vec::new();
        encode_timeout(nanos, &mut out);
        let again = parse_timeout(&out).expect("what we write, we read");
        assert!(again <= nanos.max(1) && nanos - again.min(nanos) <= nanos / 100_000);
    }
    let mut message = Vec::new();
    decode_status_message(bytes, &mut message);
    assert!(message.len() <= bytes.len());
    if let Ok(text) = std::str::from_utf8(&message) {
        let (mut value, mut again) = (Vec::new(), Vec::new());
        encode_status_message(text, &mut value);
        assert!(value.iter().all(|byte| matches!(byte, b' '..=b'~')));
        decode_status_message(&value, &mut again);
        assert_eq!(again, message);
    }
    outcome((
        content_type.map(|it| (it.framing as u8, it.format.is_some())),
        code.map(Code::number),
        timeout.map(|nanos| nanos.checked_ilog10()),
        message.len().abs_diff(bytes.len()).min(9),
    ))
}

/// The two messages of the health checking protocol.
pub(super) fn health(bytes: &[u8]) -> u64 {
    let request = health::decode_request(bytes);
    if let Ok(service) = request {
        let mut out = Vec::new();
        health::encode_request(service, &mut out);
        assert_eq!(health::decode_request(&out), Ok(service));
    }
    let response = health::decode_response(bytes);
    if let Ok(serving) = response {
        let mut out = Vec::new();
        health::encode_response(serving, &mut out);
        assert_eq!(health::decode_response(&out), Ok(serving));
    }
    // They differ in what they take field 1 for, not in what is a message.
    if let Err(error) = response {
        assert!(request == Err(error) || request == Err(health::WireError::Text));
    }
    outcome((
        request
            .map(|service| service.len().min(9))
            .map_err(|it| it.cause()),
        response
            .map(|serving| serving as u8)
            .map_err(|it| it.cause()),
    ))
}

/// A body: as messages, as messages with trailers, and as text of such.
pub(super) fn web(bytes: &[u8]) -> u64 {
    let plain = messages(Framing::Grpc, bytes);
    let web = messages(Framing::Web, bytes);
    let (text, decoded) = text(bytes);
    let within = if decoded.is_empty() {
        0
    } else {
        messages(Framing::WebText, &decoded)
    };
    // Any bytes as text, flushed here and there.
    let (mut encoder, mut written) = (TextEncoder::new(), Vec::new());
    for piece in pieces(bytes, &[5, 3, 1]) {
        encoder.encode(piece, &mut written);
        if piece.len() == 1 {
            encoder.flush(&mut written);
        }
    }
    encoder.flush(&mut written);
    assert_eq!(text_at_once(&written), Ok(bytes.to_vec()));
    outcome((plain, web, text, within))
}

fn messages(framing: Framing, bytes: &[u8]) -> u64 {
    let mut whole = Messages::new(framing, MOST);
    let result = whole.follow(bytes);
    for way in WAYS {
        let mut messages = Messages::new(framing, MOST);
        let mut consumed = 0;
        let mut last = messages.follow(b"");
        for piece in pieces(bytes, way) {
            last = messages.follow(piece);
            let Ok(followed) = last else { break };
            consumed += followed.consumed;
            if followed.at_trailers {
                break;
            }
            assert_eq!(followed.consumed, piece.len());
        }
        let at_trailers = |it: protocol::grpc::Followed| it.at_trailers;
        assert_eq!(last.map(at_trailers), result.map(at_trailers));
        if let Ok(followed) = result {
            assert_eq!(consumed, followed.consumed);
        }
        assert_eq!(messages, whole);
    }
    // One message more, and there is one more.
    if whole.is_between_messages() {
        let (mut after, mut out) = (whole, Vec::new());
        push_message(b"one", &mut out);
        assert!(after.follow(&out).is_ok() && after.is_between_messages());
        assert_eq!(after.count(), whole.count() + 1);
    }
    let trailers = match result {
        Ok(followed) if followed.at_trailers => trailers(&bytes[followed.consumed..]),
        _ => 0,
    };
    outcome((
        result
            .map(|it| it.at_trailers)
            .map_err(|error| error.cause()),
        whole.count().min(9),
        trailers,
    ))
}

fn trailers(bytes: &[u8]) -> u64 {
    let mut lines = Vec::new();
    let whole = decode_trailers(bytes, &mut lines);
    for len in starts(bytes.len()) {
        let start = decode_trailers(&bytes[..len], &mut Vec::new());
        assert!(start == Ok(None) || start == whole, "up to {len}");
    }
    if let Ok(Some(len)) = whole {
        assert_eq!(decode_trailers(&bytes[..len], &mut Vec::new()), whole);
        let (mut framed, mut again) = (Vec::new(), Vec::new());
        encode_trailers(&lines, &mut framed);
        let taken = decode_trailers(&framed, &mut again);
        assert_eq!((taken, &again), (Ok(Some(framed.len())), &lines));
        for line in lines.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r\n").expect("whole lines");
            assert!(!line.iter().any(|byte| b"\r\n\0".contains(byte)));
        }
    }
    let count = lines.iter().filter(|byte| **byte == b'\n').count();
    outcome((
        whole.map(|it| it.is_some()).map_err(|error| error.cause()),
        count,
    ))
}

/// Text to bytes in every way; an outcome, and the bytes if all is sound.
fn text(bytes: &[u8]) -> (u64, Vec<u8>) {
    let whole = text_at_once(bytes);
    for way in WAYS {
        let (mut decoder, mut out) = (TextDecoder::new(), Vec::new());
        let result = pieces(bytes, way)
            .try_for_each(|piece| decoder.decode(piece, &mut out))
            .and_then(|()| decoder.finish());
        assert_eq!(result.map(|()| out), whole);
    }
    let outcome = outcome(
        whole
            .as_ref()
            .map(|it| it.len().min(9))
            .map_err(|it| it.cause()),
    );
    (outcome, whole.unwrap_or_default())
}

fn text_at_once(bytes: &[u8]) -> Result<Vec<u8>, protocol::grpc::TextError> {
    let (mut decoder, mut out) = (TextDecoder::new(), Vec::new());
    decoder.decode(bytes, &mut out)?;
    decoder.finish().map(|()| out)
}

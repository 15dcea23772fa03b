//! HTTP/1.1: heads and chunked bodies.

use protocol::http1::{ChunkError, Chunked, Decoded, Rules, decode_request, decode_response};
use protocol::limits::HeadLimits;
use protocol::message::{BodyLength, Field, Method, RequestHead, ResponseHead, Version};

use super::arrival::{WAYS, pieces, starts};
use super::outcome;

const LIMITS: HeadLimits = HeadLimits {
    max_head_bytes: 2048,
    max_target_bytes: 512,
    max_fields: 20,
    switching_protocols: true,
};

/// A request's head.
pub(super) fn request(bytes: &[u8]) -> u64 {
    let mut head = RequestHead::new();
    let whole = decode_request(bytes, &mut head, &LIMITS);
    let mut other = RequestHead::new();
    for len in starts(bytes.len()) {
        let start = decode_request(&bytes[..len], &mut other, &LIMITS);
        agrees(start, whole, len, other.len, head.len);
    }
    match whole {
        Err(error) => return outcome((error.cause(), error.status())),
        Ok(Decoded::Partial) => return outcome("partial"),
        Ok(Decoded::Complete) => {}
    }
    let view = head.view(bytes);
    let lines = sound_lines(&bytes[..head.len], &head.fields, bytes);
    let framing = framing(&lines).unwrap_or(BodyLength::None);
    assert_eq!(head.body, framing, "a simple reader sees another body");
    let hosts = named(&lines, b"host").count();
    assert!(hosts == 1 || (hosts == 0 && head.version == Version::Http10));
    // Written anew from its parts it is the same request.
    let mut text = view.method_text().to_vec();
    text.push(b' ');
    text.extend_from_slice(head.target.of(bytes));
    text.extend_from_slice(format!(" {}\r\n", head.version.as_str()).as_bytes());
    push_fields(
        view.fields().map(|(_, name, value)| (name, value)),
        &mut text,
    );
    let roomy = HeadLimits {
        max_head_bytes: 1 << 16,
        ..LIMITS
    };
    let again = decode_request(&text, &mut other, &roomy);
    assert_eq!(again, Ok(Decoded::Complete));
    let second = other.view(&text);
    assert_eq!(second.authority(), view.authority());
    assert_eq!((second.path(), second.query()), (view.path(), view.query()));
    let facts = |head: &RequestHead| {
        (
            head.body,
            head.keep_alive,
            head.upgrade,
            head.expect_continue,
            head.te_trailers,
        )
    };
    assert_eq!(facts(&other), facts(&head));
    assert!(
        other
            .fields
            .iter()
            .map(known)
            .eq(head.fields.iter().map(known))
    );
    outcome((
        std::mem::discriminant(&head.body),
        head.form as u8,
        (
            head.keep_alive,
            head.upgrade,
            head.expect_continue,
            head.te_trailers,
        ),
        head.fields.len(),
    ))
}

/// An answer's head.
pub(super) fn response(bytes: &[u8]) -> u64 {
    let mut outcomes = Vec::new();
    for method in [Method::Get, Method::Head, Method::Connect] {
        let mut head = ResponseHead::new();
        let whole = decode_response(bytes, &mut head, method, &LIMITS);
        let mut other = ResponseHead::new();
        for len in starts(bytes.len()) {
            let start = decode_response(&bytes[..len], &mut other, method, &LIMITS);
            agrees(start, whole, len, other.len, head.len);
        }
        let complete = match whole {
            Err(error) => Err(error.cause()),
            Ok(Decoded::Partial) => Ok(None),
            Ok(Decoded::Complete) => Ok(Some((
                head.status,
                std::mem::discriminant(&head.body),
                head.keep_alive,
            ))),
        };
        if whole == Ok(Decoded::Complete) {
            let lines = sound_lines(&bytes[..head.len], &head.fields, bytes);
            assert!((100..=999).contains(&head.status));
            let has_body = head.body != BodyLength::None;
            let bodiless =
                method == Method::Head || head.status < 200 || matches!(head.status, 204 | 304);
            assert!(!(has_body && bodiless) || head.body == BodyLength::Exact(0));
            if has_body && method == Method::Get {
                let framing = framing(&lines).unwrap_or(BodyLength::UntilClose);
                assert_eq!(head.body, framing, "a simple reader sees another body");
            }
        }
        outcomes.push(complete);
    }
    outcome(outcomes)
}

/// A chunked body with its trailers.
pub(super) fn chunked(bytes: &[u8]) -> u64 {
    let mut outcomes = Vec::new();
    for rules in [Rules::Request, Rules::Response] {
        let whole = unframed(rules, bytes, &[usize::MAX]);
        for way in WAYS {
            assert_eq!(unframed(rules, bytes, way), whole);
        }
        // What is scanned and let through verbatim is the same payload.
        let scanned = Chunked::new(rules).scan(bytes);
        if let (Ok(scanned), Ok((payload, rest))) = (scanned, &whole) {
            assert!(scanned.payload <= payload.len() as u64);
            let strict = unframed(Rules::Request, &bytes[..scanned.consumed], &[usize::MAX]);
            let (verbatim, _) = strict.expect("verbatim is without extensions");
            assert!(payload.starts_with(&verbatim));
            if scanned.verbatim {
                assert_eq!(scanned.consumed, bytes.len() - rest.len());
                assert_eq!(&verbatim, payload);
            }
        }
        if let Ok((payload, rest)) = &whole {
            let (simple, simple_rest) = read_simply(bytes);
            assert_eq!((payload, rest.as_slice()), (&simple, simple_rest));
        }
        let trailers = whole.as_ref().ok().map(|(_, rest)| trailers(rules, rest));
        outcomes.push((
            whole
                .as_ref()
                .map(|(payload, rest)| (payload.len().min(20), rest.len().min(9)))
                .map_err(ChunkError::cause),
            trailers,
        ));
    }
    // Requests are held to a part of what answers may be.
    if outcomes[0].0.is_ok() {
        assert_eq!(outcomes[0].0, outcomes[1].0);
    }
    outcome(outcomes)
}

/// A start of a head waits, is refused as the whole is, or is the whole.
fn agrees<E: PartialEq + std::fmt::Debug>(
    start: Result<Decoded, E>,
    whole: Result<Decoded, E>,
    len: usize,
    start_len: usize,
    whole_len: usize,
) {
    match (start, whole) {
        (Ok(Decoded::Partial), Ok(Decoded::Complete)) => assert!(len < whole_len),
        (Ok(Decoded::Partial), _) => {}
        (Ok(Decoded::Complete), whole) => {
            assert_eq!(whole, Ok(Decoded::Complete), "up to {len}");
            assert!(start_len == whole_len && len >= whole_len);
        }
        (Err(_), whole) => assert!(whole.is_err(), "up to {len}"),
    }
}

/// Name and value of each line, read as simply as possible; they must be the fields'.
fn sound_lines<'a>(head: &'a [u8], fields: &[Field], bytes: &[u8]) -> Vec<(&'a [u8], &'a [u8])> {
    let text = head.strip_suffix(b"\r\n\r\n").expect("an empty line");
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    let (last, others) = lines.split_last().expect("a start line");
    assert!(!last.contains(&b'\r'));
    let others = others
        .iter()
        .map(|line| line.strip_suffix(b"\r").expect("CRLF"));
    let read: Vec<_> = others
        .chain([*last])
        .skip(1)
        .map(|line| {
            assert!(!line.iter().any(|byte| b"\r\0".contains(byte)));
            let colon = line.iter().position(|byte| *byte == b':').expect("a colon");
            (&line[..colon], line[colon + 1..].trim_ascii())
        })
        .collect();
    let decoded = fields
        .iter()
        .map(|field| (field.name.of(bytes), field.value.of(bytes)));
    assert!(decoded.eq(read.iter().copied()));
    read
}

fn named<'a>(lines: &'a [(&'a [u8], &'a [u8])], name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    let meant = lines
        .iter()
        .filter(move |it| it.0.eq_ignore_ascii_case(name));
    meant.map(|it| it.1)
}

/// What the fields say of the body's length, if they say anything.
fn framing(lines: &[(&[u8], &[u8])]) -> Option<BodyLength> {
    let codings: Vec<_> = named(lines, b"transfer-encoding").collect();
    let lengths: Vec<_> = named(lines, b"content-length").collect();
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => None,
        ([], [digits]) => {
            assert!(digits.iter().all(u8::is_ascii_digit));
            let digits = std::str::from_utf8(digits).expect("digits");
            Some(BodyLength::Exact(digits.parse().expect("a number")))
        }
        ([..], []) => {
            let list = codings.join(b",".as_slice());
            let mut codings = list.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            assert!(codings.any(|it| it.eq_ignore_ascii_case(b"chunked")));
            Some(BodyLength::Chunked)
        }
        _ => panic!("both, or a length twice: {lines:?}"),
    }
}

fn push_fields<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>, text: &mut Vec<u8>) {
    for (name, value) in fields {
        text.extend_from_slice(name);
        text.extend_from_slice(b": ");
        text.extend_from_slice(value);
        text.extend_from_slice(b"\r\n");
    }
    text.extend_from_slice(b"\r\n");
}

fn known(field: &Field) -> (u8, bool) {
    (field.known as u8, field.hop_by_hop)
}

/// Payload and what was not taken.
fn unframed(rules: Rules, bytes: &[u8], way: &[usize]) -> Result<(Vec<u8>, Vec<u8>), ChunkError> {
    let mut chunked = Chunked::new(rules);
    let (mut held, mut payload) = (Vec::new(), Vec::new());
    let mut pieces = pieces(bytes, way);
    loop {
        let done = chunked.unframe(&mut held)?;
        assert!(done.payload <= done.consumed && done.consumed <= held.len());
        payload.extend_from_slice(&held[..done.payload]);
        held.drain(..done.consumed);
        let piece = match pieces.next() {
            Some(piece) if !done.at_last_chunk => piece,
            rest => {
                held.extend_from_slice(rest.unwrap_or_default());
                held.extend(pieces.flatten());
                return Ok((payload, held));
            }
        };
        held.extend_from_slice(piece);
    }
}

/// The same of a sound body as simply as possible.
fn read_simply(bytes: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut payload = Vec::new();
    let mut rest = bytes;
    loop {
        let Some(end) = rest.windows(2).position(|it| it == b"\r\n") else {
            return (payload, rest);
        };
        let line = std::str::from_utf8(&rest[..end]).unwrap_or_else(|error| {
            let valid = error.valid_up_to();
            std::str::from_utf8(&rest[..valid]).expect("up to there")
        });
        let size = line.split([';', ' ', '\t']).next().unwrap_or_default();
        let size = usize::from_str_radix(size, 16).expect("a size");
        if size == 0 {
            return (payload, rest);
        }
        let data = &rest[end + 2..];
        let taken = size.min(data.len());
        payload.extend_from_slice(&data[..taken]);
        rest = &data[taken..];
        for byte in b"\r\n" {
            match rest.split_first() {
                Some((first, after)) => {
                    assert_eq!(first, byte);
                    rest = after;
                }
                None => return (payload, rest),
            }
        }
    }
}

fn trailers(rules: Rules, bytes: &[u8]) -> Result<(bool, usize), &'static str> {
    let mut fields = Vec::new();
    let mut chunked = Chunked::new(rules);
    let whole = chunked.trailers(bytes, &mut fields, &LIMITS);
    for len in starts(bytes.len()) {
        let start = Chunked::new(rules).trailers(&bytes[..len], &mut Vec::new(), &LIMITS);
        match (start, whole) {
            (Ok(None), _) => {}
            (Ok(Some(_)), whole) => assert_eq!(start, whole),
            (Err(_), whole) => assert!(whole.is_err()),
        }
    }
    assert_eq!(chunked.is_done(), matches!(whole, Ok(Some(_))));
    match whole {
        Ok(taken) => Ok((taken.is_some(), fields.len())),
        Err(error) => Err(error.cause()),
    }
}

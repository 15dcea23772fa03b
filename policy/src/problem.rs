//! The body of an answer that the gateway itself gives: an RFC 9457 problem document, or
//! plain text. Also how bytes become a JSON string, which the access log uses too.
//!
//! Invariant: whatever the values hold, what is written is valid JSON (or text without
//! control characters), and nothing is allocated but room in `out`.

use crate::words::{self, EACH, HIGH_BITS};

/// What went wrong, for the client.
#[derive(Clone, Copy, Debug, Default)]
pub struct Problem<'a> {
    /// The status code of the answer.
    pub status: u16,
    /// The kind of problem in a few words.
    pub title: &'a str,
    /// One sentence about this very case.
    pub detail: &'a str,
    /// The path that was asked for, as received or canonical; empty: left out.
    pub instance: &'a [u8],
    /// The short text that simple clients read; empty: left out.
    pub error: &'a str,
    /// The id of the request; empty: left out.
    pub request_id: &'a [u8],
    /// Further members, whose names are none of the above.
    pub extra: &'a [(&'a str, Extra<'a>)],
}

/// The value of a further member.
#[derive(Clone, Copy, Debug)]
pub enum Extra<'a> {
    /// A string.
    Text(&'a [u8]),
    /// A whole number.
    Number(u64),
}

/// The media type of what `write_problem` writes.
pub const PROBLEM_JSON: &str = "application/problem+json";
/// The media type of what `write_text` writes.
pub const TEXT: &str = "text/plain; charset=utf-8";

/// Appends the problem as a JSON object.
pub fn write_problem(out: &mut Vec<u8>, problem: &Problem<'_>) {
    // The status says all there is to say about the type: RFC 9457 section 4.2.1.
    out.extend_from_slice(b"{\"type\":\"about:blank\",\"title\":");
    json_string(out, problem.title.as_bytes());
    out.extend_from_slice(b",\"status\":");
    number(out, u64::from(problem.status));
    out.extend_from_slice(b",\"detail\":");
    json_string(out, problem.detail.as_bytes());
    if !problem.instance.is_empty() {
        out.extend_from_slice(b",\"instance\":\"");
        uri_reference(out, problem.instance);
        out.push(b'"');
    }
    if !problem.error.is_empty() {
        out.extend_from_slice(b",\"error\":");
        json_string(out, problem.error.as_bytes());
    }
    if !problem.request_id.is_empty() {
        out.extend_from_slice(b",\"requestId\":");
        json_string(out, problem.request_id);
    }
    for (name, value) in problem.extra {
        out.push(b',');
        json_string(out, name.as_bytes());
        out.push(b':');
        match value {
            Extra::Text(text) => json_string(out, text),
            Extra::Number(value) => number(out, *value),
        }
    }
    out.push(b'}');
}

/// Appends the problem as lines of plain text. The path is not repeated.
pub fn write_text(out: &mut Vec<u8>, problem: &Problem<'_>) {
    number(out, u64::from(problem.status));
    out.push(b' ');
    plain(out, problem.title.as_bytes());
    out.push(b'\n');
    if !problem.detail.is_empty() {
        plain(out, problem.detail.as_bytes());
        out.push(b'\n');
    }
    if !problem.request_id.is_empty() {
        out.extend_from_slice(b"Request id: ");
        plain(out, problem.request_id);
        out.push(b'\n');
    }
}

/// Appends `bytes` as a JSON string, with its quotes. Bytes that are not UTF-8 become
/// U+FFFD, one for each maximal broken sequence.
pub fn json_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    if is_all_plain(bytes) {
        out.extend_from_slice(bytes);
    } else {
        for chunk in bytes.utf8_chunks() {
            escaped(out, chunk.valid().as_bytes());
            if !chunk.invalid().is_empty() {
                out.extend_from_slice("\u{FFFD}".as_bytes());
            }
        }
    }
    out.push(b'"');
}

/// `text` is UTF-8. Control characters beyond ASCII need no escape (RFC 8259 section 7),
/// but DEL gets one for the sake of terminals.
fn escaped(out: &mut Vec<u8>, text: &[u8]) {
    for &byte in text {
        let short = match byte {
            b'"' | b'\\' => byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0..=0x1f | 0x7f => {
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&hex(byte));
                continue;
            }
            _ => {
                out.push(byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', short]);
    }
}

/// Appends a path so that it is a URI reference (RFC 3986) and needs no JSON escape:
/// what can't stand in one is percent-encoded, escapes stay as they are.
fn uri_reference(out: &mut Vec<u8>, path: &[u8]) {
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%?".contains(&byte) {
            out.push(byte);
        } else {
            out.push(b'%');
            out.extend_from_slice(&hex(byte));
        }
    }
}

/// Appends text with `?` for what is not printable ASCII.
fn plain(out: &mut Vec<u8>, text: &[u8]) {
    out.extend(text.iter().map(|&byte| match byte {
        b' '..=b'~' => byte,
        _ => b'?',
    }));
}

fn number(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Whether every byte stands for itself in a JSON string, eight at a time. The words overlap at the end
/// rather than leave bytes over.
fn is_all_plain(bytes: &[u8]) -> bool {
    let special = |all, word: u64| all | special_bits(word);
    let (words, _) = bytes.as_chunks::<8>();
    let last = match bytes.last_chunk() {
        Some(last) => u64::from_le_bytes(*last),
        None => words::short(bytes, b'a'),
    };
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    words.fold(special(0, last), special) & HIGH_BITS == 0
}

/// Some high bit of the result is set exactly when some byte is a control character, a quotation mark, a
/// backslash, or beyond ASCII. Carries from byte to byte only ever come from such a byte.
#[inline]
fn special_bits(word: u64) -> u64 {
    let control = word.wrapping_sub(EACH * b' ' as u64);
    let delete = word.wrapping_add(EACH);
    let quotation = (word ^ (EACH * b'"' as u64)).wrapping_sub(EACH);
    let backslash = (word ^ (EACH * b'\\' as u64)).wrapping_sub(EACH);
    word | control | delete | quotation | backslash
}

fn hex(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| match digit {
        0..=9 => b'0' + digit,
        _ => b'A' + digit - 10,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let mut out = Vec::new();
        json_string(&mut out, bytes);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn strings() {
        check(b"", r#""""#);
        check(b"plain <text> & /more", r#""plain <text> & /more""#);
        check(b"a\"b\\c", r#""a\"b\\c""#);
        check(
            b"\n\r\t\0\x08\x1f\x7f",
            r#""\n\r\t\u0000\u0008\u001F\u007F""#,
        );
        check("é€𝄞".as_bytes(), "\"é€𝄞\"");
        check(b"a\xffb", "\"a\u{FFFD}b\"");
        check(b"\xe2\x82", "\"\u{FFFD}\"");
        check(b"\xed\xa0\x80", "\"\u{FFFD}\u{FFFD}\u{FFFD}\"");
        check(b"\xc0\xaf\"", "\"\u{FFFD}\u{FFFD}\\\"\"");
    }

    #[test]
    fn documents() {
        let mut out = b"before".to_vec();
        write_problem(
            &mut out,
            &Problem {
                status: 429,
                title: "Too Many Requests",
                detail: "The limit \"per_user\" is used up.",
                instance: b"/a/<b>\"\xff?%41",
                error: "Too many requests",
                request_id: b"0190\"",
                extra: &[
                    ("retryAfter", Extra::Number(12)),
                    ("limit", Extra::Text(b"per_user")),
                ],
            },
        );
        assert_eq!(
            String::from_utf8(out).unwrap(),
            r#"before{"type":"about:blank","title":"Too Many Requests","status":429,"#.to_owned()
                + r#""detail":"The limit \"per_user\" is used up.","instance":"/a/%3Cb%3E%22%FF?%41","#
                + r#""error":"Too many requests","requestId":"0190\"","retryAfter":12,"limit":"per_user"}"#
        );
    }

    #[test]
    fn empty_members_are_left_out() {
        let mut out = Vec::new();
        let problem = Problem {
            status: 404,
            title: "Not Found",
            ..Problem::default()
        };
        write_problem(&mut out, &problem);
        assert_eq!(
            out,
            br#"{"type":"about:blank","title":"Not Found","status":404,"detail":""}"#
        );
    }

    #[test]
    fn text() {
        let mut out = Vec::new();
        let problem = Problem {
            status: 400,
            title: "Bad Request",
            detail: "A field\r\nhas a bare CR.",
            request_id: b"01\x1b[31m",
            ..Problem::default()
        };
        write_text(&mut out, &problem);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "400 Bad Request\nA field??has a bare CR.\nRequest id: 01?[31m\n"
        );
    }

    #[test]
    fn every_byte_is_judged_at_every_place() {
        let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
        for length in 0..20 {
            assert!(is_all_plain(&vec![b'~'; length]) && is_all_plain(&vec![b' '; length]));
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    for others in [b' ', b'!', b'~', b'[', b'a'] {
                        let mut bytes = vec![others; length];
                        bytes[at] = byte;
                        assert_eq!(is_all_plain(&bytes), is_plain(byte), "{bytes:?}");
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_make_the_string_they_stand_for(
            bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0x20u8..0x7f], 0..64),
        ) {
            let mut out = Vec::new();
            json_string(&mut out, &bytes);
            let read: String = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(read, String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_problem_is_json(
            instance in prop::collection::vec(any::<u8>(), 0..32),
            id in prop::collection::vec(any::<u8>(), 0..32),
            detail in ".{0,32}",
        ) {
            let mut out = Vec::new();
            let problem = Problem {
                status: 400,
                detail: &detail,
                instance: &instance,
                request_id: &id,
                extra: &[("value", Extra::Text(&id))],
                ..Problem::default()
            };
            write_problem(&mut out, &problem);
            let read: serde_json::Value = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(read["detail"].as_str(), Some(detail.as_str()));
            prop_assert_eq!(read["value"].as_str(), Some(&*String::from_utf8_lossy(&id)));
        }
    }
}

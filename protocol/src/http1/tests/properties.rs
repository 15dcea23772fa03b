//! What must hold for all bytes: no panic, no dependence on how they arrive, and what is written is read back.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::message::{BodyLength, Canonical, Version, canonical_path};

/// Bytes that lie close to what the decoders look for.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let words: [&[u8]; 32] = [
        b"GET ",
        b"POST ",
        b"/",
        b"/a?b",
        b"*",
        b"http://",
        b"a",
        b" HTTP/1.1",
        b" HTTP/1.0",
        b"HTTP/1.1 200 OK",
        b"\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b":",
        b"Host: a\r\n",
        b"Content-Length: ",
        b"5",
        b",",
        b"Transfer-Encoding: ",
        b"chunked",
        b"Connection: ",
        b"close",
        b"X: y\r\n",
        b"0\r\n",
        b"5\r\nhello\r\n",
        b";ext=1",
        b"\0",
        b"\xff",
        b"f",
    ];
    let word = prop_oneof![
        8 => proptest::sample::select(words.to_vec()).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..4),
    ];
    vec(word, 0..24).prop_map(|words| words.concat())
}

/// A sound chunked body: its framing and its payload.
fn chunked_body(extensions: bool) -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let chunk = (vec(any::<u8>(), 1..40), 0..4usize, any::<bool>(), 0..3usize);
    vec(chunk, 0..8).prop_map(move |chunks| {
        let (mut framed, mut payload) = (Vec::new(), Vec::new());
        for (data, zeros, upper, extension) in chunks {
            let size = format!("{}{:x}", "0".repeat(zeros), data.len());
            let size = if upper { size.to_uppercase() } else { size };
            framed.extend_from_slice(size.as_bytes());
            if extensions {
                framed.extend_from_slice([b"".as_slice(), b";a=\"b\"", b" ;c"][extension]);
            }
            framed.extend_from_slice(b"\r\n");
            framed.extend_from_slice(&data);
            framed.extend_from_slice(b"\r\n");
            payload.extend_from_slice(&data);
        }
        (framed, payload)
    })
}

/// Feeds a body in pieces of these sizes (cycled), as a connection would: what wasn't taken is shown again.
fn unframe_in_pieces(
    rules: Rules,
    framed: &[u8],
    sizes: &[usize],
) -> Result<(Vec<u8>, Vec<u8>), ChunkError> {
    let mut chunked = Chunked::new(rules);
    let (mut held, mut payload) = (Vec::new(), Vec::new());
    let mut rest = framed;
    let mut sizes = sizes.iter().copied().cycle();
    loop {
        let taken = unframe_once(&mut chunked, &mut held, &mut payload)?;
        if taken.at_last_chunk || rest.is_empty() {
            held.extend_from_slice(rest);
            return Ok((payload, held));
        }
        let size = sizes.next().unwrap_or(1).clamp(1, rest.len());
        held.extend_from_slice(&rest[..size]);
        rest = &rest[size..];
    }
}

fn unframe_once(
    chunked: &mut Chunked,
    held: &mut Vec<u8>,
    payload: &mut Vec<u8>,
) -> Result<Unframed, ChunkError> {
    let taken = chunked.unframe(held)?;
    assert!(taken.payload <= taken.consumed && taken.consumed <= held.len());
    payload.extend_from_slice(&held[..taken.payload]);
    held.drain(..taken.consumed);
    Ok(taken)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn decoders_never_panic(bytes in prop_oneof![hostile(), vec(any::<u8>(), 0..200)]) {
        let _ = request(&bytes);
        for method in [Method::Get, Method::Head] {
            let _ = response(method, &bytes);
        }
        for rules in [Rules::Request, Rules::Response] {
            let mut fields = Vec::new();
            let _ = Chunked::new(rules).scan(&bytes);
            let _ = Chunked::new(rules).unframe(&mut bytes.clone());
            let _ = Chunked::new(rules).trailers(&bytes, &mut fields, &LIMITS);
        }
        let mut out = Vec::new();
        let _ = canonical_path(&bytes, &mut out);
    }

    /// A head that is accepted is the same however it arrives, and reading stops at its end.
    #[test]
    fn heads_do_not_depend_on_their_arrival(start in hostile(), bytes in hostile()) {
        let bytes = [b"POST / HTTP/1.1\r\nHost: a\r\n".as_slice(), &start, b"\r\n", &bytes].concat();
        let whole = request(&bytes);
        let grown = request_grown(&bytes);
        match whole {
            Ok((Decoded::Complete, head)) => {
                prop_assert_eq!(grown, Ok(Decoded::Complete));
                let exact = good_request(&bytes[..head.len]);
                prop_assert_eq!(exact.len, head.len);
                prop_assert_eq!(&exact.fields, &head.fields);
                prop_assert_eq!(exact.body, head.body);
                let text = &bytes[..head.len];
                prop_assert!(text.ends_with(b"\r\n\r\n"));
                prop_assert_eq!(memchr::memmem::find(text, b"\r\n\r\n"), Some(head.len - 4));
                prop_assert_eq!(memchr::memchr_iter(b'\n', text).count(), memchr::memmem::find_iter(text, b"\r\n").count());
            }
            Ok((Decoded::Partial, _)) => prop_assert_eq!(grown, Ok(Decoded::Partial)),
            Err(_) => prop_assert!(grown.is_err()),
        }
    }

    #[test]
    fn any_split_gives_the_same_payload(
        (framed, payload) in chunked_body(true),
        sizes in vec(1..50usize, 1..6),
    ) {
        let framed = [framed.as_slice(), b"0\r\n\r\nnext"].concat();
        for sizes in [sizes.as_slice(), &[1], &[usize::MAX]] {
            let (got, rest) = unframe_in_pieces(Rules::Response, &framed, sizes).unwrap();
            prop_assert_eq!(&got, &payload);
            prop_assert_eq!(rest, b"0\r\n\r\nnext");
        }
    }

    /// Bad bodies too: whatever the split, the same payload comes before the same error.
    #[test]
    fn any_split_gives_the_same_verdict(bytes in hostile(), sizes in vec(1..9usize, 1..4)) {
        for rules in [Rules::Request, Rules::Response] {
            let whole = unframe_in_pieces(rules, &bytes, &[usize::MAX]);
            let split = unframe_in_pieces(rules, &bytes, &sizes);
            prop_assert_eq!(&whole, &split);
        }
    }

    /// What a scan lets through verbatim means the same to the strict decoder, and ends where it says.
    #[test]
    fn what_is_scanned_is_sound((framed, payload) in chunked_body(true), cut in 0..400usize) {
        let framed = [framed.as_slice(), b"0\r\n\r\n"].concat();
        let mut chunked = Chunked::new(Rules::Response);
        let first = chunked.scan(&framed[..cut.min(framed.len())]).unwrap();
        let mut end = first.consumed;
        let mut count = first.payload;
        let mut last = first;
        if first.verbatim && !first.at_last_chunk {
            last = chunked.scan(&framed[end..]).unwrap();
            end += last.consumed;
            count += last.payload;
        }
        let (strict, rest) = unframe_in_pieces(Rules::Request, &framed[..end], &[usize::MAX]).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert_eq!(strict.len() as u64, count);
        prop_assert!(payload.starts_with(&strict));
        prop_assert!(chunked.is_between_chunks());
        if last.at_last_chunk {
            prop_assert_eq!(&strict, &payload);
        } else {
            prop_assert!(!last.verbatim);
            let mut tail = framed[end..].to_vec();
            let done = chunked.unframe(&mut tail).unwrap();
            prop_assert!(done.at_last_chunk);
            prop_assert_eq!([strict.as_slice(), &tail[..done.payload]].concat(), payload);
        }
    }

    #[test]
    fn chunks_written_are_read_back(chunks in vec(vec(any::<u8>(), 1..300), 0..5)) {
        let mut framed = Vec::new();
        for chunk in &chunks {
            framed.extend_from_slice(chunk_line(chunk.len(), &mut [0; 18]));
            framed.extend_from_slice(chunk);
            framed.extend_from_slice(b"\r\n");
        }
        framed.extend_from_slice(LAST_CHUNK);
        let (payload, rest) = unframe_in_pieces(Rules::Request, &framed, &[7]).unwrap();
        prop_assert_eq!(payload, chunks.concat());
        prop_assert_eq!(rest, LAST_CHUNK);
    }

    #[test]
    fn requests_written_are_read_back(
        method in "[A-Z]{1,12}",
        path in "/[!-\"$-~]{0,30}",
        fields in vec(("[Xx]-[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}", "([!-~\u{e9}]([\t -~]{0,20}[!-~])?)?"), 0..20),
        length in proptest::option::of(0..u64::MAX / 2),
    ) {
        prop_assume!(method != "CONNECT");
        let mut out = Vec::new();
        encode::request_line(&mut out, method.as_bytes(), path.as_bytes());
        encode::field(&mut out, b"Host", b"a.b:1");
        for (name, value) in &fields {
            encode::field(&mut out, name.as_bytes(), value.as_bytes());
        }
        if let Some(length) = length {
            encode::field_u64(&mut out, b"Content-Length", length);
        }
        out.extend_from_slice(b"\r\n");
        let head = good_request(&out);
        let view = head.view(&out);
        prop_assert_eq!(view.method_text(), method.as_bytes());
        prop_assert_eq!(head.target.of(&out), path.as_bytes());
        prop_assert_eq!(head.len, out.len());
        prop_assert_eq!(head.body, length.map_or(BodyLength::None, BodyLength::Exact));
        let got: Vec<_> = view.fields().map(|(_, name, value)| (name.to_vec(), value.to_vec())).collect();
        for (at, (name, value)) in fields.iter().enumerate() {
            prop_assert_eq!(&got[at + 1], &(name.clone().into_bytes(), value.clone().into_bytes()));
        }
    }

    #[test]
    fn answers_written_are_read_back(status in 200..1000u16, reason in "[ -~]{0,20}", length in any::<u32>()) {
        let mut out = Vec::new();
        encode::status_line(&mut out, Version::Http11, status, Some(reason.as_bytes()));
        encode::field_u64(&mut out, b"Content-Length", u64::from(length));
        out.extend_from_slice(b"\r\n");
        let head = good_response(Method::Get, &out);
        prop_assert_eq!(head.status, status);
        prop_assert_eq!(head.view(&out).reason(), reason.as_bytes());
    }

    /// Canonical paths are fixed points, stay below the root, and hold no dot-segment or needless escape.
    #[test]
    fn canonical_paths_are_fixed_points(raw in "(/|\\.|%2[eEfF]|%41|%zz|a|%c3|\\\\|;){0,14}") {
        let raw = format!("/{raw}");
        let mut out = Vec::new();
        let once = match canonical_path(raw.as_bytes(), &mut out) {
            Ok(Canonical::AsIs) => raw.clone().into_bytes(),
            Ok(Canonical::Rewritten) => out.clone(),
            Err(_) => return Ok(()),
        };
        let twice = match canonical_path(&once, &mut out).unwrap() {
            Canonical::AsIs => once.clone(),
            Canonical::Rewritten => out,
        };
        prop_assert_eq!(&once, &twice);
        prop_assert!(once.starts_with(b"/"));
        let segments = || once.split(|byte| *byte == b'/');
        prop_assert!(segments().all(|segment| segment != b"." && segment != b".."));
        prop_assert!(memchr::memmem::find(&once.to_ascii_lowercase(), b"%2e").is_none());
    }
}

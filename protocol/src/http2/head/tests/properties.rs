//! What must hold for all blocks and all texts: no panic, one line for each field whatever came in, and heads that are
//! written are read back.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::http1::encode::is_clean_value;

/// Fields close to what is looked for.
fn hostile() -> impl Strategy<Value = (String, String)> {
    let name = prop_oneof![
        8 => prop::sample::select(vec![
            ":method", ":scheme", ":path", ":authority", ":status", ":protocol", ":x", "host",
            "cookie", "content-length", "te", "expect", "connection", "a", "A", "x-y", "", "a:", "\r\n",
        ]).prop_map(str::to_owned),
        1 => "[ -~]{0,12}",
    ];
    let value = prop_oneof![
        8 => prop::sample::select(vec![
            "GET", "CONNECT", "OPTIONS", "http", "https", "/", "/a?b", "*", "a.example", "a.example:443",
            "200", "204", "5", "0", "trailers", "100-continue", "websocket", "a=1", "", " ", "x\r\ny: z",
        ]).prop_map(str::to_owned),
        1 => "\\PC{0,20}",
    ];
    (name, value)
}

/// What must hold for the fields of every head that is let pass.
fn check_lines(list: &[Field], arena: &[u8]) -> Result<(), TestCaseError> {
    for field in list {
        let (name, value) = (field.name.of(arena), field.value.of(arena));
        let line = field.name.start as usize..field.value.range().end + 2;
        let whole = [name, b": ", value, b"\r\n"].concat();
        prop_assert_eq!(&arena[line], &whole[..]);
        prop_assert!(!name.is_empty() && !name.contains(&b':'));
        prop_assert!(!name.iter().any(u8::is_ascii_uppercase));
        prop_assert!(is_clean_value(name) && is_clean_value(value));
        prop_assert_eq!(value.trim_ascii(), value);
        prop_assert_eq!(field.known, Name::lookup(name));
    }
    // In trailers they are marked as not to be passed on.
    let passed = || list.iter().filter(|field| !field.hop_by_hop);
    let count = |name| passed().filter(|field| field.known == name).count();
    for name in [Name::Host, Name::ContentLength] {
        prop_assert!(count(name) <= 1);
    }
    for name in [Name::Connection, Name::TransferEncoding, Name::Upgrade] {
        prop_assert_eq!(count(name), 0);
    }
    Ok(())
}

fn check_block(sent: &[u8], end: bool) -> Result<(), TestCaseError> {
    let limits = BlockLimits {
        max_list_bytes: 2000,
        ..LIMITS
    };
    let mut decoder = Decoder::new(4096);
    let mut arena = Vec::new();
    let mut head = RequestHead::new();
    if let Ok(()) = decoder.request(sent, end, &limits, &mut head, &mut arena) {
        check_lines(&head.fields, &arena)?;
        let view = head.view(&arena);
        prop_assert!(crate::message::is_valid_authority(view.authority()));
        prop_assert_eq!(view.header(Name::Host), Some(view.authority()));
        prop_assert!(
            head.fields
                .iter()
                .filter(|it| it.known == Name::Cookie)
                .count()
                <= 1
        );
        prop_assert!(view.path().starts_with(b"/") || view.method() == Method::Options);
        prop_assert!(!view.method_text().contains(&b' '));
        prop_assert_eq!(head.method == Method::Connect, head.upgrade);
        if end {
            prop_assert!(matches!(head.body, BodyLength::None | BodyLength::Exact(0)));
        }
    }
    let mut decoder = Decoder::new(4096);
    let mut head = ResponseHead::new();
    if let Ok(()) = decoder.response(sent, Method::Get, end, &limits, &mut head, &mut arena) {
        check_lines(&head.fields, &arena)?;
        prop_assert!((100..1000).contains(&head.status) && head.status != 101);
    }
    let mut list = Vec::new();
    if let Ok(()) = Decoder::new(4096).trailers(sent, &limits, &mut list, &mut arena) {
        check_lines(&list, &arena)?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_come_to_sound_lines_or_to_none(sent in vec(any::<u8>(), 0..300), end: bool) {
        check_block(&sent, end)?;
    }

    #[test]
    fn bytes_that_look_like_fields_do(
        list in vec(hostile(), 0..10), in_front: bool, tail in vec(any::<u8>(), 0..4), end: bool,
    ) {
        let mut all = Vec::new();
        if in_front {
            all.extend(with_get(&[]).into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())));
        }
        all.extend(list);
        check_block(&[block(&all), tail].concat(), end)?;
    }

    #[test]
    fn what_is_written_is_read_back(
        heads in vec(
            (
                "/[a-z]{0,3}(\\?[a-z]{0,3})?",
                "[a-c]\\.example",
                vec(("[A-Za-z][A-Za-z0-9_-]{0,20}", "([!-~]([ -~]{0,20}[!-~])?)?"), 0..8),
            ),
            1..12,
        ),
    ) {
        let mut encoder = Encoder::new();
        let mut decoder = Decoder::new(4096);
        let (mut head, mut arena) = (RequestHead::new(), Vec::new());
        for (path, host, list) in heads {
            let list: Vec<_> = list
                .into_iter()
                .filter(|(name, _)| {
                    let known = Name::lookup(name.as_bytes());
                    !known.is_hop_by_hop() && !matches!(known, Name::Host | Name::Expect)
                })
                .collect();
            let mut text = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n");
            for (name, value) in &list {
                text += &format!("{name}: {value}\r\n");
            }
            text += "\r\n";
            let mut out = Vec::new();
            encoder.request(text.as_bytes(), b"http", &mut out);
            let got = decoder.request(&out, true, &LIMITS, &mut head, &mut arena);
            prop_assert_eq!(got, Ok(()), "{}", text);
            prop_assert_eq!(head.target.of(&arena), path.as_bytes());
            let mut expected = vec![("host".to_owned(), host)];
            for (name, value) in list {
                expected.push((name.to_ascii_lowercase(), value));
            }
            let back: Vec<_> = fields(&head.fields, &arena)
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            prop_assert_eq!(back, expected);
        }
    }
}

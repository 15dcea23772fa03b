//! What is read out of certificates, held against what OpenSSL reads (`testing/make` printed it), and out of bytes made here.

use super::name::{common_name, text_of};
use super::*;
use proptest::prelude::*;

const ALICE: &[u8] = include_bytes!("testing/alice.der");
const SPIFFE: &[u8] = include_bytes!("testing/spiffe.der");
const BOB: &[u8] = include_bytes!("testing/bob.der");

#[track_caller]
fn read(der: &[u8]) -> Certificate<'_> {
    Certificate::read(der).expect("a certificate")
}

/// One element.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let mut out = match length {
        0..=0x7f => vec![tag, length as u8],
        0x80..=0xff => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    out.extend_from_slice(content);
    out
}

/// The content of a Name of parts with one attribute each.
fn name_of(attributes: &[(&[u8], u8, &[u8])]) -> Vec<u8> {
    let part = |(id, tag, text): &(&[u8], u8, &[u8])| {
        let both = [element(der::OBJECT_ID, id), element(*tag, text)].concat();
        element(der::SET, &element(SEQUENCE, &both))
    };
    attributes.iter().flat_map(part).collect()
}

const CN: &[u8] = &[0x55, 4, 3];
const UTF8: u8 = 0x0c;

/// A certificate with this content of its subject and these extensions, one after the other.
fn certificate_of(subject: &[u8], extensions: &[Vec<u8>]) -> Vec<u8> {
    let validity = [
        element(UTC_TIME, b"260101000000Z"),
        element(GENERALIZED_TIME, b"20810825094530Z"),
    ];
    let key = [element(SEQUENCE, &[]), element(BIT_STRING, &[0, 1, 2])];
    let mut body = vec![
        element(explicit(0), &element(INTEGER, &[2])),
        element(INTEGER, &[5]),
        element(SEQUENCE, &[]),
        element(SEQUENCE, &[]),
        element(SEQUENCE, &validity.concat()),
        element(SEQUENCE, subject),
        element(SEQUENCE, &key.concat()),
    ];
    if !extensions.is_empty() {
        let list = element(SEQUENCE, &extensions.concat());
        body.push(element(explicit(3), &list));
    }
    let signed = [element(SEQUENCE, &body.concat()), element(SEQUENCE, &[])];
    element(SEQUENCE, &signed.concat())
}

/// The extension subjectAltName with this content of its list.
fn names_extension(list: &[u8]) -> Vec<u8> {
    let parts = [
        element(OBJECT_ID, SUBJECT_ALT_NAME),
        element(OCTET_STRING, &element(SEQUENCE, list)),
    ];
    element(SEQUENCE, &parts.concat())
}

#[test]
fn a_certificate_is_read_as_openssl_reads_it() {
    let alice = read(ALICE);
    assert_eq!(
        alice.subject_text(4096).unwrap(),
        "emailAddress=a@acme.example,serialNumber=7,CN=\\C5\\BElu\\C5\\A5\\+alice,CN=people,OU=\\ a b\\ ,OU=\\#1,\
         O=Acme\\, \\\"Inc.\\\" \\<x\\>\\;y\\\\z,DC=example"
    );
    assert_eq!(alice.serial_text(), "D1D2D3");
    assert_eq!(
        crypto::hex(&alice.fingerprint()),
        "e4f8c3fce66f70369cb8fd18acfe42dadd96763258882d918e55c1b46bac8384"
    );
    assert_eq!(
        (alice.not_before, alice.not_after),
        (1_795_340_730, 3_523_340_730)
    );
    assert_eq!(alice.common_name().unwrap(), "žluť+alice");
    let names: Vec<Alternative<'_>> = alice.alternatives().unwrap().collect();
    assert_eq!(
        names,
        [
            Alternative::Dns("alice.acme.example"),
            Alternative::Dns("*.acme.example"),
            Alternative::Uri("spiffe://acme/ns/prod/sa/web"),
            Alternative::Email("alice@acme.example"),
            Alternative::Address("192.0.2.1".parse().unwrap()),
            Alternative::Address("2001:db8::1".parse().unwrap()),
            Alternative::Other,
        ]
    );
}

#[test]
fn a_subject_may_be_empty_and_a_list_of_names_absent() {
    let spiffe = read(SPIFFE);
    assert_eq!(spiffe.subject_text(4096).as_deref(), Some(""));
    assert_eq!(spiffe.common_name(), None);
    assert_eq!(spiffe.serial_text(), "01");
    let names: Vec<Alternative<'_>> = spiffe.alternatives().unwrap().collect();
    assert_eq!(names, [Alternative::Uri("spiffe://acme/ns/prod/sa/db")]);
    let bob = read(BOB);
    assert!(bob.alternatives().is_none());
    assert_eq!(bob.serial_text(), "8000");
    assert_eq!(bob.common_name().unwrap(), "bob");
    // RFC 4514 has no name for businessCategory; parts of one relative name come in any order.
    assert_eq!(
        bob.subject_text(4096).unwrap(),
        "CN=bob+UID=b1,2.5.4.15=#0c0473686f70,O=Acme"
    );
}

#[test]
fn the_last_common_name_counts_if_it_is_text() {
    let of = |parts: &[(&[u8], u8, &[u8])]| {
        common_name(&name_of(parts)).map(std::borrow::Cow::into_owned)
    };
    let cases: [(u8, &[u8], Option<&str>); 16] = [
        (UTF8, "žluť".as_bytes(), Some("žluť")),
        (UTF8, b"\xff", None),
        (UTF8, b"", None),
        (UTF8, b"admin\0.evil.example", None),
        (UTF8, b"a\r\nb", None),
        (UTF8, "a\u{85}b".as_bytes(), None),
        (0x13, b"alice", Some("alice")),
        (0x13, "ž".as_bytes(), None),
        (0x14, b"alice", Some("alice")),
        (0x14, b"\xe9", None),
        (0x16, b"alice", Some("alice")),
        (0x1e, b"\x01\x7e\0l", Some("žl")),
        (0x1e, b"\0a\0", None),
        (0x1e, b"\xd8\x3d\xde\0", None),
        (0x1c, b"\0\x01\xf6\0", Some("\u{1f600}")),
        (OCTET_STRING, b"alice", None),
    ];
    for (tag, text, expected) in cases {
        let found = of(&[(CN, UTF8, b"earlier"), (CN, tag, text)]);
        assert_eq!(found.as_deref(), expected, "{tag:#x} {text:?}");
    }
    let longest = "x".repeat(MAX_TEXT);
    assert_eq!(of(&[(CN, UTF8, longest.as_bytes())]), Some(longest.clone()));
    let longer = longest + "x";
    assert_eq!(of(&[(CN, UTF8, longer.as_bytes())]), None);
    let mut broken = name_of(&[(CN, UTF8, b"alice")]);
    broken.push(0x31);
    assert_eq!(common_name(&broken), None);
    assert_eq!(text_of(&broken, 4096), None);
}

#[test]
fn what_is_no_text_is_written_as_it_is_encoded() {
    let of = |id: &[u8], tag, text: &[u8]| text_of(&name_of(&[(id, tag, text)]), 4096);
    let cases: [(&[u8], u8, &[u8], &str); 6] = [
        (CN, UTF8, b"a\0b", "CN=#0c03610062"),
        (CN, OCTET_STRING, b"a", "CN=#040161"),
        (&[0x2a, 3], UTF8, b"a", "1.2.3=#0c0161"),
        (&[0x88, 0x37, 3], UTF8, b"a", "2.999.3=#0c0161"),
        (&[0x00], UTF8, b"a", "0.0=#0c0161"),
        (&[0x4f], UTF8, b"a", "1.39=#0c0161"),
    ];
    for (id, tag, text, expected) in cases {
        assert_eq!(of(id, tag, text).as_deref(), Some(expected));
    }
    for id in [&[][..], &[0x88], &[0xff; 12]] {
        assert_eq!(of(id, UTF8, b"a"), None, "{id:?}");
    }
    let name = name_of(&[(CN, UTF8, b"alice")]);
    assert_eq!(text_of(&name, 8).as_deref(), Some("CN=alice"));
    assert_eq!(text_of(&name, 7), None);
    assert_eq!(
        text_of(&name.repeat(64), 4096).map(|it| it.len()),
        Some(64 * 9 - 1)
    );
    assert_eq!(text_of(&name.repeat(65), 4096), None);
}

#[test]
fn names_that_are_none_of_their_kind_are_passed_over() {
    let long = "x".repeat(MAX_TEXT + 1);
    let list = [
        element(0x82, b"a.example"),
        element(0x82, b"a b"),
        element(0x82, b"a\0.example"),
        element(0x82, "ž.example".as_bytes()),
        element(0x82, b""),
        element(0x82, long.as_bytes()),
        element(0x86, b"urn:x"),
        element(0x87, &[1, 2, 3]),
        element(0x88, &[0x2a, 3]),
    ];
    let whole = certificate_of(&[], &[names_extension(&list.concat())]);
    let names: Vec<_> = read(&whole).alternatives().unwrap().collect();
    let mut expected = [Alternative::Other; 9];
    expected[0] = Alternative::Dns("a.example");
    expected[6] = Alternative::Uri("urn:x");
    assert_eq!(names, expected);
}

#[test]
fn what_two_readers_could_take_for_two_things_is_no_certificate() {
    let one = names_extension(&element(0x82, b"a.example"));
    let two = names_extension(&element(0x82, b"b.example"));
    assert!(Certificate::read(&certificate_of(&[], std::slice::from_ref(&one))).is_some());
    assert!(Certificate::read(&certificate_of(&[], &[one.clone(), two])).is_none());
    let mut list = element(0x82, b"a.example");
    list.push(0x82);
    assert!(Certificate::read(&certificate_of(&[], &[names_extension(&list)])).is_none());
    assert!(Certificate::read(&certificate_of(&[], &[one, vec![4]])).is_none());
}

#[test]
fn serial_numbers_are_written_in_whole_bytes() {
    let text = |serial: &'static [u8]| {
        let certificate = Certificate {
            serial,
            ..read(ALICE)
        };
        certificate.serial_text()
    };
    assert_eq!(text(&[0]), "00");
    assert_eq!(text(&[0, 0xff]), "FF");
    assert_eq!(text(&[0, 0, 0x0a, 0]), "0A00");
    assert_eq!(text(&[]), "");
}

#[test]
fn every_cut_of_a_certificate_is_refused() {
    for whole in [ALICE, SPIFFE, BOB] {
        for end in 0..whole.len() {
            assert!(Certificate::read(&whole[..end]).is_none(), "{end}");
        }
    }
}

/// All that can be asked of what was read, held against what holds for any bytes.
fn ask(bytes: &[u8]) {
    let Some(certificate) = Certificate::read(bytes) else {
        return;
    };
    let common = certificate.common_name();
    if let Some(common) = &common {
        assert!(!common.is_empty() && common.len() <= 2 * MAX_TEXT);
        assert!(!common.chars().any(char::is_control));
    }
    if let Some(text) = certificate.subject_text(4096) {
        assert!(text.len() <= 4096);
        assert!(text.bytes().all(|byte| (b' '..=b'~').contains(&byte)));
    }
    for name in certificate.alternatives().into_iter().flatten() {
        if let Alternative::Dns(text) | Alternative::Uri(text) | Alternative::Email(text) = name {
            assert!((1..=MAX_TEXT).contains(&text.len()));
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        }
    }
    let digits = certificate.serial_text();
    assert!(digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
}

/// The text that an escaped one stands for (RFC 4514 section 3).
fn unescaped(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [byte, tail @ ..] = rest {
        rest = tail;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let digits = tail
            .get(..2)
            .filter(|it| it.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|it| std::str::from_utf8(it).ok());
        match digits.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            Some(value) => {
                bytes.push(value);
                rest = &tail[2..];
            }
            None => {
                bytes.push(tail[0]);
                rest = &tail[1..];
            }
        }
    }
    String::from_utf8(bytes).unwrap()
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        ask(&bytes);
        ask(&certificate_of(&bytes, &[names_extension(&bytes)]));
        ask(&certificate_of(&bytes, &[]));
    }

    #[test]
    fn a_changed_certificate_is_answered(
        which in 0..3usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut bytes = [ALICE, SPIFFE, BOB][which].to_vec();
        for (at, to) in changes {
            *at.get_mut(&mut bytes) = to;
        }
        ask(&bytes);
    }

    #[test]
    fn a_written_subject_says_what_stands_in_it(
        texts in prop::collection::vec("[ -~žß\u{1f600}]{1,12}", 1..5),
    ) {
        let parts: Vec<(&[u8], u8, &[u8])> =
            texts.iter().map(|text| (CN, UTF8, text.as_bytes())).collect();
        let written = text_of(&name_of(&parts), 4096).unwrap();
        // Taken apart at the commas that no backslash stands before.
        let (mut found, mut part, mut escaped) = (Vec::new(), String::new(), false);
        for character in written.chars() {
            if character == ',' && !escaped {
                found.push(std::mem::take(&mut part));
                continue;
            }
            escaped = character == '\\' && !escaped;
            part.push(character);
        }
        found.push(part);
        let found: Vec<String> = found
            .iter()
            .rev()
            .map(|part| unescaped(part.strip_prefix("CN=").unwrap()))
            .collect();
        prop_assert_eq!(found, texts.clone());
        let name = name_of(&parts);
        prop_assert_eq!(common_name(&name).unwrap(), texts.last().unwrap().as_str());
    }

    #[test]
    fn listed_names_are_read_in_their_order(
        names in prop::collection::vec(("[!-~]{1,200}", 0..3u8), 0..20),
    ) {
        let list: Vec<u8> = names
            .iter()
            .flat_map(|(text, kind)| element([0x81, 0x82, 0x86][usize::from(*kind)], text.as_bytes()))
            .collect();
        let whole = certificate_of(&[], &[names_extension(&list)]);
        let found: Vec<_> = read(&whole).alternatives().unwrap().collect();
        let expected: Vec<_> = names
            .iter()
            .map(|(text, kind)| match kind {
                0 => Alternative::Email(text),
                1 => Alternative::Dns(text),
                _ => Alternative::Uri(text),
            })
            .collect();
        prop_assert_eq!(found, expected);
    }
}

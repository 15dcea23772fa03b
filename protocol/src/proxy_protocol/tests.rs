//! Both versions: exact outcomes, the specification's examples, and what must hold for all bytes.

mod properties;
mod text;
mod tlvs;
mod v2_blocks;

use super::*;

/// The header and its length; panics unless there is a whole one.
fn done(bytes: &[u8]) -> (usize, Header<'_>) {
    match decode(bytes) {
        Ok(Decoded::Done { len, header }) => (len, header),
        other => panic!("{other:?} of {}", bytes.escape_ascii()),
    }
}

/// Checks that all bytes that this is the start of are refused, and only from some byte on.
fn refused(bytes: &[u8], expected: HeaderError) {
    let label = bytes.escape_ascii();
    assert_eq!(decode(bytes), Err(expected), "{label}");
    let longer = [bytes, b"\r\n\0 1"].concat();
    assert_eq!(decode(&longer), Err(expected), "{label}, and more");
    for len in 0..bytes.len() {
        let start = decode(&bytes[..len]);
        let fits = matches!(start, Ok(Decoded::More) | Err(_));
        assert!(fits, "{label} up to {len}");
        if let Err(error) = start {
            assert_eq!(error, expected, "{label} up to {len}");
        }
    }
}

fn tcp<'a>(source: &str, destination: &str) -> Origin<'a> {
    Origin::Tcp {
        source: source.parse().unwrap(),
        destination: destination.parse().unwrap(),
    }
}

#[test]
fn bytes_of_other_protocols_are_refused_at_the_first_that_differs() {
    for bytes in [
        b"GET / HTTP/1.1\r\n\r\n".as_slice(),
        b"\x16\x03\x01\x02\x00\x01",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"proxy TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY\tTCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXYTCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"PROXY\r\n",
        b" PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"\r\nPROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n",
        b"\r\n\r\n\0\r\nQUIT\r",
        b"\r\n\r\n\x01\r\nQUIT\n",
        b"\n",
        b"\0",
    ] {
        refused(bytes, HeaderError::Signature);
        let same = |signature: &[u8]| {
            let pairs = signature.iter().zip(bytes);
            pairs.take_while(|(one, other)| one == other).count()
        };
        let same = same(b"PROXY ").max(same(b"\r\n\r\n\0\r\nQUIT\n"));
        assert_eq!(decode(&bytes[..same]), Ok(Decoded::More));
        assert_eq!(decode(&bytes[..=same]), Err(HeaderError::Signature));
    }
}

#[test]
fn nothing_is_the_start_of_something() {
    assert_eq!(decode(b""), Ok(Decoded::More));
}

#[test]
fn causes_are_words_of_their_own() {
    use HeaderError::*;
    let all = [
        Signature,
        LineEnd,
        LineTooLong,
        Line,
        Address,
        Port,
        Version,
        Command,
        Family,
        TooLong,
        TooShort,
        Tlv,
        RepeatedTlv,
        Checksum,
    ];
    let mut causes = all.map(HeaderError::cause).to_vec();
    causes.sort_unstable();
    causes.dedup();
    assert_eq!(causes.len(), all.len());
    for cause in causes {
        let is_word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
        assert!(cause.starts_with("proxy_") && cause.bytes().all(is_word));
    }
}

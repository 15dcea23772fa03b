//! TLS as far as it is read here: the host that a ClientHello names, and the headers of records.

use engine_net::tls::{SniPeek, record, sni};

use crate::entry::{Entry, entry, outcome};

/// All of the crate `engine-net`.
pub(crate) const ENTRIES: &[Entry] = &[entry("tls_hello", hello), entry("tls_records", records)];

/// A header of a record (RFC 8446 section 5.1).
const HEADER: usize = 5;
/// What a hello is at most, in records of one byte each.
const MOST_HELLO: usize = (4 + 64 * 1024) * (HEADER + 1);

/// Lengths of starts of so many bytes: every one if they are few, else a sample.
fn starts(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(len / 256 + 1)
}

/// A start of the bytes waits or says what the whole says, and it is the same however the hello is cut into records.
fn hello(bytes: &[u8]) -> u64 {
    let whole = sni(bytes);
    for len in starts(bytes.len()) {
        let start = sni(&bytes[..len]);
        assert!(start == SniPeek::More || start == whole, "up to {len}");
    }
    match &whole {
        SniPeek::More => assert!(bytes.len() < MOST_HELLO),
        SniPeek::NotTls => {}
        SniPeek::None => is_cut_at_will(bytes, &whole),
        SniPeek::Name(name) => {
            assert!((1..=253).contains(&name.len()), "{name}");
            let allowed = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_.".contains(&byte)
            };
            assert!(name.bytes().all(allowed), "{name}");
            assert_eq!(sni(&named(name)), whole, "what is named is read again");
            is_cut_at_will(bytes, &whole);
        }
    }
    let kind = match &whole {
        SniPeek::Name(name) => return outcome((name.len().min(20), name.contains('.'))),
        SniPeek::More => bytes.len().min(50),
        SniPeek::None => 100,
        SniPeek::NotTls => 101,
    };
    outcome(kind)
}

/// The same handshake in other records says the same.
fn is_cut_at_will(bytes: &[u8], said: &SniPeek) {
    let (mut rest, mut message) = (bytes, Vec::new());
    while let [22, 3, _, high, low, behind @ ..] = rest {
        let len = usize::from(u16::from_be_bytes([*high, *low]));
        let Some((payload, after)) = behind.split_at_checked(len) else {
            break;
        };
        message.extend_from_slice(payload);
        rest = after;
    }
    for size in [1, 2, 5, 300] {
        let mut cut = Vec::new();
        for piece in message.chunks(size) {
            cut.extend([22, 3, 3]);
            cut.extend((piece.len() as u16).to_be_bytes());
            cut.extend_from_slice(piece);
        }
        assert_eq!(&sni(&cut), said, "in records of {size}");
    }
}

/// A hello that names this host and says hardly anything else.
fn named(host: &str) -> Vec<u8> {
    let vector = |bytes: &[u8]| [&(bytes.len() as u16).to_be_bytes(), bytes].concat();
    let list = vector(&[&[0], &vector(host.as_bytes())[..]].concat());
    let extensions = vector(&[&[0, 0], &vector(&list)[..]].concat());
    let random = [7; 32];
    let suites = [0, 0, 2, 0x13, 1, 1, 0];
    let body = [&[3, 3], &random[..], &suites, &extensions].concat();
    let message = [&[1, 0], &vector(&body)[..]].concat();
    [&[22, 3, 1], &vector(&message)[..]].concat()
}

/// From record to record, as a simple reader sees them; what stands behind a header does not change what it says.
fn records(bytes: &[u8]) -> u64 {
    let (mut rest, mut seen) = (bytes, Vec::new());
    loop {
        let said = record(rest);
        for len in 0..rest.len().min(HEADER + 3) {
            let expected = if len < HEADER { None } else { said };
            assert_eq!(record(&rest[..len]), expected, "of {len} bytes");
        }
        let (header, len) = match (rest, said) {
            (header @ [_, 3, _, high, low, ..], Some(Some(len))) => {
                assert_eq!(len, HEADER + usize::from(u16::from_be_bytes([*high, *low])));
                assert!(len <= HEADER + 16 * 1024 + 2048);
                (header, len)
            }
            ([_, major, _, high, low, ..], Some(None)) => {
                let len = u16::from_be_bytes([*high, *low]);
                assert!(*major != 3 || usize::from(len) > 16 * 1024 + 2048);
                return outcome((seen, "none", *major == 3));
            }
            (short, None) => {
                assert!(short.len() < HEADER);
                return outcome((seen, short.len()));
            }
            other => panic!("{other:?}"),
        };
        if seen.len() < 8 {
            seen.push((header[0].min(30), len.ilog2()));
        }
        let Some(after) = rest.get(len..) else {
            return outcome((seen, "more"));
        };
        rest = after;
    }
}

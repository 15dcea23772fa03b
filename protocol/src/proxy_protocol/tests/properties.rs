//! What must hold for all bytes: no panic, one answer however they arrive, and what is written is read back.

use std::net::{IpAddr, SocketAddr};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::v2_blocks::header;
use super::*;
use crate::limits::{MAX_PROXY_V1_BYTES, MAX_PROXY_V2_BYTES};

/// Bytes that lie close to headers.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let words: [&[u8]; 20] = [
        b"PROXY ",
        b"TCP4 ",
        b"TCP6 ",
        b"UNKNOWN",
        b"1.2.3.4 ",
        b"::1 ",
        b"65535",
        b" ",
        b"\r\n",
        b"\r",
        b"\n",
        b"\r\n\r\n\0\r\nQUIT\n",
        b"\x21\x11\0\x0c",
        b"\x21\x21\0\x30",
        b"\x20\0\0\0",
        b"\x01\0\x02h2",
        b"\x03\0\x04\0\0\0\0",
        b"\x20\0\x05\x01\0\0\0\0",
        b"\0\0\0\0",
        b"\xff",
    ];
    let word = prop_oneof![
        8 => proptest::sample::select(words.to_vec()).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(word, 0..16).prop_map(|words| words.concat())
}

fn block() -> impl Strategy<Value = Vec<u8>> {
    let command = prop_oneof![4 => Just(0x21u8), 1 => Just(0x20), 1 => any::<u8>()];
    let family = prop_oneof![3 => Just(0x11u8), 1 => Just(0x21), 1 => 0..0x33u8];
    let tlv = (0..0x24u8, vec(any::<u8>(), 0..6))
        .prop_map(|(kind, value)| [&[kind, 0, value.len() as u8], value.as_slice()].concat());
    let tlvs = vec(tlv, 0..5).prop_map(|tlvs| tlvs.concat());
    (command, family, vec(any::<u8>(), 12), tlvs, 0..3usize).prop_map(
        |(command, family, addresses, tlvs, cut)| {
            let mut block = [addresses, tlvs].concat();
            block.truncate(block.len() - cut);
            header(command, family, &block)
        },
    )
}

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(|(ip, port)| SocketAddr::new(ip, port))
}

fn canonical(address: SocketAddr) -> (IpAddr, u16) {
    (address.ip().to_canonical(), address.port())
}

fn text() -> impl Strategy<Value = Option<Vec<u8>>> {
    option::of(vec(any::<u8>(), 0..100))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Each start of some bytes either waits or says what the whole says, and what waits is bounded.
    #[test]
    fn the_answer_does_not_depend_on_arrival(
        bytes in prop_oneof![hostile(), block(), vec(any::<u8>(), 0..64)],
        more in hostile(),
    ) {
        let whole = [bytes, more].concat();
        let answer = decode(&whole);
        for len in 0..whole.len() {
            match decode(&whole[..len]) {
                Ok(Decoded::More) => {}
                early => prop_assert_eq!(early, answer, "up to {}", len),
            }
        }
        match answer {
            Ok(Decoded::Done { len, .. }) => {
                prop_assert!(len <= whole.len() && len <= MAX_PROXY_V2_BYTES);
                // Not a byte earlier than it ends.
                prop_assert_eq!(decode(&whole[..len - 1]), Ok(Decoded::More));
            }
            Ok(Decoded::More) if whole.first() == Some(&b'P') => {
                prop_assert!(whole.len() < MAX_PROXY_V1_BYTES);
            }
            Ok(Decoded::More) => prop_assert!(whole.len() < MAX_PROXY_V2_BYTES),
            Err(_) => {}
        }
    }

    #[test]
    fn addresses_are_read_back(source in address(), destination in address(), rest in hostile()) {
        let origin = Origin::Tcp { source, destination };
        let (mut line, mut binary) = (Vec::new(), Vec::new());
        encode_v1(&origin, &mut line);
        encode_v2(&origin, &Extras::default(), &mut binary);
        for written in [line, binary] {
            let whole = [written.as_slice(), &rest].concat();
            let (len, header) = done(&whole);
            prop_assert_eq!(len, written.len());
            let Origin::Tcp { source: from, destination: to } = header.origin else {
                return Err(TestCaseError::fail("not TCP"));
            };
            if source.is_ipv4() == destination.is_ipv4() {
                prop_assert_eq!((from, to), (source, destination));
            }
            prop_assert_eq!(canonical(from), canonical(source));
            prop_assert_eq!(canonical(to), canonical(destination));
        }
    }

    #[test]
    fn extras_are_read_back(
        authority in text(),
        alpn in text(),
        unique_id in text(),
        common_name in text(),
        is_tls in any::<bool>(),
        certificate in any::<bool>(),
        checksum in any::<bool>(),
        paths in (vec(1..=255u8, 0..=108), vec(1..=255u8, 0..=108)),
    ) {
        let origin = Origin::Unix { source: &paths.0, destination: &paths.1 };
        let tls = TlsFacts { version: "TLSv1.3", certificate, common_name: common_name.as_deref() };
        let extras = Extras {
            authority: authority.as_deref(),
            alpn: alpn.as_deref(),
            unique_id: unique_id.as_deref(),
            tls: is_tls.then_some(tls),
            checksum,
        };
        let mut out = Vec::new();
        encode_v2(&origin, &extras, &mut out);
        let (len, header) = done(&out);
        prop_assert_eq!(len, out.len());
        prop_assert_eq!(header.origin, origin);
        prop_assert_eq!(header.tlvs.authority(), extras.authority);
        prop_assert_eq!(header.tlvs.alpn(), extras.alpn);
        prop_assert_eq!(header.tlvs.unique_id(), extras.unique_id);
        let ssl = header.tlvs.ssl();
        prop_assert_eq!(ssl.is_some(), is_tls);
        if let Some(ssl) = ssl {
            prop_assert_eq!(ssl.common_name(), tls.common_name);
            prop_assert_eq!(ssl.has_verified_certificate(), certificate);
        }
        // A checksum is over all bytes: one that is changed in the values is noticed.
        if checksum {
            let last = out.len() - 1;
            out[last] ^= 1;
            prop_assert_eq!(decode(&out), Err(HeaderError::Checksum));
        }
    }
}

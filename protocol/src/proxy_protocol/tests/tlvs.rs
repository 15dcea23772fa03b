//! TLVs: what is read of them, what is skipped, what is refused, and the checksum.

use super::v2_blocks::header;
use super::*;

const ADDRESSES: [u8; 12] = [10, 0, 0, 1, 10, 0, 0, 2, 0, 1, 0, 2];

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    let len = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[kind], len.as_slice(), value].concat()
}

fn with(tlvs: &[u8]) -> Vec<u8> {
    header(0x21, 0x11, &[&ADDRESSES, tlvs].concat())
}

/// A TLS TLV: client bits, verify, TLVs.
fn ssl(client: u8, verify: u32, within: &[u8]) -> Vec<u8> {
    tlv(
        0x20,
        &[&[client], verify.to_be_bytes().as_slice(), within].concat(),
    )
}

#[test]
fn each_is_read_in_order() {
    let bytes = with(
        &[
            tlv(0x04, b"filling"),
            tlv(0x01, b"h2"),
            tlv(0x02, b"shop.example"),
            tlv(0xe0, b""),
            tlv(0x05, &[7; 128]),
            tlv(0x04, b""),
            tlv(0xe0, b"again"),
            tlv(0x30, b"blue"),
        ]
        .concat(),
    );
    let (len, header) = done(&bytes);
    assert_eq!(len, bytes.len());
    let kinds: Vec<u8> = header.tlvs.map(|tlv| tlv.kind).collect();
    assert_eq!(kinds, [4, 1, 2, 0xe0, 5, 4, 0xe0, 0x30]);
    assert_eq!(header.tlvs.alpn(), Some(b"h2".as_slice()));
    assert_eq!(header.tlvs.authority(), Some(b"shop.example".as_slice()));
    assert_eq!(header.tlvs.unique_id(), Some([7; 128].as_slice()));
    assert_eq!(header.tlvs.value(0xe0), Some(b"".as_slice()));
    assert_eq!(header.tlvs.value(0x30), Some(b"blue".as_slice()));
    assert_eq!(header.tlvs.value(0x31), None);
    assert_eq!(header.tlvs.ssl(), None);
}

#[test]
fn what_is_said_of_tls() {
    let within = [
        tlv(0x21, b"TLSv1.3"),
        tlv(0x23, b"TLS_AES_128_GCM_SHA256"),
        tlv(0x22, b"alice"),
    ]
    .concat();
    // client, verify, over TLS, good certificate
    let table = [
        (0x00, 0, false, false),
        (0x01, 0, true, false),
        (0x01, 1, true, false),
        (0x03, 0, true, true),
        (0x03, 1, true, false),
        (0x05, 0, true, true),
        (0x07, 0, true, true),
        (0x07, u32::MAX, true, false),
        (0x06, 0, false, false),
    ];
    for (client, verify, is_tls, verified) in table {
        let bytes = with(&ssl(client, verify, &within));
        let ssl = done(&bytes).1.tlvs.ssl().unwrap();
        assert_eq!(ssl.is_tls(), is_tls, "{client}");
        assert_eq!(ssl.has_verified_certificate(), verified, "{client}");
        assert_eq!(ssl.version(), Some(b"TLSv1.3".as_slice()));
        assert_eq!(ssl.common_name(), Some(b"alice".as_slice()));
        assert_eq!(ssl.tlvs.count(), 3);
    }
    let bytes = with(&ssl(1, 0, b""));
    let ssl = done(&bytes).1.tlvs.ssl().unwrap();
    assert_eq!((ssl.version(), ssl.common_name()), (None, None));
}

#[test]
fn bad_tlvs() {
    use HeaderError::{RepeatedTlv, Tlv};
    let long = tlv(0x05, &[7; 129]);
    let table: [(Vec<u8>, HeaderError); 22] = [
        (vec![1], Tlv),
        (vec![1, 0], Tlv),
        (vec![1, 0, 1], Tlv),
        (vec![1, 0xff, 0xff], Tlv),
        (vec![0, 0, 0, 0], Tlv),
        ([tlv(1, b"h2"), vec![4]].concat(), Tlv),
        (tlv(0x03, b""), Tlv),
        (tlv(0x03, b"abc"), Tlv),
        (tlv(0x03, b"abcde"), Tlv),
        (long, Tlv),
        (tlv(0x20, b""), Tlv),
        (tlv(0x20, &[1, 0, 0, 0]), Tlv),
        (ssl(1, 0, &[0x21]), Tlv),
        (ssl(1, 0, &[0x21, 0, 9, b'T']), Tlv),
        (ssl(1, 0, &[0x21, 0, 0, 0]), Tlv),
        (tlv(1, b"h2").repeat(2), RepeatedTlv),
        ([tlv(1, b"h2"), tlv(1, b"")].concat(), RepeatedTlv),
        (
            [tlv(2, b"a"), tlv(4, b""), tlv(2, b"b")].concat(),
            RepeatedTlv,
        ),
        (tlv(5, b"1").repeat(2), RepeatedTlv),
        (ssl(1, 0, b"").repeat(2), RepeatedTlv),
        (ssl(1, 0, &tlv(0x21, b"x").repeat(2)), RepeatedTlv),
        (ssl(1, 0, &tlv(0x22, b"x").repeat(2)), RepeatedTlv),
    ];
    for (tlvs, expected) in table {
        refused(&with(&tlvs), expected);
    }
    let sums = tlv(3, b"\0\0\0\0").repeat(2);
    refused(&with(&sums), RepeatedTlv);
}

#[test]
fn checksums() {
    // The sum was worked out apart from this code.
    let extras = Extras {
        checksum: true,
        alpn: Some(b"h2"),
        ..Extras::default()
    };
    let mut bytes = Vec::new();
    encode_v2(&tcp("10.0.0.1:1", "10.0.0.2:2"), &extras, &mut bytes);
    let expected = [tlv(1, b"h2"), tlv(3, &0x261c_65e6_u32.to_be_bytes())].concat();
    assert_eq!(bytes, with(&expected));
    done(&bytes);
    // Any one bit changed is noticed, unless another fault is noticed first.
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let got = decode(&changed);
        // Version, command and family may turn into others whose block is skipped, and a length into one that waits.
        let fixed = bit < 16 * 8;
        let skipped = matches!(
            got,
            Ok(Decoded::More
                | Decoded::Done {
                    header: Header {
                        origin: Origin::Local | Origin::Unknown,
                        ..
                    },
                    ..
                })
        );
        let kind_of_sum = 16 * 8 + 12 * 8 + 5 * 8;
        let no_sum = (kind_of_sum..kind_of_sum + 8).contains(&bit);
        assert!(
            got.is_err() || (fixed && skipped) || no_sum,
            "bit {bit}: {got:?}"
        );
    }
}

#[test]
fn extras_as_they_are_written_are_read_back() {
    let mut out = Vec::new();
    let extras = Extras {
        authority: Some(b"shop.example"),
        alpn: Some(b"http/1.1"),
        unique_id: Some(&[9; 128]),
        tls: Some(TlsFacts {
            version: "TLSv1.2",
            certificate: true,
            common_name: Some(b"alice"),
        }),
        checksum: true,
    };
    encode_v2(&tcp("10.0.0.1:1", "10.0.0.2:2"), &extras, &mut out);
    let (len, header) = done(&out);
    assert_eq!(len, out.len());
    assert_eq!(header.tlvs.alpn(), extras.alpn);
    assert_eq!(header.tlvs.authority(), extras.authority);
    assert_eq!(header.tlvs.unique_id(), extras.unique_id);
    let ssl = header.tlvs.ssl().unwrap();
    assert_eq!(ssl.version(), Some(b"TLSv1.2".as_slice()));
    assert_eq!(ssl.common_name(), Some(b"alice".as_slice()));
    assert!(ssl.has_verified_certificate());
}

#[test]
fn a_certificate_that_was_not_shown_is_not_verified() {
    let mut out = Vec::new();
    let tls = TlsFacts {
        version: "TLSv1.3",
        certificate: false,
        common_name: None,
    };
    let extras = Extras {
        tls: Some(tls),
        ..Extras::default()
    };
    encode_v2(&tcp("10.0.0.1:1", "10.0.0.2:2"), &extras, &mut out);
    assert_eq!(out, with(&ssl(1, 1, &tlv(0x21, b"TLSv1.3"))));
}

#[test]
fn what_is_too_long_is_left_out() {
    let long = [b'x'; 513];
    let extras = Extras {
        authority: Some(&long),
        alpn: Some(&long[..512]),
        unique_id: Some(&long[..129]),
        ..Extras::default()
    };
    let mut out = Vec::new();
    encode_v2(&tcp("10.0.0.1:1", "10.0.0.2:2"), &extras, &mut out);
    assert_eq!(out, with(&tlv(1, &long[..512])));
    // Where a receiver can't tell where they begin, none are written.
    for origin in [Origin::Local, Origin::Unknown] {
        let mut out = Vec::new();
        let extras = Extras {
            checksum: true,
            ..extras
        };
        encode_v2(&origin, &extras, &mut out);
        assert_eq!(out.len(), 16);
    }
}

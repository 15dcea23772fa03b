//! Version 2: commands, families, address blocks and bounds, byte for byte.

use super::*;
use crate::limits::MAX_PROXY_V2_BYTES;

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// A header of these parts, its length being right.
pub(super) fn header(command: u8, family: u8, block: &[u8]) -> Vec<u8> {
    let len = u16::try_from(block.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, family], &len, block].concat()
}

const INET: [u8; 12] = [192, 168, 0, 1, 192, 168, 0, 11, 0xdc, 0x04, 0x01, 0xbb];

fn inet6() -> Vec<u8> {
    let mut block = vec![0; 36];
    block[..4].copy_from_slice(&[0x20, 0x01, 0x0d, 0xb8]);
    block[15] = 1;
    block[31] = 2;
    block[32..].copy_from_slice(&[0x12, 0x34, 0x00, 0x50]);
    block
}

/// Two paths, filled up with zeros.
fn unix(source: &[u8], destination: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 216];
    block[..source.len()].copy_from_slice(source);
    block[108..108 + destination.len()].copy_from_slice(destination);
    block
}

fn check(bytes: &[u8], expected: Origin<'_>) {
    let whole = [bytes, b"\x16\x03\x01"].concat();
    let (len, header) = done(&whole);
    assert_eq!((len, header.origin), (bytes.len(), expected));
    for cut in 0..bytes.len() {
        assert_eq!(decode(&whole[..cut]), Ok(Decoded::More), "up to {cut}");
    }
}

#[test]
fn families_and_commands() {
    let over_ipv4 = tcp("192.168.0.1:56324", "192.168.0.11:443");
    check(&header(0x21, 0x11, &INET), over_ipv4);
    let over_ipv6 = tcp("[2001:db8::1]:4660", "[::2]:80");
    check(&header(0x21, 0x21, &inet6()), over_ipv6);
    // Valid, but of no use to a stream: as the specification's UNSPEC.
    check(&header(0x21, 0x12, &INET), Origin::Unknown);
    check(&header(0x21, 0x22, &inet6()), Origin::Unknown);
    check(&header(0x21, 0x32, &unix(b"/a", b"/b")), Origin::Unknown);
    for family in [0x00, 0x01, 0x02, 0x10, 0x20, 0x30] {
        check(&header(0x21, family, b""), Origin::Unknown);
        check(&header(0x21, family, b"what?"), Origin::Unknown);
    }
    // LOCAL: whatever is in the block is skipped.
    for family in [0x00, 0x11, 0x21, 0x31] {
        check(&header(0x20, family, b""), Origin::Local);
        check(&header(0x20, family, &INET), Origin::Local);
        check(&header(0x20, family, b"\x03\0"), Origin::Local);
    }
}

#[test]
fn unix_paths() {
    let full = [b'x'; 108];
    let table: [(&[u8], &[u8]); 8] = [
        (b"/run/a.sock", b"/run/a.sock"),
        (b"/run/a\0sock", b"/run/a"),
        (&full, &full),
        (b"", b""),
        (b"\0", b""),
        (b"\0abstract", b"\0abstract"),
        (b"\0abs\0tract\0", b"\0abs\0tract"),
        (b"\xff", b"\xff"),
    ];
    for (sent, source) in table {
        let block = unix(sent, b"/b");
        let destination = b"/b";
        let expected = Origin::Unix {
            source,
            destination,
        };
        check(&header(0x21, 0x31, &block), expected);
    }
}

#[test]
fn bad_fixed_bytes() {
    for command in 0..=255u8 {
        let expected = match command {
            0x20 | 0x21 => continue,
            0x22..=0x2f => HeaderError::Command,
            _ => HeaderError::Version,
        };
        refused(&header(command, 0x11, &INET), expected);
        // It needs no more than this byte.
        refused(&[SIGNATURE, &[command]].concat(), expected);
    }
    for family in 0..=255u8 {
        if family >> 4 <= 3 && family & 0xf <= 2 {
            continue;
        }
        for command in [0x20, 0x21] {
            refused(&header(command, family, &INET), HeaderError::Family);
            let short = [SIGNATURE, &[command, family]].concat();
            refused(&short, HeaderError::Family);
        }
    }
}

#[test]
fn blocks_that_are_too_short() {
    for (family, needed) in [
        (0x11, 12),
        (0x12, 12),
        (0x21, 36),
        (0x22, 36),
        (0x31, 216),
        (0x32, 216),
    ] {
        for len in [0, 1, needed - 1] {
            let bytes = header(0x21, family, &vec![0; len]);
            refused(&bytes, HeaderError::TooShort);
            refused(&bytes[..16], HeaderError::TooShort);
        }
        done(&header(0x21, family, &vec![0; needed]));
    }
}

#[test]
fn the_longest_header_is_taken_and_no_longer_one() {
    for (command, family) in [(0x20, 0x00), (0x21, 0x00)] {
        let longest = header(command, family, &vec![0; MAX_PROXY_V2_BYTES - 16]);
        assert_eq!(done(&longest).0, MAX_PROXY_V2_BYTES);
        let longer = header(command, family, &vec![0; MAX_PROXY_V2_BYTES - 15]);
        refused(&longer, HeaderError::TooLong);
        refused(&longer[..16], HeaderError::TooLong);
    }
    let most = header(0x20, 0x00, &vec![0; 65535]);
    refused(&most, HeaderError::TooLong);
}

#[test]
fn headers_as_they_are_written() {
    let check = |origin: Origin<'_>, expected: &[u8]| {
        let mut out = b"before".to_vec();
        encode_v2(&origin, &Extras::default(), &mut out);
        assert_eq!(out, [b"before", expected].concat());
    };
    check(
        tcp("192.168.0.1:56324", "192.168.0.11:443"),
        &header(0x21, 0x11, &INET),
    );
    check(
        tcp("[2001:db8::1]:4660", "[::2]:80"),
        &header(0x21, 0x21, &inet6()),
    );
    let mut mixed = [0; 36];
    mixed[10..16].copy_from_slice(&[0xff, 0xff, 10, 0, 0, 1]);
    mixed[31] = 1;
    mixed[32..].copy_from_slice(&[0, 7, 0, 8]);
    check(tcp("10.0.0.1:7", "[::1]:8"), &header(0x21, 0x21, &mixed));
    check(Origin::Local, &header(0x20, 0x00, b""));
    check(Origin::Unknown, &header(0x21, 0x00, b""));
    let (source, destination) = (b"/a".as_slice(), b"\0b".as_slice());
    let paths = Origin::Unix {
        source,
        destination,
    };
    check(paths, &header(0x21, 0x31, &unix(source, destination)));
    let (source, destination) = ([b'x'; 200].as_slice(), b"".as_slice());
    let long = Origin::Unix {
        source,
        destination,
    };
    check(long, &header(0x21, 0x31, &unix(&[b'x'; 108], b"")));
}

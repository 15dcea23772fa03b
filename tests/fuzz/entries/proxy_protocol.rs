//! PROXY protocol headers.

use protocol::limits::MAX_PROXY_V2_BYTES;
use protocol::proxy_protocol::{Decoded, Extras, Header, Origin, decode, encode_v1, encode_v2};

use super::arrival::starts;
use super::outcome;

/// A start of the bytes waits or says what the whole says; what is read is written and read again.
pub(super) fn header(bytes: &[u8]) -> u64 {
    let whole = decode(bytes);
    for len in starts(bytes.len()) {
        let start = decode(&bytes[..len]);
        assert!(start == Ok(Decoded::More) || start == whole, "up to {len}");
    }
    match whole {
        Ok(Decoded::More) => {
            assert!(bytes.len() < MAX_PROXY_V2_BYTES);
            outcome(bytes.len().min(20))
        }
        Ok(Decoded::Done { len, header }) => {
            assert!(len <= bytes.len() && len <= MAX_PROXY_V2_BYTES);
            assert_eq!(
                decode(&bytes[..len]),
                whole,
                "what follows is not looked at"
            );
            assert_eq!(decode(&bytes[..len - 1]), Ok(Decoded::More));
            written_again(&header);
            let kinds = header
                .tlvs
                .fold(0u64, |kinds, tlv| kinds | 1 << (tlv.kind % 64));
            outcome((std::mem::discriminant(&header.origin), kinds))
        }
        Err(error) => outcome(error.cause()),
    }
}

fn written_again(header: &Header<'_>) {
    let extras = Extras {
        authority: header.tlvs.authority(),
        alpn: header.tlvs.alpn(),
        unique_id: header.tlvs.unique_id(),
        tls: None,
        checksum: true,
    };
    let (mut line, mut binary) = (Vec::new(), Vec::new());
    encode_v1(&header.origin, &mut line);
    encode_v2(&header.origin, &extras, &mut binary);
    let read = |bytes| match decode(bytes) {
        Ok(Decoded::Done { len, header }) => {
            assert_eq!(len, bytes.len());
            header
        }
        other => panic!("what we write, we read: {other:?}"),
    };
    assert_eq!(read(&binary).origin, header.origin);
    match header.origin {
        Origin::Tcp { .. } => assert_eq!(read(&line).origin, header.origin),
        _ => assert_eq!(read(&line).origin, Origin::Unknown),
    }
}

//! Request ids: a well-formed one from a trusted peer is kept, else a UUIDv7 (RFC 9562) is made.

use engine_net::clock;
use protocol::message::Request;

use crate::core::Core;

/// Ids from outside longer than this are replaced.
const MAX_LENGTH: usize = 128;

/// Puts the exchange's id into `out`.
pub(crate) fn choose(
    core: &Core,
    request: Request<'_>,
    header: &str,
    trusted: bool,
    out: &mut Vec<u8>,
) {
    if trusted
        && let Some(id) = request.header_named(header)
        && well_formed(id)
    {
        out.clear();
        out.extend_from_slice(id);
        return;
    }
    make(core, out);
}

/// Puts a new UUIDv7 into `out`: 48 bits of Unix milliseconds, then random bits.
pub(crate) fn make(core: &Core, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let low = core.random();
    let high = (clock::unix_millis() << 16) | 0x7000 | (core.random() >> 52);
    let low = (low & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000;
    out.clear();
    for (i, byte) in high
        .to_be_bytes()
        .into_iter()
        .chain(low.to_be_bytes())
        .enumerate()
    {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push(b'-');
        }
        for nibble in [byte >> 4, byte & 15] {
            out.push(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
        }
    }
}

fn well_formed(id: &[u8]) -> bool {
    !id.is_empty()
        && id.len() <= MAX_LENGTH
        && id.iter().all(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b':' | b'+' | b'/' | b'=')
        })
}

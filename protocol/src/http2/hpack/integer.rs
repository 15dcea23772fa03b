//! Integers with a prefix (RFC 7541 section 5.1).

/// Reads the integer whose prefix of `bits` bits stands in `first`; gives it with what follows it. `None` when it is cut
/// short, or needs more than 32 bits or five more bytes: nothing that a block speaks of is that large.
#[inline]
pub(super) fn read(first: u8, bits: u32, rest: &[u8]) -> Option<(u32, &[u8])> {
    let mask = (1u32 << bits) - 1;
    let prefix = u32::from(first) & mask;
    if prefix < mask {
        return Some((prefix, rest));
    }
    read_on(mask, rest)
}

fn read_on(mask: u32, rest: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = u64::from(mask);
    for (at, byte) in rest.iter().take(5).enumerate() {
        value += u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((value, rest.get(at + 1..)?));
        }
    }
    None
}

/// Appends an integer after the bits that `pattern` sets above its prefix of `bits` bits.
#[inline]
pub(super) fn write(pattern: u8, bits: u32, value: usize, out: &mut Vec<u8>) {
    let mask = (1usize << bits) - 1;
    if value < mask {
        out.push(pattern | value as u8);
        return;
    }
    out.push(pattern | mask as u8);
    let mut rest = value - mask;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

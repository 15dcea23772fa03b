//! Percent-decoding of a key that stands in a query, into a buffer on the stack.

/// The decoded bytes, or `None` when they don't fit or an escape is malformed. `+` stays `+`:
/// a key is no form field.
pub(super) fn percent_decoded<'b>(text: &[u8], room: &'b mut [u8]) -> Option<&'b [u8]> {
    let mut length = 0;
    let mut rest = text;
    while let [byte, tail @ ..] = rest {
        let (value, tail) = match (byte, tail) {
            (b'%', [high, low, tail @ ..]) => (hex(*high)? << 4 | hex(*low)?, tail),
            (b'%', _) => return None,
            (byte, tail) => (*byte, tail),
        };
        *room.get_mut(length)? = value;
        length += 1;
        rest = tail;
    }
    room.get(..length)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|d| u8::try_from(d).ok())
}

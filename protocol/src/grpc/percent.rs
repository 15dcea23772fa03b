//! The value of `grpc-message`: percent-encoded UTF-8 (protocol, "Status-Message").

/// Appends a text with all but spaces and visible ASCII, and the percent sign itself, encoded.
pub fn encode_status_message(text: &str, out: &mut Vec<u8>) {
    const DIGITS: [u8; 16] = *b"0123456789ABCDEF";
    for byte in text.bytes() {
        if matches!(byte, b' '..=b'~') && byte != b'%' {
            out.push(byte);
            continue;
        }
        let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or(b'0');
        out.extend_from_slice(&[b'%', digit(byte >> 4), digit(byte & 0xf)]);
    }
}

/// Appends what a value says. What is not soundly encoded stays as it is: a message must never be lost to that. The
/// result may be no UTF-8.
pub fn decode_status_message(value: &[u8], out: &mut Vec<u8>) {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|value| value as u8);
    let mut rest = value;
    while let Some((first, after)) = rest.split_first() {
        let escaped = match (first, after) {
            (b'%', &[high, low, ..]) => digit(high).zip(digit(low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                out.push(*first);
                rest = after;
            }
        }
    }
}

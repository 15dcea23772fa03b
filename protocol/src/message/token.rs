//! Tokens: what names of fields, methods and the like are made of (RFC 9110 section 5.6.2).

/// Whether this is a token.
pub(crate) fn is_token(value: &[u8]) -> bool {
    !value.is_empty() && value.iter().all(|byte| is_token_byte(*byte))
}

/// Whether a byte may stand in a token.
#[inline]
fn is_token_byte(byte: u8) -> bool {
    is_lower_token_byte(byte) || byte.is_ascii_uppercase()
}

/// The same without upper case, as names of fields stand in HTTP/2 (RFC 9113 section 8.2).
#[inline]
pub(crate) fn is_lower_token_byte(byte: u8) -> bool {
    LOWER_TOKEN_BYTES.get(usize::from(byte)) == Some(&true)
}

#[expect(clippy::indexing_slicing, reason = "evaluated when compiled")]
static LOWER_TOKEN_BYTES: [bool; 256] = {
    let mut bytes = [false; 256];
    let allowed = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz";
    let mut at = 0;
    while at < allowed.len() {
        bytes[allowed[at] as usize] = true;
        at += 1;
    }
    bytes
};

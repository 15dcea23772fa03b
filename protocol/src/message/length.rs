//! What every version of HTTP must take alike of the fields that frame a message: how a length reads, and the names that
//! some origins take for theirs.
//!
//! What follows from them for a message's framing is not here.

/// The number that a Content-Length says, if it says one. Digits only, below 2^63: origins that keep lengths in signed
/// numbers must read the same one.
#[inline]
pub(crate) fn parse_length(digits: &[u8]) -> Option<u64> {
    let length = digits.iter().try_fold(0u64, |length, byte| {
        let digit = byte.is_ascii_digit().then(|| byte - b'0')?;
        length.checked_mul(10)?.checked_add(digit.into())
    })?;
    (!digits.is_empty() && length <= i64::MAX as u64).then_some(length)
}

/// Origins that turn field names into variables (CGI, WSGI) read `Content_Length` as Content-Length.
#[inline]
pub(crate) fn is_disguised(name: &[u8]) -> bool {
    match name.len() {
        14 => name.eq_ignore_ascii_case(b"content_length"),
        17 => name.eq_ignore_ascii_case(b"transfer_encoding"),
        _ => false,
    }
}

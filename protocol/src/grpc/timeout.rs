//! The value of `grpc-timeout` (protocol, "Timeout"): at most eight digits and a unit.

use std::io::Write;

/// Units, the finest first, with their nanoseconds.
const UNITS: [(u8, u64); 6] = [
    (b'n', 1),
    (b'u', 1_000),
    (b'm', 1_000_000),
    (b'S', 1_000_000_000),
    (b'M', 60_000_000_000),
    (b'H', 3_600_000_000_000),
];

/// Most digits.
const MOST_DIGITS: usize = 8;

/// The nanoseconds that a value says; `None` if it is not valid. What is beyond 584 years is `u64::MAX`, and zero, though
/// the protocol asks for a positive number, a deadline that has passed.
pub fn parse_timeout(value: &[u8]) -> Option<u64> {
    let (unit, digits) = value.split_last()?;
    let (_, nanos) = UNITS.iter().find(|(letter, _)| letter == unit)?;
    if digits.is_empty() || digits.len() > MOST_DIGITS || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits
        .iter()
        .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Some(number.saturating_mul(*nanos))
}

/// Appends the longest value that is no longer than so many nanoseconds, but never zero, which endpoints read as they
/// like.
pub fn encode_timeout(nanos: u64, out: &mut Vec<u8>) {
    let nanos = nanos.max(1);
    let fits = |(_, unit): &&(u8, u64)| nanos / unit < 10u64.pow(MOST_DIGITS as u32);
    let (letter, unit) = UNITS.iter().find(fits).unwrap_or(&UNITS[5]);
    // Writing to a Vec can't fail.
    let _ = write!(out, "{}{}", nanos / unit, char::from(*letter));
}

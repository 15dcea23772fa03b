//! The ways in which bytes arrive that entries try.

/// Lengths of pieces, each way repeating its own: all at once, byte by byte, and some between.
pub(super) const WAYS: [&[usize]; 4] = [&[usize::MAX], &[1], &[3, 1, 2], &[7, 64]];

/// The bytes in pieces of these lengths.
pub(super) fn pieces<'a>(bytes: &'a [u8], lengths: &'a [usize]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = bytes;
    let mut lengths = lengths.iter().cycle();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let len = (*lengths.next()?).min(rest.len());
        let (piece, after) = rest.split_at(len);
        rest = after;
        Some(piece)
    })
}

/// Lengths of starts of so many bytes, in order and without the whole: every one if they are few, else a sample.
pub(super) fn starts(len: usize) -> impl Iterator<Item = usize> {
    (0..len).step_by(len / 256 + 1)
}

//! Integers with a prefix (RFC 7541 section 5.1).

use super::wrong;
use crate::http2::Broken;

/// Reads one whose first byte has so many bits of it.
#[inline]
pub(super) fn read(rest: &mut &[u8], bits: u32) -> Result<usize, Broken> {
    let most = (1_usize << bits) - 1;
    let (first, behind) = rest
        .split_first()
        .ok_or(wrong("a block ends amid a field"))?;
    *rest = behind;
    let mut number = usize::from(*first) & most;
    if number < most {
        return Ok(number);
    }
    // Four more bytes are all that a block of a bounded length can need.
    for shift in [0, 7, 14, 21] {
        let (byte, behind) = rest
            .split_first()
            .ok_or(wrong("a block ends amid a field"))?;
        *rest = behind;
        number += (usize::from(*byte) & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(wrong("a number is too large"))
}

/// Appends one; `first` has the bits before it.
#[inline]
pub(crate) fn write(first: u8, bits: u32, number: usize, out: &mut Vec<u8>) {
    let most = (1_usize << bits) - 1;
    if number < most {
        out.push(first | number as u8);
        return;
    }
    out.push(first | most as u8);
    let mut left = number - most;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_and_read() {
        // RFC 7541 appendix C.1.
        let check = |bits, number, bytes: &[u8]| {
            let mut out = Vec::new();
            write(0, bits, number, &mut out);
            assert_eq!(out, bytes);
            let mut rest = bytes;
            assert_eq!(read(&mut rest, bits), Ok(number));
            assert!(rest.is_empty());
        };
        check(5, 10, &[10]);
        check(5, 1337, &[31, 154, 10]);
        check(8, 42, &[42]);
        check(7, 126, &[126]);
        check(7, 127, &[127, 0]);
        for number in [127 + 0x7f, 127 + 0x80, 100_000_000] {
            let mut out = Vec::new();
            write(0x80, 7, number, &mut out);
            assert_eq!(out.first(), Some(&0xff));
            assert_eq!(read(&mut out.as_slice(), 7), Ok(number));
        }
        let mut long: &[u8] = &[0xff; 9];
        assert!(read(&mut long, 7).is_err());
        assert!(read(&mut &[0xff, 0x80][..], 7).is_err());
        assert!(read(&mut &[][..], 7).is_err());
    }
}

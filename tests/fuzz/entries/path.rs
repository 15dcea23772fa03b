//! The canonical path.

use protocol::message::{Canonical, canonical_path};

use super::outcome;

/// Canonical paths are fixed points without dot-segments, encoded or not, and no byte is lost that means something.
pub(super) fn canonical(bytes: &[u8]) -> u64 {
    let mut out = Vec::new();
    let once = match canonical_path(bytes, &mut out) {
        Ok(Canonical::AsIs) => bytes.to_vec(),
        Ok(Canonical::Rewritten) => out.clone(),
        Err(error) => return outcome(error.cause()),
    };
    let twice = match canonical_path(&once, &mut out).expect("what is canonical is sound") {
        Canonical::AsIs => once.clone(),
        Canonical::Rewritten => out,
    };
    assert_eq!(once, twice, "taken again, it comes back as it is");
    if once == b"*" {
        return outcome("*");
    }
    assert_eq!(once.first(), Some(&b'/'));
    assert!(once.len() <= bytes.len());
    assert!(!once.contains(&b'\\'));
    let segments = || once.split(|byte| *byte == b'/').skip(1);
    assert!(segments().all(|segment| segment != b"." && segment != b".."));
    for escape in once.split(|byte| *byte == b'%').skip(1) {
        let digits = std::str::from_utf8(&escape[..2]).expect("two digits");
        let byte = u8::from_str_radix(digits, 16).expect("hexadecimal digits");
        assert_eq!(digits.to_ascii_uppercase(), digits);
        let unreserved = byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        assert!(!unreserved && !b"/\\\0".contains(&byte), "%{digits}");
    }
    // Read by other means: a stack of decoded segments.
    let mut stack: Vec<Vec<u8>> = Vec::new();
    let raw: Vec<Vec<u8>> = bytes.split(|it| *it == b'/').skip(1).map(decoded).collect();
    for (at, segment) in raw.iter().enumerate() {
        let is_last = at + 1 == raw.len();
        match segment.as_slice() {
            b"." => {}
            b".." => {
                stack.pop().expect("above the root is refused");
            }
            _ => stack.push(segment.clone()),
        }
        if is_last && (segment == b"." || segment == b"..") {
            stack.push(Vec::new());
        }
    }
    let got: Vec<Vec<u8>> = segments().map(decoded).collect();
    assert_eq!(got, stack);
    outcome((stack.len().min(9), once == bytes, once.contains(&b'%')))
}

/// Every percent-encoding decoded; they are sound.
fn decoded(segment: &[u8]) -> Vec<u8> {
    let mut parts = segment.split(|byte| *byte == b'%');
    let mut out = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let digits = std::str::from_utf8(&part[..2]).expect("two digits");
        out.push(u8::from_str_radix(digits, 16).expect("hexadecimal digits"));
        out.extend_from_slice(&part[2..]);
    }
    out
}

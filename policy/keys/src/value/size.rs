//! Sizes in bytes: `"64KiB"`, `"1MiB"`, or a bare number of bytes.

use super::{Form, Mismatch, Raw, Shape, Value};

/// A number of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

const UNITS: [(&str, u64); 5] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

impl Size {
    /// Reads a size with its unit; `None` when the text is not one.
    pub fn parse(text: &str) -> Option<Size> {
        let split = text.find(|c: char| !c.is_ascii_digit())?;
        let (count, unit) = text.split_at(split);
        let (_, bytes) = UNITS.iter().find(|(name, _)| *name == unit)?;
        count.parse::<u64>().ok()?.checked_mul(*bytes).map(Size)
    }

    /// The size as a `usize`, saturating.
    pub fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl Value for Size {
    const SHAPE: Shape = Shape {
        form: Form::IntegerOrText,
        what: "size",
        expected: "a size such as \"64KiB\" or \"1MiB\"",
        pattern: "^[0-9]+(B|KiB|MiB|GiB|TiB)$",
        choices: &[],
        secret: false,
    };

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        let text = match raw {
            Raw::Integer(bytes) if *bytes >= 0 => return Ok(Size(bytes.unsigned_abs())),
            Raw::Text(text) => text,
            other => return Err(Mismatch::form(&Self::SHAPE, other)),
        };
        Size::parse(text).ok_or_else(|| {
            let mismatch = Mismatch::text(&Self::SHAPE, text);
            let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
            match text[digits.len()..].trim().to_ascii_lowercase().as_str() {
                _ if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) => mismatch,
                "" => mismatch.hint(format!("say the unit: \"{digits}B\" or \"{digits}KiB\"")),
                "b" => mismatch.hint(format!("write \"{digits}B\"")),
                "k" | "kb" | "kib" => mismatch.hint(format!("write \"{digits}KiB\"")),
                "m" | "mb" | "mib" => mismatch.hint(format!("write \"{digits}MiB\"")),
                "g" | "gb" | "gib" => mismatch.hint(format!("write \"{digits}GiB\"")),
                _ => mismatch.hint("the units are B, KiB, MiB, GiB and TiB"),
            }
        })
    }

    fn within(&self, low: &str, high: &str) -> bool {
        Size::parse(low).is_some_and(|low| *self >= low)
            && (high.is_empty() || Size::parse(high).is_some_and(|high| *self <= high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_two() {
        let parse = |text| Size::parse(text).map(|size| size.0);
        assert_eq!(parse("64KiB"), Some(65_536));
        assert_eq!(parse("1MiB"), Some(1_048_576));
        assert_eq!(parse("512B"), Some(512));
        assert_eq!(parse("0B"), Some(0));
        for wrong in ["", "64", "64KB", "64 KiB", "KiB", "-1B", "99999999TiB"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn bare_numbers_are_bytes_and_decimal_units_get_a_hint() {
        assert_eq!(Size::read(&Raw::Integer(240)).unwrap(), Size(240));
        let hint = Size::read(&Raw::Text("64kb".into())).unwrap_err().hint;
        assert_eq!(hint.as_deref(), Some("write \"64KiB\""));
        assert!(Size::read(&Raw::Integer(-1)).is_err());
    }
}

//! Names of sections, and references to them: `[a-z0-9_-]+`, without `__`.

use super::{Mismatch, Raw, Shape, Value, text};

/// A name as sections bear it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Reads a name, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Name, Mismatch> {
        let wrong = || Mismatch::text(&Self::SHAPE, text);
        let allowed =
            |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if let Some((at, c)) = text.char_indices().find(|(_, c)| !allowed(*c)) {
            let lower = text.to_ascii_lowercase();
            let mismatch = wrong().at(at..at + c.len_utf8());
            return Err(match lower.chars().all(allowed) {
                true => mismatch.hint(format!("write `{lower}`")),
                false => mismatch,
            });
        }
        if text.is_empty() {
            return Err(wrong());
        }
        if let Some(at) = text.find("__") {
            return Err(wrong()
                .at(at..at + 2)
                .hint("`__` separates the parts of an environment variable's name"));
        }
        Ok(Name(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for Name {
    const SHAPE: Shape = Shape::text(
        "name",
        "a name of letters a-z, digits, `-` and `_`",
        "^[a-z0-9_-]+$",
    );

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        Name::parse(text(&Self::SHAPE, raw)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lower_case_words() {
        for right in ["a", "per_user", "v2-beta", "0"] {
            assert_eq!(Name::parse(right).unwrap().as_str(), right);
        }
        for wrong in ["", "A", "a.b", "a b", "a__b", "é"] {
            assert!(Name::parse(wrong).is_err(), "{wrong}");
        }
        let mismatch = Name::parse("Edge").unwrap_err();
        assert_eq!(
            (mismatch.at, mismatch.hint.as_deref()),
            (Some(0..1), Some("write `edge`"))
        );
    }
}

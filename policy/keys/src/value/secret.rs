//! Secrets: values that are used and compared, and never shown.

use super::{Mismatch, Raw, Shape, Value, text};
use std::fmt;

/// A key, token or password. Its `Debug` says only that it is one; there is no `Display`.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Keeps the bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Secret {
        Secret(bytes.into())
    }

    /// The bytes, for the one place that uses them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether the other bytes are the same. Takes as long for every wrong guess of the right length.
    pub fn matches(&self, other: &[u8]) -> bool {
        if self.0.len() != other.len() {
            return false;
        }
        let difference = self
            .0
            .iter()
            .zip(other)
            .fold(0, |sum, (a, b)| std::hint::black_box(sum | (a ^ b)));
        difference == 0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Value for Secret {
    const SHAPE: Shape = Shape {
        secret: true,
        ..Shape::text("secret", "a string, \"${ENV_NAME}\" or \"file:path\"", "")
    };

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        match text(&Self::SHAPE, raw)? {
            "" => Err(Mismatch::new("a secret can't be empty")),
            text => Ok(Secret::new(text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_matches_itself_and_is_not_shown() {
        let secret = Secret::new("s3cret");
        assert!(secret.matches(b"s3cret"));
        assert!(!secret.matches(b"s3creT"));
        assert!(!secret.matches(b"s3cre"));
        assert_eq!(format!("{secret:?}"), "Secret(…)");
    }
}

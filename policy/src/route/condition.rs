//! A condition on a header field or a query parameter: it is there, or it has one
//! value. Used for both; the rule says which it is.
//!
//! Invariant: the name is not empty and holds neither spaces nor control characters.

use protocol::message::Request;

/// A condition on one header field or one query parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Condition {
    name: Box<str>,
    value: Option<Box<str>>,
}

impl Condition {
    /// Reads `X-Beta` (it is there, with any value) or `X-Beta=1` (it has this value,
    /// byte for byte; all after the first `=` is the value). The error is one sentence.
    pub fn parse(text: &str) -> Result<Condition, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        if name.is_empty() {
            return Err("a condition starts with a name, as in `X-Beta=1`".into());
        }
        if let Some(bad) = name.chars().find(|c| c.is_whitespace() || c.is_control()) {
            return Err(format!("{bad:?} can't stand in the name `{name}`"));
        }
        if let Some(bad) = value.and_then(|value| value.chars().find(|c| c.is_control())) {
            return Err(format!("{bad:?} can't stand in the value of `{name}`"));
        }
        Ok(Condition {
            name: name.into(),
            value: value.map(Into::into),
        })
    }

    /// The name, as written.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The value it must have, if any.
    pub fn value(&self) -> Option<&str> {
        self.value.as_deref()
    }

    /// Whether the name could be that of a header field (RFC 9110 section 5.6.2).
    pub fn is_field_name(&self) -> bool {
        self.name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b))
    }

    /// The same condition on a header field, whose name has no case.
    pub(super) fn as_header(&self) -> Condition {
        Condition {
            name: self.name.to_ascii_lowercase().into(),
            value: self.value.clone(),
        }
    }

    /// Whether every request that meets `other` meets this one. Names are compared as
    /// they stand: header conditions come through `as_header`.
    pub(super) fn follows_from(&self, other: &Condition) -> bool {
        self.name == other.name && (self.value.is_none() || self.value == other.value)
    }

    /// Whether some field of the request meets it.
    pub(super) fn fits_header(&self, request: Request<'_>) -> bool {
        request.fields().any(|(_, name, value)| {
            name.eq_ignore_ascii_case(self.name.as_bytes())
                && self.value().is_none_or(|wanted| wanted.as_bytes() == value)
        })
    }

    /// Whether some parameter of the query meets it. Names and values are compared
    /// decoded, so that `v=%31` can't slip past a condition on `v=1`.
    pub(super) fn fits_query(&self, query: &[u8]) -> bool {
        query.split(|&b| b == b'&').any(|pair| {
            let mut halves = pair.splitn(2, |&b| b == b'=');
            let name = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            !pair.is_empty()
                && decodes_to(name, self.name.as_bytes())
                && self
                    .value()
                    .is_none_or(|wanted| decodes_to(value, wanted.as_bytes()))
        })
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.name)?;
        match &self.value {
            Some(value) => write!(out, "={value}"),
            None => Ok(()),
        }
    }
}

/// Whether `raw`, taken from a query, decodes to `plain`. A `%` that two hexadecimal
/// digits don't follow stands for itself.
fn decodes_to(raw: &[u8], plain: &[u8]) -> bool {
    let mut rest = raw;
    let mut wanted = plain.iter();
    while let Some((&first, after)) = rest.split_first() {
        let (byte, after) = match (first, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, after @ ..]) => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => (high << 4 | low, after),
                _ => (first, rest.get(1..).unwrap_or_default()),
            },
            _ => (first, after),
        };
        if wanted.next() != Some(&byte) {
            return false;
        }
        rest = after;
    }
    wanted.next().is_none()
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_query(condition: &str, query: &str, expected: bool) {
        let condition = Condition::parse(condition).unwrap();
        assert_eq!(
            condition.fits_query(query.as_bytes()),
            expected,
            "{condition} on {query}"
        );
    }

    #[test]
    fn queries() {
        check_query("a", "a", true);
        check_query("a", "a=", true);
        check_query("a", "b&a=3", true);
        check_query("a", "", false);
        check_query("a", "b=a", false);
        check_query("a", "aa=1", false);
        check_query("a=", "a", true);
        check_query("a=1", "a=1", true);
        check_query("a=1", "a=2&a=1", true);
        check_query("a=1", "a=11", false);
        check_query("a=1", "a=%31", true);
        check_query("a=1", "%61=1", true);
        check_query("a=1 2", "a=1+2", true);
        check_query("a=b=c", "a=b=c", true);
        check_query("a=%", "a=%", true);
        check_query("a=%zz", "a=%zz", true);
        check_query("A=1", "a=1", false);
        check_query("a=ü", "a=%C3%bc", true);
    }

    #[test]
    fn parsing() {
        let of = |text| Condition::parse(text).map(|c| (c.name().to_owned(), c.is_field_name()));
        assert_eq!(of("X-Beta=1"), Ok(("X-Beta".to_owned(), true)));
        assert_eq!(of("a[]=1"), Ok(("a[]".to_owned(), false)));
        assert_eq!(
            of("=1"),
            Err("a condition starts with a name, as in `X-Beta=1`".to_owned())
        );
        assert_eq!(
            of("a b"),
            Err("' ' can't stand in the name `a b`".to_owned())
        );
        assert_eq!(
            of("a=\n"),
            Err("'\\n' can't stand in the value of `a`".to_owned())
        );
    }

    #[test]
    fn implication() {
        let of = |text| Condition::parse(text).unwrap().as_header();
        assert!(of("X-A").follows_from(&of("x-a=1")));
        assert!(of("X-A=1").follows_from(&of("x-a=1")));
        assert!(!of("X-A=1").follows_from(&of("x-a")));
        assert!(!of("X-A").follows_from(&of("x-b")));
    }
}

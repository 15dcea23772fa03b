//! What a limit counts by: `ip`, `header:NAME`, `cookie:NAME`, `claim:NAME`, `consumer`,
//! `tenant`, `route`, `global`, joined with `+`.
//!
//! Only the text is read here; `policies/rate_limit` takes the parts out of a request.

use std::fmt;

/// One part of a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// The client's address.
    Ip,
    /// The first value of a request header.
    Header(Box<str>),
    /// A cookie.
    Cookie(Box<str>),
    /// A claim of the verified token.
    Claim(Box<str>),
    /// The consumer's name.
    Consumer,
    /// The tenant.
    Tenant,
    /// The route's name.
    Route,
    /// Nothing: all requests share one bucket.
    Global,
}

/// The parts of a key, in the order of the text; never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    parts: Box<[Part]>,
}

impl Key {
    /// Reads a key, or says what is wrong with it.
    pub fn parse(text: &str) -> Result<Key, String> {
        let mut parts = Vec::new();
        for word in text.split('+') {
            let part = Part::parse(word.trim())?;
            if parts.contains(&part) {
                return Err(format!("`{part}` stands twice in the key"));
            }
            parts.push(part);
        }
        Ok(Key {
            parts: parts.into(),
        })
    }

    /// The parts, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Whether the client's address is part of it.
    pub fn has_address(&self) -> bool {
        self.parts.contains(&Part::Ip)
    }

    /// Whether it can be told only after authentication.
    pub fn needs_identity(&self) -> bool {
        self.parts
            .iter()
            .any(|part| matches!(part, Part::Claim(_) | Part::Consumer | Part::Tenant))
    }
}

impl Part {
    fn parse(word: &str) -> Result<Part, String> {
        Ok(match word.split_once(':') {
            None => match word {
                "ip" => Part::Ip,
                "consumer" => Part::Consumer,
                "tenant" => Part::Tenant,
                "route" => Part::Route,
                "global" => Part::Global,
                _ => return Err(format!("`{word}` is no part of a key; {CHOICES}")),
            },
            Some(("header", name)) => Part::Header(token(word, name)?),
            Some(("cookie", name)) => Part::Cookie(token(word, name)?),
            Some(("claim", "")) => return Err(format!("`{word}` names no claim")),
            Some(("claim", name)) => Part::Claim(name.into()),
            Some(_) => return Err(format!("`{word}` is no part of a key; {CHOICES}")),
        })
    }
}

/// The name of a header or cookie (RFC 9110 section 5.6.2).
fn token(word: &str, name: &str) -> Result<Box<str>, String> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(format!("`{word}` does not name a header or cookie"));
    }
    Ok(name.into())
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Ip => f.write_str("ip"),
            Part::Header(name) => write!(f, "header:{name}"),
            Part::Cookie(name) => write!(f, "cookie:{name}"),
            Part::Claim(name) => write!(f, "claim:{name}"),
            Part::Consumer => f.write_str("consumer"),
            Part::Tenant => f.write_str("tenant"),
            Part::Route => f.write_str("route"),
            Part::Global => f.write_str("global"),
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, part) in self.parts.iter().enumerate() {
            if at > 0 {
                f.write_str("+")?;
            }
            part.fmt(f)?;
        }
        Ok(())
    }
}

const CHOICES: &str = "expected ip, header:NAME, cookie:NAME, claim:NAME, consumer, tenant, \
                       route or global, joined with +";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_and_write_alike() {
        for text in [
            "ip",
            "global",
            "claim:sub",
            "header:X-Api-Version+ip",
            "cookie:sid+route",
            "consumer+tenant+claim:https://example.com/plan",
        ] {
            assert_eq!(Key::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Key::parse("ip + route").unwrap().to_string(), "ip+route");
    }

    #[test]
    fn a_wrong_key_is_told_by_its_word() {
        for (text, word) in [
            ("", "``"),
            ("ip+", "``"),
            ("ipp", "`ipp`"),
            ("header", "`header`"),
            ("header:", "`header:`"),
            ("header:a b", "`header:a b`"),
            ("claim:", "`claim:`"),
            ("body:x", "`body:x`"),
            ("ip+route+ip", "`ip`"),
        ] {
            let problem = Key::parse(text).unwrap_err();
            assert!(problem.contains(word), "{text}: {problem}");
        }
    }

    #[test]
    fn only_claims_consumers_and_tenants_wait_for_authentication() {
        for (text, address, identity) in [
            ("ip", true, false),
            ("ip+header:X", true, false),
            ("ip+claim:sub", true, true),
            ("consumer", false, true),
            ("tenant", false, true),
            ("cookie:a+route", false, false),
            ("global", false, false),
        ] {
            let key = Key::parse(text).unwrap();
            assert_eq!(key.has_address(), address, "{text}");
            assert_eq!(key.needs_identity(), identity, "{text}");
        }
    }
}

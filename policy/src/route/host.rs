//! The host of a rule: one name, or every name below one. Not here: finding the rules
//! of a host (`table`).
//!
//! Invariant: the text is lower case, has no port and no final dot.

use std::net::{Ipv4Addr, Ipv6Addr};

/// A host that a rule names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Host {
    text: Box<str>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Exactly this host.
    Exact,
    /// Any host that ends with a dot and this text.
    Suffix,
}

impl Host {
    /// Reads `api.example.com`, `*.example.com` (any name below it, of any depth, not
    /// itself), `192.0.2.1` or `[::1]`. The error is one sentence.
    pub fn parse(text: &str) -> Result<Host, String> {
        if text == "*" {
            return Err("`*` is no host; leave `hosts` out to match any host".into());
        }
        let (kind, name) = match text.strip_prefix("*.") {
            Some(rest) => (Kind::Suffix, rest),
            None => (Kind::Exact, text),
        };
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        if let Some(inner) = name.strip_prefix('[') {
            return match (kind, inner.strip_suffix(']').map(str::parse::<Ipv6Addr>)) {
                (Kind::Exact, Some(Ok(address))) => Ok(Host {
                    text: format!("[{address}]").into(),
                    kind,
                }),
                _ => Err(format!("`{text}` is not an IPv6 address in brackets")),
            };
        }
        check_name(&name, text)?;
        if kind == Kind::Suffix && name.parse::<Ipv4Addr>().is_ok() {
            return Err(format!("`{text}`: an address has no names below it"));
        }
        Ok(Host {
            text: name.into(),
            kind,
        })
    }

    /// The text after `*.`, or all of it.
    pub(super) fn name(&self) -> &str {
        &self.text
    }

    pub(super) fn kind(&self) -> Kind {
        self.kind
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.kind == Kind::Suffix {
            out.write_str("*.")?;
        }
        out.write_str(&self.text)
    }
}

fn check_name(name: &str, text: &str) -> Result<(), String> {
    if name.is_empty() {
        return Err("a host can't be empty".into());
    }
    if name.len() > MAX_NAME {
        return Err(format!("a host has at most {MAX_NAME} characters"));
    }
    if name.contains(':') {
        return Err(format!(
            "`{text}`: a host here has no port, and an IPv6 address stands in brackets"
        ));
    }
    if name.contains('*') {
        return Err(format!("`{text}`: `*` may only be the whole first label"));
    }
    if !name.is_ascii() {
        return Err(format!(
            "`{text}`: write an international name in its `xn--` form"
        ));
    }
    for label in name.split('.') {
        if label.is_empty() || label.len() > 63 {
            return Err(format!("`{text}`: a label has 1 to 63 characters"));
        }
        if let Some(bad) = label.chars().find(|c| !is_label_char(*c)) {
            return Err(format!("`{text}`: {bad:?} can't stand in a host"));
        }
    }
    Ok(())
}

fn is_label_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// The longest name of the DNS, RFC 1035 section 2.3.4, written with dots.
pub(super) const MAX_NAME: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(input: &str, expected: Result<&str, &str>) {
        let got = Host::parse(input).map(|host| host.to_string());
        assert_eq!(
            got.as_ref().map(String::as_str).map_err(String::as_str),
            expected
        );
    }

    #[test]
    fn hosts() {
        check("a.b", Ok("a.b"));
        check("API.Example.com.", Ok("api.example.com"));
        check("*.Example.com", Ok("*.example.com"));
        check("my_service", Ok("my_service"));
        check("127.0.0.1", Ok("127.0.0.1"));
        check("[::1]", Ok("[::1]"));
        check("[0:0::1]", Ok("[::1]"));
        check("", Err("a host can't be empty"));
        check("*.", Err("a host can't be empty"));
        check(
            "*",
            Err("`*` is no host; leave `hosts` out to match any host"),
        );
        check("a..b", Err("`a..b`: a label has 1 to 63 characters"));
        check(
            "a.*.b",
            Err("`a.*.b`: `*` may only be the whole first label"),
        );
        check("a/b", Err("`a/b`: '/' can't stand in a host"));
        check(
            "*.10.0.0.1",
            Err("`*.10.0.0.1`: an address has no names below it"),
        );
        check("[::1", Err("`[::1` is not an IPv6 address in brackets"));
        check(
            "a.b:80",
            Err("`a.b:80`: a host here has no port, and an IPv6 address stands in brackets"),
        );
        check(
            "bücher.example",
            Err("`bücher.example`: write an international name in its `xn--` form"),
        );
    }
}

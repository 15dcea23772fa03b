//! The alternative names of a subject (RFC 5280 section 4.2.1.6).

use std::net::IpAddr;

use super::der::{Reader, implicit};
use super::name::MAX_TEXT;

/// One alternative name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alternative<'d> {
    /// dNSName.
    Dns(&'d str),
    /// uniformResourceIdentifier.
    Uri(&'d str),
    /// rfc822Name.
    Email(&'d str),
    /// iPAddress.
    Address(IpAddr),
    /// Of another kind, or no such name as its kind asks for.
    Other,
}

/// The names of a list, in its order.
#[derive(Clone, Debug)]
pub struct Alternatives<'d>(Reader<'d>);

impl<'d> Alternatives<'d> {
    pub(super) fn of(list: &'d [u8]) -> Alternatives<'d> {
        Alternatives(Reader::new(list))
    }
}

impl<'d> Iterator for Alternatives<'d> {
    type Item = Alternative<'d>;

    fn next(&mut self) -> Option<Alternative<'d>> {
        let (tag, content) = self.0.next()?;
        let named = match tag {
            EMAIL => printable(content).map(Alternative::Email),
            DNS => printable(content).map(Alternative::Dns),
            URI => printable(content).map(Alternative::Uri),
            ADDRESS => address(content).map(Alternative::Address),
            _ => None,
        };
        Some(named.unwrap_or(Alternative::Other))
    }
}

/// Whether every byte belongs to some element.
pub(super) fn is_list(names: &[u8]) -> bool {
    let mut names = Reader::new(names);
    while names.next().is_some() {}
    names.is_empty()
}

/// IA5String, of which these names may use what is printed; none of them has blanks.
fn printable(content: &[u8]) -> Option<&str> {
    let fits = (1..=MAX_TEXT).contains(&content.len());
    let text = content.iter().all(u8::is_ascii_graphic);
    std::str::from_utf8(content).ok().filter(|_| fits && text)
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(v4));
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    Some(IpAddr::from(v6))
}

const EMAIL: u8 = implicit(1);
const DNS: u8 = implicit(2);
const URI: u8 = implicit(6);
const ADDRESS: u8 = implicit(7);

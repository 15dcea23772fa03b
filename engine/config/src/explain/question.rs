//! The request that is asked about, and how it becomes the bytes that a client would send.

use crate::snapshot::{Listener, Snapshot};
use policy_keys::Address;
use std::net::IpAddr;

/// The request that is asked about.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// `GET`.
    pub method: &'q str,
    /// `http://host/path?query`, `host/path`, or only a path.
    pub url: &'q str,
    /// Names and values.
    pub headers: &'q [(String, String)],
    /// The address of the socket's peer.
    pub client: IpAddr,
    /// The listener it comes in on; `None`: by the URL's port, else the first that speaks its scheme.
    pub listener: Option<&'q str>,
    /// The certificates that the client shows, DER, its own first. They are taken for ones that its listener's authorities
    /// vouch for.
    pub shown: &'q [Box<[u8]>],
    /// Now, in Unix seconds, for the times in tokens.
    pub unix: u64,
}

/// What is no URL, path or `*`: a word, or a scheme that no listener speaks.
///
/// # Errors
/// What it may have been meant to be.
pub fn is_url(text: &str) -> Result<(), String> {
    let scheme = text.split_once("://");
    // What has a slash before it is a path.
    match scheme.filter(|(scheme, _)| !scheme.contains('/')) {
        Some(("http" | "https", _)) => Ok(()),
        Some((scheme, _)) => Err(format!(
            "'{text}' is no URL of the gateway's: {scheme}:// is neither http:// nor https://"
        )),
        None if text == "*" || text.contains('/') => Ok(()),
        None => Err(format!(
            "'{text}' is no URL: a host is written https://{text}/, a path /{text}"
        )),
    }
}

/// How the listener was chosen that a request is taken to come in on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen {
    /// It was named, has the URL's port, or is the only one.
    Said,
    /// The first that has TLS, or has none, as the URL's scheme wants it.
    Scheme,
    /// The first: nothing says which.
    First,
}

/// Authority and target of a URL; the authority may be empty.
pub(super) fn split_url(url: &str) -> (String, String) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    if rest.starts_with('/') || rest == "*" {
        return (String::new(), rest.to_owned());
    }
    let rest = rest.split('#').next().unwrap_or_default();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, target) = rest.split_at(end);
    match target.starts_with('/') {
        true => (authority.to_owned(), target.to_owned()),
        false => (authority.to_owned(), format!("/{target}")),
    }
}

pub(super) fn raw(question: &Question<'_>, authority: &str, target: &str) -> Vec<u8> {
    let mut text = format!("{} {target} HTTP/1.1\r\n", question.method);
    let has_host = question
        .headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"));
    if !has_host {
        let host = if authority.is_empty() {
            "localhost"
        } else {
            authority
        };
        text.push_str(&format!("Host: {host}\r\n"));
    }
    for (name, value) in question.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.into_bytes()
}

pub(super) fn listener<'s>(
    snapshot: &'s Snapshot,
    question: &Question<'_>,
    authority: &str,
) -> Option<(&'s Listener, Chosen)> {
    let said = |listener| (listener, Chosen::Said);
    if let Some(name) = question.listener {
        return snapshot
            .listeners
            .iter()
            .find(|listener| *listener.name == *name)
            .map(said);
    }
    let port = protocol::message::port_of(authority.as_bytes());
    let by_port = snapshot
        .listeners
        .iter()
        .find(|listener| match &listener.address {
            Address::Tcp(address) => Some(address.port()) == port,
            Address::Unix(_) => false,
        });
    let by_scheme = || {
        let (scheme, _) = question.url.split_once("://")?;
        let mut listeners = snapshot.listeners.iter();
        listeners.find(|listener| listener.tls.is_some() == (scheme == "https"))
    };
    if let [only] = snapshot.listeners.as_slice() {
        return Some(said(only));
    }
    by_port
        .map(said)
        .or_else(|| by_scheme().map(|listener| (listener, Chosen::Scheme)))
        .or_else(|| snapshot.listeners.first().map(|it| (it, Chosen::First)))
}

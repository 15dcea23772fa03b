//! Who sent a request, as authentication found out, and which headers tell the upstream.
//!
//! [`Identity`] is filled by the authenticating policy alone. [`HeaderNames`] is the set of
//! headers that only the gateway may set: what a client sent under such a name never reaches
//! an upstream, on any route.

use std::borrow::Cow;
use std::rc::Rc;

use self::consumer::Member;
use crate::policies::jwt::Verified;
use crate::policies::mtls::Presented;

pub mod consumer;
pub mod credential;
pub mod forward;
mod names;

pub use names::HeaderNames;

/// Who sent a request. Empty on a route without authentication.
///
/// All are counted per worker (`Rc`): no count is shared between cores.
#[derive(Default, Clone)]
pub struct Identity {
    /// The verified token, if the route asked for one.
    pub token: Option<Rc<Verified>>,
    /// The consumer whose API key or certificate was presented.
    pub consumer: Option<Rc<Member>>,
    /// The client's certificate, if the route asked for one. It may be one that was refused: then only logs see it.
    pub certificate: Option<Rc<Presented>>,
    /// The header line that tells the upstream what was shown behind that, if it is to be told.
    pub chain: Option<Rc<[u8]>>,
}

impl Identity {
    /// Nobody.
    pub fn clear(&mut self) {
        self.token = None;
        self.consumer = None;
        self.certificate = None;
        self.chain = None;
    }

    /// Whether nobody was authenticated.
    pub fn is_empty(&self) -> bool {
        self.token.is_none() && self.consumer.is_none() && self.certificate.is_none()
    }

    /// The `sub` of the token, or what the certificate names its holder by.
    pub fn subject(&self) -> Option<&str> {
        let of_token = self.token.as_deref().and_then(Verified::subject);
        of_token.or_else(|| self.certificate.as_deref()?.name())
    }

    /// The tenant, from token or consumer.
    pub fn tenant(&self) -> Option<&str> {
        let of_token = self.token.as_deref().and_then(Verified::tenant);
        of_token.or_else(|| self.consumer.as_deref()?.consumer.tenant.as_deref())
    }

    /// The name of the consumer.
    pub fn consumer_name(&self) -> Option<&str> {
        self.consumer.as_deref().map(|m| &*m.consumer.name)
    }

    /// The tier: the consumer's, or a token's `tier` claim.
    pub fn tier(&self) -> Option<&str> {
        let of_consumer = self
            .consumer
            .as_deref()
            .and_then(|m| m.consumer.tier.as_deref());
        of_consumer.or_else(|| self.token.as_deref()?.tier())
    }

    /// A claim of the token as text: strings as they are, numbers and booleans as JSON writes
    /// them, lists joined by commas. `name` may be a path with dots.
    pub fn claim(&self, name: &str) -> Option<Cow<'_, str>> {
        self.token.as_deref()?.claim(name)
    }

    /// Appends the header lines that tell the upstream, each `Name: value` with CRLF, encoded
    /// when the identity was established.
    pub fn forward_lines(&self, out: &mut Vec<u8>) {
        if let Some(token) = &self.token {
            out.extend_from_slice(token.forward_lines());
        }
        if let Some(member) = &self.consumer {
            out.extend_from_slice(member.forward_lines());
        }
        if let Some(certificate) = &self.certificate {
            out.extend_from_slice(certificate.forward_lines());
        }
        if let Some(chain) = &self.chain {
            out.extend_from_slice(chain);
        }
    }
}

#[cfg(test)]
mod tests;

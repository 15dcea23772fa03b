//! TLS in a snapshot: certificates, what clients must show, and what endpoints must.
//!
//! Everything is checked: a `Der` holds one object that was taken apart once already, a key belongs to
//! its certificate. What lives elsewhere: the library's own types (`engine/net`), reading and
//! checking (`resolve/tls.rs`). Invariant: no `Debug` here shows a private key.

use policy_keys::Secret;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

pub use crate::keys::listener::{TlsGroup, TlsVersion};

/// One object in its DER encoding: a certificate, a revocation list, an OCSP response. A clone
/// shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Der(Arc<[u8]>);

impl Der {
    pub(crate) fn new(bytes: &[u8]) -> Der {
        Der(bytes.into())
    }
}

impl Deref for Der {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Der {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Der({} bytes)", self.0.len())
    }
}

/// The SHA-256 over everything that decides about something: equal if, and only if, nothing changed.
pub type Digest = [u8; 32];

/// `[certificate.NAME]`: what a listener shows.
#[derive(Debug)]
pub struct Certificate {
    /// Its name.
    pub name: Arc<str>,
    /// Its index in `Snapshot::certificates`.
    pub id: u16,
    /// The certificate itself and its key.
    pub identity: Identity,
    /// The names it is shown for, in lower case: `api.example.com`, `*.example.com` for any one label
    /// before it, addresses as in a URL. May be empty: then it is shown only where it comes first.
    pub names: Vec<Arc<str>>,
    /// The OCSP response that is stapled to it.
    pub ocsp: Option<Der>,
    /// Over chain, key, names and OCSP response.
    pub digest: Digest,
}

impl Certificate {
    /// Whether it is to be shown for a host: a name without port, or an address as in a URL; in any
    /// case. A wildcard stands for one label (RFC 9525 section 6.3).
    pub fn serves(&self, host: &[u8]) -> bool {
        let host = host.strip_suffix(b".").unwrap_or(host);
        let below = host.iter().position(|byte| *byte == b'.');
        let below = below
            .filter(|dot| *dot > 0)
            .and_then(|dot| host.get(dot + 1..));
        self.names.iter().any(|name| match name.strip_prefix("*.") {
            Some(suffix) => below.is_some_and(|rest| rest.eq_ignore_ascii_case(suffix.as_bytes())),
            None => host.eq_ignore_ascii_case(name.as_bytes()),
        })
    }
}

/// A chain of certificates and the private key of the first.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificates, its own first. Never empty.
    pub chain: Vec<Der>,
    /// The private key. Invariant: it belongs to the first certificate.
    pub key: PrivateKey,
    /// The first second (Unix time) at which every certificate of the chain is good.
    pub not_before: u64,
    /// The last second (Unix time) at which every certificate of the chain is still good.
    pub not_after: u64,
}

/// A private key.
#[derive(Clone, Debug)]
pub struct PrivateKey {
    /// How `der` is laid out.
    pub form: KeyForm,
    /// What it signs with.
    pub kind: KeyKind,
    /// The key, as DER.
    pub der: Arc<Secret>,
}

/// How a private key is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// RFC 5958.
    Pkcs8,
    /// RSA alone, RFC 8017 appendix A.1.2.
    Pkcs1,
    /// Elliptic curves alone, RFC 5915.
    Sec1,
}

/// What a private key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 2048 bits or more.
    Rsa,
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// ECDSA on P-521.
    P521,
    /// Ed25519.
    Ed25519,
}

/// How a listener speaks TLS.
#[derive(Clone, Debug)]
pub struct ListenerTls {
    /// What it shows. Never empty; the first where no name fits.
    pub certificates: Vec<Arc<Certificate>>,
    /// The oldest version it speaks.
    pub min_version: TlsVersion,
    /// What keys are agreed on with, the preferred first. Never empty.
    pub groups: Vec<TlsGroup>,
    /// What clients must show; `None`: they are not asked.
    pub client: Option<ClientCertificates>,
    /// Over all of the above and the listener's protocols. What was built from them is good while this
    /// stays the same.
    pub digest: Digest,
}

/// What clients must show.
#[derive(Clone, Debug)]
pub struct ClientCertificates {
    /// Whether there is no connection without a certificate. One that is shown must verify in any case.
    pub required: bool,
    /// The authorities that it must lead to. Never empty.
    pub roots: Vec<Der>,
    /// Their revocation lists. Empty: revocation is not checked; else a certificate whose authority has
    /// no list here that still holds is refused.
    pub crls: Vec<Der>,
    /// Over all of the above. Who was let in under another one may not stay, nor resume its session.
    pub digest: Digest,
}

/// How connections to an upstream are TLS. Endpoints' certificates are always verified.
#[derive(Clone, Debug)]
pub struct UpstreamTls {
    /// The authorities that an endpoint's certificate must lead to. Never empty. Upstreams with the same ones share them.
    pub roots: Arc<[Der]>,
    /// What the gateway shows when it is asked.
    pub identity: Option<Identity>,
    /// The name that is asked for and verified, a DNS name or an address without brackets; `None`: the
    /// endpoint's host.
    pub name: Option<Arc<str>>,
    /// Over all of the above. A connection made under another one may not be used again.
    pub digest: Digest,
}

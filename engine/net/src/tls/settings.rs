//! What acceptors and connectors are made of: plain values, DER as bytes. Nothing is checked here.

use std::fmt;

use rustls_pki_types::PrivateKeyDer;
use zeroize::Zeroizing;

use super::{Alpn, Group, Version};

/// What an [`super::Acceptor`] is made of.
#[derive(Debug, Default)]
pub struct AcceptorSettings {
    /// At least one. The first, and those that share a name with it, serve clients that name no host or one that no
    /// certificate is for.
    pub certificates: Vec<Certificate>,
    /// The oldest version spoken.
    pub min_version: Version,
    /// Protocols in the order of preference; none: ALPN is not spoken. A client that offers none of them is refused
    /// (RFC 7301 section 3.2), one that speaks no ALPN is not.
    pub alpn: Vec<Alpn>,
    /// Groups for the key exchange; none: all there are.
    pub groups: Vec<Group>,
    /// Whether clients show certificates.
    pub client_auth: ClientAuth,
    /// What a session is bound to beside the host's name: a ticket made under other bytes is not taken. Put in what a
    /// resumed client must not slip past: the listener's name, the hash of client CA, CRL and mode.
    pub context: Vec<u8>,
}

/// A certificate chain with its key.
#[derive(Debug)]
pub struct Certificate {
    /// DER, the end entity's certificate first, in the order of issue.
    pub chain: Vec<Vec<u8>>,
    /// The end entity's private key.
    pub key: PrivateKey,
    /// Names it is for, `*.` for any one label; none: the DNS names that stand in it.
    pub names: Vec<String>,
    /// An OCSP response to staple (RFC 6066 section 8), DER.
    pub ocsp: Option<Vec<u8>>,
}

/// Whether clients show certificates.
#[derive(Debug, Default)]
pub enum ClientAuth {
    /// They are not asked.
    #[default]
    None,
    /// They are asked; one that shows none is served, one that shows a bad one is not.
    Optional(ClientTrust),
    /// One that shows none is refused.
    Required(ClientTrust),
}

/// Whose client certificates are trusted.
#[derive(Debug, Default)]
pub struct ClientTrust {
    /// CA certificates, DER.
    pub roots: Vec<Vec<u8>>,
    /// Revocation lists, DER. With any, each certificate below a root must be covered by one that has not expired.
    pub crls: Vec<Vec<u8>>,
}

/// What a [`super::Connector`] is made of.
#[derive(Debug, Default)]
pub struct ConnectorSettings {
    /// CA certificates that a server's chain must lead to, DER. At least one.
    pub roots: Vec<Vec<u8>>,
    /// The certificate shown to a server that asks for one. Its names and OCSP response are not used.
    pub identity: Option<Certificate>,
    /// The oldest version spoken.
    pub min_version: Version,
    /// Protocols offered, in the order of preference; none: ALPN is not spoken.
    pub alpn: Vec<Alpn>,
    /// Groups for the key exchange, a share of the first is sent; none: all there are.
    pub groups: Vec<Group>,
}

/// A private key, PKCS#1, SEC1 or PKCS#8 in DER. Wiped when dropped, never shown.
pub struct PrivateKey(Zeroizing<Vec<u8>>);

impl PrivateKey {
    /// Takes the key's DER.
    pub fn new(der: Vec<u8>) -> PrivateKey {
        PrivateKey(Zeroizing::new(der))
    }

    pub(super) fn der(&self) -> Result<PrivateKeyDer<'_>, &'static str> {
        PrivateKeyDer::try_from(self.0.as_slice())
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PrivateKey")
    }
}

//! What a handshake came to, for routes, logs and metrics: plain words.

use rustls::{CipherSuite, NamedGroup, ProtocolVersion};

/// A version of TLS that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    /// RFC 5246, with AEAD suites and ephemeral keys only.
    #[default]
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// A protocol named by ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Alpn {
    /// `h2`, RFC 9113.
    H2,
    /// `http/1.1`, RFC 9112.
    Http11,
}

/// A group of a key exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Group {
    /// X25519 with ML-KEM-768: safe against a quantum computer. Only with the aws-lc-rs provider.
    X25519MlKem768,
    /// X25519, RFC 7748.
    X25519,
    /// NIST P-256.
    P256,
    /// NIST P-384.
    P384,
}

/// What a handshake came to.
#[derive(Debug)]
pub struct Info {
    /// The version agreed on.
    pub version: Version,
    /// The cipher suite's name, as IANA writes it.
    pub suite: &'static str,
    /// The group's name; none when a TLS 1.2 session was resumed, which exchanges no keys.
    pub group: Option<&'static str>,
    /// The protocol agreed on.
    pub alpn: Option<Alpn>,
    /// The host that the client named (SNI), in lower case; as a client, the name that was verified.
    pub server_name: Option<Box<str>>,
    /// Which of the acceptor's certificates was chosen; none as a client. (One resumed shows none, but would have.)
    pub certificate: Option<u16>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// The client's certificates, DER, the end entity's first; none as a client.
    pub peer_certificates: Box<[Box<[u8]>]>,
}

impl Version {
    /// As logs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Tls12 => "TLSv1.2",
            Version::Tls13 => "TLSv1.3",
        }
    }

    pub(super) fn of(version: ProtocolVersion) -> Option<Version> {
        match version {
            ProtocolVersion::TLSv1_2 => Some(Version::Tls12),
            ProtocolVersion::TLSv1_3 => Some(Version::Tls13),
            _ => None,
        }
    }
}

impl Alpn {
    /// The name as it stands in the extension, and in a configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Alpn::H2 => "h2",
            Alpn::Http11 => "http/1.1",
        }
    }

    pub(super) fn of(name: &[u8]) -> Option<Alpn> {
        [Alpn::H2, Alpn::Http11]
            .into_iter()
            .find(|alpn| alpn.as_str().as_bytes() == name)
    }
}

impl Group {
    /// All, the preferred one first.
    pub const ALL: [Group; 4] = [
        Group::X25519MlKem768,
        Group::X25519,
        Group::P256,
        Group::P384,
    ];

    /// As logs write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Group::X25519MlKem768 => "X25519MLKEM768",
            Group::X25519 => "X25519",
            Group::P256 => "P-256",
            Group::P384 => "P-384",
        }
    }

    pub(super) fn named(self) -> NamedGroup {
        match self {
            Group::X25519MlKem768 => NamedGroup::X25519MLKEM768,
            Group::X25519 => NamedGroup::X25519,
            Group::P256 => NamedGroup::secp256r1,
            Group::P384 => NamedGroup::secp384r1,
        }
    }

    pub(super) fn of(name: NamedGroup) -> Option<Group> {
        Group::ALL.into_iter().find(|group| group.named() == name)
    }
}

/// The name of a suite that is spoken.
pub(super) fn suite_name(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        // The constants of TLS 1.2 are the names.
        other => other.as_str().unwrap_or("unknown"),
    }
}

//! Why a handshake failed, in words bounded enough for a metric's label, and what is wrong with settings.

use std::fmt;
use std::io;

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use crate::{Buffer, Conn};

/// A handshake that failed. The peer was told by an alert where TLS has one, and the connection is closed.
pub struct HandshakeError {
    /// Why, for a metric's label.
    pub reason: Reason,
    /// Why, for a log.
    pub detail: String,
    plain: Option<Box<(Conn, Buffer)>>,
}

/// Why a handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No version in common.
    NoSharedVersion,
    /// No cipher suite, group or signature scheme in common.
    NoSharedCipher,
    /// None of the application protocols in common (ALPN).
    NoSharedProtocol,
    /// The peer's certificate is not acceptable, for a reason that has no word of its own.
    BadCertificate,
    /// The peer's certificate was issued by nobody who is trusted.
    UnknownIssuer,
    /// The peer's certificate has expired or is not valid yet.
    Expired,
    /// The peer's certificate has been revoked.
    Revoked,
    /// Whether the peer's certificate has been revoked can't be told: no list, or an expired one.
    RevocationUnknown,
    /// The server's certificate is for another name.
    WrongName,
    /// The client showed no certificate where one is required.
    ClientCertificateRequired,
    /// The peer refused our certificate.
    CertificateRefused,
    /// The peer gave up with another alert.
    PeerAlert,
    /// What came was not TLS, or broke its rules.
    Protocol,
    /// The client spoke HTTP: see [`HandshakeError::take_plain`].
    PlainHttp,
    /// The peer closed the connection, or it broke.
    Closed,
    /// It took too long. Said by whoever holds the deadline.
    Timeout,
    /// Our own fault: no randomness, no clock, a name that is none.
    Internal,
}

impl Reason {
    /// All there are: the values of the label.
    pub const ALL: [Reason; 17] = [
        Reason::NoSharedVersion,
        Reason::NoSharedCipher,
        Reason::NoSharedProtocol,
        Reason::BadCertificate,
        Reason::UnknownIssuer,
        Reason::Expired,
        Reason::Revoked,
        Reason::RevocationUnknown,
        Reason::WrongName,
        Reason::ClientCertificateRequired,
        Reason::CertificateRefused,
        Reason::PeerAlert,
        Reason::Protocol,
        Reason::PlainHttp,
        Reason::Closed,
        Reason::Timeout,
        Reason::Internal,
    ];

    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NoSharedVersion => "no_shared_version",
            Reason::NoSharedCipher => "no_shared_cipher",
            Reason::NoSharedProtocol => "no_shared_protocol",
            Reason::BadCertificate => "bad_certificate",
            Reason::UnknownIssuer => "unknown_issuer",
            Reason::Expired => "expired",
            Reason::Revoked => "revoked",
            Reason::RevocationUnknown => "revocation_unknown",
            Reason::WrongName => "wrong_name",
            Reason::ClientCertificateRequired => "client_certificate_required",
            Reason::CertificateRefused => "certificate_refused",
            Reason::PeerAlert => "peer_alert",
            Reason::Protocol => "protocol",
            Reason::PlainHttp => "plain_http",
            Reason::Closed => "closed",
            Reason::Timeout => "timeout",
            Reason::Internal => "internal",
        }
    }

    fn of(error: &Error) -> Reason {
        match error {
            Error::NoCertificatesPresented => Reason::ClientCertificateRequired,
            Error::NoApplicationProtocol => Reason::NoSharedProtocol,
            Error::InvalidCertificate(error) => Reason::of_certificate(error),
            Error::PeerIncompatible(error) => Reason::of_incompatible(error),
            Error::AlertReceived(alert) => Reason::of_alert(*alert),
            Error::General(_)
            | Error::FailedToGetCurrentTime
            | Error::FailedToGetRandomBytes
            | Error::EncryptError
            | Error::HandshakeNotComplete => Reason::Internal,
            _ => Reason::Protocol,
        }
    }

    fn of_certificate(error: &CertificateError) -> Reason {
        match error {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Reason::Expired,
            CertificateError::Revoked => Reason::Revoked,
            CertificateError::UnknownIssuer => Reason::UnknownIssuer,
            CertificateError::UnknownRevocationStatus
            | CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => Reason::RevocationUnknown,
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
                Reason::WrongName
            }
            _ => Reason::BadCertificate,
        }
    }

    fn of_incompatible(error: &PeerIncompatible) -> Reason {
        match error {
            PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoEcPointFormatsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NoCertificateRequestSignatureSchemesInCommon => {
                Reason::NoSharedCipher
            }
            // Only hellos of TLS 1.1 and before lack the signature algorithms.
            PeerIncompatible::SignatureAlgorithmsExtensionRequired
            | PeerIncompatible::ServerDoesNotSupportTls12Or13
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired
            | PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled => Reason::NoSharedVersion,
            _ => Reason::Protocol,
        }
    }

    fn of_alert(alert: AlertDescription) -> Reason {
        match alert {
            AlertDescription::ProtocolVersion => Reason::NoSharedVersion,
            AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
                Reason::NoSharedCipher
            }
            AlertDescription::NoApplicationProtocol => Reason::NoSharedProtocol,
            AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateRequired => Reason::CertificateRefused,
            AlertDescription::CloseNotify | AlertDescription::UserCanceled => Reason::Closed,
            _ => Reason::PeerAlert,
        }
    }
}

impl HandshakeError {
    pub(super) fn new(reason: Reason, detail: impl Into<String>) -> HandshakeError {
        HandshakeError {
            reason,
            detail: detail.into(),
            plain: None,
        }
    }

    pub(super) fn with_plain(mut self, conn: Conn, read: Buffer) -> HandshakeError {
        self.plain = Some(Box::new((conn, read)));
        self
    }

    /// After [`Reason::PlainHttp`], once: the connection, still open, and what was read from it. It may be answered in
    /// plain HTTP.
    pub fn take_plain(&mut self) -> Option<(Conn, Buffer)> {
        self.plain.take().map(|plain| *plain)
    }
}

impl From<&Error> for HandshakeError {
    fn from(error: &Error) -> HandshakeError {
        HandshakeError::new(Reason::of(error), error.to_string())
    }
}

impl From<io::Error> for HandshakeError {
    fn from(error: io::Error) -> HandshakeError {
        HandshakeError::new(Reason::Closed, error.to_string())
    }
}

impl fmt::Debug for HandshakeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.reason.as_str(), self.detail)
    }
}

impl std::error::Error for HandshakeError {}

/// What is wrong with settings.
#[derive(Debug, PartialEq, Eq)]
pub struct SettingsError {
    /// Which certificate it is about.
    pub certificate: Option<usize>,
    /// What is wrong.
    pub what: String,
}

impl SettingsError {
    pub(super) fn new(what: impl fmt::Display) -> SettingsError {
        SettingsError {
            certificate: None,
            what: what.to_string(),
        }
    }

    pub(super) fn of(certificate: usize, what: impl fmt::Display) -> SettingsError {
        SettingsError {
            certificate: Some(certificate),
            what: what.to_string(),
        }
    }
}

impl fmt::Display for SettingsError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.certificate {
            Some(at) => write!(out, "certificate {}: {}", at + 1, self.what),
            None => out.write_str(&self.what),
        }
    }
}

impl std::error::Error for SettingsError {}

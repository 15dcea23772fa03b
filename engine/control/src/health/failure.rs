//! Why a check was not good: a word for the metric, where its labels are bounded, and a clause for people.

use std::fmt;
use std::io;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error as TlsError};

/// Why a check was not good.
#[derive(Debug)]
pub(super) struct Failure {
    /// For the metric. Where requests fail alike, the word is that of `gateway_backend_errors_total`.
    pub(super) word: &'static str,
    why: String,
}

impl Failure {
    pub(super) fn new(word: &'static str, why: impl Into<String>) -> Failure {
        let why = why.into();
        Failure { word, why }
    }

    /// No connection came about.
    pub(super) fn connecting(error: &io::Error) -> Failure {
        let why = match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            _ => format!("can't connect: {error}"),
        };
        Failure::new("connection_refused", why)
    }

    /// A connection broke while something was written to it or read from it.
    pub(super) fn broken(error: &dyn std::error::Error) -> Failure {
        Failure::new(
            "connection_terminated",
            format!("the connection broke: {error}"),
        )
    }

    /// A TLS handshake failed.
    pub(super) fn handshake(error: &io::Error) -> Failure {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        let Some(inner) = inner else {
            let why = format!("the connection broke in the TLS handshake: {error}");
            return Failure::new("upstream_tls_closed", why);
        };
        let word = match inner {
            TlsError::InvalidCertificate(certificate) => return Failure::certificate(certificate),
            TlsError::NoApplicationProtocol => "upstream_tls_no_shared_protocol",
            TlsError::AlertReceived(alert) => alert_word(*alert),
            TlsError::PeerIncompatible(_) => "upstream_tls_nothing_in_common",
            _ => "upstream_tls_failed",
        };
        Failure::new(word, format!("the TLS handshake failed: {inner}"))
    }

    fn certificate(error: &CertificateError) -> Failure {
        use CertificateError as E;
        let (word, why) = match error {
            E::Expired | E::ExpiredContext { .. } => ("upstream_tls_expired", "has run out"),
            E::NotValidYet | E::NotValidYetContext { .. } => {
                ("upstream_tls_expired", "is not good yet")
            }
            E::UnknownIssuer => (
                "upstream_tls_unknown_issuer",
                "leads to no authority that is trusted",
            ),
            E::NotValidForName | E::NotValidForNameContext { .. } => {
                ("upstream_tls_wrong_name", "is for another name")
            }
            _ => {
                let why = format!("its certificate can't be accepted: {error}");
                return Failure::new("upstream_tls_bad_certificate", why);
            }
        };
        Failure::new(word, format!("its certificate {why}"))
    }
}

/// What the other side gave up for.
fn alert_word(alert: AlertDescription) -> &'static str {
    use AlertDescription as A;
    match alert {
        A::BadCertificate
        | A::UnsupportedCertificate
        | A::CertificateRevoked
        | A::CertificateExpired
        | A::CertificateUnknown
        | A::UnknownCA
        | A::AccessDenied
        | A::CertificateRequired => "upstream_tls_certificate_refused",
        A::HandshakeFailure | A::ProtocolVersion | A::InsufficientSecurity => {
            "upstream_tls_nothing_in_common"
        }
        A::NoApplicationProtocol => "upstream_tls_no_shared_protocol",
        _ => "upstream_tls_failed",
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Some of it may be a peer's.
        for one in self.why.chars().take(MOST) {
            match one.is_control() {
                true => f.write_str("\u{fffd}")?,
                false => write!(f, "{one}")?,
            }
        }
        Ok(())
    }
}

/// Characters of a clause.
const MOST: usize = 300;

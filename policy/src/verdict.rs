//! What a policy answers: go on, or refuse with a reason.
//!
//! The texts of every refusal that a policy can utter stand here, once; how they are put on
//! the wire (problem document, headers) is the worker's `reply`. Nothing here echoes what a
//! client sent.

use std::sync::Arc;

use crate::limit::Rule;

/// The outcome of a policy, or of the whole chain.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// Nothing against it.
    Continue,
    /// The request is answered here and never reaches an upstream.
    Reply(Refusal),
}

impl Verdict {
    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Verdict::Continue => None,
            Verdict::Reply(refusal) => Some(refusal),
        }
    }
}

impl From<RefusalKind> for Verdict {
    fn from(kind: RefusalKind) -> Verdict {
        Verdict::Reply(Refusal::from(kind))
    }
}

/// A refused request: why, and whether the audit log must hear of it.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// Why.
    pub kind: RefusalKind,
    /// True for failures of authentication and authorisation. Denied addresses and used-up
    /// limits are in the access log and the metrics only: the audit log makes a client wait
    /// for a slot, and those refusals must stay the cheapest ones.
    pub audit: bool,
}

impl From<RefusalKind> for Refusal {
    fn from(kind: RefusalKind) -> Refusal {
        let audit = !matches!(
            kind,
            RefusalKind::AddressDenied | RefusalKind::RateLimited { .. }
        );
        Refusal { kind, audit }
    }
}

/// How a client was expected to present its credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// A bearer token (RFC 6750).
    Bearer,
    /// An API key in a header or query parameter.
    ApiKey,
    /// A certificate of the TLS connection (RFC 8446 section 4.4.2).
    ClientCertificate,
}

impl Scheme {
    /// The name of the scheme in `WWW-Authenticate`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Bearer => "Bearer",
            Scheme::ApiKey => "ApiKey",
            // None is registered for certificates, and a 401 must have a challenge (RFC 9110 section 15.5.2).
            Scheme::ClientCertificate => "ClientCertificate",
        }
    }
}

/// Why a request is refused.
#[derive(Debug, Clone)]
pub enum RefusalKind {
    /// No credentials at all.
    MissingCredentials {
        /// The scheme that was expected.
        scheme: Scheme,
    },
    /// Credentials that do not hold.
    InvalidCredentials {
        /// The scheme they were presented in.
        scheme: Scheme,
        /// A machine word for log and metric, such as `bad_signature`.
        reason: &'static str,
    },
    /// A token past its `exp`.
    ExpiredToken,
    /// An API key whose consumer has expired.
    ExpiredKey,
    /// Authenticated, but without a scope that the route requires.
    InsufficientScope {
        /// All scopes that the route requires, separated by spaces.
        scope: Arc<str>,
    },
    /// Authenticated, but without a role that the route requires.
    MissingRole,
    /// Authenticated, but without a claim (or its value) that the route requires.
    MissingClaim,
    /// The certificate holds, but its holder has no business here.
    CertificateNotAllowed,
    /// The address is not allowed here.
    AddressDenied,
    /// A limit is used up.
    RateLimited {
        /// Which one.
        limit: Arc<Rule>,
        /// Whole seconds after which a request can be admitted again, at least 1.
        retry_after: u64,
    },
}

impl RefusalKind {
    /// The status code of the answer.
    pub fn status(&self) -> u16 {
        match self {
            RefusalKind::MissingCredentials { .. }
            | RefusalKind::InvalidCredentials { .. }
            | RefusalKind::ExpiredToken
            | RefusalKind::ExpiredKey => 401,
            RefusalKind::InsufficientScope { .. }
            | RefusalKind::MissingRole
            | RefusalKind::MissingClaim
            | RefusalKind::CertificateNotAllowed
            | RefusalKind::AddressDenied => 403,
            RefusalKind::RateLimited { limit, .. } => limit.status,
        }
    }

    /// The `title` of the problem document: the phrase of the status code.
    pub fn title(&self) -> &'static str {
        match self.status() {
            401 => "Unauthorized",
            403 => "Forbidden",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            _ => "Refused",
        }
    }

    /// The `detail` of the problem document: one sentence for a person.
    pub fn detail(&self) -> &'static str {
        use Scheme::{ApiKey, Bearer, ClientCertificate};
        match self {
            RefusalKind::MissingCredentials { scheme: Bearer } => {
                "This resource needs a bearer token and the request carries none."
            }
            RefusalKind::MissingCredentials { scheme: ApiKey } => {
                "This resource needs an API key and the request carries none."
            }
            RefusalKind::MissingCredentials {
                scheme: ClientCertificate,
            } => "This resource needs a client certificate and the connection has shown none.",
            RefusalKind::InvalidCredentials { scheme: Bearer, .. } => {
                "The bearer token is malformed, not yet valid, or not trusted here."
            }
            RefusalKind::InvalidCredentials { scheme: ApiKey, .. } => {
                "The API key is not known here."
            }
            RefusalKind::InvalidCredentials {
                scheme: ClientCertificate,
                ..
            } => "The client certificate is not accepted, or is not any more.",
            RefusalKind::ExpiredToken => "The bearer token has expired.",
            RefusalKind::ExpiredKey => "The API key has expired.",
            RefusalKind::InsufficientScope { .. } => {
                "The credentials do not carry a scope that this resource requires."
            }
            RefusalKind::MissingRole => {
                "The credentials do not carry a role that this resource requires."
            }
            RefusalKind::MissingClaim => {
                "The credentials do not carry a claim that this resource requires."
            }
            RefusalKind::CertificateNotAllowed => {
                "The client certificate does not give access to this resource."
            }
            RefusalKind::AddressDenied => {
                "Requests from this address are not allowed to reach this resource."
            }
            RefusalKind::RateLimited { .. } => {
                "A request limit is used up; try again after the time given in Retry-After."
            }
        }
    }

    /// The short text that simple clients read (`error` of the problem document).
    pub fn error(&self) -> &'static str {
        use Scheme::{ApiKey, Bearer, ClientCertificate};
        match self {
            RefusalKind::MissingCredentials { scheme: Bearer } => "Missing authorization token",
            RefusalKind::MissingCredentials { scheme: ApiKey } => "Missing API key",
            RefusalKind::MissingCredentials {
                scheme: ClientCertificate,
            } => "Missing client certificate",
            RefusalKind::InvalidCredentials { scheme: Bearer, .. } => "Invalid token",
            RefusalKind::InvalidCredentials { scheme: ApiKey, .. } => "Invalid API key",
            RefusalKind::InvalidCredentials {
                scheme: ClientCertificate,
                ..
            } => "Invalid client certificate",
            RefusalKind::ExpiredToken => "Token expired",
            RefusalKind::ExpiredKey => "API key expired",
            RefusalKind::InsufficientScope { .. }
            | RefusalKind::MissingRole
            | RefusalKind::MissingClaim => "Insufficient permissions",
            RefusalKind::CertificateNotAllowed => "Client certificate not allowed",
            RefusalKind::AddressDenied => "Address not allowed",
            RefusalKind::RateLimited { .. } => "Too many requests",
        }
    }

    /// The machine word for log, metric label and `Proxy-Status`. A closed set: nothing that
    /// a client sends can widen it.
    pub fn cause(&self) -> &'static str {
        match self {
            RefusalKind::MissingCredentials {
                scheme: Scheme::ClientCertificate,
            } => "client_certificate_required",
            RefusalKind::MissingCredentials { .. } => "missing_credentials",
            RefusalKind::InvalidCredentials { reason, .. } => reason,
            RefusalKind::ExpiredToken => "token_expired",
            RefusalKind::ExpiredKey => "key_expired",
            RefusalKind::InsufficientScope { .. } => "insufficient_scope",
            RefusalKind::MissingRole => "missing_role",
            RefusalKind::MissingClaim => "missing_claim",
            RefusalKind::CertificateNotAllowed => "client_certificate_not_allowed",
            RefusalKind::AddressDenied => "address_denied",
            RefusalKind::RateLimited { .. } => "rate_limited",
        }
    }

    /// Appends the value of `WWW-Authenticate` (RFC 9110 section 11.6.1, RFC 6750 section 3)
    /// and says whether there is one. A request without credentials gets no error code
    /// (RFC 6750 section 3.1).
    pub fn www_authenticate(&self, out: &mut Vec<u8>, realm: &str) -> bool {
        match self {
            RefusalKind::MissingCredentials { scheme } => {
                challenge(out, *scheme, realm);
            }
            RefusalKind::InvalidCredentials { scheme, .. } => {
                challenge(out, *scheme, realm);
                if *scheme == Scheme::Bearer {
                    out.extend_from_slice(
                        b", error=\"invalid_token\", error_description=\"The token is not valid\"",
                    );
                }
            }
            RefusalKind::ExpiredToken => {
                challenge(out, Scheme::Bearer, realm);
                out.extend_from_slice(
                    b", error=\"invalid_token\", error_description=\"The token has expired\"",
                );
            }
            RefusalKind::ExpiredKey => challenge(out, Scheme::ApiKey, realm),
            RefusalKind::InsufficientScope { scope } => {
                challenge(out, Scheme::Bearer, realm);
                out.extend_from_slice(b", error=\"insufficient_scope\", scope=\"");
                quoted(out, scope);
                out.push(b'"');
            }
            _ => return false,
        }
        true
    }
}

/// `Bearer realm="…"`.
fn challenge(out: &mut Vec<u8>, scheme: Scheme, realm: &str) {
    out.extend_from_slice(scheme.as_str().as_bytes());
    out.extend_from_slice(b" realm=\"");
    quoted(out, realm);
    out.push(b'"');
}

/// The inside of a quoted-string (RFC 9110 section 5.6.4). Control bytes are left out.
fn quoted(out: &mut Vec<u8>, text: &str) {
    for &byte in text.as_bytes() {
        if byte == b'"' || byte == b'\\' {
            out.push(b'\\');
        }
        if byte >= 0x20 && byte != 0x7f {
            out.push(byte);
        }
    }
}

#[cfg(test)]
mod tests;

//! The texts of refusals.

use super::*;

fn challenge_of(kind: &RefusalKind, realm: &str) -> Option<String> {
    let mut out = Vec::new();
    kind.www_authenticate(&mut out, realm)
        .then(|| String::from_utf8(out).unwrap())
}

const BEARER: Scheme = Scheme::Bearer;

#[test]
fn short_texts_are_those_simple_clients_read() {
    let reason = "bad_signature";
    let certificate = Scheme::ClientCertificate;
    let cases: [(RefusalKind, u16, &str, &str); 11] = [
        (
            RefusalKind::MissingCredentials { scheme: BEARER },
            401,
            "Missing authorization token",
            "missing_credentials",
        ),
        (
            RefusalKind::InvalidCredentials {
                scheme: BEARER,
                reason,
            },
            401,
            "Invalid token",
            reason,
        ),
        (
            RefusalKind::ExpiredToken,
            401,
            "Token expired",
            "token_expired",
        ),
        (
            RefusalKind::MissingCredentials {
                scheme: Scheme::ApiKey,
            },
            401,
            "Missing API key",
            "missing_credentials",
        ),
        (
            RefusalKind::MissingCredentials {
                scheme: certificate,
            },
            401,
            "Missing client certificate",
            "client_certificate_required",
        ),
        (
            RefusalKind::InvalidCredentials {
                scheme: certificate,
                reason,
            },
            401,
            "Invalid client certificate",
            reason,
        ),
        (
            RefusalKind::CertificateNotAllowed,
            403,
            "Client certificate not allowed",
            "client_certificate_not_allowed",
        ),
        (
            RefusalKind::InsufficientScope { scope: "a".into() },
            403,
            "Insufficient permissions",
            "insufficient_scope",
        ),
        (
            RefusalKind::MissingRole,
            403,
            "Insufficient permissions",
            "missing_role",
        ),
        (
            RefusalKind::MissingClaim,
            403,
            "Insufficient permissions",
            "missing_claim",
        ),
        (
            RefusalKind::AddressDenied,
            403,
            "Address not allowed",
            "address_denied",
        ),
    ];
    for (kind, status, error, cause) in cases {
        assert_eq!(
            (kind.status(), kind.error(), kind.cause()),
            (status, error, cause)
        );
        assert!(kind.detail().ends_with('.'));
    }
}

#[test]
fn challenges_follow_rfc_6750_section_3() {
    let missing = RefusalKind::MissingCredentials { scheme: BEARER };
    assert_eq!(
        challenge_of(&missing, "users").as_deref(),
        Some("Bearer realm=\"users\"")
    );
    let invalid = RefusalKind::InvalidCredentials {
        scheme: BEARER,
        reason: "bad_signature",
    };
    assert_eq!(
        challenge_of(&invalid, "users").as_deref(),
        Some(
            "Bearer realm=\"users\", error=\"invalid_token\", \
             error_description=\"The token is not valid\""
        )
    );
    assert_eq!(
        challenge_of(&RefusalKind::ExpiredToken, "users").as_deref(),
        Some(
            "Bearer realm=\"users\", error=\"invalid_token\", \
             error_description=\"The token has expired\""
        )
    );
    let scope = "read write".into();
    assert_eq!(
        challenge_of(&RefusalKind::InsufficientScope { scope }, "users").as_deref(),
        Some("Bearer realm=\"users\", error=\"insufficient_scope\", scope=\"read write\"")
    );
    assert_eq!(challenge_of(&RefusalKind::AddressDenied, "users"), None);
    assert_eq!(challenge_of(&RefusalKind::MissingRole, "users"), None);
}

#[test]
fn a_realm_cannot_break_out_of_its_quotes() {
    let missing = RefusalKind::MissingCredentials {
        scheme: Scheme::ApiKey,
    };
    assert_eq!(
        challenge_of(&missing, "a\"b\\c\r\nd").as_deref(),
        Some("ApiKey realm=\"a\\\"b\\\\cd\"")
    );
}

#[test]
fn credentials_are_audited_addresses_are_not() {
    assert!(Refusal::from(RefusalKind::ExpiredToken).audit);
    assert!(Refusal::from(RefusalKind::MissingRole).audit);
    assert!(!Refusal::from(RefusalKind::AddressDenied).audit);
}

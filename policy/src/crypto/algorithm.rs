//! The signature algorithms (RFC 7518 section 3.1, RFC 8037) and what each asks of its key.

/// An algorithm that a token may be signed with. `none` is not among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of RFC 7518 and RFC 8037")]
pub enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

/// The kind of key that an algorithm needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// A shared secret.
    Hmac,
    /// An RSA public key, both paddings.
    Rsa,
    /// A point on P-256 (ES256).
    P256,
    /// A point on P-384 (ES384).
    P384,
    /// An Ed25519 public key.
    Ed25519,
}

impl Algorithm {
    /// All of them.
    pub const ALL: [Algorithm; 12] = [
        Algorithm::Hs256,
        Algorithm::Hs384,
        Algorithm::Hs512,
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::EdDsa,
    ];

    /// The algorithm of this name, compared exactly (RFC 7515 section 4.1.1).
    pub fn parse(name: &str) -> Option<Algorithm> {
        Algorithm::ALL.into_iter().find(|a| a.as_str() == name)
    }

    /// The name in `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Hs256 => "HS256",
            Algorithm::Hs384 => "HS384",
            Algorithm::Hs512 => "HS512",
            Algorithm::Rs256 => "RS256",
            Algorithm::Rs384 => "RS384",
            Algorithm::Rs512 => "RS512",
            Algorithm::Ps256 => "PS256",
            Algorithm::Ps384 => "PS384",
            Algorithm::Ps512 => "PS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::EdDsa => "EdDSA",
        }
    }

    /// The kind of key it needs.
    pub fn family(self) -> Family {
        match self {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => Family::Hmac,
            Algorithm::Es256 => Family::P256,
            Algorithm::Es384 => Family::P384,
            Algorithm::EdDsa => Family::Ed25519,
            _ => Family::Rsa,
        }
    }

    /// Fewest bytes of a shared secret: those of the hash (RFC 7518 section 3.2). 0 for the
    /// other families.
    pub fn min_secret(self) -> usize {
        match self {
            Algorithm::Hs256 => 32,
            Algorithm::Hs384 => 48,
            Algorithm::Hs512 => 64,
            _ => 0,
        }
    }

    /// The name by which jsonwebtoken knows it; none for HMAC, which is ring's.
    pub(super) fn theirs(self) -> Option<jsonwebtoken::Algorithm> {
        use jsonwebtoken::Algorithm as Theirs;
        Some(match self {
            Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => return None,
            Algorithm::Rs256 => Theirs::RS256,
            Algorithm::Rs384 => Theirs::RS384,
            Algorithm::Rs512 => Theirs::RS512,
            Algorithm::Ps256 => Theirs::PS256,
            Algorithm::Ps384 => Theirs::PS384,
            Algorithm::Ps512 => Theirs::PS512,
            Algorithm::Es256 => Theirs::ES256,
            Algorithm::Es384 => Theirs::ES384,
            Algorithm::EdDsa => Theirs::EdDSA,
        })
    }
}

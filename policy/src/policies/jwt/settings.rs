//! What the operator says about tokens, and what follows from it for the algorithms.

use std::sync::Arc;
use std::time::Duration;

use super::jwks::Jwk;
use crate::crypto::Algorithm;
use crate::identity::credential::Source;
use crate::identity::forward::ForwardClaim;
use crate::policies::slots::{Fingerprint, Fingerprinter};

/// What a verifier is made from.
#[derive(Clone)]
pub struct Settings {
    /// The name of the `[auth.NAME]`.
    pub name: Arc<str>,
    /// The exact `iss`; `None`: any or none.
    pub issuer: Option<String>,
    /// One of these must be in `aud`; empty: any or none.
    pub audiences: Vec<String>,
    /// The algorithms that are accepted; empty: every one that some key fits, but HMAC only
    /// with `secret`.
    pub algorithms: Vec<Algorithm>,
    /// The bytes of a JWK Set.
    pub jwks: Option<Vec<u8>>,
    /// A shared secret.
    pub secret: Option<Vec<u8>>,
    /// How far clocks may differ.
    pub leeway: Duration,
    /// Claims that must be there; `exp` unless the operator says otherwise.
    pub required_claims: Vec<String>,
    /// Where tokens are looked for, in this order; empty: `Authorization: Bearer`.
    pub token_from: Vec<Source>,
    /// How many verified tokens each worker remembers; 0: none.
    pub cache: usize,
    /// What the upstream is told; `None`: `sub` as `X-User-ID`, `tenant` as `X-Tenant-ID`.
    pub forward_claims: Option<Vec<ForwardClaim>>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            name: "jwt".into(),
            issuer: None,
            audiences: Vec::new(),
            algorithms: Vec::new(),
            jwks: None,
            secret: None,
            leeway: Duration::ZERO,
            required_claims: vec!["exp".to_owned()],
            token_from: Vec::new(),
            cache: 4096,
            forward_claims: None,
        }
    }
}

impl Settings {
    /// The algorithms to accept, each checked to fit some key.
    pub(super) fn accepted(&self, keys: &[Jwk]) -> Result<Vec<Algorithm>, String> {
        let usable = |algorithm: Algorithm| keys.iter().any(|key| key.allows(algorithm));
        if self.algorithms.is_empty() {
            let default = |algorithm: &Algorithm| {
                usable(*algorithm) && (algorithm.min_secret() == 0 || self.secret.is_some())
            };
            let algorithms: Vec<_> = Algorithm::ALL.into_iter().filter(default).collect();
            if algorithms.is_empty() {
                return Err("the keys fit no algorithm by default: name `algorithms`".to_owned());
            }
            return Ok(algorithms);
        }
        for &algorithm in &self.algorithms {
            if !usable(algorithm) {
                let name = algorithm.as_str();
                return Err(match algorithm.min_secret() {
                    0 => format!("no key can verify {name}"),
                    bytes => format!("no secret is long enough for {name}: it needs {bytes} bytes"),
                });
            }
        }
        Ok(self.algorithms.clone())
    }

    /// Digests everything that decides whether a token is accepted and what is made of it.
    pub(super) fn fingerprint(&self) -> Fingerprint {
        let bytes = |texts: &'_ [String]| -> Vec<Vec<u8>> {
            texts.iter().map(|text| text.clone().into_bytes()).collect()
        };
        let lists = [
            bytes(&self.audiences),
            bytes(&self.required_claims),
            self.algorithms
                .iter()
                .map(|algorithm| algorithm.as_str().into())
                .collect(),
        ];
        let mut parts = Fingerprinter::default();
        parts
            .part(self.name.as_bytes())
            .optional(self.issuer.as_deref().map(str::as_bytes))
            .optional(self.jwks.as_deref())
            .optional(self.secret.as_deref())
            .part(&self.leeway.as_nanos().to_be_bytes())
            .part(&self.cache.to_be_bytes());
        for list in &lists {
            parts.parts(list.iter().map(Vec::as_slice));
        }
        if let Some(forward) = &self.forward_claims {
            let pairs = forward.iter().flat_map(|f| [&f.claim, &f.header]);
            parts.parts(pairs.map(|text| text.as_bytes()));
        }
        parts.finish()
    }
}

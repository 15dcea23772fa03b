//! The cryptography: which library, which suites, which groups. The choice of the library is one line here.

use std::sync::{Arc, LazyLock};

use rustls::CipherSuite;
use rustls::crypto::{CryptoProvider, SupportedKxGroup};

use super::Group;

#[cfg(feature = "aws-lc-rs")]
pub(super) use {aws_lc_rs as primitives, rustls::crypto::aws_lc_rs as chosen};
#[cfg(not(feature = "aws-lc-rs"))]
pub(super) use {ring as primitives, rustls::crypto::ring as chosen};

/// With all its groups.
static ALL: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(with(&Group::ALL)));

/// The provider with these groups, in this order; with none given, all. Suites are those of rustls (AEAD and ephemeral
/// keys only), AES with 128 bits first: as safe for a session's length, and a handshake under SHA-256, for which
/// processors have instructions, takes a tenth less than one under SHA-384.
pub(super) fn provider(groups: &[Group]) -> Arc<CryptoProvider> {
    match groups {
        [] => Arc::clone(&ALL),
        groups => Arc::new(with(groups)),
    }
}

fn with(groups: &[Group]) -> CryptoProvider {
    let mut provider = CryptoProvider {
        kx_groups: groups.iter().filter_map(|group| offered(*group)).collect(),
        ..chosen::default_provider()
    };
    provider
        .cipher_suites
        .sort_by_key(|suite| rank(suite.suite()));
    provider
}

/// Where a suite stands among those for the same version and kind of key.
fn rank(suite: CipherSuite) -> u8 {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 => 0,
        CipherSuite::TLS13_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
        | CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384 => 1,
        _ => 2,
    }
}

/// The group, if the library has it.
fn offered(group: Group) -> Option<&'static dyn SupportedKxGroup> {
    let all = chosen::ALL_KX_GROUPS.iter().copied();
    all.into_iter().find(|it| it.name() == group.named())
}

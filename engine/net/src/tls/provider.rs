//! The cryptography: which library, which suites, which groups. The choice of the library is one line here.

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, SupportedKxGroup};

use super::Group;

#[cfg(feature = "aws-lc-rs")]
pub(super) use {aws_lc_rs as primitives, rustls::crypto::aws_lc_rs as chosen};
#[cfg(not(feature = "aws-lc-rs"))]
pub(super) use {ring as primitives, rustls::crypto::ring as chosen};

/// With all its groups.
static ALL: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(with(&Group::ALL)));

/// The provider with these groups, in this order; with none given, all. Suites are those of rustls: AEAD and ephemeral
/// keys only, the client's order is respected.
pub(super) fn provider(groups: &[Group]) -> Arc<CryptoProvider> {
    match groups {
        [] => Arc::clone(&ALL),
        groups => Arc::new(with(groups)),
    }
}

fn with(groups: &[Group]) -> CryptoProvider {
    CryptoProvider {
        kx_groups: groups.iter().filter_map(|group| offered(*group)).collect(),
        ..chosen::default_provider()
    }
}

/// The group, if the library has it.
fn offered(group: Group) -> Option<&'static dyn SupportedKxGroup> {
    let all = chosen::ALL_KX_GROUPS.iter().copied();
    all.into_iter().find(|it| it.name() == group.named())
}

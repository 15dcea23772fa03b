//! Holding in common what two snapshots say alike.
//!
//! Invariant: a snapshot means the same before and after.

use super::{Snapshot, UpstreamTls};
use std::sync::Arc;

impl Snapshot {
    /// Takes over from an earlier snapshot what takes room and has not changed, so that while both are held, and after, it
    /// is there once: how upstreams' connections are TLS, or at least their authorities.
    pub fn share(&mut self, earlier: &Snapshot) {
        let before: Vec<&Arc<UpstreamTls>> =
            earlier.upstreams.iter().flat_map(|it| &it.tls).collect();
        for tls in self.upstreams.iter_mut().flat_map(|it| &mut it.tls) {
            if let Some(same) = before.iter().find(|it| it.digest == tls.digest) {
                *tls = Arc::clone(same);
            } else if let Some(same) = before.iter().find(|it| it.roots == tls.roots)
                && let Some(tls) = Arc::get_mut(tls)
            {
                tls.roots = Arc::clone(&same.roots);
            }
        }
    }
}

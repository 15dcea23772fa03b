//! Whom an upstream's endpoints must be vouched for by: the authorities of `tls_ca`, or else the system's.
//!
//! Invariant: the system's are looked for at most once while a configuration is loaded, and only when one
//! needs them; equal lists are one list in memory.

use crate::resolve::Resolver;
use crate::said::Block;
use crate::snapshot::Der;
use crate::x509;
use policy_keys::Mismatch;
use std::sync::Arc;

/// The authorities that this configuration has read.
#[derive(Default)]
pub(in crate::resolve) struct Roots {
    known: Vec<Arc<[Der]>>,
    /// `None`: not looked for yet; then what was found, if it can be used.
    system: Option<Option<Arc<[Der]>>>,
}

impl Roots {
    /// The list, or one that was there before and is equal to it.
    fn shared(&mut self, roots: Vec<Der>) -> Arc<[Der]> {
        if let Some(known) = self.known.iter().find(|known| ***known == *roots) {
            return Arc::clone(known);
        }
        let roots: Arc<[Der]> = roots.into();
        self.known.push(Arc::clone(&roots));
        roots
    }
}

impl Resolver<'_, '_> {
    /// Those of the file that `tls_ca` names, or the system's. `None` after an error.
    pub(super) fn roots(&mut self, block: &Block, file: Option<String>) -> Option<Arc<[Der]>> {
        if let Some(file) = file {
            let roots = self.authorities(block, "tls_ca", &file)?;
            return Some(self.roots.shared(roots));
        }
        if block.entries.contains_key("tls_ca") {
            return None; // What is wrong with it has been told.
        }
        if self.roots.system.is_none() {
            let found = self.system().map_err(|what| {
                let hint = "tls_ca = \"FILE\" names authorities of your own";
                self.wrong(block, "tls", Mismatch::new(what).hint(hint));
            });
            self.roots.system = Some(found.ok().map(|roots| self.roots.shared(roots)));
        }
        self.roots.system.clone().flatten()
    }

    /// The system's authorities, without those that verifying could not use: nobody here can mend them.
    fn system(&mut self) -> Result<Vec<Der>, String> {
        let (file, bytes) = match self.outside.environment.get(VARIABLE) {
            Some(file) if !file.is_empty() => {
                let read = self.outside.file("".as_ref(), file);
                let read = read.map_err(|what| format!("{VARIABLE} names no authorities: {what}"))?;
                (file.clone(), read)
            }
            _ => self.outside.first(&BUNDLES).ok_or_else(|| {
                let places = BUNDLES.join(", ");
                format!(
                    "the system has no authorities: there is none of {places}, and {VARIABLE} is not set"
                )
            })?,
        };
        let mut roots = x509::certificates(&bytes).map_err(|what| format!("{file} {what}"))?;
        roots.retain(|der| x509::check_authority(der).is_ok());
        match roots.is_empty() {
            true => Err(format!(
                "{file} holds no certificate that can be used as an authority"
            )),
            false => Ok(roots),
        }
    }
}

/// Names the file in place of the usual ones, as for OpenSSL.
const VARIABLE: &str = "SSL_CERT_FILE";

/// Where systems keep their authorities in one file: Debian and most, Fedora and its kin, openSUSE, Alpine and the BSDs.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

//! Whom a run trusts: the certificates that servers' must lead to, from the scenario or from the system.

use std::path::PathBuf;
use std::sync::Arc;

use engine_net::tls::{Alpn, Connector, ConnectorSettings};

use super::Failure;
use crate::pem;
use crate::scenario::{Http, Target};

/// Where systems keep them, all in one file.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What connectors to the target are made of, tried once; none when it is spoken to without TLS.
pub(super) fn settings(target: &Target) -> Result<Option<Arc<ConnectorSettings>>, Failure> {
    let Some(tls) = &target.tls else {
        return Ok(None);
    };
    let settings = |roots| ConnectorSettings {
        roots,
        alpn: vec![match target.http {
            Http::Http1 => Alpn::Http11,
            Http::Http2 => Alpn::H2,
        }],
        groups: tls.groups.clone(),
        ..ConnectorSettings::default()
    };
    let usable = |roots: Vec<Vec<u8>>| Connector::new(&settings(roots));
    let roots = match &tls.roots {
        Some(roots) => roots.as_ref().clone(),
        None => {
            let mut roots = system().map_err(Failure::Tls)?;
            if usable(roots.clone()).is_err() {
                // Bundles hold what no rule allows any more: the others count.
                roots.retain(|root| usable(vec![root.clone()]).is_ok());
            }
            roots
        }
    };
    usable(roots.clone()).map_err(|error| Failure::Tls(error.to_string()))?;
    Ok(Some(Arc::new(settings(roots))))
}

fn system() -> Result<Vec<Vec<u8>>, String> {
    let said = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    let places: Vec<PathBuf> = match said {
        Some(said) => vec![said],
        None => BUNDLES.iter().map(PathBuf::from).collect(),
    };
    for place in &places {
        if let Ok(bytes) = std::fs::read(place) {
            let found = pem::certificates(&bytes);
            return found.map_err(|why| format!("`{}`: {why}", place.display()));
        }
    }
    let places: Vec<String> = places.iter().map(|it| it.display().to_string()).collect();
    Err(format!(
        "the system's certificates are not in {}: name those to trust with --cacert",
        places.join(" or ")
    ))
}

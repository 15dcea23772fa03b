//! The client's side of an upstream: roots, own certificate, sessions to resume. The server is always verified.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::client::Resumption;
use rustls::sign::SingleCertAndKey;

use super::acceptor::{alpn_names, roots, versions};
use super::certificates::certified;
use super::provider::provider;
use super::{ConnectorSettings, SettingsError};

/// Servers whose sessions are kept.
const SESSIONS: usize = 256;

/// What an upstream needs to be spoken to over TLS. Cheap to clone; sessions are kept with it, so one per worker.
#[derive(Clone, Debug)]
pub struct Connector {
    config: Arc<ClientConfig>,
}

impl Connector {
    /// Checks the settings: there are roots, and the own certificate can be read and its key is its own.
    pub fn new(settings: &ConnectorSettings) -> Result<Connector, SettingsError> {
        if settings.roots.is_empty() {
            return Err(SettingsError::new("no CA certificate to verify servers by"));
        }
        let provider = provider(&settings.groups);
        let identity = match &settings.identity {
            None => None,
            Some(identity) => {
                Some(certified(identity, &provider).map_err(|what| SettingsError::of(0, what))?)
            }
        };
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(settings.min_version))
            .map_err(SettingsError::new)?
            .with_root_certificates(roots(&settings.roots)?);
        let mut config = match identity {
            None => builder.with_no_client_auth(),
            Some(key) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
        };
        config.alpn_protocols = alpn_names(&settings.alpn);
        config.resumption = Resumption::in_memory_sessions(SESSIONS);
        config.enable_secret_extraction = true;
        Ok(Connector {
            config: Arc::new(config),
        })
    }

    pub(super) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }
}

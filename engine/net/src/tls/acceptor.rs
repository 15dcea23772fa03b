//! The server's side of a listener: certificates, versions, client authentication, tickets. Built once, used by every
//! handshake; no connection is here.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{NoServerSessionStorage, WebPkiClientVerifier};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};

use super::certificates::Certificates;
use super::provider::provider;
use super::tickets::Ticketer;
use super::{
    AcceptorSettings, ClientAuth, ClientTrust, HandshakeError, SettingsError, TicketKeys, Version,
};

/// What a listener needs to speak TLS. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Acceptor {
    config: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
    context: Arc<[u8]>,
}

impl Acceptor {
    /// Checks the settings: every certificate can be read and its key is its own. Sessions are not resumed before
    /// [`Acceptor::with_tickets`].
    pub fn new(settings: &AcceptorSettings) -> Result<Acceptor, SettingsError> {
        let provider = provider(&settings.groups);
        let certificates = Arc::new(Certificates::new(&settings.certificates, &provider)?);
        let verifier = verifier(&settings.client_auth, &provider)?;
        let builder = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions(settings.min_version))
            .map_err(SettingsError::new)?;
        let builder = match &verifier {
            None => builder.with_no_client_auth(),
            Some(verifier) => builder.with_client_cert_verifier(Arc::clone(verifier)),
        };
        let mut config = builder.with_cert_resolver(Arc::clone(&certificates) as _);
        config.alpn_protocols = alpn_names(&settings.alpn);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.enable_secret_extraction = true;
        config.ignore_client_order = true;
        Ok(Acceptor {
            config: Arc::new(config),
            certificates,
            verifier,
            context: settings.context.as_slice().into(),
        })
    }

    /// The same, resuming sessions by these keys, with all workers and other instances that have them and the same
    /// context. For each rotation of keys anew.
    pub fn with_tickets(&self, keys: &TicketKeys) -> Acceptor {
        let mut config = ServerConfig::clone(&self.config);
        config.ticketer = Arc::new(Ticketer::new(keys, &self.context));
        Acceptor {
            config: Arc::new(config),
            certificates: Arc::clone(&self.certificates),
            verifier: self.verifier.clone(),
            context: Arc::clone(&self.context),
        }
    }

    /// Whether a client that was shown this certificate ([`super::Info::certificate`]) may ask for this host on the same
    /// connection: it would have been shown it for that host too. If not, 421 is the answer (RFC 9110 section 15.5.20).
    pub fn covers(&self, certificate: u16, host: &str) -> bool {
        self.certificates.covers(certificate, host)
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        Arc::clone(&self.config)
    }

    /// Verifies the certificates of a resumed client again: since its session began they may have expired.
    pub(super) fn verify(&self, chain: &[CertificateDer<'_>]) -> Result<(), HandshakeError> {
        let (Some(verifier), Some((end_entity, rest))) = (&self.verifier, chain.split_first())
        else {
            return Ok(());
        };
        let verified = verifier.verify_client_cert(end_entity, rest, UnixTime::now());
        verified
            .map(|_| ())
            .map_err(|error| HandshakeError::from(&error))
    }
}

/// The versions from the oldest one on.
pub(super) fn versions(min: Version) -> &'static [&'static SupportedProtocolVersion] {
    static VERSIONS: [&SupportedProtocolVersion; 2] =
        [&rustls::version::TLS13, &rustls::version::TLS12];
    let [newest, _] = &VERSIONS;
    match min {
        Version::Tls12 => &VERSIONS,
        Version::Tls13 => std::slice::from_ref(newest),
    }
}

/// The names as the extension has them.
pub(super) fn alpn_names(alpn: &[super::Alpn]) -> Vec<Vec<u8>> {
    alpn.iter()
        .map(|alpn| alpn.as_str().as_bytes().to_vec())
        .collect()
}

/// The store of these CA certificates.
pub(super) fn roots(ders: &[Vec<u8>]) -> Result<RootCertStore, SettingsError> {
    let mut store = RootCertStore::empty();
    for (at, der) in ders.iter().enumerate() {
        store
            .add(CertificateDer::from(der.as_slice()))
            .map_err(|error| SettingsError::new(format!("CA certificate {}: {error}", at + 1)))?;
    }
    Ok(store)
}

fn verifier(
    auth: &ClientAuth,
    provider: &Arc<CryptoProvider>,
) -> Result<Option<Arc<dyn ClientCertVerifier>>, SettingsError> {
    let (trust, required) = match auth {
        ClientAuth::None => return Ok(None),
        ClientAuth::Optional(trust) => (trust, false),
        ClientAuth::Required(trust) => (trust, true),
    };
    let ClientTrust { roots: ders, crls } = trust;
    let mut builder =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots(ders)?), Arc::clone(provider));
    if !crls.is_empty() {
        let crls = crls.iter().cloned().map(CertificateRevocationListDer::from);
        builder = builder.with_crls(crls).enforce_revocation_expiration();
    }
    if !required {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map(Some).map_err(SettingsError::new)
}

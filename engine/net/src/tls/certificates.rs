//! Which certificate a client is shown: by the name it asks for and the signatures it understands.
//!
//! Names match exactly, else by a wildcard for the first label alone (RFC 6125 section 6.4.3), else the first certificate
//! serves. Of several for a name an elliptic curve is preferred, which costs a tenth of RSA.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use rustls::SignatureAlgorithm;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::CertificateDer;

use super::{Certificate, SettingsError};

thread_local! {
    /// What the last resolution on this thread came to. The handshake that asked runs on the same thread and takes it
    /// before any other can ask; rustls has no way to tell.
    static CHOSEN: Cell<Option<Chosen>> = const { Cell::new(None) };
}

/// What a client asked for, and what it gets.
pub(super) struct Chosen {
    pub(super) certificate: Option<u16>,
    pub(super) server_name: Option<Box<str>>,
}

/// What the resolution just made on this thread came to.
pub(super) fn take_chosen() -> Option<Chosen> {
    CHOSEN.take()
}

/// The certificates of an acceptor.
pub(super) struct Certificates {
    keys: Vec<Arc<CertifiedKey>>,
    /// By name in lower case, `*.` and a rest for wildcards; in the order of preference.
    names: HashMap<String, Vec<u16>>,
    /// Who serves when no name fits.
    default: Vec<u16>,
}

impl Certificates {
    pub(super) fn new(
        certificates: &[Certificate],
        provider: &CryptoProvider,
    ) -> Result<Certificates, SettingsError> {
        let mut keys = Vec::new();
        let mut names: HashMap<String, Vec<u16>> = HashMap::new();
        let mut default = Vec::new();
        let mut firsts = Vec::new();
        for (at, certificate) in certificates.iter().enumerate() {
            let key =
                certified(certificate, provider).map_err(|what| SettingsError::of(at, what))?;
            let own = names_of(certificate, &key).map_err(|what| SettingsError::of(at, what))?;
            let place =
                u16::try_from(at).map_err(|_| SettingsError::new("too many certificates"))?;
            if at == 0 {
                firsts.clone_from(&own);
            }
            if at == 0 || own.iter().any(|name| firsts.contains(name)) {
                default.push(place);
            }
            for name in own {
                names.entry(name).or_default().push(place);
            }
            keys.push(Arc::new(key));
        }
        if keys.is_empty() {
            return Err(SettingsError::new("no certificate"));
        }
        let is_rsa = |place: &u16| {
            let key = keys.get(usize::from(*place));
            key.is_some_and(|key| key.key.algorithm() == SignatureAlgorithm::RSA)
        };
        // A stable sort: otherwise the order in which they were given holds.
        names.values_mut().for_each(|of| of.sort_by_key(is_rsa));
        default.sort_by_key(is_rsa);
        Ok(Certificates {
            keys,
            names,
            default,
        })
    }

    /// Whether a client that was shown this certificate may ask for this host too.
    pub(super) fn covers(&self, certificate: u16, host: &str) -> bool {
        self.for_name(Some(&host.to_ascii_lowercase()))
            .contains(&certificate)
    }

    /// Those for the name, the preferred one first.
    fn for_name(&self, name: Option<&str>) -> &[u16] {
        let Some(name) = name else {
            return &self.default;
        };
        if let Some(exact) = self.names.get(name) {
            return exact;
        }
        let wildcard = name
            .split_once('.')
            .and_then(|(_, rest)| self.names.get(&format!("*.{rest}")));
        wildcard.unwrap_or(&self.default)
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        let schemes = hello.signature_schemes();
        let places = self.for_name(name.as_deref());
        let chosen = places.iter().find_map(|place| {
            let key = self.keys.get(usize::from(*place))?;
            key.key.choose_scheme(schemes)?;
            Some((*place, Arc::clone(key)))
        });
        CHOSEN.set(Some(Chosen {
            certificate: chosen.as_ref().map(|(place, _)| *place),
            server_name: name.map(String::into_boxed_str),
        }));
        // Where none fits any will do: the handshake then fails for want of a common suite or scheme and says so. Without
        // one it would say access_denied, which would be untrue (RFC 8446 section 6.2).
        let any = || self.keys.get(usize::from(*places.first()?)).map(Arc::clone);
        chosen.map(|(_, key)| key).or_else(any)
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Certificates").field(&self.names).finish()
    }
}

/// The chain and its key, which must belong together.
pub(super) fn certified(
    certificate: &Certificate,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, String> {
    let chain: Vec<CertificateDer<'static>> = certificate
        .chain
        .iter()
        .map(|der| CertificateDer::from(der.clone()))
        .collect();
    if chain.is_empty() {
        return Err("the chain is empty".into());
    }
    let der = certificate.key.der().map_err(str::to_owned)?;
    let key = provider
        .key_provider
        .load_private_key(der.clone_key())
        .map_err(|error| format!("the key can't be used: {error}"))?;
    let mut certified = CertifiedKey::new(chain, key);
    certified
        .keys_match()
        .map_err(|error| format!("the key is not the certificate's: {error}"))?;
    certified.ocsp.clone_from(&certificate.ocsp);
    Ok(certified)
}

/// The names it is for, in lower case.
fn names_of(certificate: &Certificate, key: &CertifiedKey) -> Result<Vec<String>, String> {
    let end_entity = key.end_entity_cert().map_err(|error| error.to_string())?;
    let parsed = webpki::EndEntityCert::try_from(end_entity)
        .map_err(|error| format!("the certificate can't be read: {error}"))?;
    let mut names: Vec<String> = match certificate.names.as_slice() {
        [] => parsed
            .valid_dns_names()
            .map(str::to_ascii_lowercase)
            .collect(),
        given => given.iter().map(|name| name.to_ascii_lowercase()).collect(),
    };
    names.sort();
    names.dedup();
    Ok(names)
}

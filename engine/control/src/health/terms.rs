//! What one endpoint is asked, and how it is reached. Made when a configuration goes live; never changed.

use std::collections::HashMap;
use std::sync::Arc;

use engine_bridge::Snapshot;
use engine_bridge::board::Health;
use engine_config::snapshot::{
    Address, Digest, Endpoint, HealthCheck, KeyForm, Probe, ProxyHeader, Upstream,
    UpstreamProtocol, UpstreamTls,
};
use tokio_rustls::rustls::client::Resumption;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// All that a check of an endpoint needs.
pub(super) struct Terms {
    pub(super) asks: Asks,
    pub(super) check: HealthCheck,
    pub(super) tls: Option<Secured>,
    /// What the checks say of each endpoint of the upstream.
    pub(super) all: Arc<[Arc<Health>]>,
}

/// What decides about the result: results of other ones say nothing.
#[derive(PartialEq, Eq)]
pub(super) struct Asks {
    pub(super) address: Address,
    pub(super) protocol: UpstreamProtocol,
    pub(super) proxy_protocol: ProxyHeader,
    pub(super) probe: Probe,
    tls: Option<Digest>,
}

/// How it is spoken to under TLS.
#[derive(Clone)]
pub(super) struct Secured {
    pub(super) config: Arc<ClientConfig>,
    /// The name that its certificate must bear.
    pub(super) name: ServerName<'static>,
}

impl Terms {
    pub(super) fn new(
        upstream: &Upstream,
        endpoint: &Endpoint,
        check: &HealthCheck,
        config: Option<Arc<ClientConfig>>,
        all: Arc<[Arc<Health>]>,
    ) -> Terms {
        let tls = upstream.tls.as_ref();
        Terms {
            asks: Asks {
                address: endpoint.address.clone(),
                protocol: upstream.protocol,
                proxy_protocol: upstream.proxy_protocol,
                probe: check.probe.clone(),
                tls: tls.map(|tls| tls.digest),
            },
            check: check.clone(),
            tls: config.zip(tls).map(|(config, tls)| Secured {
                config,
                name: server_name(tls, &endpoint.address),
            }),
            all,
        }
    }
}

/// The one that is said; without one, the endpoint's host.
fn server_name(tls: &UpstreamTls, address: &Address) -> ServerName<'static> {
    let host = match (&tls.name, address) {
        (Some(name), _) => name.to_string(),
        (None, Address::Tcp(at)) => at.ip().to_string(),
        (None, Address::Unix(_)) => LOCAL.to_owned(),
    };
    ServerName::try_from(host).unwrap_or_else(|_| {
        // The configuration has checked it; a certificate for this one is nobody's.
        ServerName::try_from("invalid.invalid").expect("it is a name")
    })
}

/// How upstreams' endpoints are spoken to, made once for equal settings.
#[derive(Default)]
pub(super) struct Configs(HashMap<(Digest, UpstreamProtocol), Arc<ClientConfig>>);

impl Configs {
    /// `None`: without TLS.
    pub(super) fn of(&mut self, upstream: &Upstream) -> Result<Option<Arc<ClientConfig>>, String> {
        let Some(tls) = &upstream.tls else {
            return Ok(None);
        };
        let key = (tls.digest, upstream.protocol);
        if let Some(known) = self.0.get(&key) {
            return Ok(Some(Arc::clone(known)));
        }
        let made = config(tls, upstream.protocol).map(Arc::new)?;
        self.0.insert(key, Arc::clone(&made));
        Ok(Some(made))
    }

    /// Forgets what the live configuration does not use.
    pub(super) fn retain(&mut self, live: &Snapshot) {
        self.0.retain(|(digest, protocol), _| {
            live.upstreams.iter().any(|upstream| {
                let same = |tls: &Arc<UpstreamTls>| tls.digest == *digest;
                upstream.protocol == *protocol && upstream.tls.as_ref().is_some_and(same)
            })
        });
    }
}

fn config(tls: &UpstreamTls, protocol: UpstreamProtocol) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    for root in &*tls.roots {
        let added = roots.add(CertificateDer::from(root.to_vec()));
        added.map_err(|why| why.to_string())?;
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|why| why.to_string())?
        .with_root_certificates(roots);
    let mut config = match &tls.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => {
            let chain = identity.chain.iter();
            let chain = chain.map(|der| CertificateDer::from(der.to_vec()));
            let der = identity.key.der.expose().to_vec();
            let key = match identity.key.form {
                KeyForm::Pkcs8 => PrivateKeyDer::Pkcs8(der.into()),
                KeyForm::Pkcs1 => PrivateKeyDer::Pkcs1(der.into()),
                KeyForm::Sec1 => PrivateKeyDer::Sec1(der.into()),
            };
            let made = builder.with_client_auth_cert(chain.collect(), key);
            made.map_err(|why| why.to_string())?
        }
    };
    let names: &[&[u8]] = match protocol {
        UpstreamProtocol::Http1 => &[HTTP1],
        UpstreamProtocol::H2 | UpstreamProtocol::Grpc => &[H2],
        UpstreamProtocol::Auto => &[H2, HTTP1],
    };
    config.alpn_protocols = names.iter().map(|name| name.to_vec()).collect();
    // In a session that is resumed no certificate is verified, and whether it verifies is part of the question.
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// ALPN, RFC 7301 section 6 and RFC 9113 section 3.1.
const HTTP1: &[u8] = b"http/1.1";
pub(super) const H2: &[u8] = b"h2";
/// The host of a unix socket.
pub(super) const LOCAL: &str = "localhost";

//! TLS as this worker speaks it: what the listeners and upstreams of a snapshot need, made before that goes live.
//!
//! Only the translation from the snapshot to `engine_net::tls`. Building can fail, so it belongs to preparing a reload;
//! connectors are kept while nothing of them changes, since sessions are kept with them.

use std::cell::RefCell;
use std::collections::HashMap;

use engine_config::snapshot::{
    self as config, Identity, Protocol, Snapshot, TlsGroup, TlsVersion, UpstreamProtocol,
};
use engine_net::tls::{
    Acceptor, AcceptorSettings, Alpn, Certificate, ClientAuth, ClientTrust, Connector,
    ConnectorSettings, Group, PrivateKey, SettingsError, TicketKey, TicketKeys, Version,
};

/// What one snapshot needs of TLS.
#[derive(Default)]
pub(crate) struct Tls {
    /// By listener id.
    acceptors: RefCell<Vec<Option<Acceptor>>>,
    /// By upstream id.
    connectors: Vec<Option<Connectors>>,
}

/// How an upstream is connected to.
#[derive(Clone)]
pub(crate) struct Connectors {
    pub(crate) usual: Connector,
    /// Offers HTTP/1.1 alone, where the usual one leaves it to the endpoint.
    pub(crate) http1: Option<Connector>,
}

/// What outlives a snapshot: connectors by what they were made of, for their sessions' sake.
#[derive(Default)]
pub(crate) struct Known(RefCell<HashMap<(config::Digest, UpstreamProtocol), Connector>>);

impl Tls {
    /// Makes what a snapshot needs; why not, if it can't be.
    pub(crate) fn prepare(
        snapshot: &Snapshot,
        known: &Known,
        tickets: Option<&TicketKeys>,
    ) -> Result<Tls, String> {
        let mut acceptors = Vec::with_capacity(snapshot.listeners.len());
        for listener in &snapshot.listeners {
            let why = |error| format!("listener {}: {error}", listener.name);
            let made = listener
                .tls
                .as_ref()
                .map(|tls| Acceptor::new(&accepting(listener, tls)).map_err(why))
                .transpose()?;
            acceptors.push(made.map(|made| match tickets {
                Some(keys) => made.with_tickets(keys),
                None => made,
            }));
        }
        let mut connectors = Vec::with_capacity(snapshot.upstreams.len());
        for upstream in &snapshot.upstreams {
            let why = |error| format!("upstream {}: {error}", upstream.name);
            connectors.push(known.connectors(upstream).map_err(why)?);
        }
        Ok(Tls {
            acceptors: RefCell::new(acceptors),
            connectors,
        })
    }

    /// How a listener accepts.
    pub(crate) fn acceptor(&self, listener: usize) -> Option<Acceptor> {
        self.acceptors.borrow().get(listener)?.clone()
    }

    /// How an upstream is connected to.
    pub(crate) fn connectors(&self, upstream: u16) -> Option<&Connectors> {
        self.connectors.get(usize::from(upstream))?.as_ref()
    }

    /// The keys of session tickets have been changed.
    pub(crate) fn rotate(&self, keys: &TicketKeys) {
        for acceptor in self.acceptors.borrow_mut().iter_mut().flatten() {
            *acceptor = acceptor.with_tickets(keys);
        }
    }
}

impl Known {
    fn connectors(&self, upstream: &config::Upstream) -> Result<Option<Connectors>, SettingsError> {
        let Some(tls) = &upstream.tls else {
            return Ok(None);
        };
        let http1 = match upstream.protocol {
            UpstreamProtocol::Auto => Some(self.connector(tls, UpstreamProtocol::Http1)?),
            _ => None,
        };
        let usual = self.connector(tls, upstream.protocol)?;
        Ok(Some(Connectors { usual, http1 }))
    }

    fn connector(
        &self,
        tls: &config::UpstreamTls,
        protocol: UpstreamProtocol,
    ) -> Result<Connector, SettingsError> {
        let key = (tls.digest, protocol);
        if let Some(known) = self.0.borrow().get(&key) {
            return Ok(known.clone());
        }
        let made = Connector::new(&ConnectorSettings {
            roots: tls.roots.iter().map(|der| der.to_vec()).collect(),
            identity: tls.identity.as_ref().map(|identity| Certificate {
                chain: chain(identity),
                key: key_of(identity),
                names: Vec::new(),
                ocsp: None,
            }),
            alpn: match protocol {
                UpstreamProtocol::Http1 => vec![Alpn::Http11],
                UpstreamProtocol::H2 | UpstreamProtocol::Grpc => vec![Alpn::H2],
                UpstreamProtocol::Auto => vec![Alpn::H2, Alpn::Http11],
            },
            ..ConnectorSettings::default()
        })?;
        self.0.borrow_mut().insert(key, made.clone());
        Ok(made)
    }

    /// Forgets what the live snapshot does not use.
    pub(crate) fn retain(&self, live: &Snapshot) {
        self.0.borrow_mut().retain(|(digest, protocol), _| {
            live.upstreams.iter().any(|upstream| {
                let same = |tls: &std::sync::Arc<config::UpstreamTls>| tls.digest == *digest;
                let used = match upstream.protocol {
                    // For what only HTTP/1.1 will do.
                    UpstreamProtocol::Auto => {
                        matches!(protocol, UpstreamProtocol::Auto | UpstreamProtocol::Http1)
                    }
                    other => other == *protocol,
                };
                used && upstream.tls.as_ref().is_some_and(same)
            })
        });
    }
}

/// Key material as the bridge holds it, for the tickets of acceptors.
pub(crate) fn ticket_keys(keys: &engine_bridge::tickets::Keys) -> TicketKeys {
    let key = |key: &engine_bridge::tickets::Key| TicketKey::new(key.id, *key.secret.expose());
    TicketKeys {
        newest: key(&keys.newest),
        previous: keys.previous.as_ref().map(key),
        lifetime: u32::try_from(keys.lifetime.as_secs()).unwrap_or(u32::MAX),
    }
}

fn accepting(listener: &config::Listener, tls: &config::ListenerTls) -> AcceptorSettings {
    let certificate = |certificate: &std::sync::Arc<config::Certificate>| Certificate {
        chain: chain(&certificate.identity),
        key: key_of(&certificate.identity),
        names: certificate
            .names
            .iter()
            .map(|name| name.to_string())
            .collect(),
        ocsp: certificate.ocsp.as_ref().map(|der| der.to_vec()),
    };
    // Whoever was let in under other rules, or elsewhere, must show itself again.
    let mut context = listener.name.as_bytes().to_vec();
    context.push(0);
    let trust = tls.client.as_ref();
    context.extend_from_slice(trust.map_or(&[], |client| &client.digest));
    AcceptorSettings {
        certificates: tls.certificates.iter().map(certificate).collect(),
        min_version: match tls.min_version {
            TlsVersion::Tls12 => Version::Tls12,
            TlsVersion::Tls13 => Version::Tls13,
        },
        alpn: listener
            .protocols
            .iter()
            .copied()
            .filter_map(alpn)
            .collect(),
        groups: tls.groups.iter().copied().map(group).collect(),
        client_auth: match trust {
            None => ClientAuth::None,
            Some(client) if client.required => ClientAuth::Required(trusted(client)),
            Some(client) => ClientAuth::Optional(trusted(client)),
        },
        context,
    }
}

fn trusted(client: &config::ClientCertificates) -> ClientTrust {
    ClientTrust {
        roots: client.roots.iter().map(|der| der.to_vec()).collect(),
        crls: client.crls.iter().map(|der| der.to_vec()).collect(),
    }
}

fn chain(identity: &Identity) -> Vec<Vec<u8>> {
    identity.chain.iter().map(|der| der.to_vec()).collect()
}

fn key_of(identity: &Identity) -> PrivateKey {
    PrivateKey::new(identity.key.der.expose().to_vec())
}

fn alpn(protocol: Protocol) -> Option<Alpn> {
    match protocol {
        Protocol::Http1 => Some(Alpn::Http11),
        Protocol::H2 => Some(Alpn::H2),
        Protocol::H2c => None,
    }
}

fn group(group: TlsGroup) -> Group {
    match group {
        TlsGroup::X25519MlKem768 => Group::X25519MlKem768,
        TlsGroup::X25519 => Group::X25519,
        TlsGroup::P256 => Group::P256,
        TlsGroup::P384 => Group::P384,
    }
}

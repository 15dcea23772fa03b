//! What a listener speaks: protocols, TLS with its certificates, what clients must show, and what is
//! passed on unopened.

use crate::keys::listener::{ClientAuth, Listener as Said, Protocol};
use crate::resolve::certificate::Digester;
use crate::resolve::{Resolver, id16};
use crate::said::Block;
use crate::snapshot::passthrough::Names;
use crate::snapshot::{Certificate, ClientCertificates, ListenerTls, Passthrough};
use policy::route::Host;
use policy_keys::Mismatch;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Resolver<'_, '_> {
    /// What is spoken; nothing where every connection is passed on.
    pub(super) fn protocols(
        &mut self,
        block: &Block,
        said: Option<Vec<Protocol>>,
    ) -> Vec<Protocol> {
        let has = |key: &str| block.entries.contains_key(key);
        let tls = has("certificates");
        if has("passthrough") && !tls {
            let why = "does nothing here: without `certificates` every connection is passed on";
            self.refuse_idle(block, &["protocols"], why);
            return Vec::new();
        }
        let Some(protocols) = said else {
            return match tls {
                true => vec![Protocol::H2, Protocol::Http1],
                false => vec![Protocol::Http1, Protocol::H2c],
            };
        };
        if protocols.is_empty() {
            let mismatch = Mismatch::new("a listener speaks at least one protocol");
            self.wrong(block, "protocols", mismatch);
        }
        for (item, protocol) in protocols.iter().enumerate() {
            let mismatch = match (protocol, tls) {
                (Protocol::H2, false) => Mismatch::new("`h2` is HTTP/2 over TLS")
                    .hint("add `certificates`, or write \"h2c\" for HTTP/2 without TLS"),
                (Protocol::H2c, true) => {
                    Mismatch::new("`h2c` is HTTP/2 without TLS").hint("write \"h2\"")
                }
                _ if protocols.iter().take(item).any(|other| other == protocol) => {
                    Mismatch::new(format!("`{}` stands here twice", protocol.as_str()))
                }
                _ => continue,
            };
            self.wrong(block, "protocols", mismatch.item(item));
        }
        protocols
    }

    pub(super) fn listener_tls(
        &mut self,
        block: &Block,
        said: &mut Said,
        protocols: &[Protocol],
        all: &BTreeMap<String, Arc<Certificate>>,
    ) -> Option<ListenerTls> {
        if !block.entries.contains_key("certificates") {
            let keys = [
                "tls_min_version",
                "tls_groups",
                "client_auth",
                "client_ca",
                "client_crl",
            ];
            let why = "needs `certificates`: without them this listener does not end TLS";
            self.refuse_idle(block, &keys, why);
            return None;
        }
        let client = self.client_certificates(block, said);
        let groups = std::mem::take(&mut said.tls_groups);
        if groups.is_empty() {
            let mismatch = Mismatch::new("without a group there are no keys");
            self.wrong(block, "tls_groups", mismatch);
        }
        let names = said.certificates.take()?;
        if names.is_empty() {
            let mismatch = Mismatch::new("an empty list shows nothing");
            let hint = "leave the key out for a listener without TLS";
            self.wrong(block, "certificates", mismatch.hint(hint));
        }
        self.refer_all(block, "certificates", "certificate", &names);
        let found = names.iter().filter_map(|name| all.get(name.as_str()));
        let certificates: Vec<Arc<Certificate>> = found.cloned().collect();
        if certificates.len() == names.len() {
            self.warn_hidden(block, &certificates);
        }
        let mut digest = Digester::new();
        digest.part(&(certificates.len() as u64).to_be_bytes());
        for certificate in &certificates {
            digest.part(certificate.name.as_bytes());
            digest.part(&certificate.digest);
        }
        digest.part(said.tls_min_version.as_str().as_bytes());
        digest.part(&(groups.len() as u64).to_be_bytes());
        for group in &groups {
            digest.part(group.as_str().as_bytes());
        }
        digest.part(client.as_ref().map_or(&[], |client| &client.digest[..]));
        for protocol in protocols {
            digest.part(protocol.as_str().as_bytes());
        }
        Some(ListenerTls {
            digest: digest.finish(),
            certificates,
            min_version: said.tls_min_version,
            groups,
            client,
        })
    }

    /// Of two certificates for a name, clients get the first that they can verify: with keys of one kind,
    /// always the same.
    fn warn_hidden(&mut self, block: &Block, certificates: &[Arc<Certificate>]) {
        for (item, hidden) in certificates.iter().enumerate() {
            let kind = hidden.identity.key.kind;
            let earlier = certificates.iter().take(item);
            for first in earlier.filter(|first| first.identity.key.kind == kind) {
                let both = |name: &&Arc<str>| first.names.contains(name);
                if let Some(name) = hidden.names.iter().find(both) {
                    let message = format!(
                        "`{}` is never shown for `{name}`: `{}` stands first, with a key of the same kind",
                        hidden.name, first.name
                    );
                    self.warn(block.place("certificates", Some(item)), message);
                }
            }
        }
    }

    fn client_certificates(
        &mut self,
        block: &Block,
        said: &mut Said,
    ) -> Option<ClientCertificates> {
        let (ca, crl) = (said.client_ca.take(), said.client_crl.take());
        let required = match said.client_auth {
            ClientAuth::Required => true,
            ClientAuth::Optional => false,
            ClientAuth::None => {
                // For a word that is wrong, and has been told, the default stands in.
                let wrong = block.text("client_auth").is_some_and(|word| word != "none");
                if !wrong {
                    let why = "does nothing unless client_auth is \"optional\" or \"required\"";
                    self.refuse_idle(block, &["client_ca", "client_crl"], why);
                }
                return None;
            }
        };
        if !block.entries.contains_key("client_ca") {
            let mismatch = Mismatch::new("nobody vouches for client certificates");
            let hint = "add client_ca = \"FILE\" with the authorities that do";
            self.wrong(block, "client_auth", mismatch.hint(hint));
        }
        let roots = ca.and_then(|file| self.authorities(block, "client_ca", &file));
        let crls = match crl {
            Some(file) => self.revocation_lists(block, &file),
            None => Some(Vec::new()),
        };
        let (roots, crls) = (roots?, crls?);
        let mut digest = Digester::new();
        digest.part(&[u8::from(required)]);
        digest.list(&roots);
        digest.list(&crls);
        Some(ClientCertificates {
            required,
            roots,
            crls,
            digest: digest.finish(),
        })
    }

    fn revocation_lists(&mut self, block: &Block, file: &str) -> Option<Vec<crate::snapshot::Der>> {
        let bytes = self.material(block, "client_crl", file)?;
        let read = crate::x509::revocation_lists(&bytes);
        read.map_err(|what| {
            let what = format!("{file} {what}");
            self.wrong(block, "client_crl", Mismatch::new(what));
        })
        .ok()
    }

    pub(super) fn passthrough(&mut self, block: &Block, said: Option<Vec<String>>) -> Passthrough {
        let mut table = Passthrough::default();
        let Some(lines) = said else { return table };
        if lines.is_empty() {
            let mismatch = Mismatch::new("an empty list passes nothing on");
            self.wrong(block, "passthrough", mismatch);
        }
        for (item, line) in lines.iter().enumerate() {
            let (names, upstream) = match passed(line) {
                Ok(parts) => parts,
                Err(what) => {
                    self.wrong_item(block, "passthrough", item, what);
                    continue;
                }
            };
            if names == Names::Rest && block.entries.contains_key("certificates") {
                let what = "`*` passes every connection on, so no certificate is ever shown";
                self.wrong_item(block, "passthrough", item, what);
            }
            let found = self.refer(block, "passthrough", Some(item), "upstream", upstream);
            if let Some(upstream) = found
                && table.add(names, id16(upstream)).is_some()
            {
                let what = "another line passes these names on already";
                self.wrong_item(block, "passthrough", item, what);
            }
        }
        table
    }
}

/// `"db.example.com -> upstream"`.
fn passed(line: &str) -> Result<(Names, &str), String> {
    let Some((name, upstream)) = line.split_once("->") else {
        return Err(format!("expected `name -> upstream`, found `{line}`"));
    };
    let (name, upstream) = (name.trim(), upstream.trim());
    if name == "*" {
        return Ok((Names::Rest, upstream));
    }
    let host = Host::parse(name)?.to_string();
    if host.starts_with('[') || host.parse::<std::net::Ipv4Addr>().is_ok() {
        return Err(format!(
            "`{name}`: clients ask for names, never for addresses (RFC 6066 section 3)"
        ));
    }
    Ok(match host.strip_prefix("*.") {
        Some(parent) => (Names::Below(parent.into()), upstream),
        None => (Names::Exact(host.into()), upstream),
    })
}

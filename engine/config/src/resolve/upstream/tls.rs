//! How connections to an upstream begin: the protocol, TLS, the PROXY header.

use crate::keys::upstream::{ProxyHeader, Upstream as Said, UpstreamProtocol};
use crate::problem::Problem;
use crate::resolve::Resolver;
use crate::resolve::certificate::Digester;
use crate::said::Block;
use crate::snapshot::{Endpoint, Identity, UpstreamTls};
use policy::route::Host;
use policy_keys::{Address, Mismatch};
use std::sync::Arc;

/// What is said about TLS, beside `tls` itself.
const TLS_KEYS: [&str; 4] = ["tls_ca", "tls_name", "tls_client_chain", "tls_client_key"];

impl Resolver<'_, '_> {
    /// Refuses combinations that no connection could be.
    pub(super) fn upstream_protocol(&mut self, block: &Block, said: &Said) {
        // A wrong `tls` has been told; its default would only add to the noise.
        let plain = !said.tls && block.entries.get("tls").is_none_or(is_false);
        if said.protocol == UpstreamProtocol::Auto && plain {
            let mismatch = Mismatch::new("`auto` goes by ALPN, which is part of TLS");
            let hint = "add tls = true, or write \"http/1.1\" or \"h2\"";
            self.wrong(block, "protocol", mismatch.hint(hint));
        }
        if said.proxy_protocol != ProxyHeader::Off && said.protocol != UpstreamProtocol::Http1 {
            let what = "a connection that begins with a PROXY header serves one client, and HTTP/2 would mix several";
            let hint = "write protocol = \"http/1.1\"";
            self.wrong(block, "proxy_protocol", Mismatch::new(what).hint(hint));
        }
        if plain {
            let why = "does nothing without `tls = true`: connections would go unencrypted";
            self.refuse_idle(block, &TLS_KEYS, why);
        }
    }

    pub(super) fn upstream_tls(
        &mut self,
        block: &Block,
        said: &mut Said,
        endpoints: &[Endpoint],
    ) -> Option<Arc<UpstreamTls>> {
        if !said.tls {
            return None;
        }
        let name = said.tls_name.take();
        let nameless = endpoints
            .iter()
            .any(|endpoint| matches!(endpoint.address, Address::Unix(_)));
        if nameless && name.is_none() && !block.entries.contains_key("tls_name") {
            let problem = Problem::at(
                block.place("endpoints", None),
                "a unix socket has no host that its certificate could bear",
            );
            self.report
                .error(problem.note("add tls_name = \"…\" with the name to verify"));
        }
        let name = name.and_then(|name| self.server_name(block, &name));
        let roots = self.roots(block, said.tls_ca.take());
        let identity = self.client_identity(block, said);
        let roots = roots?;
        let mut digest = Digester::new();
        digest.list(&roots);
        digest.part(name.as_deref().unwrap_or_default().as_bytes());
        if let Some(identity) = &identity {
            digest.identity(identity);
        }
        Some(Arc::new(UpstreamTls {
            roots,
            identity,
            name,
            digest: digest.finish(),
        }))
    }

    /// A name or an address, as certificates bear them.
    fn server_name(&mut self, block: &Block, name: &str) -> Option<Arc<str>> {
        let parsed = Host::parse(name).and_then(|host| match host.to_string() {
            pattern if pattern.starts_with("*.") => Err("one name is asked for, not many".into()),
            host => Ok(host.trim_matches(['[', ']']).into()),
        });
        parsed
            .map_err(|what: String| self.wrong(block, "tls_name", Mismatch::new(what)))
            .ok()
    }

    fn client_identity(&mut self, block: &Block, said: &mut Said) -> Option<Identity> {
        let pair = ["tls_client_chain", "tls_client_key"];
        for (there, lacking) in [(pair[0], pair[1]), (pair[1], pair[0])] {
            if let Some(entry) = block.entries.get(there)
                && !block.entries.contains_key(lacking)
            {
                let what = format!("`{there}` needs `{lacking}` beside it");
                self.report.error(Problem::at(entry.key.place, what));
            }
        }
        let chain = said.tls_client_chain.take()?;
        let key = said.tls_client_key.take()?;
        let identity = self.identity(block, [(pair[0], chain), (pair[1], key)]);
        identity.map(|(identity, _)| identity)
    }
}

fn is_false(entry: &crate::text::Entry) -> bool {
    matches!(entry.value.raw, Some(policy_keys::Raw::Boolean(false)))
}

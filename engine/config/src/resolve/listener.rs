//! `[listener.NAME]`: where clients connect, and what is spoken there.

mod tls;

use super::process::set;
use super::{Resolver, id16};
use crate::keys::listener::Listener as Said;
use crate::problem::Problem;
use crate::said::Block;
use crate::snapshot::{Certificate, Listener};
use policy_keys::{Address, Mismatch, Raw};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Resolver<'_, '_> {
    pub(super) fn listeners(
        &mut self,
        certificates: &BTreeMap<String, Arc<Certificate>>,
    ) -> Vec<Listener> {
        let blocks = self.said.of("listener");
        if blocks.is_empty() {
            self.report.error(
                Problem::nowhere("there is no listener").note(
                    "add a section such as [listener.public] with address = \"127.0.0.1:8080\"",
                ),
            );
        }
        let mut listeners = Vec::new();
        self.refuse_twin_addresses();
        for (index, block) in blocks.iter().enumerate() {
            let Some(said) = self.read(block, &Said::SCOPE, Said::read) else {
                continue;
            };
            listeners.extend(self.listener(block, index, said, certificates));
        }
        listeners
    }

    /// Two sections that listen on one address: the one that stands later is told.
    fn refuse_twin_addresses(&mut self) {
        let mut blocks = self.said.of("admin");
        blocks.extend(self.said.of("listener"));
        blocks.sort_by_key(|block| block.place("address", None));
        let mut seen: BTreeMap<String, Block> = BTreeMap::new();
        for block in blocks {
            let address = block
                .text("address")
                .and_then(|text| Address::parse(text).ok());
            let Some(address) = address else { continue };
            // The machine chooses another port each time.
            if matches!(&address, Address::Tcp(tcp) if tcp.port() == 0) {
                continue;
            }
            let address = self.located(&block, "address", address).to_string();
            match seen.get(&address) {
                Some(first) => {
                    let there = self.report.line_of(first.place("address", None));
                    let message = format!("{} listens on {address} already", first.title());
                    let problem = Problem::at(block.place("address", None), message);
                    self.report
                        .error(problem.note(format!("it says so in {there}")));
                }
                None => {
                    seen.insert(address, block);
                }
            }
        }
    }

    fn listener(
        &mut self,
        block: &Block,
        index: usize,
        mut said: Said,
        certificates: &BTreeMap<String, Arc<Certificate>>,
    ) -> Option<Listener> {
        let protocols = self.protocols(block, said.protocols.take());
        let tls = self.listener_tls(block, &mut said, &protocols, certificates);
        let passthrough = self.passthrough(block, said.passthrough.take());
        self.proxied(block, said.address.as_ref());
        let http_to_https = self.https_port(block, &said);
        Some(Listener {
            name: block.name.as_str().into(),
            id: id16(index),
            address: self.located(block, "address", said.address?),
            protocols,
            tls,
            passthrough,
            handshake_timeout: said.handshake_timeout,
            max_handshakes: said.max_handshakes,
            proxy_protocol: said.proxy_protocol.map(|senders| set(Some(senders))),
            http_to_https,
            max_connection_age: said.max_connection_age,
            max_concurrent_streams: said.max_concurrent_streams,
            h2_max_resets: said.h2_max_resets,
            h2_flood_factor: said.h2_flood_factor,
            max_connections: said.max_connections,
            max_connections_per_ip: said.max_connections_per_ip,
            max_requests_per_connection: said.max_requests_per_connection,
            header_timeout: said.header_timeout,
            idle_timeout: said.idle_timeout,
            stream_idle_timeout: said.stream_idle_timeout,
            body_timeout: said.body_timeout,
            min_body_rate: said.min_body_rate.0,
            write_timeout: said.write_timeout,
            max_header_bytes: said.max_header_bytes.bytes(),
            max_headers: said.max_headers,
            max_body_bytes: said.max_body_bytes.map(|size| size.0),
            allow: set(said.allow),
            deny: set(said.deny),
        })
    }

    /// Who sends PROXY headers is known by its address, which must be one, and some.
    fn proxied(&mut self, block: &Block, address: Option<&Address>) {
        let Some(entry) = block.entries.get("proxy_protocol") else {
            return;
        };
        if matches!(&entry.value.raw, Some(Raw::List(list)) if list.is_empty()) {
            let mismatch = Mismatch::new("nobody may send a PROXY header, so nobody can connect");
            let hint = "leave the key out where no load balancer sends one";
            self.wrong(block, "proxy_protocol", mismatch.hint(hint));
        }
        if matches!(address, Some(Address::Unix(_))) {
            let what = "`proxy_protocol` goes by addresses, and peers of a unix socket have none";
            self.report.error(Problem::at(entry.key.place, what));
        }
    }

    fn https_port(&mut self, block: &Block, said: &Said) -> Option<u16> {
        if said.http_to_https {
            let both = ["certificates", "passthrough"];
            let why = "can't stand beside `http_to_https`, which is for a listener without TLS";
            self.refuse_idle(block, &both, why);
        } else if let Some(entry) = block.entries.get("https_port") {
            let what = "`https_port` does nothing without `http_to_https = true`";
            self.warn(entry.key.place, what);
        }
        said.http_to_https.then_some(said.https_port)
    }
}

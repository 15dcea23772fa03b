//! `[gateway]`, `[admin]`, listeners and access logs: what a process is made of.

use super::{Resolver, id16};
use crate::keys;
use crate::problem::Problem;
use crate::said::Block;
use crate::snapshot::{AccessLog, Admin, Gateway, Listener, LogPath};
use policy::address::Set;
use policy_keys::{Address, Cidr, Mismatch};
use std::collections::BTreeMap;

impl Resolver<'_, '_> {
    pub(super) fn gateway(&mut self) -> Option<Gateway> {
        let block = self.said.of("gateway").pop().unwrap_or_else(Block::absent);
        let said = self.read(
            &block,
            &keys::gateway::Gateway::SCOPE,
            keys::gateway::Gateway::read,
        )?;
        if !is_token(&said.request_id_header) {
            let what = format!("`{}` is not the name of a header", said.request_id_header);
            self.wrong(&block, "request_id_header", Mismatch::new(what));
        }
        Some(Gateway {
            workers: said.workers,
            pin: said.pin,
            shutdown_delay: said.shutdown_delay,
            shutdown_grace: said.shutdown_grace,
            request_id_header: said.request_id_header,
            trusted_proxies: set(said.trusted_proxies),
            error_format: said.error_format,
            max_connections: said.max_connections,
            driver: said.io,
        })
    }

    pub(super) fn admin(&mut self) -> Option<Admin> {
        let block = self.said.of("admin").pop()?;
        let said = self.read(&block, &keys::admin::Admin::SCOPE, keys::admin::Admin::read)?;
        let address = said.address?;
        if said.token.is_none() && !block.entries.contains_key("token") && !address.is_local() {
            let place = block.place("address", None);
            self.report.error(
                Problem::at(
                    place,
                    "an admin address that others can reach needs a `token`",
                )
                .note("add token = \"${ADMIN_TOKEN}\", or listen on 127.0.0.1 or a unix socket"),
            );
        }
        Some(Admin {
            address: self.located(&block, "address", address),
            token: said.token,
        })
    }

    pub(super) fn listeners(&mut self) -> Vec<Listener> {
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
            let Some(said) = self.read(
                block,
                &keys::listener::Listener::SCOPE,
                keys::listener::Listener::read,
            ) else {
                continue;
            };
            listeners.extend(self.listener(block, index, said));
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
        said: keys::listener::Listener,
    ) -> Option<Listener> {
        if said.protocols.is_empty() {
            self.wrong(
                block,
                "protocols",
                Mismatch::new("a listener speaks at least one protocol"),
            );
        }
        Some(Listener {
            name: block.name.as_str().into(),
            id: id16(index),
            address: self.located(block, "address", said.address?),
            max_connections: said.max_connections,
            max_connections_per_ip: said.max_connections_per_ip,
            max_requests_per_connection: said.max_requests_per_connection,
            header_timeout: said.header_timeout,
            idle_timeout: said.idle_timeout,
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

    pub(super) fn access_logs(&mut self) -> Vec<AccessLog> {
        let mut logs = Vec::new();
        for (index, block) in self.said.of("access_log").iter().enumerate() {
            if block.name == "off" {
                self.report.error(Problem::at(
                    block.place,
                    "an access log can't be named `off`",
                ));
            }
            let Some(said) = self.read(
                block,
                &keys::access_log::AccessLog::SCOPE,
                keys::access_log::AccessLog::read,
            ) else {
                continue;
            };
            let Some(path) = said.path else { continue };
            let path = match path.as_str() {
                "stdout" => LogPath::Stdout,
                "" | "syslog" | "stderr" => {
                    let what = match path.as_str() {
                        "syslog" => "\"syslog\" is not built yet".to_owned(),
                        other => format!("\"{other}\" is no place for an access log"),
                    };
                    self.wrong(
                        block,
                        "path",
                        Mismatch::new(what).expected("a file or \"stdout\""),
                    );
                    continue;
                }
                file => LogPath::File(self.folder(block, "path").join(file)),
            };
            logs.push(AccessLog {
                name: block.name.as_str().into(),
                id: id16(index),
                path,
                format: said.format,
                query: said.query,
                buffer: said.buffer.bytes(),
                on_full: said.on_full,
                sample: said.sample,
            });
        }
        logs
    }

    /// An address whose unix path, if it is one, starts from the folder of the file that names it.
    pub(super) fn located(&self, block: &Block, key: &str, address: Address) -> Address {
        match address {
            Address::Unix(path) => Address::Unix(self.folder(block, key).join(path)),
            tcp => tcp,
        }
    }
}

/// A list of ranges as a set; absent is empty.
pub(super) fn set(ranges: Option<Vec<Cidr>>) -> Set {
    Set::new(ranges.unwrap_or_default())
}

/// Whether a text is a token of RFC 9110 section 5.6.2, as names of headers and methods are.
pub(super) fn is_token(text: &str) -> bool {
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(tchar)
}

//! `[gateway]`, `[admin]` and access logs: what a process is made of beside its listeners.

use super::{Resolver, id16};
use crate::keys;
use crate::problem::Problem;
use crate::said::Block;
use crate::snapshot::{AccessLog, Admin, Gateway, LogPath};
use policy::address::Set;
use policy_keys::{Address, Cidr, Mismatch};

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
            log_level: said.log_level,
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

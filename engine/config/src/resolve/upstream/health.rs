//! How an upstream's endpoints are checked, and what can't be meant by what is said of it.

use crate::keys::upstream::{HealthCheck as Kind, Upstream as Said, UpstreamProtocol};
use crate::problem::Problem;
use crate::resolve::Resolver;
use crate::said::Block;
use crate::snapshot::{HealthCheck, Probe};
use policy::health::{Statuses, Thresholds};
use policy::route::Host;
use policy_keys::Mismatch;
use std::sync::Arc;

/// What is said about every kind of check.
const PACE: [&str; 4] = [
    "health_interval",
    "health_timeout",
    "health_healthy",
    "health_unhealthy",
];

impl Resolver<'_, '_> {
    /// `None`: no checks, or such as can't be.
    pub(super) fn health(&mut self, block: &Block, said: &mut Said) -> Option<HealthCheck> {
        let there = |key: &str| block.entries.contains_key(key);
        if said.health_check.is_none() && there("health_check") {
            return None; // What is wrong with it has been told.
        }
        // Switched off where the others are left standing: an overlay, an hour of trouble.
        let kind = match said.health_check {
            Some(Kind::Off) => return None,
            Some(kind) => kind,
            None if there("health_path") => Kind::Http,
            None if there("health_service") => Kind::Grpc,
            None => {
                let why =
                    "does nothing without a health check: add `health_path` or `health_check`";
                self.refuse_idle(block, &PACE, why);
                self.refuse_idle(block, &["health_status", "health_host"], why);
                return None;
            }
        };
        self.refuse_strange(block, kind);
        let host = self.health_host(block, said);
        let probe = match kind {
            Kind::Off => return None,
            Kind::Tcp => Some(Probe::Tcp),
            Kind::Http => self.http_probe(block, said, host),
            Kind::Grpc => {
                self.refuse_http1(block, said);
                let service = said.health_service.take().unwrap_or_default();
                Some(Probe::Grpc { service, host })
            }
        };
        Some(HealthCheck {
            probe: probe?,
            interval: said.health_interval,
            timeout: said.health_timeout,
            thresholds: Thresholds {
                healthy: said.health_healthy,
                unhealthy: said.health_unhealthy,
            },
        })
    }

    /// Keys that belong to another kind of check.
    fn refuse_strange(&mut self, block: &Block, kind: Kind) {
        let (strange, why): (&[&str], _) = match kind {
            Kind::Http => (
                &["health_service"],
                "is for `grpc` checks, and this one is `http`",
            ),
            Kind::Grpc => (
                &["health_path", "health_status"],
                "is for `http` checks, and this one is `grpc`",
            ),
            Kind::Tcp | Kind::Off => (
                &[
                    "health_path",
                    "health_status",
                    "health_host",
                    "health_service",
                ],
                "does nothing in a `tcp` check, which only connects",
            ),
        };
        self.refuse_idle(block, strange, why);
    }

    fn refuse_http1(&mut self, block: &Block, said: &Said) {
        if said.protocol != UpstreamProtocol::Http1 {
            return;
        }
        // `protocol` itself may be wrong, which has been told, and have its default.
        let told = block.entries.get("protocol").is_some_and(|entry| {
            !matches!(&entry.value.raw, Some(policy_keys::Raw::Text(text)) if text == "http/1.1")
        });
        let key = match block.entries.contains_key("health_check") {
            true => "health_check",
            false => "health_service",
        };
        if !told {
            let mismatch =
                Mismatch::new("gRPC is spoken over HTTP/2, and this upstream speaks HTTP/1.1");
            self.wrong(block, key, mismatch.hint("add protocol = \"grpc\""));
        }
    }

    /// The one that is said, else the name that the endpoints' certificates bear.
    fn health_host(&mut self, block: &Block, said: &mut Said) -> Option<Arc<str>> {
        let Some(host) = said.health_host.take() else {
            let name = block.text("tls_name").filter(|_| said.tls);
            return name.map(Into::into);
        };
        if !is_host(&host) {
            let mismatch = Mismatch::new(format!("`{host}` is not a host"));
            let expected = "a host such as \"api.internal\", with a port or without";
            self.wrong(block, "health_host", mismatch.expected(expected));
        }
        Some(host.into())
    }

    fn http_probe(
        &mut self,
        block: &Block,
        said: &mut Said,
        host: Option<Arc<str>>,
    ) -> Option<Probe> {
        let statuses = self.health_statuses(block, &said.health_status);
        let Some(path) = said.health_path.take() else {
            if !block.entries.contains_key("health_path") {
                let problem = Problem::at(
                    block.place("health_check", None),
                    "an `http` check needs `health_path`",
                );
                self.report
                    .error(problem.note("add health_path = \"/…\", or write \"tcp\""));
            }
            return None;
        };
        // What RFC 3986 lets stand in a path or a query (sections 3.3 and 3.4).
        let byte =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
        let wrong = match path.bytes().position(|it| !byte(it)) {
            _ if !path.starts_with('/') => Some((0..path.len(), "a path begins with `/`")),
            Some(at) => Some((
                at..at + path[at..].chars().next().map_or(1, char::len_utf8),
                "this can't stand in a request as it is",
            )),
            None => None,
        };
        if let Some((at, what)) = wrong {
            let mismatch = Mismatch::new(what).at(at);
            let hint = "write the path, and query if any, percent-encoded";
            self.wrong(block, "health_path", mismatch.hint(hint));
        }
        Some(Probe::Http {
            path,
            host,
            statuses,
        })
    }

    fn health_statuses(&mut self, block: &Block, texts: &[String]) -> Statuses {
        if texts.is_empty() {
            let mismatch = Mismatch::new("no status at all would be good");
            self.wrong(block, "health_status", mismatch);
        }
        Statuses::new(self.items(block, "health_status", texts, |text| {
            Statuses::range(text).ok_or_else(|| {
                format!("`{text}` is not a status from 200 to 599, nor a range of them such as \"200-399\"")
            })
        }))
    }
}

/// One name or address, with a port or without. Whatever else no request could be made with, and no check be good.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !text.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let digits = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let one = Host::parse(name).is_ok_and(|host| !host.to_string().starts_with("*."));
    one && port.is_none_or(|port| digits(port) && port.parse::<u16>().is_ok())
}

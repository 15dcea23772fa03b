//! The whole of a configuration, resolved in the order in which its parts refer to each other.

use super::Resolver;
use super::route::Parts;
use crate::snapshot::{AccessLog, Admin, Certificate, Gateway, Listener, Route, Upstream};
use policy::identity::HeaderNames;
use policy::limit::Rule;
use policy::route::{Rule as RouteRule, Table};
use std::sync::Arc;

/// Everything resolved; to be used only when the report holds no error.
pub(crate) struct Meant {
    pub gateway: Option<Gateway>,
    pub admin: Option<Admin>,
    pub listeners: Vec<Listener>,
    pub certificates: Vec<Arc<Certificate>>,
    pub upstreams: Vec<Upstream>,
    pub access_logs: Vec<AccessLog>,
    pub routes: Vec<Route>,
    pub rules: Vec<RouteRule>,
    pub table: Option<Table>,
    pub identity_headers: HeaderNames,
    pub limits: Vec<Arc<Rule>>,
}

/// Resolves everything, and tells of sections that nothing refers to.
pub(crate) fn resolve(mut resolver: Resolver<'_, '_>) -> Meant {
    let gateway = resolver.gateway();
    let admin = resolver.admin();
    let certificates = resolver.certificates();
    let listeners = resolver.listeners(&certificates);
    let upstreams = resolver.upstreams();
    let access_logs = resolver.access_logs();
    let parts = Parts {
        auths: resolver.auths(),
        limits: resolver.limits(),
        headers: resolver.header_lists(),
        idle: listeners
            .iter()
            .filter(|listener| listener.http_to_https.is_some() || listener.protocols.is_empty())
            .map(|listener| listener.id)
            .collect(),
    };
    let (routes, rules, table) = resolver.routes(&parts);
    // The request id, too, is the gateway's alone to set, in trailers as in heads.
    let request_id = gateway
        .as_ref()
        .map(|gateway| gateway.request_id_header.as_str());
    let claimed = parts.auths.values().flat_map(|ready| &ready.headers);
    let identity_headers = HeaderNames::new(claimed.map(|name| &**name).chain(request_id));
    resolver.warn_unused();
    Meant {
        gateway,
        admin,
        listeners,
        certificates: certificates.into_values().collect(),
        upstreams,
        access_logs,
        routes,
        rules,
        table,
        identity_headers,
        limits: parts.limits.into_values().collect(),
    }
}

impl Resolver<'_, '_> {
    fn warn_unused(&mut self) {
        for kind in [
            "certificate",
            "upstream",
            "auth",
            "consumer",
            "limit",
            "headers",
            "access_log",
        ] {
            for block in self.said.of(kind) {
                if !self.used.contains(&(kind.to_owned(), block.name.clone())) {
                    self.warn(block.place, format!("nothing refers to {}", block.title()));
                }
            }
        }
    }
}

//! `[route.NAME]`: what a request must look like, what it must pass, and what is done with it.

mod access;
mod action;

use self::action::pointed;
use super::auth::Ready;
use super::headers::Lists;
use super::process::{is_token, set};
use super::{Resolver, id16};
use crate::keys::route::Route as Said;
use crate::problem::Problem;
use crate::said::Block;
use crate::snapshot::Route;
use policy::chain::{Chain, ChainParts};
use policy::limit::Rule as Limit;
use policy::policies::ip_access;
use policy::route::{Condition, ConflictKind, Host, Pattern, Rule, Table};
use policy_keys::Mismatch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What routes refer to, already resolved.
pub(super) struct Parts {
    pub auths: BTreeMap<String, Ready>,
    pub limits: BTreeMap<String, Arc<Limit>>,
    pub headers: BTreeMap<String, Lists>,
    /// The listeners that serve no requests, by index.
    pub idle: Vec<u16>,
}

impl Resolver<'_, '_> {
    pub(super) fn routes(&mut self, parts: &Parts) -> (Vec<Route>, Vec<Rule>, Option<Table>) {
        let blocks = self.said.of("route");
        if blocks.is_empty() && parts.idle.len() < self.said.names("listener").count() {
            self.report.warn(Problem::nowhere(
                "there is no route: every request gets 404",
            ));
        }
        let (mut routes, mut rules) = (Vec::new(), Vec::new());
        for (index, block) in blocks.iter().enumerate() {
            let Some(said) = self.read(block, &Said::SCOPE, Said::read) else {
                continue;
            };
            let pattern = said.path.as_deref();
            let pattern = pattern.and_then(|path| self.pattern(block, path));
            let before = self.report.errors.len();
            let rule = self.rule(block, &said, pattern.clone());
            if let Some(rule) = &rule {
                self.warn_unserved(block, &rule.listeners, &parts.idle);
            }
            // A rule of which something was left out as wrong would seem to match more than it says.
            if self.report.errors.len() == before {
                rules.extend(rule.map(|rule| (block, rule)));
            }
            routes.extend(self.route(block, index, said, pattern.as_ref(), parts));
        }
        let table = self.table(&rules);
        let rules = rules.into_iter().map(|(_, rule)| rule).collect();
        (routes, rules, table)
    }

    fn warn_unserved(&mut self, block: &Block, listeners: &[u16], idle: &[u16]) {
        if !listeners.is_empty() && listeners.iter().all(|id| idle.contains(id)) {
            let message = "these listeners serve no requests: they send them to https, or pass all connections on";
            self.warn(block.place("listeners", None), message);
        }
    }

    fn pattern(&mut self, block: &Block, path: &str) -> Option<Pattern> {
        let parsed = Pattern::parse(path);
        parsed
            .map_err(|error| self.wrong(block, "path", pointed(path, error, 0)))
            .ok()
    }

    fn rule(&mut self, block: &Block, said: &Said, path: Option<Pattern>) -> Option<Rule> {
        let none = Vec::new();
        let listeners = said.listeners.as_deref().unwrap_or_default();
        let listeners = self.refer_all(block, "listeners", "listener", listeners);
        let headers = said.headers.as_ref().unwrap_or(&none);
        let headers = self.items(block, "headers", headers, |text| {
            match Condition::parse(text) {
                Ok(condition) if !condition.is_field_name() => Err(format!(
                    "`{}` is not the name of a header",
                    condition.name()
                )),
                other => other,
            }
        });
        for key in ["listeners", "hosts", "methods"] {
            if let Some(policy_keys::Raw::List(list)) = block
                .entries
                .get(key)
                .and_then(|entry| entry.value.raw.as_ref())
                && list.is_empty()
            {
                self.wrong(
                    block,
                    key,
                    Mismatch::new("an empty list fits nothing")
                        .hint("leave the key out to fit all"),
                );
            }
        }
        let hosts = said.hosts.as_ref().unwrap_or(&none);
        let hosts = self.items(block, "hosts", hosts, Host::parse);
        let methods = said.methods.as_ref().unwrap_or(&none);
        let methods = self.items(block, "methods", methods, method);
        let query = said.query.as_ref().unwrap_or(&none);
        let query = self.items(block, "query", query, Condition::parse);
        // A list that could not be read at all would seem to fit everything.
        let unread = [
            ("listeners", said.listeners.is_none()),
            ("hosts", said.hosts.is_none()),
            ("methods", said.methods.is_none()),
            ("headers", said.headers.is_none()),
            ("query", said.query.is_none()),
        ];
        if unread
            .iter()
            .any(|(key, absent)| *absent && block.entries.contains_key(*key))
        {
            return None;
        }
        Some(Rule {
            name: block.name.as_str().into(),
            listeners: listeners.into_iter().map(id16).collect(),
            hosts,
            path: path?,
            methods,
            headers,
            query,
            priority: said.priority,
        })
    }

    fn route(
        &mut self,
        block: &Block,
        index: usize,
        said: Said,
        pattern: Option<&Pattern>,
        parts: &Parts,
    ) -> Option<Route> {
        let action = self.action(block, &said, pattern);
        let ready = self.auth(block, said.auth.as_deref(), parts);
        self.refuse_unasked(block, &said, ready.as_ref(), parts);
        let authorize = self.authorize(block, &said, ready.as_ref());
        let limits = self.route_limits(block, &said, ready.as_ref(), parts);
        let (strip_prefix, rewrite) = self.new_path(block, &said, pattern);
        let host_header = self.host_header(block, &said.host_header);
        let access_log = match said.access_log.as_str() {
            "off" => None,
            name => self
                .refer(block, "access_log", None, "access_log", name)
                .map(id16),
        };
        let request_headers = self.edits(
            block,
            "request_headers",
            said.request_headers,
            &parts.headers,
        );
        let response_headers = self.edits(
            block,
            "response_headers",
            said.response_headers,
            &parts.headers,
        );
        let access = ip_access::Rules::new(set(said.allow), set(said.deny));
        let ready = ready?;
        Some(Route {
            name: block.name.as_str().into(),
            id: u32::try_from(index).unwrap_or(u32::MAX),
            action: action?,
            chain: Chain::build(ChainParts {
                access: Some(access),
                limits,
                auth: ready.auth,
                authorize,
            }),
            strip_prefix,
            rewrite,
            host_header,
            timeout: said.timeout,
            access_log,
            websocket: said.websocket,
            max_body_bytes: said.max_body_bytes.map(|size| size.0),
            request_headers,
            response_headers,
            forward_credentials: ready.forward_credentials,
            credentials: ready.credentials,
        })
    }

    fn table(&mut self, rules: &[(&Block, Rule)]) -> Option<Table> {
        let plain: Vec<Rule> = rules.iter().map(|(_, rule)| rule.clone()).collect();
        let conflicts = match Table::compile(&plain) {
            Ok(table) => return Some(table),
            Err(conflicts) => conflicts,
        };
        for conflict in conflicts {
            let (Some((first, _)), Some((second, _))) =
                (rules.get(conflict.first), rules.get(conflict.second))
            else {
                continue;
            };
            // The one that stands later is the one to look at, whichever the names put first.
            let (first, second) = match conflict.kind {
                ConflictKind::Duplicate if first.place > second.place => (second, first),
                _ => (first, second),
            };
            let there = self.report.line_of(first.place("path", None));
            let place = second.place("path", None);
            let problem = match conflict.kind {
                ConflictKind::Duplicate => Problem::at(
                    place,
                    format!(
                        "{} matches the same requests as {}",
                        second.title(),
                        first.title()
                    ),
                )
                .note(format!("{} stands in {there}", first.title()))
                .note("tell them apart by host, path, methods, headers, query or priority"),
                ConflictKind::Unreachable => {
                    Problem::at(place, format!("{} never gets a request", second.title())).note(
                        format!(
                            "{} in {there} matches all of them and has a higher priority",
                            first.title()
                        ),
                    )
                }
            };
            self.report.error(problem);
        }
        None
    }
}

/// A method as a request line spells it.
fn method(text: &str) -> Result<String, String> {
    let upper = text.to_ascii_uppercase();
    match is_token(text) {
        true if upper != text
            && protocol::message::Method::parse(upper.as_bytes())
                != protocol::message::Method::Other =>
        {
            Err(format!("methods are told apart by case: write `{upper}`"))
        }
        true if text == "CONNECT" => Err("CONNECT is never forwarded".to_owned()),
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not a method")),
    }
}

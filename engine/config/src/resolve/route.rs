//! `[route.NAME]`: what a request must look like, what it must pass, and what is done with it.

use super::auth::Ready;
use super::headers::Lists;
use super::process::{is_token, set};
use super::{Resolver, id16};
use crate::keys::route::Route as Said;
use crate::problem::Problem;
use crate::said::Block;
use crate::snapshot::{Action, CredentialPlace, HostHeader, Route};
use policy::chain::{Auth, Chain, ChainParts};
use policy::limit::Rule as Limit;
use policy::policies::{authorize, ip_access};
use policy::route::{Condition, ConflictKind, Host, Pattern, PatternError, Rewrite, Rule, Table};
use policy_keys::Mismatch;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What routes refer to, already resolved.
pub(super) struct Parts {
    pub auths: BTreeMap<String, Ready>,
    pub limits: BTreeMap<String, Arc<Limit>>,
    pub headers: BTreeMap<String, Lists>,
}

impl Resolver<'_, '_> {
    pub(super) fn routes(&mut self, parts: &Parts) -> (Vec<Route>, Option<Table>) {
        let blocks = self.said.of("route");
        if blocks.is_empty() {
            self.report.warn(Problem::nowhere(
                "there is no route: every request gets 404",
            ));
        }
        let (mut routes, mut rules) = (Vec::new(), Vec::new());
        for (index, block) in blocks.iter().enumerate() {
            let Some(said) = self.read(block, &Said::SCOPE, Said::read) else {
                self.auth(block, None, parts);
                continue;
            };
            let Some(pattern) = self.pattern(block, &said.path) else {
                self.auth(block, said.auth.as_deref(), parts);
                continue;
            };
            let rule = self.rule(block, &said, pattern.clone());
            let route = self.route(block, index, said, &pattern, parts);
            if let Some(route) = route {
                routes.push(route);
                rules.push((block, rule));
            }
        }
        let table = self.table(&rules);
        (routes, table)
    }

    fn pattern(&mut self, block: &Block, path: &str) -> Option<Pattern> {
        let parsed = Pattern::parse(path);
        parsed
            .map_err(|error| self.wrong(block, "path", pointed(path, error, 0)))
            .ok()
    }

    fn rule(&mut self, block: &Block, said: &Said, path: Pattern) -> Rule {
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
        Rule {
            name: block.name.as_str().into(),
            listeners: listeners.into_iter().map(id16).collect(),
            hosts: self.items(
                block,
                "hosts",
                said.hosts.as_ref().unwrap_or(&none),
                Host::parse,
            ),
            path,
            methods: self.items(
                block,
                "methods",
                said.methods.as_ref().unwrap_or(&none),
                method,
            ),
            headers,
            query: self.items(
                block,
                "query",
                said.query.as_ref().unwrap_or(&none),
                Condition::parse,
            ),
            priority: said.priority,
        }
    }

    fn route(
        &mut self,
        block: &Block,
        index: usize,
        said: Said,
        pattern: &Pattern,
        parts: &Parts,
    ) -> Option<Route> {
        let action = self.action(block, &said, pattern);
        let ready = self.auth(block, said.auth.as_deref(), parts);
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
            max_body_bytes: said.max_body_bytes.map(|size| size.0),
            request_headers,
            response_headers,
            forward_credentials: ready.forward_credentials,
            credentials: ready.credentials,
        })
    }

    fn action(&mut self, block: &Block, said: &Said, pattern: &Pattern) -> Option<Action> {
        let keys = ["upstream", "respond", "redirect"];
        let there: Vec<&str> = keys
            .into_iter()
            .filter(|key| block.entries.contains_key(*key))
            .collect();
        match there[..] {
            [] => self.report.error(
                Problem::at(
                    block.place,
                    format!("{} does not say what is done with requests", block.title()),
                )
                .note("expected one of `upstream`, `respond` and `redirect`"),
            ),
            [_] => {}
            [first, second, ..] => {
                let place = block.entries[second].key.place;
                let message = format!("{} has both `{first}` and `{second}`", block.title());
                self.report.error(
                    Problem::at(place, message)
                        .note("a route does one thing: leave one of them out"),
                );
            }
        }
        if there.first() != Some(&"upstream") {
            let idle = [
                "timeout",
                "strip_prefix",
                "rewrite",
                "host_header",
                "request_headers",
            ];
            for key in idle
                .into_iter()
                .filter(|key| block.entries.contains_key(*key) && !there.is_empty())
            {
                let place = block.entries[key].key.place;
                self.warn(
                    place,
                    format!("`{key}` does nothing on a route without `upstream`"),
                );
            }
        }
        if let Some(name) = &said.upstream {
            let upstream = self.refer(block, "upstream", None, "upstream", name.as_str())?;
            return Some(Action::Forward {
                upstream: id16(upstream),
            });
        }
        if let Some(text) = &said.respond {
            return match respond(text) {
                Ok((status, body)) => Some(Action::Respond {
                    status,
                    content_type: if body.is_empty() {
                        String::new()
                    } else {
                        said.respond_type.clone()
                    },
                    body: body.as_bytes().to_vec(),
                }),
                Err(mismatch) => {
                    self.wrong(block, "respond", mismatch);
                    None
                }
            };
        }
        self.redirect(block, said.redirect.as_deref()?, pattern)
    }

    fn redirect(&mut self, block: &Block, text: &str, pattern: &Pattern) -> Option<Action> {
        let (status, target) = match text.split_once(' ') {
            Some((status, target)) => (status, target.trim_start()),
            None => ("302", text),
        };
        let at = text.len() - target.len();
        let status = match status.parse() {
            Ok(status @ (301 | 302 | 303 | 307 | 308)) => status,
            _ => {
                let mismatch =
                    Mismatch::new(format!("`{status}` is not a status that sends elsewhere"));
                self.wrong(
                    block,
                    "redirect",
                    mismatch.expected("301, 302, 303, 307 or 308, then the place"),
                );
                return None;
            }
        };
        match Rewrite::parse(target, pattern) {
            Ok(location) => Some(Action::Redirect { status, location }),
            Err(error) => {
                self.wrong(block, "redirect", pointed(text, error, at));
                None
            }
        }
    }

    /// How the route authenticates; told when it does not say.
    fn auth(&mut self, block: &Block, auth: Option<&str>, parts: &Parts) -> Option<Ready> {
        match auth.or_else(|| block.text("auth")) {
            Some("none") => Some(Ready {
                auth: Auth::None,
                forward_credentials: true,
                credentials: Vec::<CredentialPlace>::new(),
                headers: Vec::new(),
            }),
            Some(name) => {
                self.refer(block, "auth", None, "auth", name)?;
                parts.auths.get(name).cloned()
            }
            None if block.entries.contains_key("auth") => None,
            None => {
                let names: Vec<String> = self
                    .said
                    .names("auth")
                    .map(|name| format!("\"{name}\""))
                    .collect();
                let known = match names.is_empty() {
                    true => String::new(),
                    false => format!(", or one of {}", names.join(", ")),
                };
                self.report.error(
                    Problem::at(
                        block.place,
                        format!(
                            "{} does not say who may pass: it lacks `auth`",
                            block.title()
                        ),
                    )
                    .note(format!("write auth = \"none\" for a public route{known}")),
                );
                None
            }
        }
    }

    fn authorize(
        &mut self,
        block: &Block,
        said: &Said,
        ready: Option<&Ready>,
    ) -> Option<authorize::Rules> {
        let lists = [
            (
                "require_scopes",
                said.require_scopes.as_deref().unwrap_or_default(),
            ),
            (
                "require_roles",
                said.require_roles.as_deref().unwrap_or_default(),
            ),
            (
                "require_claims",
                said.require_claims.as_deref().unwrap_or_default(),
            ),
        ];
        for (key, list) in lists {
            // Only a token carries these: anybody else would always be refused.
            if !list.is_empty() && ready.is_some_and(|ready| !matches!(ready.auth, Auth::Jwt(_))) {
                let place = block
                    .entries
                    .get(key)
                    .map_or(block.place, |entry| entry.key.place);
                let message =
                    format!("`{key}` needs an auth of kind \"jwt\": nobody else carries any");
                self.report.error(Problem::at(place, message));
                return None;
            }
        }
        let [(_, scopes), (_, roles), (_, claims)] = lists;
        match authorize::Rules::new(scopes, roles, claims) {
            Ok(rules) => Some(rules),
            Err(_) => {
                // Compiled one by one, to find out which item it is.
                for (key, list) in lists {
                    self.items(block, key, list, |text| {
                        let one = [text.to_owned()];
                        let rules = match key {
                            "require_scopes" => authorize::Rules::new(&one, &[], &[]),
                            "require_roles" => authorize::Rules::new(&[], &one, &[]),
                            _ => authorize::Rules::new(&[], &[], &one),
                        };
                        rules.map(|_| ())
                    });
                }
                None
            }
        }
    }

    fn route_limits(
        &mut self,
        block: &Block,
        said: &Said,
        ready: Option<&Ready>,
        parts: &Parts,
    ) -> Vec<Arc<Limit>> {
        let names = said.limits.as_deref().unwrap_or_default();
        self.refer_all(block, "limits", "limit", names);
        let mut limits = Vec::with_capacity(names.len());
        for (item, name) in names.iter().enumerate() {
            let Some(limit) = parts.limits.get(name.as_str()) else {
                continue;
            };
            let public = ready.is_some_and(|ready| matches!(ready.auth, Auth::None));
            if public && limit.key.needs_identity() {
                let place = block.place("limits", Some(item));
                let message = format!(
                    "`{}` counts by {}, which nobody has on a public route",
                    limit.name, limit.key
                );
                self.warn(place, message);
            }
            limits.push(Arc::clone(limit));
        }
        limits
    }

    fn new_path(
        &mut self,
        block: &Block,
        said: &Said,
        pattern: &Pattern,
    ) -> (Option<String>, Option<Rewrite>) {
        if said.strip_prefix.is_some() && said.rewrite.is_some() {
            let place = block.entries["strip_prefix"].key.place;
            let message = format!("{} has both `rewrite` and `strip_prefix`", block.title());
            self.report
                .error(Problem::at(place, message).note("`rewrite` alone can say it all"));
        }
        let strip_prefix = said.strip_prefix.as_deref().and_then(|prefix| {
            let trimmed = prefix.strip_suffix('/').unwrap_or(prefix);
            if !prefix.starts_with('/') {
                self.wrong(
                    block,
                    "strip_prefix",
                    Mismatch::new("a prefix starts with `/`"),
                );
                return None;
            }
            if !pattern.lies_under(trimmed) {
                let what = format!("the path `{pattern}` does not begin with `{prefix}`");
                self.wrong(block, "strip_prefix", Mismatch::new(what));
                return None;
            }
            Some(trimmed.to_owned())
        });
        let rewrite =
            said.rewrite
                .as_deref()
                .and_then(|text| match Rewrite::parse(text, pattern) {
                    Ok(rewrite) if rewrite.is_path() => Some(rewrite),
                    Ok(_) => {
                        let mismatch =
                            Mismatch::new("a rewrite gives a path, not a place elsewhere");
                        self.wrong(
                            block,
                            "rewrite",
                            mismatch.hint("`redirect` sends clients elsewhere"),
                        );
                        None
                    }
                    Err(error) => {
                        self.wrong(block, "rewrite", pointed(text, error, 0));
                        None
                    }
                });
        (strip_prefix, rewrite)
    }

    fn host_header(&mut self, block: &Block, text: &str) -> HostHeader {
        match text {
            "client" => HostHeader::Client,
            "upstream" => HostHeader::Upstream,
            host => {
                let (name, port) = match host.rsplit_once(':') {
                    Some((name, port)) if !name.ends_with(':') && !port.ends_with(']') => {
                        (name, port)
                    }
                    _ => (host, "80"),
                };
                let byte = |b: u8| b.is_ascii_alphanumeric() || b"-._[]:".contains(&b);
                if name.is_empty() || !name.bytes().all(byte) || port.parse::<u16>().is_err() {
                    let mismatch = Mismatch::new(format!("`{host}` is not a host"));
                    self.wrong(
                        block,
                        "host_header",
                        mismatch.expected(
                            "\"client\", \"upstream\" or a host such as \"api.internal\"",
                        ),
                    );
                }
                HostHeader::Set(host.to_owned())
            }
        }
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

/// What a pattern or rewrite says is wrong, with its offset.
fn pointed(text: &str, error: PatternError, offset: usize) -> Mismatch {
    let at = offset + error.at;
    let length = text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(1, char::len_utf8);
    Mismatch::new(error.what).at(at..at + length)
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

/// `"200 pong"`.
fn respond(text: &str) -> Result<(u16, &str), Mismatch> {
    let (status, body) = text.split_once(' ').unwrap_or((text, ""));
    let parsed = status
        .parse()
        .ok()
        .filter(|status| (200..=599).contains(status) && text.is_char_boundary(3));
    let Some(status) = parsed else {
        return Err(Mismatch::new(format!("`{status}` is not a status"))
            .expected("a status from 200 to 599 and, after a space, the body")
            .at(0..status.len()));
    };
    if matches!(status, 204 | 205 | 304) && !body.is_empty() {
        return Err(
            Mismatch::new(format!("an answer with status {status} has no body")).at(4..text.len()),
        );
    }
    Ok((status, body))
}

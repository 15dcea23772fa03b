//! The semantics of routes once more, for tests: from the texts of the rules, one rule
//! after the other, with none of the table's structures.

use super::{Condition, Host, Pattern, Rule};
use protocol::message::{BodyLength, Field, Method, Name, RequestHead, Span};
use std::cmp::Reverse;

/// A rule as it would stand in a configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Written {
    pub(super) listeners: Vec<u16>,
    pub(super) hosts: Vec<&'static str>,
    pub(super) path: String,
    pub(super) methods: Vec<&'static str>,
    pub(super) headers: Vec<&'static str>,
    pub(super) query: Vec<&'static str>,
    pub(super) priority: i32,
}

/// A request as it would come in.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) listener: u16,
    pub(super) method: &'static str,
    pub(super) host: &'static str,
    pub(super) path: String,
    pub(super) query: &'static str,
    pub(super) headers: Vec<(&'static str, &'static str)>,
}

/// What the reference says: the rule with its captures (the tail last), the methods that
/// would have done, or nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Route(usize, Vec<String>),
    MethodNotAllowed(Vec<&'static str>),
    NotFound,
}

impl Written {
    pub(super) fn rule(&self) -> Rule {
        let owned = |texts: &[&str]| texts.iter().map(|text| text.to_string()).collect();
        let conditions = |texts: &[&str]| {
            let all = texts.iter().map(|text| Condition::parse(text).unwrap());
            all.collect()
        };
        Rule {
            name: self.path.as_str().into(),
            listeners: self.listeners.clone(),
            hosts: self.hosts.iter().map(|h| Host::parse(h).unwrap()).collect(),
            path: Pattern::parse(&self.path).unwrap(),
            methods: owned(&self.methods),
            headers: conditions(&self.headers),
            query: conditions(&self.query),
            priority: self.priority,
        }
    }

    fn takes(&self, method: &str) -> bool {
        let implied = method == "HEAD" && self.methods.contains(&"GET");
        self.methods.is_empty() || self.methods.contains(&method) || implied
    }

    /// Everything but host and method.
    fn fits(&self, asked: &Asked) -> Option<Vec<String>> {
        let listener = self.listeners.is_empty() || self.listeners.contains(&asked.listener);
        let headers = self.headers.iter().all(|wanted| {
            let mut halves = wanted.split('=');
            let (name, value) = (halves.next().unwrap(), halves.next());
            asked
                .headers
                .iter()
                .any(|(n, v)| n.eq_ignore_ascii_case(name) && value.is_none_or(|value| value == *v))
        });
        let query = self.query.iter().all(|wanted| {
            let given = asked.query.split('&');
            match wanted.contains('=') {
                true => given.into_iter().any(|pair| pair == *wanted),
                false => given
                    .into_iter()
                    .any(|pair| pair.split('=').next() == Some(wanted)),
            }
        });
        let captures = captures(&self.path, &asked.path)?;
        (listener && headers && query).then_some(captures)
    }

    fn place(&self, host: Option<&str>, position: usize) -> impl Ord + use<> {
        let host = match host {
            Some(host) if host.starts_with('*') => (1, Reverse(host.len())),
            Some(_) => (0, Reverse(0)),
            None => (2, Reverse(0)),
        };
        let segments = self.path.split('/').skip(1);
        let names: Vec<bool> = segments.map(|s| s.starts_with('{')).collect();
        let tail = self.path.ends_with('*');
        let path = match (tail, names.contains(&true)) {
            (true, _) => (2, Reverse(names.len()), names),
            (false, true) => (1, Reverse(0), names),
            (false, false) => (0, Reverse(0), Vec::new()),
        };
        let conditions = self.headers.iter().chain(&self.query);
        let valued = conditions.clone().filter(|text| text.contains('=')).count();
        let implied = self.methods.contains(&"GET") && !self.methods.contains(&"HEAD");
        let methods = self.methods.len() + usize::from(implied);
        let restrictions = (
            Reverse((conditions.count(), valued)),
            (methods == 0, methods),
            (self.listeners.is_empty(), self.listeners.len()),
        );
        (Reverse(self.priority), host, path, restrictions, position)
    }
}

/// Asks every rule under each of its hosts, and takes the first of those that fit.
pub(super) fn find(rules: &[Written], asked: &Asked) -> Answer {
    let mut fitting = Vec::new();
    let mut allow = Vec::new();
    for (position, rule) in rules.iter().enumerate() {
        let hosts: Vec<Option<&str>> = match rule.hosts.is_empty() {
            true => vec![None],
            false => rule.hosts.iter().map(|host| Some(*host)).collect(),
        };
        for host in hosts
            .into_iter()
            .filter(|host| host_fits(*host, asked.host))
        {
            let Some(captures) = rule.fits(asked) else {
                continue;
            };
            if rule.takes(asked.method) {
                fitting.push((rule.place(host, position), position, captures));
            } else {
                allow.extend(&rule.methods);
                if rule.methods.contains(&"GET") {
                    allow.push("HEAD");
                }
            }
        }
    }
    allow.sort();
    allow.dedup();
    let first = fitting.into_iter().min_by(|a, b| a.0.cmp(&b.0));
    match first {
        Some((_, position, captures)) => Answer::Route(position, captures),
        None if allow.is_empty() => Answer::NotFound,
        None => Answer::MethodNotAllowed(allow),
    }
}

fn host_fits(rule: Option<&str>, asked: &str) -> bool {
    let asked = asked.to_lowercase();
    match rule {
        None => true,
        Some(rule) => match rule.strip_prefix('*') {
            Some(suffix) => asked.ends_with(suffix) && asked.len() > suffix.len(),
            None => asked == rule,
        },
    }
}

fn captures(pattern: &str, path: &str) -> Option<Vec<String>> {
    let given: Vec<&str> = path.split('/').skip(1).collect();
    let mut wanted: Vec<&str> = pattern.split('/').skip(1).collect();
    let tail = wanted.last() == Some(&"*");
    if tail {
        wanted.pop();
    }
    if given.len() < wanted.len() || (!tail && given.len() > wanted.len()) {
        return None;
    }
    let mut captures = Vec::new();
    for (wanted, given) in wanted.iter().zip(&given) {
        match wanted.starts_with('{') {
            true if given.is_empty() => return None,
            true => captures.push(given.to_string()),
            false if wanted != given => return None,
            false => {}
        }
    }
    if tail {
        captures.push(given[wanted.len()..].join("/"));
    }
    Some(captures)
}

impl Asked {
    /// The head of the request and its bytes.
    pub(super) fn head(&self) -> (RequestHead, Vec<u8>) {
        let mut bytes = Vec::new();
        let mut put = |text: &str| {
            let start = bytes.len();
            bytes.extend_from_slice(text.as_bytes());
            Span::new(start, bytes.len())
        };
        let mut head = RequestHead::new();
        head.method = Method::parse(self.method.as_bytes());
        head.method_text = put(self.method);
        head.path = put(&self.path);
        head.query = put(self.query);
        head.has_query = !self.query.is_empty();
        head.body = BodyLength::None;
        for (name, value) in &self.headers {
            head.fields.push(Field {
                name: put(name),
                value: put(value),
                known: Name::lookup(name.as_bytes()),
                hop_by_hop: false,
            });
        }
        (head, bytes)
    }
}

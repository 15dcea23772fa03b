//! Where all requests go: `[target]`.

use std::path::Path;
use std::sync::Arc;

use engine_net::tls::Group;

use super::problem::{Fault, Report};
use super::said::{self, Kind, Section, Value};
use super::values;
use crate::pem;

/// The server that is measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The URL as it was said.
    pub url: String,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port, also when the URL left it out.
    pub port: u16,
    /// `Host` as it is sent: the port is left out when it is the scheme's own.
    pub authority: String,
    /// What is spoken.
    pub http: Http,
    /// How it is spoken below; none: over TCP alone.
    pub tls: Option<Tls>,
}

/// The version of HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Http {
    /// RFC 9112.
    #[default]
    Http1,
    /// RFC 9113: by ALPN over TLS, with prior knowledge without.
    Http2,
}

/// How TLS is spoken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// What the certificate must be for.
    pub name: String,
    /// Certificates that the server's must lead to, DER; none: those that the system trusts.
    pub roots: Option<Arc<Vec<Vec<u8>>>>,
    /// Whether sessions are resumed.
    pub resume: bool,
    /// Groups for the key exchange; empty: all there are.
    pub groups: Vec<Group>,
}

/// The most bytes of a file of certificates.
const MOST_BUNDLE: u64 = 16 << 20;

/// What every request takes from the target.
pub(super) struct Base {
    /// The URL, for problems with its path; `None` when there is none, which has been told.
    pub value: Option<Value>,
    /// From its first `/` on; at least that.
    pub path: String,
    /// `Host`.
    pub authority: String,
    /// `https`, or not.
    pub scheme: &'static str,
}

/// What `[target]` says beside its URL.
struct Wish<'s> {
    http2: Option<&'s Value>,
    cacert: Option<&'s Value>,
    tls_name: Option<&'s Value>,
    tls_resume: Option<&'s Value>,
    tls_groups: Option<&'s Value>,
}

/// Reads `[target]`; what is wrong is told, but not that there is no URL where a `misspelt` section may have it.
pub(super) fn read(
    mut section: Section<'_>,
    misspelt: bool,
    folder: &Path,
    report: &mut Report,
) -> (Target, Base) {
    let value = section.take("url");
    let wish = Wish {
        http2: section.take("http2"),
        cacert: section.take("cacert"),
        tls_name: section.take("tls_name"),
        tls_resume: section.take("tls_resume"),
        tls_groups: section.take("tls_groups"),
    };
    section.finish(report);
    let mut base = Base {
        value: None,
        path: "/".to_owned(),
        authority: String::new(),
        scheme: "http",
    };
    let Some(value) = value else {
        if misspelt {
            return (Target::default(), base);
        }
        let fault = Fault::nowhere("nothing says where the requests go");
        report.add(
            fault.note("write [target] and below it url = \"http://127.0.0.1:8080\", or say --url"),
        );
        return (Target::default(), base);
    };
    let Some(url) = values::text(report, value) else {
        return (Target::default(), base);
    };
    match parse(url) {
        Ok((mut target, path)) => {
            wish.lay(&mut target, folder, report);
            if path.starts_with('/') {
                path.clone_into(&mut base.path);
            } else {
                base.path.push_str(path);
            }
            base.authority.clone_from(&target.authority);
            base.value = Some(value.clone());
            if target.tls.is_some() {
                base.scheme = "https";
            }
            (target, base)
        }
        Err((part, why, note)) => {
            let place = said::inside(report, value, &part);
            report.add(Fault::at(place, why).note(note));
            (Target::default(), base)
        }
    }
}

/// The target and the path, or the part that is wrong, why, and what to do.
fn parse(url: &str) -> Result<(Target, &str), (String, String, String)> {
    let example = "a URL is written \"http://127.0.0.1:8080/path\"";
    let wrong =
        |part: &str, why: &str, note: &str| (part.to_owned(), why.to_owned(), note.to_owned());
    let Some((scheme, rest)) = url.split_once("://") else {
        let with = format!("write \"http://{url}\"");
        return Err(wrong(url, "the URL has no scheme", &with));
    };
    let usual = match scheme {
        "http" => 80,
        "https" => 443,
        other => {
            return Err(wrong(
                other,
                &format!("there is no scheme `{other}` here"),
                example,
            ));
        }
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    if authority.contains('@') {
        let note = "write credentials as a header, as in headers = { Authorization = \"Basic …\" }";
        return Err(wrong(authority, "the URL carries credentials", note));
    }
    let (host, port) = match authority
        .strip_prefix('[')
        .and_then(|it| it.split_once(']'))
    {
        Some((host, port)) => (host, port),
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let bracketed = authority.starts_with('[');
    let good = match bracketed {
        true => host.parse::<std::net::Ipv6Addr>().is_ok(),
        false => {
            let sign = |b: u8| b.is_ascii_alphanumeric() || b"-._".contains(&b);
            (1..254).contains(&host.len()) && host.bytes().all(sign)
        }
    };
    if !good {
        let why = format!("`{host}` is neither a name nor an address");
        return Err(wrong(authority, &why, example));
    }
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => usual,
        digits => match digits.and_then(|digits| digits.parse().ok()) {
            Some(port) if port > 0 => port,
            _ => {
                return Err(wrong(
                    port,
                    "the port is not a number from 1 to 65535",
                    example,
                ));
            }
        },
    };
    let shown = if bracketed {
        format!("[{host}]")
    } else {
        host.to_owned()
    };
    let target = Target {
        url: url.to_owned(),
        host: host.to_owned(),
        port,
        authority: if port == usual {
            shown
        } else {
            format!("{shown}:{port}")
        },
        http: Http::Http1,
        tls: (scheme == "https").then(|| Tls {
            name: host.to_owned(),
            roots: None,
            resume: true,
            groups: Vec::new(),
        }),
    };
    Ok((target, path))
}

impl Wish<'_> {
    /// Lays what is said over what the URL means.
    fn lay(&self, target: &mut Target, folder: &Path, report: &mut Report) {
        if self.http2.and_then(|value| values::flag(report, value)) == Some(true) {
            target.http = Http::Http2;
        }
        let Some(tls) = &mut target.tls else {
            let said = [self.cacert, self.tls_name, self.tls_resume, self.tls_groups];
            for value in said.into_iter().flatten() {
                let fault = Fault::at(value.place, "this is about TLS, and the target has none");
                report.add(fault.note("a URL that begins with https:// has"));
            }
            return;
        };
        if let Some(value) = self.cacert {
            tls.roots = bundle(report, value, folder).map(Arc::new);
        }
        if let Some(name) = self.tls_name.and_then(|value| values::text(report, value)) {
            name.clone_into(&mut tls.name);
        }
        if let Some(resume) = self
            .tls_resume
            .and_then(|value| values::flag(report, value))
        {
            tls.resume = resume;
        }
        if let Some(value) = self.tls_groups {
            tls.groups = groups(report, value);
        }
    }
}

/// The certificates of a file.
fn bundle(report: &mut Report, value: &Value, folder: &Path) -> Option<Vec<Vec<u8>>> {
    let path = values::text(report, value)?;
    let path = path.strip_prefix("file:").unwrap_or(path);
    let bytes = values::file(report, value, folder, path, MOST_BUNDLE)?;
    match pem::certificates(&bytes) {
        Ok(found) => Some(found),
        Err(why) => {
            report.add(Fault::at(value.place, format!("`{path}`: {why}")));
            None
        }
    }
}

/// `"X25519,P-256"`, or a list; as logs write them, whatever the case.
fn groups(report: &mut Report, value: &Value) -> Vec<Group> {
    let names: Vec<String> = match &value.kind {
        Kind::List(items) => items
            .iter()
            .filter_map(|item| values::text(report, item))
            .map(str::to_owned)
            .collect(),
        _ => values::text(report, value)
            .map(|text| text.split(',').map(|it| it.trim().to_owned()).collect())
            .unwrap_or_default(),
    };
    let mut found = Vec::new();
    for name in names {
        let known = Group::ALL
            .into_iter()
            .find(|group| group.as_str().eq_ignore_ascii_case(&name));
        match known {
            Some(group) => found.push(group),
            None => {
                let all = Group::ALL.map(Group::as_str).join(", ");
                let fault = Fault::at(value.place, format!("there is no group `{name}`"));
                report.add(fault.note(format!("the groups are {all}")));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests;

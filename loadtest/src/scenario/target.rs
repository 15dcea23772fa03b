//! Where all requests go: `[target]`.

use super::problem::{Fault, Report};
use super::said::{self, Section, Value};
use super::values;

/// The server that is measured.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The URL as it was said.
    pub url: String,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port, also when the URL left it out.
    pub port: u16,
    /// `Host` as it is sent: the port is left out when it is 80.
    pub authority: String,
}

/// What every request takes from the target.
pub(super) struct Base {
    /// The URL, for problems with its path; `None` when there is none, which has been told.
    pub value: Option<Value>,
    /// From its first `/` on; at least that.
    pub path: String,
    /// `Host`.
    pub authority: String,
}

/// Reads `[target]`; what is wrong is told, but not that there is no URL where a `misspelt` section may have it.
pub(super) fn read(
    mut section: Section<'_>,
    misspelt: bool,
    report: &mut Report,
) -> (Target, Base) {
    let value = section.take("url");
    section.finish(report);
    let mut base = Base {
        value: None,
        path: "/".to_owned(),
        authority: String::new(),
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
        Ok((target, path)) => {
            if path.starts_with('/') {
                path.clone_into(&mut base.path);
            } else {
                base.path.push_str(path);
            }
            base.authority.clone_from(&target.authority);
            base.value = Some(value.clone());
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
    match scheme {
        "http" => {}
        "https" => {
            return Err(wrong(
                "https",
                "TLS is not built yet",
                "only http:// can be measured so far",
            ));
        }
        other => {
            return Err(wrong(
                other,
                &format!("there is no scheme `{other}` here"),
                example,
            ));
        }
    }
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
        None if port.is_empty() => 80,
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
        authority: if port == 80 {
            shown
        } else {
            format!("{shown}:{port}")
        },
    };
    Ok((target, path))
}

#[cfg(test)]
mod tests;

//! What the upstream would get: the request line, and how the header differs from what came.
//!
//! The rules are those of the semantics page ("Forwarding"); values that may be credentials are named,
//! never shown.

use crate::snapshot::{CredentialPlace, HostHeader, Route, Snapshot};
use policy::context::{Context, View};
use policy::route::{Captures, strip_prefix};
use protocol::message::{Name, TargetForm};
use std::net::IpAddr;

/// The request line, then `- Name: why` for what is left out and `+ Name: value` for what is set.
pub(super) fn lines(
    snapshot: &Snapshot,
    route: &Route,
    view: &View<'_>,
    captures: &Captures,
    context: &Context,
    peer: IpAddr,
) -> Vec<String> {
    let method = String::from_utf8_lossy(view.request.method_text()).into_owned();
    let mut lines = vec![format!(
        "{method} {} HTTP/1.1",
        target(route, view, captures)
    )];
    let host = match &route.host_header {
        HostHeader::Client => String::from_utf8_lossy(view.request.authority()).into_owned(),
        HostHeader::Set(host) => host.clone(),
        HostHeader::Upstream => "(the endpoint's address)".to_owned(),
    };
    lines.push(format!("Host: {host}"));
    let id = &snapshot.gateway.request_id_header;
    let trusted = snapshot.gateway.trusted_proxies.contains(peer);
    for (field, name, _) in view.request.fields() {
        let why = match field.known {
            Name::Host => continue,
            _ if field.hop_by_hop => "it ends at this hop",
            _ if snapshot.identity_headers.matches(name) => "only the gateway sets it",
            _ if is_credential(route, name) => "it holds a credential",
            _ if route.request_headers.drops(name) => "request_headers removes it",
            _ if name.eq_ignore_ascii_case(id.as_bytes()) && !trusted => {
                "the peer is not a trusted proxy"
            }
            Name::XForwardedFor
            | Name::XForwardedHost
            | Name::XForwardedProto
            | Name::Forwarded
                if !trusted =>
            {
                "the peer is not a trusted proxy"
            }
            _ => continue,
        };
        lines.push(format!("- {}: {why}", String::from_utf8_lossy(name)));
    }
    lines.push("+ Via: 1.1 portcullis".to_owned());
    let verb = if trusted { "appended to" } else { "set" };
    lines.push(format!(
        "+ X-Forwarded-For: {peer} ({verb}); -Proto, -Host and Forwarded likewise"
    ));
    lines.push(format!("+ {id}: the request id"));
    let mut added = Vec::new();
    context.identity.forward_lines(&mut added);
    added.extend_from_slice(route.request_headers.lines());
    let added = String::from_utf8_lossy(&added).into_owned();
    lines.extend(added.lines().map(|line| format!("+ {line}")));
    lines
}

fn is_credential(route: &Route, name: &[u8]) -> bool {
    route.credentials.iter().any(|place| match place {
        CredentialPlace::Header(header) => name.eq_ignore_ascii_case(header.as_bytes()),
        CredentialPlace::Query(_) | CredentialPlace::Cookie(_) => false,
    })
}

fn target(route: &Route, view: &View<'_>, captures: &Captures) -> String {
    if view.request.head.form == TargetForm::Asterisk {
        return "*".to_owned();
    }
    let mut target = Vec::new();
    match (&route.rewrite, &route.strip_prefix) {
        (Some(rewrite), _) => rewrite.apply(view.path, captures, &mut target),
        (None, Some(prefix)) => {
            target.extend_from_slice(strip_prefix(view.path, prefix).unwrap_or(view.path))
        }
        (None, None) => target.extend_from_slice(view.path),
    }
    if view.request.head.has_query {
        let removed = |pair: &&[u8]| {
            let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
            let named = |place: &CredentialPlace| matches!(place, CredentialPlace::Query(query) if query.as_bytes() == name);
            route.credentials.iter().any(named)
        };
        let pairs = view.request.query().split(|byte| *byte == b'&');
        let kept: Vec<&[u8]> = pairs.filter(|pair| !removed(pair)).collect();
        if !kept.is_empty() {
            target.push(b'?');
            target.extend_from_slice(&kept.join(&b'&'));
        }
    }
    String::from_utf8_lossy(&target).into_owned()
}

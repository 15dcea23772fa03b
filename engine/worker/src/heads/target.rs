//! The target of the request towards the upstream.

use engine_config::snapshot::Route;
use protocol::message::{Request, TargetForm};

use crate::removed::Removed;

/// The target to ask the upstream for: the canonical path as the route re-writes it, then the query
/// without the parameters that carried a credential.
pub(crate) fn target(
    request: Request<'_>,
    path: &[u8],
    route: &Route,
    removed: &Removed,
    captures: &policy::route::Captures,
    out: &mut Vec<u8>,
) {
    out.clear();
    if request.head.form == TargetForm::Asterisk {
        out.push(b'*');
        return;
    }
    if let Some(rewrite) = &route.rewrite {
        rewrite.apply(path, captures, out);
    } else if let Some(prefix) = &route.strip_prefix {
        out.extend_from_slice(policy::route::strip_prefix(path, prefix).unwrap_or(path));
    } else {
        out.extend_from_slice(path);
    }
    if out.first() != Some(&b'/') {
        out.insert(0, b'/');
    }
    if !request.head.has_query {
        return;
    }
    // A rewrite may have brought a query of its own.
    let joint = if out.contains(&b'?') { b'&' } else { b'?' };
    if !removed.any_query() {
        out.push(joint);
        out.extend_from_slice(request.query());
        return;
    }
    let mut separator = joint;
    for pair in request.query().split(|b| *b == b'&') {
        let name = pair.split(|b| *b == b'=').next().unwrap_or_default();
        if !removed.query(name) {
            out.push(separator);
            out.extend_from_slice(pair);
            separator = b'&';
        }
    }
}

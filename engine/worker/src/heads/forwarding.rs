//! What proxies tell of the client and of themselves: Via, X-Forwarded-*, Forwarded.
//!
//! Via is continued whoever sent it; of the others, what a trusted proxy said is kept, and what anybody else said is not.

use protocol::http1::encode;
use protocol::message::{Name, Request};

use super::{Forwarded, via};

/// Appends these fields as the upstream is to see them.
pub(super) fn fields(f: &Forwarded<'_>, out: &mut Vec<u8>) {
    let authority = f.request.authority();
    appended(
        out,
        f.request,
        Name::Via,
        b"Via",
        via(f.request.head.version),
        true,
    );
    appended(
        out,
        f.request,
        Name::XForwardedFor,
        b"X-Forwarded-For",
        f.peer,
        f.trusted,
    );
    // A trusted proxy's word on host and protocol stands; it alone knows what the client said. What
    // it declared to be for this hop alone does not count.
    let came = |request: Request<'_>, name| {
        request
            .fields()
            .any(|(field, _, _)| field.known == name && !field.hop_by_hop)
    };
    if !f.trusted || !came(f.request, Name::XForwardedProto) {
        let line: &[u8] = match f.secure {
            true => b"X-Forwarded-Proto: https\r\n",
            false => b"X-Forwarded-Proto: http\r\n",
        };
        out.extend_from_slice(line);
    }
    if !authority.is_empty() && (!f.trusted || !came(f.request, Name::XForwardedHost)) {
        encode::field(out, b"X-Forwarded-Host", authority);
    }
    forwarded(out, f);
}

/// Whether a name belongs to those by which proxies tell of the client, so that only a trusted proxy
/// may set it. `_` counts as `-`: some origins read both as one.
pub(crate) fn is_forwarding(name: &[u8]) -> bool {
    let is = |prefix: &[u8]| {
        name.get(..prefix.len()).is_some_and(|start| {
            start.iter().zip(prefix).all(|(a, b)| {
                let a = if *a == b'_' {
                    b'-'
                } else {
                    a.to_ascii_lowercase()
                };
                a == *b
            })
        })
    };
    match name.first() {
        Some(b'x' | b'X') => is(b"x-forwarded-") || (name.len() == 9 && is(b"x-real-ip")),
        _ => false,
    }
}

/// One field line that continues what came, if that may be believed, with an element of our own.
fn appended(
    out: &mut Vec<u8>,
    request: Request<'_>,
    known: Name,
    name: &[u8],
    element: &[u8],
    keep: bool,
) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    if keep {
        for value in request.headers(known) {
            if !value.is_empty() {
                out.extend_from_slice(value);
                out.extend_from_slice(b", ");
            }
        }
    }
    out.extend_from_slice(element);
    out.extend_from_slice(b"\r\n");
}

/// `Forwarded` (RFC 7239), with the address quoted where its grammar asks for it.
fn forwarded(out: &mut Vec<u8>, f: &Forwarded<'_>) {
    out.extend_from_slice(b"Forwarded: ");
    if f.trusted {
        for value in f.request.headers(Name::Forwarded) {
            out.extend_from_slice(value);
            out.extend_from_slice(b", ");
        }
    }
    let v6 = f.peer.contains(&b':');
    out.extend_from_slice(if v6 { b"for=\"[" } else { b"for=" });
    out.extend_from_slice(f.peer);
    if v6 {
        out.extend_from_slice(b"]\"");
    }
    let authority = f.request.authority();
    if !authority.is_empty() {
        out.extend_from_slice(b";host=\"");
        out.extend_from_slice(authority);
        out.push(b'"');
    }
    out.extend_from_slice(if f.secure {
        b";proto=https\r\n"
    } else {
        b";proto=http\r\n"
    });
}

//! What comes before a request on a listener with TLS: which certificate the client is shown, or where its
//! connection is passed on to unopened.
//!
//! The URL's host stands for the name that the client asks for (SNI).

use super::question::{Question, split_url};
use super::{Outcome, answered};
use crate::snapshot::{Listener, ListenerTls, Snapshot};
use protocol::message::host_of;

/// The certificates that are there for the URL's host, and what the listener speaks; `None` where it does not end TLS.
pub(super) fn facts(listener: &Listener, question: &Question<'_>) -> Option<String> {
    let tls = listener.tls.as_ref()?;
    let host = host(question.url);
    if passed_on(listener, &host).is_some() {
        return None;
    }
    let all = tls.certificates.iter();
    let fitting = all.filter(|it| it.serves(host.as_bytes()));
    let fitting: Vec<&str> = fitting.map(|it| &*it.name).collect();
    let first = tls.certificates.first().map_or("", |it| &*it.name);
    let shown = match (fitting.is_empty(), host.is_empty()) {
        (false, _) => format!("certificate {}", fitting.join(" or ")),
        (true, true) => format!("certificate {first}"),
        (true, false) => {
            format!("certificate {first}, which is not for {host}: clients refuse it")
        }
    };
    let spoken: Vec<&str> = listener.protocols.iter().map(|it| it.as_str()).collect();
    let shows = !question.shown.is_empty();
    let asked = match tls.client.as_ref().map(|client| client.required) {
        None if shows => "; the client is not asked for one",
        None => "",
        Some(_) if shows => {
            "; the client shows one too, taken for one that `client_ca` vouches for"
        }
        Some(true) => "; the client must show one too",
        Some(false) => "; the client may show one too",
    };
    Some(format!("{shown}; {}{asked}", spoken.join(" or ")))
}

/// What a listener does that serves no requests, or none under this name.
pub(super) fn not_served(
    snapshot: &Snapshot,
    listener: &Listener,
    question: &Question<'_>,
) -> Option<Outcome> {
    if let Some(port) = listener.http_to_https {
        let why = format!("Location: the same under https, port {port}");
        return Some(answered(None, 308, why));
    }
    let host = host(question.url);
    let name = &listener.name;
    if let Some(id) = passed_on(listener, &host)
        && let Some(upstream) = snapshot.upstreams.get(usize::from(id))
    {
        let why = format!(
            "listener {name} passes this connection on to {} and sees no request in it",
            upstream.name
        );
        return Some(answered(None, 0, why));
    }
    let required = |tls: &ListenerTls| tls.client.as_ref().is_some_and(|it| it.required);
    if listener.tls.as_ref().is_some_and(required) && question.shown.is_empty() {
        let why = format!(
            "listener {name} lets nobody in without a certificate; show one with --client-cert"
        );
        return Some(answered(None, 0, why));
    }
    (listener.tls.is_none() && !listener.passthrough.is_empty()).then(|| {
        let why = format!(
            "listener {name} passes connections on by name, and none of its lines takes this one"
        );
        answered(None, 0, why)
    })
}

/// The upstream that a connection is passed on to.
fn passed_on(listener: &Listener, host: &str) -> Option<u16> {
    let name = (!host.is_empty()).then_some(host);
    listener.passthrough.find(name)
}

fn host(url: &str) -> String {
    let (authority, _) = split_url(url);
    String::from_utf8_lossy(host_of(authority.as_bytes())).into_owned()
}

//! A listener as people read it: what connects there, where, and what is spoken.

use std::fmt::Display;

use engine_config::snapshot::Listener;

/// `listener secure: https://127.0.0.1:18443 (h2, http/1.1)`.
pub(crate) fn line(listener: &Listener, address: impl Display) -> String {
    let passes = !listener.passthrough.is_empty();
    let scheme = match (&listener.tls, passes) {
        (Some(_), _) => "https",
        (None, true) => "tls",
        (None, false) => "http",
    };
    let mut words: Vec<String> = Vec::new();
    match listener.http_to_https {
        Some(port) => words.push(format!("sends clients to https, port {port}")),
        None => words.extend(listener.protocols.iter().map(|it| it.as_str().to_owned())),
    }
    if passes {
        let passed = match listener.tls {
            Some(_) => "passes some names on",
            None => "passes connections on",
        };
        words.push(passed.to_owned());
    }
    let (name, words) = (&listener.name, words.join(", "));
    format!("listener {name}: {scheme}://{address} ({words})")
}

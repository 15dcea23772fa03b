//! TLS with clients, as OpenSSL's client sees it: which certificate is shown, sessions over workers and reloads, new
//! certificates beside old connections, handshakes that fail and storms of them.
//!
//! Client certificates are `mtls`'s, connections that are passed on unopened `passthrough`'s.

use std::time::Instant;

use tests::metrics::{self, Metrics};
use tests::{Gateway, Origin, PATIENCE, Peer, Setup};

mod choosing;
mod failures;
mod reloading;
mod sessions;
mod storms;
mod world;

use world::{Kind, World};

/// A listener of this name with these certificates and keys.
fn listener(name: &str, certificates: &str, keys: &str) -> String {
    format!(
        "[listener.{name}]\naddress = \"127.0.0.1:0\"\ncertificates = [{certificates}]\n{keys}\n"
    )
}

/// A route for everything that says this.
fn saying(text: &str) -> String {
    format!("[route.own]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200 {text}\"\n")
}

/// Puts another configuration into the file and waits until the process says that it is live; workers follow at their next
/// tick.
#[track_caller]
fn change(gateway: &Gateway, text: &str, generation: u32) {
    gateway.rewrite(text);
    gateway.signal("HUP");
    gateway.wait_said(&format!("is live, generation {generation}"), 0);
}

/// Tries until it comes true.
#[track_caller]
fn until<T>(what: &str, mut attempt: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "never: {what}");
    }
}

//! What lies behind errors that are only counted: why connections could not be opened, which rule was broken, an example of
//! an unexpected answer. And, where nothing was answered at all, what the user may have meant.

use std::collections::BTreeMap;

use super::exchange::Seen;
use super::world::{Order, World};
use crate::results::{ErrorKind, Results};
use crate::scenario::{Http, Scenario};

/// What one worker has seen: the last of each, but of unexpected answers the first of each kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Reasons {
    /// Why a connection could not be opened.
    pub(super) refused: Option<String>,
    /// Which rule of HTTP an answer broke.
    pub(super) malformed: Option<&'static str>,
    /// What an unexpected answer was like.
    pub(super) unexpected: BTreeMap<ErrorKind, String>,
}

/// Keeps what an unexpected answer was like, if it is the first of its kind.
#[cold]
pub(super) fn unexpected(
    world: &World,
    order: Order,
    template: usize,
    status: u16,
    seen: &Seen,
    kind: ErrorKind,
) {
    let examples = &mut world.reasons.borrow_mut().unexpected;
    if !world.counts(order) || examples.contains_key(&kind) {
        return;
    }
    let all = &world.scenario.templates;
    let Some(of) = all.get(template) else {
        return;
    };
    if let Some(words) = seen.in_words(of, status) {
        let words = match all.len() {
            1 => words,
            _ => format!("{}: {words}", of.name()),
        };
        examples.insert(kind, words);
    }
}

/// What a run may have been meant to be in which nothing was answered.
pub(super) fn hint(results: &Results, scenario: &Scenario) -> Option<&'static str> {
    let strange = |kind: &ErrorKind| {
        use ErrorKind::{Closed, Protocol, Reset};
        matches!(kind, Closed | Reset | Protocol)
    };
    let all = !results.errors.is_empty() && results.errors.keys().all(strange);
    (all && results.counts.answered == 0 && scenario.target.tls.is_none()).then_some(SECURE)
}

/// The same of a run that could not begin, since no connection could be opened for this reason.
pub(super) fn hint_on_refusal(why: &str, scenario: &Scenario) -> Option<&'static str> {
    match scenario.target.tls {
        // What no record of TLS begins with.
        Some(_) => why.contains("InvalidContentType").then_some(PLAIN),
        None => (scenario.target.http == Http::Http2 && why.starts_with("HTTP/2: "))
            .then_some("if the server speaks TLS, the URL begins with https://, and if it has no HTTP/2, leave --http2 out"),
    }
}

const SECURE: &str = "if the server speaks TLS, the URL begins with https://";
const PLAIN: &str = "if the server does not speak TLS, the URL begins with http://";

//! What the gateway would do with one request: which route, which policies with which verdict, and
//! what would be sent where. Behind `portcullis explain`.
//!
//! The request is decoded, looked up and judged by the same code that workers run; only counting is
//! left out (limits are told, not taken from). Invariant: nothing is sent, and no value of a
//! header that the caller put in is shown.

use crate::snapshot::{Action, Listener, Route, Snapshot};
use policy::chain::State;
use policy::context::{Context, View};
use policy::limit::{Digest, Leased, Ledger, Returned, Seed, Terms};
use policy::route::{Captures, Found, Lookup};
use policy::verdict::RefusalKind;
use protocol::http1::{Decoded, decode_request};
use protocol::limits::HeadLimits;
use protocol::message::{
    BodyLength, Canonical, Name, Request, RequestHead, TargetForm, canonical_path, host_of,
};
use std::net::IpAddr;

mod candidates;
mod question;
mod report;
mod sent;
mod tls;

pub use candidates::Candidate;
pub use question::{Chosen, Question, is_url};
use question::{listener, raw, split_url};

/// What would happen. Its `Display` is what an operator reads.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The request line.
    pub request: String,
    /// The listener's name.
    pub listener: String,
    /// How it was chosen.
    pub chosen: Chosen,
    /// Which certificate the client is shown, and what is spoken; `None` where TLS does not end here.
    pub tls: Option<String>,
    /// The client's address, after `trusted_proxies`.
    pub client: IpAddr,
    /// The canonical path; empty when the request is refused before there is one.
    pub path: String,
    /// The route's name and what it does.
    pub outcome: Outcome,
    /// The routes whose path fits, the chosen one first, and why the others were not chosen.
    pub candidates: Vec<Candidate>,
    /// The policies of the route, in order.
    pub steps: Vec<Step>,
}

/// One policy and what it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The policy.
    pub what: String,
    /// `passes`, `refuses: …`, `not reached`.
    pub verdict: String,
}

/// How it ends.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The gateway answers by itself: a refusal, or what the route says.
    Answered {
        /// The route; `None`: none was reached.
        route: Option<String>,
        /// The status code.
        status: u16,
        /// Why, or with what.
        why: String,
    },
    /// It goes to an upstream.
    Forwarded {
        /// The route.
        route: String,
        /// The upstream.
        upstream: String,
        /// One of these, and how it is chosen.
        endpoints: String,
        /// The request line and the changes to the header, one line each.
        sent: Vec<String>,
    },
}

/// The certificates of a PEM file, for [`Question::shown`].
///
/// # Errors
/// When there is none, or what is there is no certificate, and why.
pub fn certificates(pem: &[u8]) -> Result<Vec<Box<[u8]>>, String> {
    let read = crate::x509::certificates(pem)?;
    Ok(read.iter().map(|der| der.to_vec().into()).collect())
}

/// Tells what would happen to a request.
pub fn explain(snapshot: &Snapshot, question: &Question<'_>) -> Explanation {
    let (authority, target) = split_url(question.url);
    let (listener, chosen) = listener(snapshot, question, &authority).unzip();
    let mut explanation = Explanation {
        request: format!("{} {target} HTTP/1.1", question.method),
        listener: listener
            .map(|listener| listener.name.to_string())
            .unwrap_or_default(),
        chosen: chosen.unwrap_or(Chosen::Said),
        tls: listener.and_then(|listener| tls::facts(listener, question)),
        client: question.client.to_canonical(),
        path: String::new(),
        outcome: answered(None, 0, String::new()),
        candidates: Vec::new(),
        steps: Vec::new(),
    };
    let Some(listener) = listener else {
        explanation.outcome = answered(None, 0, "there is no such listener".to_owned());
        return explanation;
    };
    let bytes = raw(question, &authority, &target);
    let mut head = RequestHead::new();
    let limits = HeadLimits {
        max_head_bytes: listener.max_header_bytes,
        max_fields: listener.max_headers,
        ..HeadLimits::default()
    };
    match decode_request(&bytes, &mut head, &limits) {
        Ok(Decoded::Complete) => {}
        Ok(Decoded::Partial) => {
            explanation.outcome = answered(None, 400, "the head is not complete".to_owned());
            return explanation;
        }
        Err(error) => {
            explanation.outcome = answered(None, error.status(), error.detail().to_owned());
            return explanation;
        }
    }
    judge(
        snapshot,
        listener,
        head.view(&bytes),
        question,
        &mut explanation,
    );
    explanation
}

fn judge(
    snapshot: &Snapshot,
    listener: &Listener,
    request: Request<'_>,
    question: &Question<'_>,
    explanation: &mut Explanation,
) {
    let forwarded = request.headers(Name::XForwardedFor);
    let trusted = &snapshot.gateway.trusted_proxies;
    let client = policy::address::client_address(question.client, forwarded, trusted);
    explanation.client = client;
    let peer = question.client.to_canonical();
    if let Some(answer) =
        not_admitted(listener, peer).or_else(|| tls::not_served(snapshot, listener, question))
    {
        explanation.outcome = answer;
        return;
    }
    let mut canonical = Vec::new();
    let path = match request.head.form {
        TargetForm::Asterisk => b"*",
        _ => match canonical_path(request.path(), &mut canonical) {
            Ok(Canonical::AsIs) => request.path(),
            Ok(Canonical::Rewritten) => &canonical,
            Err(error) => {
                explanation.outcome = answered(None, 400, error.detail().to_owned());
                return;
            }
        },
    };
    explanation.path = String::from_utf8_lossy(path).into_owned();
    let lookup = Lookup {
        listener: listener.id,
        request,
        host: host_of(request.authority()),
        path,
    };
    let mut captures = Captures::new();
    let found = snapshot.table.find(&lookup, &mut captures);
    let chosen = match &found {
        Found::Route(id) => Some(*id),
        _ => None,
    };
    explanation.candidates = candidates::of(snapshot, &lookup, chosen);
    let route = match found {
        Found::Route(id) => snapshot.routes.get(id as usize),
        Found::MethodNotAllowed { allow } => {
            let names: Vec<&str> = allow.names().collect();
            explanation.outcome = answered(None, 405, format!("Allow: {}", names.join(", ")));
            return;
        }
        Found::NotFound => None,
    };
    let Some(route) = route else {
        explanation.outcome = answered(None, 404, "no route fits".to_owned());
        return;
    };
    let (certificate, chain) = match question.shown {
        [first, behind @ ..] if asks_for_certificates(listener) => (Some(&**first), behind),
        _ => (None, [].as_slice()),
    };
    let view = View {
        request,
        path,
        client,
        certificate,
        chain,
        route: &route.name,
        now: 0,
        unix: question.unix,
        random: 0,
    };
    let place = (snapshot, listener, route);
    pass(place, &view, &captures, question, explanation);
}

/// Clients are asked for certificates: elsewhere those that they have are not shown.
fn asks_for_certificates(listener: &Listener) -> bool {
    let tls = listener.tls.as_ref();
    tls.is_some_and(|tls| tls.client.is_some())
}

/// The answer to a peer that the listener's own address rules turn away.
fn not_admitted(listener: &Listener, peer: IpAddr) -> Option<Outcome> {
    let allowed = listener.allow.is_empty() || listener.allow.contains(peer);
    let why = format!("listener {} does not admit {peer}", listener.name);
    (!allowed || listener.deny.contains(peer)).then(|| answered(None, 403, why))
}

/// The policies of the route, and what comes after them.
fn pass(
    (snapshot, listener, route): (&Snapshot, &Listener, &Route),
    view: &View<'_>,
    captures: &Captures,
    question: &Question<'_>,
    explanation: &mut Explanation,
) {
    let mut context = Context::new();
    let mut state = State::new(Box::new(Generous(Seed::new([0, 0]))));
    let verdict = route.chain.request(view, &mut state, &mut context);
    let refusal = verdict.refusal().map(|refusal| &refusal.kind);
    explanation.steps = steps(route, refusal);
    explanation.outcome = match refusal {
        Some(kind) => answered(
            Some(route),
            kind.status(),
            format!("{} ({})", kind.error(), kind.cause()),
        ),
        None => too_large(listener, route, view)
            .unwrap_or_else(|| outcome(snapshot, route, view, captures, &context, question)),
    };
}

/// The answer to a body that says it is longer than may be.
fn too_large(listener: &Listener, route: &Route, view: &View<'_>) -> Option<Outcome> {
    let bound = route.max_body_bytes.or(listener.max_body_bytes)?;
    let BodyLength::Exact(length) = view.request.head.body else {
        return None;
    };
    let why = format!("{length} bytes of body, and {bound} are allowed");
    (length > bound).then(|| answered(Some(route), 413, why))
}

fn outcome(
    snapshot: &Snapshot,
    route: &Route,
    view: &View<'_>,
    captures: &Captures,
    context: &Context,
    question: &Question<'_>,
) -> Outcome {
    match &route.action {
        Action::Respond {
            status,
            content_type,
            body,
        } => {
            let why = match body.len() {
                0 => "the route answers, without a body".to_owned(),
                length => format!("the route answers with {length} bytes of {content_type}"),
            };
            answered(Some(route), *status, why)
        }
        Action::Redirect { status, location } => {
            let mut to = Vec::new();
            location.apply(view.path, captures, &mut to);
            answered(
                Some(route),
                *status,
                format!("Location: {}", String::from_utf8_lossy(&to)),
            )
        }
        Action::Forward { upstream } => {
            let Some(upstream) = snapshot.upstreams.get(usize::from(*upstream)) else {
                return answered(Some(route), 500, "the upstream is not there".to_owned());
            };
            let endpoints = upstream
                .endpoints
                .iter()
                .map(|endpoint| match endpoint.weight {
                    1 => endpoint.name.to_string(),
                    weight => format!("{} weight={weight}", endpoint.name),
                });
            let endpoints: Vec<String> = endpoints.collect();
            let endpoints = match &endpoints[..] {
                [one] => one.clone(),
                several => format!(
                    "one of {}, by {}",
                    several.join(", "),
                    upstream.balance.as_str()
                ),
            };
            Outcome::Forwarded {
                route: route.name.to_string(),
                upstream: upstream.name.to_string(),
                endpoints,
                sent: sent::lines(snapshot, route, view, captures, context, question.client),
            }
        }
    }
}

/// The policies in order; those after the one that refuses are not reached.
fn steps(route: &Route, refusal: Option<&RefusalKind>) -> Vec<Step> {
    let refusing = refusal.map(|kind| match kind {
        RefusalKind::AddressDenied
            if route
                .chain
                .steps()
                .iter()
                .any(|step| step.starts_with("address")) =>
        {
            "address"
        }
        RefusalKind::InsufficientScope { .. }
        | RefusalKind::MissingRole
        | RefusalKind::MissingClaim => "authorise",
        RefusalKind::RateLimited { .. } => "limit",
        _ => "authenticate",
    });
    let mut reached = true;
    let mut steps = Vec::new();
    for what in route.chain.steps() {
        let verdict = match (reached, refusing, refusal) {
            (false, ..) => "not reached".to_owned(),
            (true, Some(word), Some(kind)) if what.starts_with(word) => {
                reached = false;
                format!("refuses: {} {}", kind.status(), kind.error())
            }
            _ if what.starts_with("limit") => "passes while tokens are left".to_owned(),
            _ => "passes".to_owned(),
        };
        steps.push(Step { what, verdict });
    }
    steps
}

fn answered(route: Option<&Route>, status: u16, why: String) -> Outcome {
    Outcome::Answered {
        route: route.map(|route| route.name.to_string()),
        status,
        why,
    }
}

/// A ledger that always has tokens.
struct Generous(Seed);

impl Ledger for Generous {
    fn seed(&self) -> &Seed {
        &self.0
    }

    fn lease(&self, terms: &Terms, _: Digest, _: u64, _: Returned, _: u64) -> Leased {
        Leased::Granted {
            lent: 0,
            level: terms.plan.burst(),
        }
    }

    fn give_back(&self, _: u64, _: Digest, _: Returned, _: u64) {}

    fn refund(&self, _: u64, _: Digest, _: u64, _: u64) {}
}

#[cfg(test)]
mod tests;

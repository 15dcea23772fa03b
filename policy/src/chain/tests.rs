//! The order of things, and what a refusal spares.

use std::cell::RefCell;
use std::rc::Rc;

use policy_keys::{Rate, Subject};

use super::*;
use crate::address::Set;
use crate::crypto::Algorithm;
use crate::identity::consumer::Consumer;
use crate::limit::{Digest, Key, Leased, Returned, Seed, Settings, Terms};
use crate::policies::api_key::KeyHash;
use crate::testing::Sample;
use crate::testing::keys::{Keys, SECRET};
use crate::verdict::RefusalKind;

/// A ledger that lends nothing beyond the cost and notes who asked.
struct Ledgered {
    seed: Seed,
    asked: Rc<RefCell<Vec<u64>>>,
    /// How many requests it still admits.
    left: RefCell<u64>,
}

impl Ledger for Ledgered {
    fn seed(&self) -> &Seed {
        &self.seed
    }

    fn lease(&self, terms: &Terms, _: Digest, _: u64, _: Returned, now: u64) -> Leased {
        self.asked.borrow_mut().push(terms.limit);
        let mut left = self.left.borrow_mut();
        match left.checked_sub(1) {
            Some(rest) => {
                *left = rest;
                Leased::Granted {
                    lent: 0,
                    level: rest,
                }
            }
            None => Leased::Empty {
                level: 0,
                until: now,
                refilled_at: now + 3_000_000_000,
            },
        }
    }

    fn give_back(&self, _: u64, _: Digest, _: Returned, _: u64) {}

    fn refund(&self, _: u64, _: Digest, _: u64, _: u64) {}
}

/// A worker's state whose ledger admits `left` more requests, and what the ledger was asked.
fn state(left: u64) -> (State, Rc<RefCell<Vec<u64>>>) {
    let asked = Rc::new(RefCell::new(Vec::new()));
    let ledger = Ledgered {
        seed: Seed::new([1, 2]),
        asked: Rc::clone(&asked),
        left: RefCell::new(left),
    };
    (State::new(Box::new(ledger)), asked)
}

fn limit(name: &str, key: &str) -> Arc<Rule> {
    let rate = Rate::parse("10/s").unwrap();
    let settings = Settings::new(name.into(), rate, Key::parse(key).unwrap());
    Arc::new(Rule::new(settings).unwrap())
}

fn deny(network: &str) -> Option<ip_access::Rules> {
    let denied = Set::parse(&[network.to_owned()]).unwrap();
    Some(ip_access::Rules::new(Set::default(), denied))
}

fn users() -> Auth {
    let settings = jwt::Settings {
        name: "users".into(),
        secret: Some(SECRET.to_vec()),
        algorithms: vec![Algorithm::Hs256],
        ..jwt::Settings::default()
    };
    Auth::Jwt(Arc::new(jwt::Verifier::new(settings).unwrap()))
}

fn admins() -> Option<authorize::Rules> {
    Some(authorize::Rules::new(&[], &["admin".to_owned()], &[]).unwrap())
}

fn full() -> ChainParts {
    ChainParts {
        access: deny("192.0.2.0/24"),
        limits: vec![limit("per_user", "claim:sub"), limit("per_ip", "ip")],
        auth: users(),
        authorize: admins(),
    }
}

fn request(roles: &str) -> Sample {
    let claims = format!(r#"{{"sub":"alice","exp":1700000300,"roles":["{roles}"]}}"#);
    let token = Keys::new().token(Algorithm::Hs256, r#"{"alg":"HS256"}"#, &claims);
    Sample::get("/", &[&format!("Authorization: Bearer {token}")])
}

/// The cause or `ok`, and which limits the ledger was asked for.
fn run(parts: ChainParts, sample: &Sample, left: u64) -> (&'static str, Vec<u64>) {
    let (mut state, asked) = state(left);
    let mut ctx = Context::new();
    let verdict = Chain::build(parts).request(&sample.view(), &mut state, &mut ctx);
    let asked = asked.borrow().clone();
    (verdict.refusal().map_or("ok", |r| r.kind.cause()), asked)
}

#[test]
fn policies_run_in_the_order_of_the_semantics_page() {
    let steps = Chain::build(full()).steps();
    let starts: Vec<&str> = steps.iter().filter_map(|s| s.split(' ').next()).collect();
    assert_eq!(
        starts,
        [
            "address:",
            "limit:",
            "authenticate:",
            "authorise:",
            "limit:"
        ],
        "{steps:#?}"
    );
    assert!(steps[1].contains("per_ip") && steps[4].contains("per_user"));
    let public = Chain::build(ChainParts::default());
    assert_eq!(public.steps(), ["authenticate: none (public)"]);
    assert_eq!(public.limits().count(), 0);
    let names: Vec<_> = Chain::build(full())
        .limits()
        .map(|l| l.name.to_string())
        .collect();
    assert_eq!(names, ["per_ip", "per_user"]);
}

#[test]
fn a_refusal_costs_nothing_of_the_later_steps() {
    let (ip, user) = (
        limit("per_ip", "ip").number(),
        limit("per_user", "ip").number(),
    );
    let mut denied = request("admin");
    denied.client = "192.0.2.9".parse().unwrap();
    assert_eq!(run(full(), &denied, 9), ("address_denied", vec![]));
    assert_eq!(
        run(full(), &request("admin"), 0),
        ("rate_limited", vec![ip])
    );
    let stranger = Sample::get("/", &[]);
    assert_eq!(run(full(), &stranger, 9), ("missing_credentials", vec![ip]));
    assert_eq!(
        run(full(), &request("guest"), 9),
        ("missing_role", vec![ip])
    );
    assert_eq!(
        run(full(), &request("admin"), 1),
        ("rate_limited", vec![ip, user])
    );
    assert_eq!(run(full(), &request("admin"), 2), ("ok", vec![ip, user]));
}

#[test]
fn a_used_up_limit_says_when_to_come_back() {
    let (mut state, _) = state(0);
    let mut ctx = Context::new();
    let chain = Chain::build(full());
    let verdict = chain.request(&request("admin").view(), &mut state, &mut ctx);
    let refusal = verdict.refusal().unwrap();
    assert_eq!(refusal.kind.status(), 429);
    assert_eq!(refusal.kind.error(), "Too many requests");
    assert!(!refusal.audit);
    let RefusalKind::RateLimited { limit, retry_after } = &refusal.kind else {
        panic!("{refusal:?}");
    };
    assert_eq!((&*limit.name, *retry_after), ("per_ip", 3));
}

#[test]
fn a_context_is_used_again_without_a_trace_of_the_last_request() {
    let (mut state, _) = state(9);
    let mut ctx = Context::new();
    let chain = Chain::build(full());
    let verdict = chain.request(&request("admin").view(), &mut state, &mut ctx);
    assert!(matches!(verdict, Verdict::Continue));
    assert_eq!(ctx.identity.subject(), Some("alice"));
    assert_eq!(ctx.limits.iter().count(), 2);
    ctx.clear();
    assert!(ctx.identity.is_empty());
    assert_eq!(ctx.limits.iter().count(), 0);
    state.tick(10_000_000);
}

#[test]
fn an_api_key_route_knows_its_consumer() {
    let verifier = Arc::new(
        api_key::Verifier::new(api_key::Settings {
            consumers: vec![Consumer {
                name: "shop".into(),
                keys: vec![KeyHash::of(b"key")],
                ..Consumer::default()
            }],
            ..api_key::Settings::default()
        })
        .unwrap(),
    );
    let parts = || ChainParts {
        auth: Auth::ApiKey(Arc::clone(&verifier)),
        ..ChainParts::default()
    };
    let sample = Sample::get("/", &["X-API-Key: key"]);
    assert_eq!(run(parts(), &sample, 0), ("ok", vec![]));
    assert_eq!(
        run(parts(), &Sample::get("/", &[]), 0),
        ("missing_credentials", vec![])
    );
    let strict = ChainParts {
        authorize: admins(),
        ..parts()
    };
    assert_eq!(run(strict, &sample, 0), ("missing_role", vec![]));
}

#[test]
fn a_route_for_certificates_knows_their_consumers() {
    let subject = Subject::parse("cn:bob -> bob").unwrap();
    let consumer = Some(Consumer {
        name: "bob".into(),
        ..Consumer::default()
    });
    let settings = mtls::Settings {
        subjects: Some(vec![mtls::Rule { subject, consumer }]),
        ..mtls::Settings::default()
    };
    let verifier = Arc::new(mtls::Verifier::new(settings).unwrap());
    let parts = || ChainParts {
        auth: Auth::Mtls(Arc::clone(&verifier)),
        limits: vec![limit("per_ip", "ip"), limit("per_consumer", "consumer")],
        ..ChainParts::default()
    };
    let (ip, consumer) = (
        limit("per_ip", "ip").number(),
        limit("per_consumer", "ip").number(),
    );
    let of = |name: &[u8]| Sample::shown(name);
    let bob = of(include_bytes!("../certificate/testing/bob.der"));
    let alice = of(include_bytes!("../certificate/testing/alice.der"));
    assert_eq!(run(parts(), &bob, 9), ("ok", vec![ip, consumer]));
    assert_eq!(
        run(parts(), &alice, 9),
        ("client_certificate_not_allowed", vec![ip])
    );
    assert_eq!(
        run(parts(), &Sample::get("/", &[]), 9),
        ("client_certificate_required", vec![ip])
    );
    let strict = ChainParts {
        authorize: admins(),
        ..parts()
    };
    assert_eq!(run(strict, &bob, 9), ("missing_role", vec![ip]));
}

#[test]
fn a_public_route_costs_and_refuses_nothing() {
    assert_eq!(
        run(ChainParts::default(), &Sample::get("/", &[]), 0),
        ("ok", vec![])
    );
}

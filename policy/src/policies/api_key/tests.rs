//! Tests of API keys: where they are looked for, which are refused and why, what is forwarded.

use super::*;
use crate::address::Set;
use crate::identity::Identity;
use crate::testing::Sample;

fn consumer(name: &str, key: &str) -> Consumer {
    Consumer {
        name: name.into(),
        keys: vec![KeyHash::of(key.as_bytes())],
        tier: Some("premium".into()),
        tenant: Some("acme".into()),
        ..Consumer::default()
    }
}

fn verifier(change: impl FnOnce(&mut Settings)) -> Verifier {
    let mut settings = Settings {
        name: "keys".into(),
        consumers: vec![consumer("shop", "k-shop"), consumer("till", "k till")],
        ..Settings::default()
    };
    change(&mut settings);
    Verifier::new(settings).unwrap()
}

fn ask(verifier: &Verifier, sample: &Sample) -> (&'static str, Identity) {
    let mut ctx = Context::new();
    let verdict = verifier.check(&sample.view(), &mut Caches::new(), &mut ctx);
    (
        verdict.refusal().map_or("ok", |r| r.kind.cause()),
        ctx.identity,
    )
}

#[test]
fn a_known_key_names_its_consumer() {
    let (word, identity) = ask(&verifier(|_| ()), &Sample::get("/", &["x-api-key: k-shop"]));
    assert_eq!(word, "ok");
    assert_eq!(identity.consumer_name(), Some("shop"));
    assert_eq!(identity.tier(), Some("premium"));
    assert_eq!(identity.tenant(), Some("acme"));
    assert_eq!(identity.subject(), None);
    let mut lines = Vec::new();
    identity.forward_lines(&mut lines);
    assert_eq!(lines, b"X-Consumer: shop\r\nX-Tenant-ID: acme\r\n");
}

#[test]
fn keys_that_are_missing_unknown_or_doubled_are_refused() {
    let verifier = verifier(|_| ());
    let word = |lines: &[&str]| ask(&verifier, &Sample::get("/", lines)).0;
    assert_eq!(word(&[]), "missing_credentials");
    assert_eq!(word(&["X-API-Key:"]), "missing_credentials");
    assert_eq!(word(&["X-API-Key: k-shoq"]), "unknown_key");
    assert_eq!(word(&["X-API-Key: K-SHOP"]), "unknown_key");
    assert_eq!(
        word(&[&format!("X-API-Key: {}", "k".repeat(513))]),
        "unknown_key"
    );
    assert_eq!(
        word(&["X-API-Key: k-shop", "X-Api-Key: k-shop"]),
        "repeated_credentials"
    );
    // Neither the hash itself nor its prefix is a key.
    let hash = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    assert_eq!(word(&[&format!("X-API-Key: {hash}")]), "unknown_key");
}

#[test]
fn a_key_in_the_query_is_decoded() {
    let verifier = verifier(|s| {
        s.from = ["query:key", "header:X-Token"]
            .map(|p| Source::parse(p).unwrap())
            .into();
    });
    let word = |target: &str, lines: &[&str]| ask(&verifier, &Sample::get(target, lines)).0;
    assert_eq!(word("/?key=k%20till", &[]), "ok");
    assert_eq!(word("/?key=k%2Dshop", &[]), "ok");
    assert_eq!(word("/?key=k+till", &[]), "unknown_key");
    assert_eq!(word("/?key=k%2", &[]), "unknown_key");
    assert_eq!(word("/?key=k%zz", &[]), "unknown_key");
    assert_eq!(
        word(&format!("/?key={}", "k".repeat(600)), &[]),
        "unknown_key"
    );
    assert_eq!(word("/", &["X-Token: k-shop"]), "ok");
    assert_eq!(word("/", &["X-Token: k%2Dshop"]), "unknown_key");
    assert_eq!(word("/", &["X-API-Key: k-shop"]), "missing_credentials");
}

#[test]
fn a_consumer_expires_and_may_be_bound_to_addresses() {
    let verifier = verifier(|s| {
        s.consumers[0].expires = Some(2000);
        s.consumers[1].allow = Set::parse(&["10.0.0.0/8".to_owned()]).unwrap();
    });
    let shop = || Sample::get("/", &["X-API-Key: k-shop"]);
    assert_eq!(ask(&verifier, &shop().at(1999)).0, "ok");
    assert_eq!(ask(&verifier, &shop().at(2000)).0, "key_expired");
    let mut till = Sample::get("/", &["X-API-Key: k till"]);
    assert_eq!(ask(&verifier, &till).0, "address_denied");
    till.client = "10.1.2.3".parse().unwrap();
    assert_eq!(ask(&verifier, &till).0, "ok");
}

#[test]
fn one_worker_keeps_one_copy_until_the_consumers_change() {
    let copy = |verifier: &Verifier, caches: &mut Caches| {
        let sample = Sample::get("/", &["X-API-Key: k-shop"]);
        let mut ctx = Context::new();
        verifier.check(&sample.view(), caches, &mut ctx);
        ctx.identity.consumer.unwrap()
    };
    let mut caches = Caches::new();
    let first = copy(&verifier(|_| ()), &mut caches);
    assert!(std::rc::Rc::ptr_eq(
        &first,
        &copy(&verifier(|_| ()), &mut caches)
    ));
    let changed = verifier(|s| s.consumers[0].tier = Some("free".into()));
    assert_eq!(
        copy(&changed, &mut caches).consumer.tier.as_deref(),
        Some("free")
    );
}

#[test]
fn hashes_are_parsed_and_keys_in_clear_are_not_taken() {
    let hex = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let parsed = KeyHash::parse(&format!("sha256:{hex}")).unwrap();
    assert!(parsed == KeyHash::of(b"secret"));
    assert!(
        KeyHash::parse("secret")
            .err()
            .unwrap()
            .contains("only as its hash")
    );
    assert!(KeyHash::parse(&format!("sha256:{}", &hex[1..])).is_err());
    assert!(KeyHash::parse("sha256:").is_err());
}

#[test]
fn two_consumers_cannot_share_a_key() {
    let error = Verifier::new(Settings {
        consumers: vec![consumer("a", "same"), consumer("b", "same")],
        ..Settings::default()
    });
    assert!(error.err().unwrap().contains("`a` and `b`"));
}

#[test]
fn hashes_with_the_same_prefix_are_told_apart() {
    let mut near = KeyHash::of(b"k-shop");
    near.0[31] ^= 1;
    let verifier = verifier(|s| s.consumers[1].keys = vec![near]);
    let (_, identity) = ask(&verifier, &Sample::get("/", &["X-API-Key: k-shop"]));
    assert_eq!(identity.consumer_name(), Some("shop"));
}

#[test]
fn explain_says_where_keys_are_looked_for() {
    assert_eq!(
        verifier(|_| ()).describe(),
        "authenticate: keys (API key in header X-API-Key)"
    );
}

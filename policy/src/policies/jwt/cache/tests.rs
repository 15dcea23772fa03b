//! The cache: what it finds, what it drops, what it costs.

use std::sync::Arc;

use super::*;
use crate::context::Context;
use crate::crypto::Algorithm;
use crate::policies::jwt::Settings;
use crate::policies::jwt::testing::verified;
use crate::policies::remembered::{HASHED, WAYS, hash};
use crate::testing::Sample;
use crate::testing::keys::{Keys, SECRET, encode};

const NOW: u64 = 1_700_000_000;

fn token(number: usize) -> Vec<u8> {
    format!("header.payload.{number:0>86}").into_bytes()
}

fn entry(expires: u64) -> Rc<Verified> {
    Rc::new(verified(&format!(r#"{{"exp":{expires}}}"#)))
}

#[test]
fn a_token_is_found_by_all_of_its_bytes() {
    let mut cache = Cache::new(64, 7);
    let tail = "x".repeat(HASHED);
    let (a, b) = (format!("a{tail}"), format!("b{tail}"));
    assert_eq!(hash(7, a.as_bytes()), hash(7, b.as_bytes()));
    let of_a = entry(NOW);
    cache.remember(a.as_bytes(), &of_a, 0);
    assert!(cache.known(b.as_bytes()).is_none());
    assert!(Rc::ptr_eq(cache.known(a.as_bytes()).unwrap(), &of_a));
    cache.forget(b.as_bytes());
    assert!(cache.known(a.as_bytes()).is_some());
    cache.forget(a.as_bytes());
    assert!(cache.known(a.as_bytes()).is_none());
    assert_ne!(hash(7, b"short"), hash(8, b"short"));
    assert_ne!(hash(7, b"short"), hash(7, b"shorT"));
    assert_ne!(hash(7, b"\0"), hash(7, b"\0\0"));
}

#[test]
fn it_never_holds_more_than_it_may() {
    let mut cache = Cache::new(64, 7);
    for number in 0..10_000 {
        cache.remember(&token(number), &entry(NOW), 0);
    }
    assert_eq!(cache.len(), 64);
}

#[test]
fn a_used_token_outlives_unused_ones_and_expired_ones_go_first() {
    let mut cache = Cache::new(WAYS, 7);
    for number in 0..WAYS {
        cache.known(&token(number));
        cache.remember(&token(number), &entry(NOW), 0);
    }
    assert!(cache.known(&token(0)).is_some());
    cache.remember(&token(100), &entry(NOW), 0);
    assert!(cache.known(&token(0)).is_some(), "used last");
    assert!(cache.known(&token(1)).is_none(), "unused for longest");
    let mut cache = Cache::new(WAYS, 7);
    for number in 0..WAYS {
        let expires = if number == 5 { 10 } else { NOW };
        cache.remember(&token(number), &entry(expires), 0);
    }
    cache.remember(&token(100), &entry(NOW), 10);
    let left: Vec<_> = (0..WAYS)
        .filter(|n| cache.known(&token(*n)).is_none())
        .collect();
    assert_eq!(left, [5]);
}

#[test]
fn refusals_are_remembered_for_a_minute() {
    let mut cache = Cache::new(8, 7);
    let digest = crate::crypto::sha256(b"t");
    assert_eq!(cache.refused(&digest, 0), None);
    cache.refuse(digest, Rejection::Expired, 5);
    assert_eq!(cache.refused(&digest, 6), Some(Rejection::Expired));
    assert_eq!(cache.refused(&digest, 5 + REFUSED_FOR), None);
    let other = {
        let mut other = digest;
        other[31] ^= 1;
        other
    };
    assert_eq!(cache.refused(&other, 6), None);
}

fn verifier(keys: &Keys, change: impl FnOnce(&mut Settings)) -> Verifier {
    let mut settings = Settings {
        name: "users".into(),
        jwks: Some(keys.jwks(&["ed25519"]).into_bytes()),
        ..Settings::default()
    };
    change(&mut settings);
    Verifier::new(settings).unwrap()
}

fn good(keys: &Keys, sub: usize) -> String {
    let claims = format!(r#"{{"sub":"{sub}","exp":{}}}"#, NOW + 300);
    keys.token(Algorithm::EdDsa, r#"{"alg":"EdDSA"}"#, &claims)
}

/// The cause, and the token that the request got.
fn ask(
    verifier: &Verifier,
    caches: &mut Caches,
    token: &str,
) -> (&'static str, Option<Rc<Verified>>) {
    let sample = Sample::get("/", &[&format!("Authorization: Bearer {token}")]);
    let mut ctx = Context::new();
    let verdict = verifier.check(&sample.view(), caches, &mut ctx);
    (
        verdict.refusal().map_or("ok", |r| r.kind.cause()),
        ctx.identity.token,
    )
}

#[test]
fn the_second_request_finds_what_the_first_verified() {
    let keys = Keys::new();
    let (verifier, mut caches) = (verifier(&keys, |_| ()), Caches::new());
    let token = good(&keys, 1);
    let first = ask(&verifier, &mut caches, &token).1.unwrap();
    let second = ask(&verifier, &mut caches, &token).1.unwrap();
    assert!(Rc::ptr_eq(&first, &second));
    // A prefix or another end is another token.
    assert_eq!(
        ask(&verifier, &mut caches, &token[..token.len() - 2]).0,
        "bad_signature"
    );
    assert_eq!(
        ask(&verifier, &mut caches, &token[1..]).0,
        "malformed_token"
    );
}

#[test]
fn garbage_evicts_no_good_token() {
    let keys = Keys::new();
    let verifier = verifier(&keys, |s| s.cache = 8);
    let mut caches = Caches::new();
    let token = good(&keys, 1);
    let first = ask(&verifier, &mut caches, &token).1.unwrap();
    let message = token.rsplit_once('.').unwrap().0;
    for number in 0..3000_u32 {
        let mut signature = [0; 64];
        signature[..4].copy_from_slice(&number.to_be_bytes());
        let forged = format!("{message}.{}", encode(signature));
        assert_eq!(ask(&verifier, &mut caches, &forged).0, "bad_signature");
    }
    let again = ask(&verifier, &mut caches, &token).1.unwrap();
    assert!(Rc::ptr_eq(&first, &again));
}

#[test]
fn a_change_of_keys_flushes_and_an_unchanged_reload_does_not() {
    let (old, new) = (Keys::new(), Keys::new());
    let mut caches = Caches::new();
    let token = good(&old, 1);
    let first = ask(&verifier(&old, |_| ()), &mut caches, &token).1.unwrap();
    let same = ask(&verifier(&old, |_| ()), &mut caches, &token).1.unwrap();
    assert!(Rc::ptr_eq(&first, &same), "rebuilt from the same settings");
    assert_eq!(
        ask(&verifier(&new, |_| ()), &mut caches, &token).0,
        "bad_signature"
    );
    assert_eq!(caches.len(), 1, "one name, one cache");
    let back = ask(&verifier(&old, |_| ()), &mut caches, &token).1.unwrap();
    assert!(!Rc::ptr_eq(&first, &back), "verified anew");
    let wrong = verifier(&old, |s| s.audiences = vec!["api".into()]);
    assert_eq!(ask(&wrong, &mut caches, &token).0, "wrong_audience");
    let elsewhere = verifier(&new, |s| s.name = "others".into());
    assert_eq!(ask(&elsewhere, &mut caches, &token).0, "bad_signature");
    assert_eq!(caches.len(), 2);
}

#[test]
fn a_verifier_without_cache_verifies_every_time() {
    let keys = Keys::new();
    let verifier = verifier(&keys, |s| s.cache = 0);
    let mut caches = Caches::new();
    let token = good(&keys, 1);
    let first = ask(&verifier, &mut caches, &token).1.unwrap();
    let second = ask(&verifier, &mut caches, &token).1.unwrap();
    assert!(!Rc::ptr_eq(&first, &second));
    assert_eq!(caches.len(), 0);
}

#[test]
fn caches_of_verifiers_that_are_gone_are_given_back() {
    let keys = Keys::new();
    let mut caches = Caches::new();
    assert_eq!(
        ask(&verifier(&keys, |_| ()), &mut caches, &good(&keys, 1)).0,
        "ok"
    );
    caches.tick(20_000_000_000);
    assert_eq!(caches.len(), 1);
    caches.tick(700_000_000_000);
    assert_eq!(caches.len(), 0);
}

#[test]
fn an_hmac_token_is_cached_too() {
    let keys = Keys::new();
    let verifier = Verifier::new(Settings {
        name: Arc::from("h"),
        secret: Some(SECRET.to_vec()),
        ..Settings::default()
    })
    .unwrap();
    let claims = format!(r#"{{"exp":{}}}"#, NOW + 300);
    let token = keys.token(Algorithm::Hs256, r#"{"alg":"HS256"}"#, &claims);
    let mut caches = Caches::new();
    let first = ask(&verifier, &mut caches, &token).1.unwrap();
    let second = ask(&verifier, &mut caches, &token).1.unwrap();
    assert!(Rc::ptr_eq(&first, &second));
}

proptest::proptest! {
    /// Whatever is remembered, forgotten and asked for in whatever order: what is found is
    /// what was remembered last for just these bytes.
    #[test]
    fn it_agrees_with_a_map(steps in proptest::collection::vec((0..40_usize, 0..4_u8), 1..400)) {
        let mut cache = Cache::new(16, 7);
        let mut model = std::collections::HashMap::new();
        for (number, what) in steps {
            let bytes = token(number);
            match what {
                0 => {
                    let value = entry(NOW);
                    cache.remember(&bytes, &value, 0);
                    model.insert(number, value);
                }
                1 => {
                    cache.forget(&bytes);
                    model.remove(&number);
                }
                _ => if let Some(found) = cache.known(&bytes) {
                    assert!(model.get(&number).is_some_and(|known| Rc::ptr_eq(found, known)));
                }
            }
            assert!(cache.len() <= 16);
        }
    }
}

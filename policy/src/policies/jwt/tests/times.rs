//! `exp`, `nbf`, leeway.

use super::*;

fn at(verifier: &Verifier, claims: &str, unix: u64) -> &'static str {
    outcome_at(verifier, &hs256(claims), unix)
}

#[test]
fn a_token_is_good_until_the_second_before_exp() {
    let v = secret(|_| ());
    assert_eq!(at(&v, r#"{"exp":1000}"#, 999), "ok");
    assert_eq!(at(&v, r#"{"exp":1000}"#, 1000), "expired");
    assert_eq!(at(&v, r#"{"exp":1000.5}"#, 1000), "ok");
    assert_eq!(at(&v, r#"{"exp":1000.5}"#, 1001), "expired");
    assert_eq!(at(&v, r#"{"exp":1e3}"#, 999), "ok");
    assert_eq!(at(&v, r#"{"exp":1e3}"#, 1000), "expired");
    assert_eq!(at(&v, r#"{"exp":0}"#, 0), "expired");
    assert_eq!(at(&v, r#"{"exp":-1}"#, 0), "expired");
    assert_eq!(at(&v, r#"{"exp":-1e300}"#, 0), "expired");
    assert_eq!(at(&v, r#"{"exp":18446744073709551615}"#, NOW), "ok");
    assert_eq!(at(&v, r#"{"exp":1e300}"#, NOW), "ok");
}

#[test]
fn exp_must_be_a_number() {
    let v = secret(|_| ());
    for exp in [r#""1800000000""#, "true", "[1800000000]", "{}"] {
        assert_eq!(
            at(&v, &format!(r#"{{"exp":{exp}}}"#), NOW),
            "malformed_claims",
            "{exp}"
        );
    }
    assert_eq!(at(&v, r#"{"exp":null}"#, NOW), "missing_required_claim");
}

#[test]
fn leeway_counts_both_ways() {
    let v = secret(|s| s.leeway = Duration::from_secs(30));
    assert_eq!(at(&v, r#"{"exp":1000}"#, 1029), "ok");
    assert_eq!(at(&v, r#"{"exp":1000}"#, 1030), "expired");
    assert_eq!(at(&v, r#"{"exp":2000,"nbf":1000}"#, 970), "ok");
    assert_eq!(at(&v, r#"{"exp":2000,"nbf":1000}"#, 969), "not_yet_valid");
    assert_eq!(at(&v, r#"{"exp":2000,"nbf":1000.5}"#, 970), "not_yet_valid");
    assert_eq!(at(&v, r#"{"exp":2000,"nbf":1000.5}"#, 971), "ok");
    let v = secret(|s| s.leeway = Duration::from_millis(500));
    assert_eq!(at(&v, r#"{"exp":1000}"#, 1000), "ok");
    assert_eq!(at(&v, r#"{"exp":1000}"#, 1001), "expired");
}

#[test]
fn a_token_is_not_good_before_nbf() {
    let v = secret(|_| ());
    assert_eq!(at(&v, r#"{"exp":2000,"nbf":1000}"#, 999), "not_yet_valid");
    assert_eq!(at(&v, r#"{"exp":2000,"nbf":1000}"#, 1000), "ok");
    assert_eq!(at(&v, r#"{"exp":2000,"nbf":-5}"#, 0), "ok");
    assert_eq!(at(&v, r#"{"exp":2000,"nbf":1e300}"#, 1999), "not_yet_valid");
}

#[test]
fn iat_is_not_judged() {
    let v = secret(|_| ());
    assert_eq!(at(&v, r#"{"exp":2000,"iat":99999}"#, 1000), "ok");
}

#[test]
fn times_of_a_cached_token_are_looked_at_again() {
    let v = secret(|_| ());
    let token = hs256(&format!(r#"{{"exp":{},"nbf":{}}}"#, NOW + 10, NOW - 10));
    let caches = &mut Caches::new();
    assert_eq!(ask(&v, caches, &bearer(&token)).0, "ok");
    assert_eq!(ask(&v, caches, &bearer(&token).at(NOW + 9)).0, "ok");
    assert_eq!(
        ask(&v, caches, &bearer(&token).at(NOW - 11)).0,
        "not_yet_valid"
    );
    assert_eq!(
        ask(&v, caches, &bearer(&token).at(NOW + 10)).0,
        "token_expired"
    );
    assert_eq!(
        ask(&v, caches, &bearer(&token).at(NOW + 11)).0,
        "token_expired"
    );
}

#[test]
fn a_token_refused_before_its_nbf_is_accepted_after_it() {
    let v = secret(|_| ());
    let token = hs256(&format!(r#"{{"exp":{},"nbf":{}}}"#, NOW + 100, NOW + 10));
    let caches = &mut Caches::new();
    assert_eq!(ask(&v, caches, &bearer(&token)).0, "not_yet_valid");
    assert_eq!(ask(&v, caches, &bearer(&token).at(NOW + 10)).0, "ok");
}

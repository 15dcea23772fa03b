//! Scopes, roles, claims.

use std::rc::Rc;

use super::*;
use crate::policies::jwt::testing::verified;

fn strings(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// `ok`, or the cause of the refusal.
fn check(claims: &str, scopes: &[&str], roles: &[&str], required: &[&str]) -> &'static str {
    let rules = Rules::new(&strings(scopes), &strings(roles), &strings(required)).unwrap();
    let identity = Identity {
        token: Some(Rc::new(verified(claims))),
        ..Identity::default()
    };
    match rules.check(&identity) {
        Verdict::Continue => "ok",
        Verdict::Reply(refusal) => refusal.kind.cause(),
    }
}

#[test]
fn every_scope_is_required() {
    let scope = r#"{"scope":"read write"}"#;
    assert_eq!(check(scope, &["read"], &[], &[]), "ok");
    assert_eq!(check(scope, &["read", "write"], &[], &[]), "ok");
    assert_eq!(
        check(scope, &["read", "admin"], &[], &[]),
        "insufficient_scope"
    );
    assert_eq!(check(scope, &["admin|write"], &[], &[]), "ok");
    assert_eq!(check(scope, &["rea"], &[], &[]), "insufficient_scope");
    assert_eq!(check(scope, &["Read"], &[], &[]), "insufficient_scope");
    assert_eq!(check(r#"{"scp":["read"]}"#, &["read"], &[], &[]), "ok");
    assert_eq!(check(r#"{"scp":"a read"}"#, &["read"], &[], &[]), "ok");
    assert_eq!(
        check(r#"{"scp":[1,{"read":1}]}"#, &["read"], &[], &[]),
        "insufficient_scope"
    );
    assert_eq!(check("{}", &["read"], &[], &[]), "insufficient_scope");
}

#[test]
fn roles_come_from_either_place() {
    assert_eq!(check(r#"{"roles":["a","b"]}"#, &[], &["a", "b"], &[]), "ok");
    assert_eq!(
        check(r#"{"roles":["a"]}"#, &[], &["a", "b"], &[]),
        "missing_role"
    );
    assert_eq!(check(r#"{"roles":["a"]}"#, &[], &["b|a"], &[]), "ok");
    assert_eq!(check(r#"{"roles":"admin"}"#, &[], &["admin"], &[]), "ok");
    assert_eq!(
        check(r#"{"roles":"not admin"}"#, &[], &["admin"], &[]),
        "missing_role"
    );
    let realm = r#"{"realm_access":{"roles":["admin"]}}"#;
    assert_eq!(check(realm, &[], &["admin"], &[]), "ok");
    assert_eq!(
        check(r#"{"realm_access":"admin"}"#, &[], &["admin"], &[]),
        "missing_role"
    );
}

#[test]
fn claims_are_compared_as_text() {
    let claims =
        r#"{"plan":"pro","n":7,"ok":true,"l":["x","y"],"o":{"in":"v","z":null},"a.b":"dot"}"#;
    for rule in [
        "plan", "plan=pro", "n=7", "ok=true", "l=y", "l", "o", "o.in", "o.in=v", "a.b=dot",
    ] {
        assert_eq!(check(claims, &[], &[], &[rule]), "ok", "{rule}");
    }
    for rule in [
        "plan=free",
        "n=70",
        "ok=false",
        "l=z",
        "none",
        "o=v",
        "o.z",
        "o.in.x",
        "a.c",
        "plan.x",
    ] {
        assert_eq!(check(claims, &[], &[], &[rule]), "missing_claim", "{rule}");
    }
}

#[test]
fn nobody_meets_nothing_and_everybody_meets_no_rules() {
    let rules = Rules::new(&strings(&["read"]), &[], &[]).unwrap();
    let verdict = rules.check(&Identity::default());
    let mut challenge = Vec::new();
    let refusal = verdict.refusal().unwrap();
    assert!(refusal.kind.www_authenticate(&mut challenge, "r"));
    assert!(challenge.ends_with(b"scope=\"read\""));
    let none = Rules::new(&[], &[], &[]).unwrap();
    assert!(none.is_empty());
    assert!(matches!(
        none.check(&Identity::default()),
        Verdict::Continue
    ));
}

#[test]
fn empty_names_are_refused_when_compiled() {
    assert!(Rules::new(&strings(&["a|"]), &[], &[]).is_err());
    assert!(Rules::new(&[], &strings(&[""]), &[]).is_err());
    assert!(Rules::new(&[], &[], &strings(&["=v"])).is_err());
    assert!(Rules::new(&[], &[], &strings(&["n="])).is_err());
    let rules = Rules::new(&strings(&["r"]), &strings(&["a|b"]), &strings(&["c=d"])).unwrap();
    assert_eq!(
        rules.describe(),
        "authorise: scope r, role a or b, claim c=d"
    );
}

//! Tokens that hold, and every way in which one does not.

use std::time::Duration;

use serde_json::Value;

use super::*;
use crate::identity::Identity;
use crate::testing::Sample;
use crate::testing::keys::{Keys, SECRET, encode};

mod any;
mod header;
mod keys;
mod times;

const NOW: u64 = 1_700_000_000;

/// Verifier for HS256 with the tests' secret.
fn secret(change: impl FnOnce(&mut Settings)) -> Verifier {
    let mut settings = Settings {
        name: "users".into(),
        secret: Some(SECRET.to_vec()),
        ..Settings::default()
    };
    change(&mut settings);
    Verifier::new(settings).unwrap()
}

/// Verifier with these keys of the tests.
fn jwks(keys: &Keys, names: &[&str]) -> Verifier {
    Verifier::new(Settings {
        jwks: Some(keys.jwks(names).into_bytes()),
        ..Settings::default()
    })
    .unwrap()
}

/// An HS256 token with these claims.
fn hs256(claims: &str) -> String {
    Keys::new().token(Algorithm::Hs256, r#"{"alg":"HS256"}"#, claims)
}

/// Claims that are good for a while.
fn good(extra: &str) -> String {
    format!(r#"{{"sub":"alice","exp":{}{extra}}}"#, NOW + 300)
}

/// `ok`, `expired`, or the word of the refusal.
fn outcome(verifier: &Verifier, token: &str) -> &'static str {
    outcome_at(verifier, token, NOW)
}

fn outcome_at(verifier: &Verifier, token: &str, unix: u64) -> &'static str {
    match verifier.verify_bytes(token.as_bytes(), unix) {
        Ok(_) => "ok",
        Err(Rejection::Expired) => "expired",
        Err(Rejection::Invalid(reason)) => reason,
    }
}

/// The outcome of these claims under HS256.
fn claims(verifier: &Verifier, claims: &str) -> &'static str {
    outcome(verifier, &hs256(claims))
}

/// One request through the whole policy: the cause of its refusal or `ok`, and who it is.
fn ask(verifier: &Verifier, caches: &mut Caches, sample: &Sample) -> (&'static str, Identity) {
    let mut ctx = Context::new();
    let verdict = verifier.check(&sample.view(), caches, &mut ctx);
    let word = verdict
        .refusal()
        .map_or("ok", |refusal| refusal.kind.cause());
    (word, ctx.identity)
}

fn bearer(token: &str) -> Sample {
    Sample::get("/", &[&format!("Authorization: Bearer {token}")])
}

#[test]
fn every_algorithm_holds_with_its_key_and_with_no_other() {
    let keys = Keys::new();
    let verifier = Verifier::new(Settings {
        jwks: Some(
            keys.jwks(&["rsa", "p256", "p384", "ed25519", "oct"])
                .into_bytes(),
        ),
        algorithms: Algorithm::ALL.to_vec(),
        ..Settings::default()
    })
    .unwrap();
    for algorithm in Algorithm::ALL {
        let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, algorithm.as_str());
        let token = keys.token(algorithm, &header, &good(""));
        assert_eq!(outcome(&verifier, &token), "ok", "{algorithm:?}");
        // The same signature under every other name.
        for other in Algorithm::ALL
            .into_iter()
            .filter(|other| *other != algorithm)
        {
            let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, other.as_str());
            let message = format!("{}.{}", encode(header), encode(good("")));
            let signature = keys.sign(algorithm, message.as_bytes());
            let token = format!("{message}.{}", encode(signature));
            assert_eq!(
                outcome(&verifier, &token),
                "bad_signature",
                "{algorithm:?} as {other:?}"
            );
        }
    }
}

#[test]
fn an_algorithm_that_is_not_listed_is_refused() {
    let keys = Keys::new();
    let verifier = Verifier::new(Settings {
        jwks: Some(keys.jwks(&["rsa"]).into_bytes()),
        algorithms: vec![Algorithm::Rs256],
        ..Settings::default()
    })
    .unwrap();
    let token = |a: Algorithm| keys.token(a, &format!(r#"{{"alg":"{}"}}"#, a.as_str()), &good(""));
    assert_eq!(outcome(&verifier, &token(Algorithm::Rs256)), "ok");
    assert_eq!(
        outcome(&verifier, &token(Algorithm::Ps256)),
        "algorithm_not_allowed"
    );
    assert_eq!(
        outcome(&verifier, &token(Algorithm::Hs256)),
        "algorithm_not_allowed"
    );
}

#[test]
fn issuer_is_exact() {
    let verifier = secret(|s| s.issuer = Some("https://issuer.example".into()));
    let iss = |iss: &str| claims(&verifier, &good(&format!(r#","iss":{iss}"#)));
    assert_eq!(iss(r#""https://issuer.example""#), "ok");
    assert_eq!(iss(r#""https://issuer.example/""#), "wrong_issuer");
    assert_eq!(iss(r#""HTTPS://issuer.example""#), "wrong_issuer");
    assert_eq!(iss(r#"["https://issuer.example"]"#), "malformed_claims");
    assert_eq!(claims(&verifier, &good("")), "wrong_issuer");
}

#[test]
fn audience_is_a_string_or_a_list_and_one_of_ours() {
    let verifier = secret(|s| s.audiences = vec!["api".into(), "web".into()]);
    let aud = |aud: &str| claims(&verifier, &good(&format!(r#","aud":{aud}"#)));
    assert_eq!(aud(r#""api""#), "ok");
    assert_eq!(aud(r#"["other","web"]"#), "ok");
    assert_eq!(aud(r#""other""#), "wrong_audience");
    assert_eq!(aud(r#""api web""#), "wrong_audience");
    assert_eq!(aud("[]"), "wrong_audience");
    assert_eq!(aud(r#"["api",1]"#), "malformed_claims");
    assert_eq!(aud(r#"{"api":1}"#), "malformed_claims");
    assert_eq!(aud("null"), "malformed_claims");
    assert_eq!(claims(&verifier, &good("")), "wrong_audience");
    let any = secret(|_| ());
    assert_eq!(claims(&any, &good(r#","aud":"whoever""#)), "ok");
    assert_eq!(claims(&any, &good(r#","aud":7"#)), "malformed_claims");
}

#[test]
fn required_claims_must_be_there() {
    let verifier =
        secret(|s| s.required_claims = vec!["exp".into(), "sub".into(), "org.id".into()]);
    assert_eq!(claims(&verifier, &good(r#","org":{"id":1}"#)), "ok");
    assert_eq!(claims(&verifier, &good(r#","org.id":1"#)), "ok");
    assert_eq!(
        claims(&verifier, &good(r#","org":{"id":null}"#)),
        "missing_required_claim"
    );
    assert_eq!(claims(&verifier, &good("")), "missing_required_claim");
    assert_eq!(
        claims(&secret(|_| ()), r#"{"sub":"a"}"#),
        "missing_required_claim"
    );
    assert_eq!(
        claims(&secret(|s| s.required_claims.clear()), r#"{"sub":"a"}"#),
        "ok"
    );
}

#[test]
fn registered_claims_of_the_wrong_type_are_refused() {
    let verifier = secret(|_| ());
    for extra in [
        r#","sub":1"#,
        r#","iss":1"#,
        r#","jti":{}"#,
        r#","nbf":"1""#,
        r#","nbf":null"#,
    ] {
        let body = format!(r#"{{"exp":{}{extra}}}"#, NOW + 300);
        assert_eq!(claims(&verifier, &body), "malformed_claims", "{extra}");
    }
}

#[test]
fn claims_that_are_no_json_object_are_refused() {
    let verifier = secret(|s| s.required_claims.clear());
    let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let bad = [
        "",
        "[]",
        "7",
        "null",
        "{",
        "{}x",
        "{} {}",
        r#"{"sub":"a","sub":"b"}"#,
        r#"{"a":{"b":1,"b":2}}"#,
        r#"{"exp":1e999}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":'b'}"#,
        "\u{feff}{}",
        deep.as_str(),
        r#"{"exp":NaN}"#,
        r#"{"exp":01}"#,
    ];
    for body in bad {
        let expected = if body.is_empty() {
            "malformed_token"
        } else {
            "malformed_claims"
        };
        assert_eq!(claims(&verifier, body), expected, "{body}");
    }
    let keys = Keys::new();
    let message = [
        encode(r#"{"alg":"HS256"}"#).as_bytes(),
        b".",
        encode(b"{\"a\":\"\xff\"}").as_bytes(),
    ]
    .concat();
    let signature = encode(keys.sign(Algorithm::Hs256, &message));
    let token = format!("{}.{signature}", String::from_utf8(message).unwrap());
    assert_eq!(outcome(&verifier, &token), "malformed_claims");
    assert_eq!(
        claims(&verifier, r#"{"a":[[[[[[[[[[[[[[1]]]]]]]]]]]]]]}"#),
        "ok"
    );
}

#[test]
fn what_a_request_without_a_good_token_is_told() {
    let verifier = secret(|_| ());
    let caches = &mut Caches::new();
    assert_eq!(
        ask(&verifier, caches, &Sample::get("/", &[])).0,
        "missing_credentials"
    );
    let basic = Sample::get("/", &["Authorization: Basic dTpw"]);
    assert_eq!(ask(&verifier, caches, &basic).0, "missing_credentials");
    let twice = Sample::get("/", &["Authorization: Bearer a", "Authorization: Bearer b"]);
    assert_eq!(ask(&verifier, caches, &twice).0, "repeated_credentials");
    assert_eq!(
        ask(&verifier, caches, &bearer("garbage")).0,
        "malformed_token"
    );
    let old = hs256(&format!(r#"{{"exp":{}}}"#, NOW - 1));
    assert_eq!(ask(&verifier, caches, &bearer(&old)).0, "token_expired");
}

#[test]
fn the_identity_and_its_headers_come_out() {
    let verifier = secret(|s| {
        let claims = [
            "sub -> X-User-ID",
            "org.name -> X-Org",
            "roles -> X-Roles",
            "n -> X-N",
            "bad -> X-Bad",
            "none -> X-None",
            "commas -> X-Commas",
            "org -> X-Whole",
        ];
        s.forward_claims = Some(claims.map(|c| ForwardClaim::parse(c).unwrap()).into());
    });
    let token = hs256(&good(
        r#","tenant":"acme","tier":"gold","roles":["a","b"],"org":{"name":"Acme Inc"},"n":1.5,"bad":"x\r\nX-Admin: 1","commas":["a,b"]"#,
    ));
    let (word, identity) = ask(&verifier, &mut Caches::new(), &bearer(&token));
    assert_eq!(word, "ok");
    assert_eq!(identity.subject(), Some("alice"));
    assert_eq!(identity.tenant(), Some("acme"));
    assert_eq!(identity.tier(), Some("gold"));
    assert_eq!(identity.claim("sub").as_deref(), Some("alice"));
    assert_eq!(identity.claim("org.name").as_deref(), Some("Acme Inc"));
    assert_eq!(identity.claim("roles").as_deref(), Some("a,b"));
    assert_eq!(identity.claim("org"), None);
    let mut lines = Vec::new();
    identity.forward_lines(&mut lines);
    assert_eq!(
        String::from_utf8(lines).unwrap(),
        "X-User-ID: alice\r\nX-Org: Acme Inc\r\nX-Roles: a,b\r\nX-N: 1.5\r\n"
    );
}

#[test]
fn tokens_are_found_where_the_settings_say() {
    let verifier = secret(|s| {
        s.token_from = ["cookie:session", "query:access_token"]
            .map(|place| Source::parse(place).unwrap())
            .into();
    });
    let token = hs256(&good(""));
    let caches = &mut Caches::new();
    let cookie = Sample::get("/", &[&format!("Cookie: a=b; session={token}")]);
    assert_eq!(ask(&verifier, caches, &cookie).0, "ok");
    let query = Sample::get(&format!("/?access_token={token}"), &[]);
    assert_eq!(ask(&verifier, caches, &query).0, "ok");
    assert_eq!(
        ask(&verifier, caches, &bearer(&token)).0,
        "missing_credentials"
    );
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let error = |change: &dyn Fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        Verifier::new(settings).err().unwrap_or_default()
    };
    assert!(error(&|_| ()).contains("no keys"));
    assert!(error(&|s| s.secret = Some(b"short".to_vec())).contains("at least 32"));
    let long = |s: &mut Settings| {
        s.secret = Some(vec![7; 32]);
        s.algorithms = vec![Algorithm::Hs256, Algorithm::Hs512];
    };
    assert!(error(&long).contains("64 bytes"));
    let mixed = |s: &mut Settings| {
        s.secret = Some(SECRET.to_vec());
        s.algorithms = vec![Algorithm::Rs256];
    };
    assert!(error(&mixed).contains("no key can verify RS256"));
    let twice = |s: &mut Settings| {
        s.secret = Some(SECRET.to_vec());
        s.forward_claims = Some(
            ["a -> X-A", "b -> x_a"]
                .map(|c| ForwardClaim::parse(c).unwrap())
                .into(),
        );
    };
    assert!(error(&twice).contains("twice"));
}

#[test]
fn rfc_7519_section_6_1_unsecured_token_is_refused() {
    let verifier = secret(|_| ());
    let unsecured = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    assert_eq!(
        outcome_at(&verifier, unsecured, 1_300_000_000),
        "unsupported_algorithm"
    );
}

#[test]
fn rfc_7515_appendix_a_1_as_a_whole_token() {
    let key =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let verifier = secret(|s| s.secret = Some(crate::testing::keys::decode(key)));
    assert_eq!(outcome_at(&verifier, token, 1_300_819_379), "ok");
    assert_eq!(outcome_at(&verifier, token, 1_300_819_380), "expired");
    let verified = verifier.verify_bytes(token.as_bytes(), 0).ok().unwrap();
    let name = "http://example.com/is_root";
    assert_eq!(verified.claims().get(name), Some(&Value::Bool(true)));
    assert_eq!(verified.claim(name).as_deref(), Some("true"));
}

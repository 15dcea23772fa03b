//! JSON Web Tokens (RFC 7519, 7515, 6750; semantics page, "JWT"), end to end.

use serde_json::{Value, json};
use tests::token::{self, Key, SECRET};
use tests::{Gateway, Origin};

use super::{bearer, guarded, refused, untouched};

mod places;

const ISSUER: &str = "https://issuer.example";
/// What the challenge says of a token that is there and does not hold.
const INVALID: &str = "Bearer realm=\"portcullis\", error=\"invalid_token\", error_description=\"The token is not valid\"";

/// A gateway for tokens of a key set, from one issuer for one audience.
#[track_caller]
fn with_keys(origin: &Origin, keys: &[Value], more: &str) -> Gateway {
    let auth = format!(
        "kind = \"jwt\"\nissuer = \"{ISSUER}\"\naudiences = [\"api\"]\njwks = \"keys.json\"\n{more}"
    );
    let setup = guarded(origin.address, &auth, "");
    setup.file("keys.json", token::set(keys)).start()
}

/// A gateway for tokens under the shared secret.
#[track_caller]
fn with_secret(origin: &Origin, more: &str) -> Gateway {
    let auth = format!("kind = \"jwt\"\nsecret = \"{SECRET}\"\n{more}");
    guarded(origin.address, &auth, "").start()
}

/// Claims that the key set's gateway takes.
fn claims() -> Value {
    let mut claims = token::claims("ada");
    claims["iss"] = json!(ISSUER);
    claims["aud"] = json!("api");
    claims
}

/// Changes one claim; `null` takes it away.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().expect("an object").remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

/// Sends tokens on one connection; each must be refused as invalid for this cause.
#[track_caller]
fn invalid(gateway: &Gateway, cases: &[(String, &str)]) {
    let mut peer = gateway.peer();
    for (token, cause) in cases {
        let answer = peer.ask(bearer(token));
        refused(gateway, &answer, 401, "Invalid token", cause);
        answer.has("www-authenticate", INVALID);
    }
}

#[test]
fn every_algorithm_of_a_key_set() {
    let origin = Origin::saying("hi");
    let (rsa, p256) = (Key::rsa("rsa"), Key::p256("p256"));
    let (p384, edwards) = (Key::p384("p384"), Key::ed25519("ed"));
    let keys = [rsa.jwk(), p256.jwk(), p384.jwk(), edwards.jwk()];
    let gateway = with_keys(&origin, &keys, "");
    let mut peer = gateway.peer();
    let cases = [
        (&rsa, "RS256"),
        (&rsa, "RS384"),
        (&rsa, "RS512"),
        (&rsa, "PS256"),
        (&rsa, "PS384"),
        (&rsa, "PS512"),
        (&p256, "ES256"),
        (&p384, "ES384"),
        (&edwards, "EdDSA"),
    ];
    for (n, (key, algorithm)) in cases.into_iter().enumerate() {
        let token = key.sign(algorithm, &with("sub", json!(algorithm)));
        peer.ask(bearer(&token)).is(200);
        // Once more: from the cache.
        peer.ask(bearer(&token)).is(200);
        origin.received()[2 * n + 1].has("x-user-id", algorithm);
        let spoiled = spoil(&token);
        let answer = peer.ask(bearer(&spoiled));
        refused(&gateway, &answer, 401, "Invalid token", "bad_signature");
    }
    assert_eq!(origin.received().len(), 2 * cases.len());
}

/// Another signature of the same length.
fn spoil(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').expect("three parts");
    let first = if signature.starts_with('A') { "B" } else { "A" };
    format!("{input}.{first}{}", &signature[1..])
}

#[test]
fn every_algorithm_of_a_secret() {
    let origin = Origin::saying("hi");
    let gateway = with_secret(&origin, "");
    let mut peer = gateway.peer();
    for algorithm in ["HS256", "HS384", "HS512"] {
        let header = json!({"alg": algorithm});
        let token = token::hmac(&header, &token::claims("ada"), SECRET.as_bytes());
        peer.ask(bearer(&token)).is(200);
        peer.ask(bearer(&spoil(&token))).is(401);
        let other = token::hmac(&header, &token::claims("ada"), &[b'x'; 64]);
        peer.ask(bearer(&other)).is(401);
    }
}

#[test]
fn none_is_no_algorithm() {
    let origin = Origin::saying("hi");
    let gateway = with_secret(&origin, "");
    let bare = |alg: &str| token::input(&json!({ "alg": alg }), &token::claims("ada"));
    let cases = ["none", "None", "NONE", "nOnE", "", "HS257", "hs256"].map(|alg| {
        let token = format!("{}.{}", bare(alg), token::encode("x"));
        (token, "unsupported_algorithm")
    });
    invalid(&gateway, &cases);
    let mut peer = gateway.peer();
    for alg in ["none", "HS256"] {
        peer.ask(bearer(&format!("{}.", bare(alg)))).is(401);
        peer.ask(bearer(&bare(alg))).is(401);
    }
    untouched(&origin);
}

#[test]
fn a_public_key_is_no_secret() {
    let origin = Origin::saying("hi");
    let rsa = Key::rsa("rsa");
    let gateway = with_keys(&origin, &[rsa.jwk()], "");
    let header = json!({"alg": "HS256", "kid": "rsa"});
    let jwk = rsa.jwk().to_string();
    let modulus = rsa.public_text();
    let secrets: [&[u8]; 3] = [jwk.as_bytes(), modulus.as_bytes(), b""];
    let cases = secrets.map(|secret| {
        let token = token::hmac(&header, &claims(), secret);
        (token, "algorithm_not_allowed")
    });
    invalid(&gateway, &cases);
    untouched(&origin);
}

#[test]
fn an_algorithm_that_does_not_fit_the_key_is_refused() {
    let origin = Origin::saying("hi");
    let (rsa, p256) = (Key::rsa("rsa"), Key::p256("p256"));
    let gateway = with_keys(&origin, &[rsa.jwk(), p256.jwk()], "");
    let under = |alg: &str, kid: &str| json!({"alg": alg, "kid": kid});
    let cases = [
        (
            p256.sign_under(&under("RS256", "p256"), &claims()),
            "unknown_key",
        ),
        (
            rsa.sign_under(&under("ES256", "rsa"), &claims()),
            "unknown_key",
        ),
        (
            p256.sign_under(&under("ES384", "p256"), &claims()),
            "algorithm_not_allowed",
        ),
    ];
    invalid(&gateway, &cases);
    untouched(&origin);
}

#[test]
fn only_the_algorithms_that_are_listed() {
    let origin = Origin::saying("hi");
    let rsa = Key::rsa("rsa");
    let gateway = with_keys(&origin, &[rsa.jwk()], "algorithms = [\"PS256\"]");
    gateway.ask(bearer(&rsa.sign("PS256", &claims()))).is(200);
    let token = rsa.sign("RS256", &claims());
    invalid(&gateway, &[(token, "algorithm_not_allowed")]);
}

#[test]
fn a_key_with_alg_or_use_is_for_that_only() {
    let origin = Origin::saying("hi");
    let (mut rsa, mut p256) = (Key::rsa("rsa").jwk(), Key::p256("p256").jwk());
    rsa["alg"] = json!("RS512");
    p256["use"] = json!("enc");
    let p256_key = Key::p256("other");
    let gateway = with_keys(&origin, &[rsa, p256, p256_key.jwk()], "");
    let signer = Key::rsa("rsa");
    gateway
        .ask(bearer(&signer.sign("RS512", &claims())))
        .is(200);
    let wrong = signer.sign("RS256", &claims());
    gateway.ask(bearer(&wrong)).is(401);
    let unusable = p256_key.sign_under(&json!({"alg": "ES256", "kid": "p256"}), &claims());
    invalid(&gateway, &[(unusable, "unknown_key")]);
}

#[test]
fn with_a_kid_that_key_or_none() {
    let origin = Origin::saying("hi");
    let (one, two) = (Key::p256("one"), Key::p256("two"));
    let gateway = with_keys(&origin, &[one.jwk(), two.jwk()], "");
    let kid = |kid: &str| json!({"alg": "ES256", "kid": kid});
    gateway.ask(bearer(&two.sign("ES256", &claims()))).is(200);
    gateway
        .ask(bearer(&two.sign_under(&json!({"alg": "ES256"}), &claims())))
        .is(200);
    let cases = [
        (two.sign_under(&kid("three"), &claims()), "unknown_key"),
        (two.sign_under(&kid(""), &claims()), "unknown_key"),
        (two.sign_under(&kid("one"), &claims()), "bad_signature"),
        (two.sign_under(&kid("../two"), &claims()), "unknown_key"),
    ];
    invalid(&gateway, &cases);
}

#[test]
fn keys_that_a_token_brings_along_are_ignored() {
    let origin = Origin::saying("hi");
    let (ours, theirs) = (Key::p256("ours"), Key::p256("theirs"));
    let gateway = with_keys(&origin, &[ours.jwk()], "");
    let bringing = Origin::saying(&token::set(&[theirs.jwk()]));
    let url = format!("http://{}/keys", bringing.address);
    for header in [
        json!({"alg": "ES256", "jwk": theirs.jwk()}),
        json!({"alg": "ES256", "jku": url}),
        json!({"alg": "ES256", "x5u": url}),
    ] {
        gateway
            .ask(bearer(&theirs.sign_under(&header, &claims())))
            .is(401);
    }
    untouched(&bringing);
    untouched(&origin);
}

#[test]
fn an_expired_token_is_told_apart() {
    let origin = Origin::saying("hi");
    let key = Key::p256("k");
    let gateway = with_keys(&origin, &[key.jwk()], "");
    let mut peer = gateway.peer();
    for exp in [json!(token::now() - 1), json!(0), json!(1.5), json!(-5)] {
        let answer = peer.ask(bearer(&key.sign("ES256", &with("exp", exp))));
        refused(&gateway, &answer, 401, "Token expired", "token_expired");
        answer.has(
            "www-authenticate",
            "Bearer realm=\"portcullis\", error=\"invalid_token\", error_description=\"The token has expired\"",
        );
    }
    untouched(&origin);
}

#[test]
fn a_cached_token_expires_too() {
    let origin = Origin::saying("hi");
    let key = Key::p256("k");
    let gateway = with_keys(&origin, &[key.jwk()], "");
    let mut peer = gateway.peer();
    let request = bearer(&key.sign("ES256", &with("exp", json!(token::now() + 2))));
    peer.ask(&request).is(200);
    let start = std::time::Instant::now();
    while peer.ask(&request).status == 200 {
        assert!(start.elapsed() < tests::PATIENCE, "it never expires");
    }
    let answer = peer.ask(&request);
    refused(&gateway, &answer, 401, "Token expired", "token_expired");
}

#[test]
fn leeway_counts_both_ways() {
    let origin = Origin::saying("hi");
    let key = Key::p256("k");
    let gateway = with_keys(&origin, &[key.jwk()], "leeway = \"5m\"");
    let mut peer = gateway.peer();
    let now = token::now();
    for (name, value, status) in [
        ("exp", now - 60, 200),
        ("exp", now - 3600, 401),
        ("nbf", now + 60, 200),
        ("nbf", now + 3600, 401),
    ] {
        let token = key.sign("ES256", &with(name, json!(value)));
        peer.ask(bearer(&token)).is(status);
    }
}

#[test]
fn times_issuer_and_audience() {
    let origin = Origin::saying("hi");
    let key = Key::p256("k");
    let gateway = with_keys(&origin, &[key.jwk()], "");
    let mut peer = gateway.peer();
    let good = [
        claims(),
        with("aud", json!(["other", "api"])),
        with("nbf", json!(token::now() - 10)),
        with("exp", json!((token::now() + 3600) as f64 + 0.5)),
    ];
    for claims in good {
        peer.ask(bearer(&key.sign("ES256", &claims))).is(200);
    }
    let far = json!(token::now() + 3600);
    let cases = [
        ("exp", Value::Null, "missing_required_claim"),
        ("exp", json!("soon"), "malformed_claims"),
        ("exp", json!(token::now().to_string()), "malformed_claims"),
        ("nbf", far.clone(), "not_yet_valid"),
        ("nbf", json!("now"), "malformed_claims"),
        ("iss", Value::Null, "wrong_issuer"),
        ("iss", json!("https://issuer.example/"), "wrong_issuer"),
        ("iss", json!("HTTPS://issuer.example"), "wrong_issuer"),
        ("iss", json!([ISSUER]), "malformed_claims"),
        ("aud", Value::Null, "wrong_audience"),
        ("aud", json!("apis"), "wrong_audience"),
        ("aud", json!([]), "wrong_audience"),
        ("aud", json!(["other"]), "wrong_audience"),
        ("aud", json!({"api": true}), "malformed_claims"),
        ("sub", json!(7), "malformed_claims"),
    ];
    let cases = cases.map(|(name, value, cause)| (key.sign("ES256", &with(name, value)), cause));
    let before = origin.received().len();
    invalid(&gateway, &cases);
    assert_eq!(origin.received().len(), before);
}

#[test]
fn headers_that_ask_for_more_are_refused() {
    let origin = Origin::saying("hi");
    let gateway = with_secret(&origin, "");
    let sign = |header: Value| token::hmac(&header, &token::claims("ada"), SECRET.as_bytes());
    let cases = [
        (
            sign(json!({"alg": "HS256", "crit": ["exp"], "exp": 1})),
            "critical_header",
        ),
        (sign(json!({"alg": "HS256", "crit": []})), "critical_header"),
        (
            sign(json!({"alg": "HS256", "b64": false})),
            "unencoded_payload",
        ),
        (
            sign(json!({"alg": "HS256", "typ": "secevent+jwt"})),
            "wrong_type",
        ),
        (sign(json!({"typ": "JWT"})), "malformed_header"),
        (sign(json!({"alg": 5})), "malformed_header"),
    ];
    invalid(&gateway, &cases);
    for typ in ["JWT", "jwt", "at+jwt", "application/at+jwt"] {
        let token = sign(json!({"alg": "HS256", "typ": typ}));
        gateway.ask(bearer(&token)).is(200);
    }
}

#[test]
fn repeated_members_are_refused() {
    let origin = Origin::saying("hi");
    let gateway = with_secret(&origin, "");
    let exp = token::now() + 3600;
    let sign = |header: &str, claims: &str| {
        let input = format!("{}.{}", token::encode(header), token::encode(claims));
        token::hmac_of(&input, "HS256", SECRET.as_bytes())
    };
    let plain = "{\"alg\":\"HS256\"}";
    let cases = [
        (
            sign(
                "{\"alg\":\"none\",\"alg\":\"HS256\"}",
                &format!("{{\"exp\":{exp}}}"),
            ),
            "malformed_header",
        ),
        (
            sign(
                plain,
                &format!("{{\"sub\":\"a\",\"sub\":\"b\",\"exp\":{exp}}}"),
            ),
            "malformed_claims",
        ),
        (
            sign(plain, &format!("{{\"exp\":1,\"\\u0065xp\":{exp}}}")),
            "malformed_claims",
        ),
        (sign(plain, "[]"), "malformed_claims"),
        (sign(plain, "null"), "malformed_claims"),
        (
            sign(plain, &format!("{{\"exp\":{exp}}} x")),
            "malformed_claims",
        ),
    ];
    invalid(&gateway, &cases);
    gateway
        .ask(bearer(&sign(plain, &format!("{{\"exp\":{exp}}}"))))
        .is(200);
    assert_eq!(origin.received().len(), 1);
}

#[test]
fn garbage_is_refused() {
    let origin = Origin::saying("hi");
    let gateway = with_secret(&origin, "");
    let good = token::hs256(&token::claims("ada"));
    let (input, signature) = good.rsplit_once('.').expect("three parts");
    let (header, payload) = input.split_once('.').expect("three parts");
    let mut cases: Vec<String> = [
        "x",
        ".",
        "..",
        "...",
        "a.b.c",
        "a.b",
        "\u{7f}".trim_end_matches('\u{7f}'),
    ]
    .iter()
    .filter(|text| !text.is_empty())
    .map(|text| (*text).to_owned())
    .collect();
    cases.extend([
        format!("{good}.{signature}"),
        format!("{header}.{payload}"),
        format!(".{payload}.{signature}"),
        format!("{header}..{signature}"),
        format!("{good}=="),
        format!("{good} {good}"),
        format!("{header}.{payload}. {signature}"),
        format!(
            "{header}.{payload}.{}",
            signature.replace(|c: char| c.is_ascii_digit(), "+")
        ),
        format!("{}.{payload}.{signature}", token::encode("{not json")),
        format!("{}.{payload}.{signature}", token::encode(b"\xff\xfe")),
        format!("{header}.{payload}.{}", "A".repeat(60_000 / 8)),
    ]);
    let mut peer = gateway.peer();
    for token in cases {
        let answer = peer.ask(bearer(&token));
        answer.problem(401, "/a", "Invalid token");
        answer.has("www-authenticate", INVALID);
    }
    untouched(&origin);
    gateway.ask(bearer(&good)).is(200);
}

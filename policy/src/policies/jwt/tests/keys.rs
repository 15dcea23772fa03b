//! Which key a token may mean, and which keys of a set can be used.

use super::*;

/// A verifier with a set of these JWKs and every algorithm that they fit.
fn set(jwks: &[String]) -> Result<Verifier, String> {
    Verifier::new(Settings {
        jwks: Some(format!(r#"{{"keys":[{}]}}"#, jwks.join(",")).into_bytes()),
        ..Settings::default()
    })
}

fn rs256(keys: &Keys, header: &str) -> String {
    keys.token(Algorithm::Rs256, header, &good(""))
}

#[test]
fn a_kid_means_that_key_or_none() {
    let keys = Keys::new();
    let verifier = jwks(&keys, &["rsa", "p256"]);
    let kid = |kid: &str| rs256(&keys, &format!(r#"{{"alg":"RS256","kid":"{kid}"}}"#));
    assert_eq!(outcome(&verifier, &kid("rsa")), "ok");
    assert_eq!(outcome(&verifier, &kid("p256")), "unknown_key");
    assert_eq!(outcome(&verifier, &kid("gone")), "unknown_key");
    assert_eq!(outcome(&verifier, &kid("")), "unknown_key");
    assert_eq!(outcome(&verifier, &kid("RSA")), "unknown_key");
    assert_eq!(
        outcome(&verifier, &rs256(&keys, r#"{"alg":"RS256"}"#)),
        "ok"
    );
    let nameless = set(&[keys.jwk("rsa", "")]).unwrap();
    assert_eq!(outcome(&nameless, &kid("rsa")), "unknown_key");
    assert_eq!(
        outcome(&nameless, &rs256(&keys, r#"{"alg":"RS256"}"#)),
        "ok"
    );
}

#[test]
fn a_public_key_is_never_an_hmac_secret() {
    // The classic confusion: HS256 over the text of the public key.
    let keys = Keys::new();
    let verifier = Verifier::new(Settings {
        jwks: Some(keys.jwks(&["rsa"]).into_bytes()),
        ..Settings::default()
    })
    .unwrap();
    let message = format!(
        "{}.{}",
        encode(r#"{"alg":"HS256","kid":"rsa"}"#),
        encode(good(""))
    );
    for secret in [
        crate::testing::keys::RSA_N.as_bytes().to_vec(),
        crate::testing::keys::decode(crate::testing::keys::RSA_N),
        keys.jwk("rsa", "").into_bytes(),
    ] {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        let mac = ring::hmac::sign(&key, message.as_bytes());
        let token = format!("{message}.{}", encode(mac));
        assert_eq!(outcome(&verifier, &token), "algorithm_not_allowed");
    }
}

#[test]
fn hmac_keys_of_a_set_are_used_only_when_the_algorithm_is_named() {
    let keys = Keys::new();
    let token = hs256(&good(""));
    let quiet = jwks(&keys, &["rsa", "oct"]);
    assert_eq!(outcome(&quiet, &token), "algorithm_not_allowed");
    let error = set(&[keys.jwk("oct", "")]).err().unwrap();
    assert!(error.contains("name `algorithms`"), "{error}");
    let named = Verifier::new(Settings {
        jwks: Some(keys.jwks(&["oct"]).into_bytes()),
        algorithms: vec![Algorithm::Hs256],
        ..Settings::default()
    });
    assert_eq!(outcome(&named.unwrap(), &token), "ok");
}

#[test]
fn a_key_in_the_token_itself_is_not_trusted() {
    let (ours, theirs) = (Keys::new(), Keys::new());
    let verifier = jwks(&ours, &["ed25519"]);
    let header = format!(r#"{{"alg":"EdDSA","jwk":{}}}"#, theirs.jwk("ed25519", ""));
    let token = theirs.token(Algorithm::EdDsa, &header, &good(""));
    assert_eq!(outcome(&verifier, &token), "bad_signature");
}

#[test]
fn at_most_four_keys_are_tried() {
    let keys: Vec<Keys> = (0..5).map(|_| Keys::new()).collect();
    let set = set(&keys
        .iter()
        .map(|k| k.jwk("ed25519", ""))
        .collect::<Vec<_>>())
    .unwrap();
    let outcomes: Vec<_> = keys
        .iter()
        .map(|keys| keys.token(Algorithm::EdDsa, r#"{"alg":"EdDSA"}"#, &good("")))
        .map(|token| outcome(&set, &token))
        .collect();
    assert_eq!(outcomes, ["ok", "ok", "ok", "ok", "bad_signature"]);
}

#[test]
fn use_operations_and_alg_are_honoured() {
    let keys = Keys::new();
    let token = rs256(&keys, r#"{"alg":"RS256"}"#);
    let with = |extra: &str| match set(&[keys.jwk("rsa", extra)]) {
        Ok(verifier) => outcome(&verifier, &token).to_owned(),
        Err(why) => why,
    };
    assert_eq!(with(r#","use":"sig""#), "ok");
    assert_eq!(with(r#","key_ops":["verify"]"#), "ok");
    assert_eq!(with(r#","alg":"RS256""#), "ok");
    assert_eq!(with(r#","alg":"PS256""#), "algorithm_not_allowed");
    for (extra, why) in [
        (r#","use":"enc""#, "`use`"),
        (r#","use":1"#, "`use`"),
        (r#","key_ops":["encrypt"]"#, "`key_ops`"),
        (r#","key_ops":"verify""#, "`key_ops`"),
        (r#","alg":"RSA-OAEP""#, "RSA-OAEP"),
        (r#","alg":"ES256""#, "does not fit"),
        (r#","alg":7"#, "`alg`"),
        (r#","kid":7"#, "`kid`"),
    ] {
        let error = with(extra);
        assert!(
            error.contains(why) && error.contains("not used"),
            "{extra}: {error}"
        );
    }
}

#[test]
fn keys_that_cannot_be_used_are_left_out_with_a_warning() {
    let keys = Keys::new();
    let n = crate::testing::keys::decode(crate::testing::keys::RSA_N);
    let short = encode(&n[..128]);
    let zero = encode([&[0], n.as_slice()].concat());
    let verifier = set(&[
        keys.jwk("p256", ""),
        format!(r#"{{"kty":"RSA","kid":"small","n":"{short}","e":"AQAB"}}"#),
        r#"{"kty":"EC","crv":"P-521","x":"AA","y":"AA"}"#.to_owned(),
        r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.to_owned(),
        r#"{"kty":"OKP","crv":"X25519","x":"AA"}"#.to_owned(),
        r#"{"kty":"quantum"}"#.to_owned(),
        r#"{"kty":"RSA","n":"a=","e":"AQAB"}"#.to_owned(),
        r#"{"kty":"oct","k":"AAAA"}"#.to_owned(),
        r#"{}"#.to_owned(),
        "7".to_owned(),
        format!(r#"{{"kty":"RSA","n":"{zero}","e":"AQAB"}}"#),
        keys.jwk("p384", r#","d":"AA""#),
    ])
    .unwrap();
    let warnings = verifier.warnings();
    assert_eq!(warnings.len(), 10, "{warnings:#?}");
    assert!(warnings[0].contains("key `small` is not used") && warnings[0].contains("1024 bits"));
    assert!(warnings[9].contains("private key"));
    assert_eq!(
        outcome(&verifier, &rs256(&keys, r#"{"alg":"RS256"}"#)),
        "ok"
    );
}

#[test]
fn a_set_that_is_none_is_an_error() {
    let error = |text: &str| {
        let settings = Settings {
            jwks: Some(text.as_bytes().to_vec()),
            ..Settings::default()
        };
        Verifier::new(settings).err().unwrap()
    };
    for text in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":[],"keys":[]}"#,
    ] {
        assert!(error(text).contains("not a JWK Set"), "{text}");
    }
    assert!(error(r#"{"keys":[]}"#).contains("no keys"));
    let keys = Keys::new();
    let single = Settings {
        jwks: Some(keys.jwk("rsa", "").into_bytes()),
        ..Settings::default()
    };
    let verifier = Verifier::new(single).unwrap();
    assert_eq!(
        outcome(&verifier, &rs256(&keys, r#"{"alg":"RS256"}"#)),
        "ok"
    );
}

#[test]
fn explain_says_what_is_asked_for() {
    let verifier = secret(|s| {
        s.issuer = Some("https://i".into());
        s.audiences = vec!["a".into(), "b".into()];
        s.algorithms = vec![Algorithm::Hs256];
    });
    assert_eq!(
        verifier.describe(),
        "authenticate: users (JWT HS256 in header Authorization: Bearer; 1 keys; iss https://i; aud a or b)"
    );
    let headers: Vec<_> = verifier.forwarded_headers().collect();
    assert_eq!(headers, ["X-User-ID", "X-Tenant-ID"]);
}

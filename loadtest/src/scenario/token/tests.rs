//! Tests of tokens: what they carry, how many there are, when they are made anew.

use crate::scenario::{Problem, Scenario, show};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;

fn read(token: &str, folder: &Path) -> Result<Scenario, Vec<Problem>> {
    let text = format!(
        "[target]\nurl = \"http://h\"\n[token.users]\n{token}\n\
         [request.a]\nheaders = {{ Authorization = \"Bearer {{token.users}}\" }}\n"
    );
    Scenario::parse(&text, "t", folder)
}

fn scenario(token: &str) -> Scenario {
    read(token, Path::new("")).unwrap_or_else(|why| panic!("{}", show(&why)))
}

fn told(token: &str, expected: &str) {
    let why = show(&read(token, Path::new("")).expect_err("problems"));
    assert!(why.contains(expected), "{why}");
    assert!(!why.contains("s3cret"), "{why}");
}

/// The tokens of so many requests.
fn tokens(generator: &mut crate::scenario::Generator, count: usize) -> BTreeSet<String> {
    let one = |_| {
        let mut out = Vec::new();
        generator.next(&mut out);
        let text = String::from_utf8(out).expect("text");
        let token = text
            .split_once("Bearer ")
            .and_then(|(_, it)| it.split_once('\r'));
        token.expect("a token").0.to_owned()
    };
    (0..count).map(one).collect()
}

fn part(token: &str, at: usize) -> Value {
    let part = token.split('.').nth(at).expect("a part");
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("json")
}

const HS: &str = "algorithm = \"HS256\"\nkey = \"s3cret\"\n";

#[test]
fn each_value_of_the_claims_is_carried_once() {
    let scenario = scenario(&format!(
        "{HS}claims = {{ iss = \"me\", sub = \"user-{{n:1..20}}\", n = \"{{n}}\", admin = false, aud = [\"a\", \"b\"], \
         realm = {{ roles = [\"r{{n}}\"], level = 3 }} }}"
    ));
    assert_eq!(scenario.tokens(), 20);
    let all = tokens(&mut scenario.generator(0, 1, 1000), 2000);
    let subjects: BTreeSet<String> = all
        .iter()
        .map(|token| {
            let claims = part(token, 1);
            let n = claims["n"].as_str().expect("a text").to_owned();
            assert_eq!(
                claims,
                json!({ "iss": "me", "sub": format!("user-{n}"), "n": n, "admin": false, "aud": ["a", "b"],
                    "realm": { "roles": [format!("r{n}")], "level": 3 }, "iat": 1000, "exp": 4600 })
            );
            assert_eq!(part(token, 0), json!({ "alg": "HS256", "typ": "JWT", "kid": "users" }));
            n
        })
        .collect();
    assert_eq!((all.len(), subjects.len()), (20, 20));
}

#[test]
fn how_many_there_are_follows_from_the_claims_or_is_said() {
    let count = |text: &str| scenario(&format!("{HS}{text}")).tokens();
    assert_eq!(count(""), 1);
    assert_eq!(count("claims = { sub = \"a\" }"), 1);
    assert_eq!(count("claims = { sub = \"{u:a|b|c}\" }"), 3);
    assert_eq!(count("claims = { jti = \"{uuid}\" }"), 100);
    assert_eq!(count("claims = { sub = \"{n:1..1000000}\" }\ncount = 7"), 7);
    told(
        &format!("{HS}claims = {{ sub = \"{{n:1..1000000}}\" }}"),
        "have 1000000 values",
    );
}

#[test]
fn kid_and_times_may_be_said() {
    let scenario = scenario(&format!(
        "{HS}kid = \"\"\nlifetime = \"10s\"\nclaims = {{ exp = 5 }}"
    ));
    let token = tokens(&mut scenario.generator(0, 1, 1000), 1)
        .pop_first()
        .expect("one");
    assert_eq!(part(&token, 0), json!({ "alg": "HS256", "typ": "JWT" }));
    assert_eq!(part(&token, 1), json!({ "iat": 1000, "exp": 5 }));
}

#[test]
fn tokens_are_made_anew_before_they_expire() {
    let scenario = scenario(&format!("{HS}lifetime = \"100s\""));
    scenario.mint(1000);
    let mut generator = scenario.generator(0, 1, 1001);
    let exp = |generator: &mut crate::scenario::Generator| {
        let token = tokens(generator, 1).pop_first().expect("one");
        part(&token, 1)["exp"].as_u64().expect("a number")
    };
    assert_eq!(exp(&mut generator), 1100);
    assert!(!scenario.renew(1074));
    assert!(scenario.renew(1075));
    assert!(!scenario.renew(1075));
    assert_eq!(exp(&mut generator), 1100);
    generator.refresh();
    assert_eq!(exp(&mut generator), 1175);
    assert_eq!(exp(&mut scenario.generator(1, 2, 2000)), 1175);
}

#[test]
fn tokens_may_come_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let write =
        |text: &str| std::fs::write(folder.path().join("tokens.txt"), text).expect("written");
    let list = "file = \"tokens.txt\"";
    write("one\r\n\ntwo\nthree");
    let scenario = read(list, folder.path()).unwrap_or_else(|why| panic!("{}", show(&why)));
    let all = tokens(&mut scenario.generator(0, 1, 0), 200);
    assert_eq!(all.into_iter().collect::<Vec<_>>(), ["one", "three", "two"]);
    assert_eq!((scenario.tokens(), scenario.renew(1 << 40)), (0, false));
    for wrong in ["", "\n\n", "a b", "a\u{1}", "ä"] {
        write(wrong);
        assert!(read(list, folder.path()).is_err(), "{wrong:?}");
    }
}

#[test]
fn the_public_keys_are_a_jwk_set() {
    let key = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/src/scenario/token/key/data/p256.pem"
    );
    let scenario = scenario(&format!(
        "algorithm = \"ES256\"\nkey = \"file:{key}\"\nkid = \"k1\""
    ));
    let jwks: Value = serde_json::from_str(&scenario.jwks()).expect("json");
    assert_eq!(jwks["keys"][0]["kid"], "k1");
    assert_eq!(jwks["keys"][0]["kty"], "EC");
    assert_eq!(jwks["keys"].as_array().map(Vec::len), Some(1));
}

#[test]
fn what_is_wrong_is_told_and_secrets_are_not() {
    told("", "lacks its key");
    told("key = \"s3cret\"", "lacks its algorithm");
    told(
        "algorithm = \"HS255\"\nkey = \"s3cret\"",
        "did you mean `HS256`?",
    );
    told(
        "algorithm = \"RS256\"\nkey = \"s3cret\"",
        "there is no private key",
    );
    told(
        "algorithm = \"HS256\"\nkye = \"s3cret\"",
        "did you mean `key`?",
    );
    told(
        "algorithm = \"HS256\"\nkey = \"file:nowhere\"",
        "can't read `nowhere`",
    );
    told("kind = \"saml\"", "no kind `saml`");
    told("kind = \"file\"", "have a `file`");
    told(&format!("{HS}lifetime = \"1s\""), "out of bounds");
    told(&format!("{HS}claims = \"x\""), "claims are a table");
    told(
        &format!("{HS}claims = {{ sub = \"{{token.users}}\" }}"),
        "there are no tokens",
    );
    told(
        &format!("{HS}claims = {{ iat = 1979-05-27 }}"),
        "a claim is a text",
    );
    told(
        &format!("{HS}claims = {{ x = \"{}\" }}", "x".repeat(17_000)),
        "has 2",
    );
    told("file = \"nowhere\"", "can't read `nowhere`");
}

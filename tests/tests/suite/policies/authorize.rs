//! `require_scopes`, `require_roles`, `require_claims`: authenticated, but not for this.

use serde_json::{Value, json};
use tests::token::{self, SECRET};
use tests::{Gateway, Origin};

use super::{bearer, guarded, refused};

#[track_caller]
fn requiring(origin: &Origin, route: &str) -> Gateway {
    let auth = format!("kind = \"jwt\"\nsecret = \"{SECRET}\"");
    guarded(origin.address, &auth, route).start()
}

/// Sends a token with each of these claims; those of `good` pass, those of `bad` get 403 for this
/// cause. Gives the last refusal.
#[track_caller]
fn check(route: &str, cause: &str, good: &[Value], bad: &[Value]) -> tests::Answer {
    let origin = Origin::saying("hi");
    let gateway = requiring(&origin, route);
    let mut peer = gateway.peer();
    let request = |more: &Value| {
        let mut claims = token::claims("ada");
        for (name, value) in more.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        bearer(&token::hs256(&claims))
    };
    for more in good {
        let answer = peer.ask(request(more));
        assert_eq!(answer.status, 200, "{more}: {}", answer.text());
    }
    let mut last = None;
    for more in bad {
        let answer = peer.ask(request(more));
        assert_eq!(answer.status, 403, "{more}: {}", answer.text());
        refused(&gateway, &answer, 403, "Insufficient permissions", cause);
        last = Some(answer);
    }
    assert_eq!(origin.received().len(), good.len());
    last.expect("something is refused")
}

#[test]
fn scopes() {
    let answer = check(
        "require_scopes = [\"orders:read\", \"admin|root\"]",
        "insufficient_scope",
        &[
            json!({"scope": "orders:read admin"}),
            json!({"scope": "x root y orders:read"}),
            json!({"scp": ["orders:read", "admin"]}),
        ],
        &[
            json!({}),
            json!({"scope": ""}),
            json!({"scope": "orders:read"}),
            json!({"scope": "admin root"}),
            json!({"scope": "orders:readadmin"}),
            json!({"scope": "ORDERS:READ admin"}),
            json!({"scope": "orders:read,admin"}),
            json!({"scope": {"orders:read": true}}),
            json!({"roles": ["orders:read", "admin"]}),
        ],
    );
    answer.has(
        "www-authenticate",
        "Bearer realm=\"portcullis\", error=\"insufficient_scope\", scope=\"orders:read admin root\"",
    );
}

#[test]
fn roles() {
    let answer = check(
        "require_roles = [\"staff\", \"admin|editor\"]",
        "missing_role",
        &[
            json!({"roles": ["staff", "editor"]}),
            json!({"realm_access": {"roles": ["admin", "staff"]}}),
        ],
        &[
            json!({}),
            json!({"roles": []}),
            json!({"roles": ["staff"]}),
            json!({"roles": ["admin", "editor"]}),
            json!({"roles": ["staff admin"]}),
            json!({"scope": "staff admin"}),
        ],
    );
    answer.lacks("www-authenticate");
}

#[test]
fn claims() {
    check(
        "require_claims = [\"plan=gold\", \"email\"]",
        "missing_claim",
        &[
            json!({"plan": "gold", "email": "ada@a.example"}),
            json!({"plan": "gold", "email": false}),
        ],
        &[
            json!({}),
            json!({"plan": "gold"}),
            json!({"plan": "gold", "email": null}),
            json!({"plan": "golden", "email": "a"}),
            json!({"plan": "Gold", "email": "a"}),
            json!({"email": "a"}),
        ],
    );
}

#[test]
fn claims_with_numbers_booleans_and_paths() {
    check(
        "require_claims = [\"level=3\", \"verified=true\", \"org.id=acme\"]",
        "missing_claim",
        &[json!({"level": 3, "verified": true, "org": {"id": "acme"}})],
        &[
            json!({"level": 3, "verified": false, "org": {"id": "acme"}}),
            json!({"level": 30, "verified": true, "org": {"id": "acme"}}),
            json!({"level": 3, "verified": true, "org": "acme"}),
        ],
    );
}

#[test]
fn authorisation_comes_after_authentication() {
    let origin = Origin::saying("hi");
    let gateway = requiring(&origin, "require_roles = [\"admin\"]");
    gateway.get("/a").is(401);
    super::untouched(&origin);
}

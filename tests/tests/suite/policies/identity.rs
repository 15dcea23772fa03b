//! Identity headers: what a client claims about itself never reaches an upstream; what was verified does.

use serde_json::json;
use tests::token::{self, SECRET};
use tests::{Gateway, Origin};

use super::{get, guarded};

const SPOOFED: &str = "X-User-ID: root\r\nx-user-id: root\r\nX_USER_ID: root\r\nX-User_Id: root\r\nx_user-id: root\r\n\
     X-Tenant-ID: evil\r\nX_Tenant_ID: evil\r\nX-Consumer: evil\r\nX_consumer: evil\r\nX-Plan: gold\r\nx_plan: gold\r\n";

/// Every field of the request whose name means one of these, `_` and `-` being the same.
fn identity(request: &tests::Received) -> Vec<String> {
    let names = ["x-user-id", "x-tenant-id", "x-consumer", "x-plan"];
    let mut found: Vec<String> = request
        .message
        .fields
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase().replace('_', "-"), value))
        .filter(|(name, _)| names.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    found.sort_unstable();
    found
}

/// A guarded route for every path, a public one at `/public`; and a consumer, so that its headers
/// are the gateway's too.
#[track_caller]
fn gateway(origin: &Origin) -> Gateway {
    let auth = format!(
        "kind = \"jwt\"\nsecret = \"{SECRET}\"\nforward_claims = [\"sub -> X-User-ID\", \"tenant -> X-Tenant-ID\", \"plan -> X-Plan\"]"
    );
    let more = "[route.public]\npath = \"/public\"\nupstream = \"backend\"\nauth = \"none\"\n\
        [auth.keys]\nkind = \"api_key\"\n[consumer.one]\nkeys = [\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"]\n\
        [route.keyed]\npath = \"/keyed\"\nupstream = \"backend\"\nauth = \"keys\"\n";
    guarded(origin.address, &auth, more).start()
}

#[test]
fn what_was_verified_replaces_what_was_claimed() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin);
    let mut claims = token::claims("ada");
    claims["tenant"] = json!("acme");
    claims["plan"] = json!("free");
    let token = token::hs256(&claims);
    gateway
        .ask(get(&format!("{SPOOFED}Authorization: Bearer {token}\r\n")))
        .is(200);
    let wanted = ["x-plan: free", "x-tenant-id: acme", "x-user-id: ada"];
    assert_eq!(identity(&origin.only()), wanted);
}

#[test]
fn a_claim_that_is_absent_leaves_no_header() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin);
    let token = token::hs256(&json!({"exp": token::now() + 3600}));
    gateway
        .ask(get(&format!("{SPOOFED}Authorization: Bearer {token}\r\n")))
        .is(200);
    assert_eq!(identity(&origin.only()), Vec::<String>::new());
}

#[test]
fn public_routes_strip_them_too() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin);
    let request = format!("GET /public HTTP/1.1\r\nHost: a\r\n{SPOOFED}\r\n");
    gateway.ask(request).is(200);
    assert_eq!(identity(&origin.only()), Vec::<String>::new());
}

#[test]
fn without_any_auth_they_are_stripped_as_well() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway
        .ask(get(
            "X-User-ID: root\r\nX_Tenant_Id: evil\r\nX-Users-ID: 1\r\n",
        ))
        .is(200);
    assert_eq!(identity(&origin.only()), Vec::<String>::new());
    origin.only().has("x-users-id", "1");
}

#[test]
fn naming_them_in_connection_does_not_remove_the_verified_ones() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin);
    let token = token::hs256(&token::claims("ada"));
    gateway
        .ask(get(&format!(
            "Connection: X-User-ID, X_User_ID\r\nAuthorization: Bearer {token}\r\n"
        )))
        .is(200);
    assert_eq!(identity(&origin.only()), ["x-user-id: ada"]);
}

#[test]
fn trailers_can_not_carry_them() {
    let origin = Origin::echo();
    let gateway = gateway(&origin);
    let token = token::hs256(&token::claims("ada"));
    let request = format!(
        "POST /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nTE: trailers\r\nConnection: TE\r\n\
         Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-User-ID: root\r\nx_tenant_id: evil\r\nX-Sum: 1\r\n\r\n"
    );
    gateway.ask(request).is(200).body_is("abc");
    let request = origin.only();
    assert_eq!(identity(&request), ["x-user-id: ada"]);
    let names: Vec<&str> = request.message.trailers.iter().map(|t| &*t.0).collect();
    assert_eq!(names, ["X-Sum"], "trailers are kept but for these");
}

#[test]
fn a_claim_can_not_break_out_of_its_header() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin);
    let mut peer = gateway.peer();
    for sub in [
        "ada\r\nX-Admin: 1",
        "ada\nX-Admin: 1",
        "ada\0",
        "ada\t",
        " ada",
        "ada ",
    ] {
        let token = token::hs256(&token::claims(sub));
        let answer = peer.ask(super::bearer(&token));
        if answer.status == 200 {
            let request = origin.received().pop().expect("it was forwarded");
            request.lacks("x-admin").lacks("x-user-id");
        }
    }
    let token = token::hs256(&token::claims("ad\u{e9}"));
    peer.ask(super::bearer(&token)).is(200);
}

#[test]
fn a_consumer_is_told_and_not_claimed() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin);
    let request = format!("GET /keyed HTTP/1.1\r\nHost: a\r\n{SPOOFED}X-API-Key: abc\r\n\r\n");
    gateway.ask(request).is(200);
    assert_eq!(identity(&origin.only()), ["x-consumer: one"]);
    origin.only().lacks("x-api-key");
}

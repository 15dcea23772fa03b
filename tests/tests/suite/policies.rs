//! What stands between a route and its upstream: authentication, authorisation, addresses, limits.

use std::net::SocketAddr;

use tests::{Answer, Gateway, Origin, Setup};

mod addresses;
mod api_key;
mod authorize;
mod identity;
mod jwt;
mod limits;

/// An upstream `backend` and a route `all` for every path to it, under the auth `users`.
fn guarded(origin: SocketAddr, auth: &str, route: &str) -> Setup {
    Setup::new(format!(
        "[upstream.backend]\nendpoints = [\"{origin}\"]\n\n[auth.users]\n{auth}\n\n\
         [route.all]\npath = \"/*\"\nupstream = \"backend\"\nauth = \"users\"\n{route}\n"
    ))
}

/// A GET with these field lines.
fn get(fields: &str) -> String {
    format!("GET /a HTTP/1.1\r\nHost: a\r\n{fields}\r\n")
}

/// A GET with this bearer token.
fn bearer(token: &str) -> String {
    get(&format!("Authorization: Bearer {token}\r\n"))
}

/// The answer refuses with these words, and the audit log has the cause under the answer's request id.
#[track_caller]
fn refused(gateway: &Gateway, answer: &Answer, status: u16, error: &str, cause: &str) {
    answer.problem(status, "/a", error);
    answer.lacks("connection");
    let id = answer.field("x-request-id").expect("every answer has one");
    let (line, _) = gateway.wait_said(&id, 0);
    let line: serde_json::Value = serde_json::from_str(&line).expect("audit lines are JSON");
    assert_eq!(line["audit"], "refused", "{line}");
    assert_eq!(line["error"], cause, "{line}");
    assert_eq!(line["statusCode"], status, "{line}");
}

/// Fails if the origin has seen anything.
#[track_caller]
fn untouched(origin: &Origin) {
    assert_eq!(
        origin.connections(),
        0,
        "nothing refused reaches an upstream"
    );
}

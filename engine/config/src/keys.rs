//! Every kind of section and every key, declared once; one file per kind.
//!
//! Parser, defaults, `docs/config.md` and the JSON Schema are all derived from these declarations.
//! What a value means for the gateway lives in `resolve/`, not here. Invariant: a key that is
//! listed as `later` is a word of the language that is not built: it is refused, and says so.

use policy_keys::Scope;

pub mod access_log;
pub mod admin;
pub mod auth;
pub mod certificate;
pub mod consumer;
pub mod gateway;
pub mod headers;
pub mod limit;
pub mod listener;
pub mod route;
pub mod upstream;

/// Every scope, in the order of the reference.
pub const SCOPES: &[Scope] = &[
    gateway::Gateway::SCOPE,
    admin::Admin::SCOPE,
    listener::Listener::SCOPE,
    certificate::Certificate::SCOPE,
    upstream::Upstream::SCOPE,
    route::Route::SCOPE,
    auth::Jwt::SCOPE,
    auth::ApiKey::SCOPE,
    auth::Mtls::SCOPE,
    consumer::Consumer::SCOPE,
    limit::Limit::SCOPE,
    headers::Headers::SCOPE,
    access_log::AccessLog::SCOPE,
];

/// Kinds that are words of the language and not built, with what they are about.
pub const LATER_KINDS: &[(&str, &str)] = &[
    ("cors", "CORS"),
    ("cache", "caching"),
    ("aggregate", "aggregation"),
    ("transcode", "gRPC transcoding"),
    ("store", "the shared store"),
    ("telemetry", "tracing"),
];

/// Values of `kind` in `[auth.NAME]` that are words of the language and not built.
pub const LATER_AUTH: &[&str] = &["introspection", "basic", "session", "forward"];

/// The scopes of one kind: one, or one per value of the key `kind`.
pub fn scopes_of(kind: &str) -> impl Iterator<Item = &'static Scope> {
    SCOPES.iter().filter(move |scope| scope.kind == kind)
}

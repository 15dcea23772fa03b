//! `[auth.NAME]`: how callers prove who they are; one scope per value of `kind`.

use policy_keys::{Duration, Secret, Subject};

policy_keys::keys! {
    /// JSON Web Tokens, checked here: signature, issuer, audience, times.
    pub struct Jwt = "auth", named kind "jwt" {
        /// What `iss` must be. Default: not checked.
        issuer: optional String,
        /// Of which `aud` must name one. Default: not checked.
        audiences: optional Vec<String>,
        /// The signature algorithms that are accepted: HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA. Default: those that the keys fit, the HS ones only with `secret`.
        algorithms: optional Vec<String>,
        /// The file with the issuer's public keys (a JWK set).
        jwks: optional String,
        /// The shared key of the HS algorithms.
        secret: optional Secret,
        /// How far clocks may differ, for `exp` and `nbf`.
        leeway: default Duration = "0s" where "0s", "10m",
        /// Claims that a token must carry, beside those that are checked anyway.
        required_claims: default Vec<String> = "exp",
        /// Where the token is looked for, in order: `"header"` (`Authorization: Bearer`), `"header:NAME"`, `"cookie:NAME"`, `"query:NAME"`.
        token_from: default Vec<String> = "header",
        /// How many verified tokens each worker remembers; 0: none.
        cache: default usize = "4096" where "0", "10000000",
        /// Claims that the upstream gets as headers: `"sub -> X-User-ID"`. These headers are stripped from what clients send, on every route. Default: `sub -> X-User-ID` and `tenant -> X-Tenant-ID`.
        forward_claims: optional Vec<String>,
        /// Whether the token itself is passed on to the upstream.
        forward_credentials: default bool = "true",
    }
    later { revocation, on_unavailable }
}

policy_keys::keys! {
    /// API keys, of which the configuration holds only hashes: see `[consumer.NAME]`.
    pub struct ApiKey = "auth", named kind "api_key" {
        /// Where the key is looked for, in order: `"header:NAME"`, `"query:NAME"`, `"cookie:NAME"`.
        from: default Vec<String> = "header:X-API-Key",
        /// The consumers whose keys are accepted. Default: all.
        consumers: optional Vec<policy_keys::Name>,
        /// Facts about the consumer that the upstream gets as headers: `"consumer -> X-Consumer"`; `consumer`, `tier` or `tenant`. These headers are stripped from what clients send, on every route. Default: `consumer -> X-Consumer` and `tenant -> X-Tenant-ID`.
        forward_claims: optional Vec<String>,
    }
    later { keys, store, on_unavailable, forward_credentials }
}

policy_keys::keys! {
    /// Certificates of clients, which a listener with `client_auth` has verified. Every listener that a route with such
    /// an auth can be reached on must ask for them.
    pub struct Mtls = "auth", named kind "mtls" {
        /// The certificates that are accepted, each by one thing in it: `"cn:alice"`, `"dns:*.svc.example"`, `"uri:spiffe://example/ns/*/sa/web"`, `"email:*@example.com"`. `*` stands for any text without the character that parts such names (`.`, `/`, `@`), `**` for any text. With `-> NAME`, who comes with it is the `[consumer.NAME]`; the first line that fits counts. Of several common names the last is looked at. Default: all that the listener's `client_ca` vouches for.
        subjects: optional Vec<Subject>,
        /// Facts about the client that the upstream gets as headers: `"subject -> X-Client-Subject"`; `subject` (as RFC 4514 writes it), `cn`, `dns`, `uri`, `email` (all of them, with commas between), `serial`, `fingerprint` (SHA-256; both in hex), `certificate` (whole, as RFC 9440 has it: `"certificate -> Client-Cert"`), `chain` (what was shown behind it: `"chain -> Client-Cert-Chain"`), `consumer`, `tier` or `tenant`. These headers are stripped from what clients send, on every route, and so are `Client-Cert` and `Client-Cert-Chain`. Default: `subject -> X-Client-Subject`, `consumer -> X-Consumer` and `tenant -> X-Tenant-ID`.
        forward_claims: optional Vec<String>,
    }
}

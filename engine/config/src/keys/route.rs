//! `[route.NAME]`: which requests, under which policies, to where.

use policy_keys::{Cidr, Duration, Name, Size};

policy_keys::keys! {
    /// Which requests, under which policies, to where. Exactly one of `upstream`, `respond` and
    /// `redirect` says what is done with them.
    pub struct Route = "route", named {
        /// The listeners whose requests it takes. Default: all.
        listeners: optional Vec<Name>,
        /// The hosts it takes, without port: `"api.example.com"`, or `"*.example.com"` for any name below. Default: all.
        hosts: optional Vec<String>,
        /// The path it takes: `"/a/b"` exactly, `"/a/{id}"` with one segment captured, `"/a/*"` for `/a` and everything below. Exact comes before captured, captured before the longest `*`.
        path: required String,
        /// The methods it takes; `GET` includes `HEAD`. Default: all.
        methods: optional Vec<String>,
        /// Headers the request must carry: `"X-Beta"`, or `"X-Beta=1"`.
        headers: optional Vec<String>,
        /// Parameters the query must carry: `"beta"`, or `"beta=1"`.
        query: optional Vec<String>,
        /// Decides between routes that match equally well: the greater wins.
        priority: default i32 = "0",
        /// The upstream that requests go to.
        upstream: optional Name,
        /// Answers by itself: a status and, after a space, the body, as in `"200 pong"`.
        respond: optional String,
        /// The `Content-Type` of `respond`.
        respond_type: default String = "text/plain; charset=utf-8",
        /// Sends the client elsewhere: a status (301, 302, 303, 307 or 308) and the place, which may use captures, as in `"308 /v2/{id}/{*}"`. Without a status: 302.
        redirect: optional String,
        /// Who may pass: the name of an `[auth.NAME]`, or `"none"` for everybody. There is no default: a public route says so.
        auth: optional String,
        /// Scopes that the token must carry, every one; `"read|write"` is met by either.
        require_scopes: optional Vec<String>,
        /// Roles that the token must carry, every one; `"admin|editor"` is met by either.
        require_roles: optional Vec<String>,
        /// Claims that the token must carry, every one: `"plan"`, or `"plan=gold"`.
        require_claims: optional Vec<String>,
        /// The limits that count the requests, each the name of a `[limit.NAME]`.
        limits: optional Vec<Name>,
        /// The only client addresses that may pass. Default: all.
        allow: optional Vec<Cidr>,
        /// The client addresses that may not pass, even when `allow` names them.
        deny: optional Vec<Cidr>,
        /// The most bytes of a request body; beyond, 413. Default: the listener's.
        max_body_bytes: optional Size,
        /// For the whole exchange with the upstream, all tries. Default: the upstream's.
        timeout: optional Duration where "1ms", "24h",
        /// Taken off the front of the path before it is forwarded; it ends where a segment ends.
        strip_prefix: optional String,
        /// The path that is forwarded instead; `{name}` and `{*}` stand for what `path` captured.
        rewrite: optional String,
        /// The `Host` that the upstream sees: `"client"` as it came, `"upstream"` the endpoint's address, or a host.
        host_header: default String = "client",
        /// Changes to the request's headers, each the name of a `[headers.NAME]`.
        request_headers: optional Vec<Name>,
        /// Changes to the response's headers, each the name of a `[headers.NAME]`.
        response_headers: optional Vec<Name>,
        /// Whether a request may turn its connection into a WebSocket (HTTP/1.1 `Upgrade`, or RFC 8441 over HTTP/2).
        websocket: default bool = "false",
        /// The log that gets a line per request: the name of an `[access_log.NAME]`, or `"off"`.
        access_log: default String = "off",
    }
    later {
        version, split, sticky, retry_attempts, hide_fields, query_set, cors, cache, content_types,
        request_schema, mirror, fallback, deprecated, sunset, gone, successor, tenant,
        aggregate, transcode, fault,
    }
}

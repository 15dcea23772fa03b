//! `[upstream.NAME]`: servers that do the same work.

use policy_keys::Duration;

policy_keys::choices! {
    /// How an endpoint is chosen.
    pub enum Balance as "balancing method" {
        /// In turn, by weight.
        RoundRobin = "round_robin",
        /// The less busy of two taken at random.
        LeastRequests = "least_requests",
        /// At random, by weight.
        Random = "random",
    }
    later { "consistent_hash" }
}

policy_keys::choices! {
    /// What endpoints speak.
    pub enum UpstreamProtocol as "upstream protocol" {
        /// HTTP/1.1.
        Http1 = "http/1.1",
        /// HTTP/2: agreed on by ALPN with TLS, begun at once without.
        H2 = "h2",
        /// HTTP/2 or HTTP/1.1, as ALPN decides.
        Auto = "auto",
        /// HTTP/2 that carries gRPC.
        Grpc = "grpc",
    }
}

policy_keys::choices! {
    /// Whether endpoints are told the client's address before anything else.
    pub enum ProxyHeader as "PROXY protocol version" {
        /// They are not.
        Off = "off",
        /// One line of text.
        V1 = "v1",
        /// The binary form.
        V2 = "v2",
    }
}

policy_keys::choices! {
    /// How it is found out whether an endpoint works.
    pub enum HealthCheck as "health check" {
        /// It isn't.
        Off = "off",
        /// By a GET.
        Http = "http",
        /// By a connection.
        Tcp = "tcp",
        /// By a call of `grpc.health.v1.Health/Check`.
        Grpc = "grpc",
    }
}

policy_keys::keys! {
    /// A set of endpoints that do the same work.
    pub struct Upstream = "upstream", named {
        /// Where it is served: addresses, each optionally with a weight, as in `"10.0.0.1:8080 weight=3"`.
        endpoints: required Vec<String>,
        /// How an endpoint is chosen: `round_robin` in turn, `least_requests` the less busy of two taken at random, `random`; all by weight.
        balance: default Balance = "round_robin",
        /// What the endpoints speak: `http/1.1`; `h2`, with TLS by ALPN, without by prior knowledge; `auto`, whichever of both ALPN gives (only with `tls`); `grpc`, which is `h2` for gRPC services.
        protocol: default UpstreamProtocol = "http/1.1",
        /// Whether connections to it are TLS. The endpoint's certificate is always verified.
        tls: default bool = "false",
        /// The file with the certificates (PEM) of the authorities that the endpoints' certificates must lead to. Default: those of the system.
        tls_ca: optional String,
        /// The name that is asked for and that the endpoint's certificate must bear. Default: the endpoint's host.
        tls_name: optional String,
        /// The file with the certificate (PEM) that the gateway shows, its own first, then those that lead to an authority.
        tls_client_chain: optional String,
        /// The file with the private key (PEM) of `tls_client_chain`.
        tls_client_key: optional String,
        /// Whether a connection begins with a PROXY header that names the client: `v1` a line of text, `v2` the binary form. Such a connection serves one client alone.
        proxy_protocol: default ProxyHeader = "off",
        /// The most requests that one HTTP/2 connection to an endpoint has open at a time; an endpoint may allow fewer.
        max_concurrent_streams: default u32 = "100" where "1", "16384",
        /// How long a connection may take to be made, TLS included; beyond, 504.
        connect_timeout: default Duration = "1s" where "1ms", "5m",
        /// From the last byte of the request to the first of the answer; beyond, 504. Calls of gRPC keep it only where it is written: else a service may be silent for the listener's `stream_idle_timeout` before its answer begins.
        first_byte_timeout: default Duration = "5s" where "1ms", "24h",
        /// Between two bytes of an answer. For streams of events and gRPC it is the listener's `stream_idle_timeout`.
        read_timeout: default Duration = "15s" where "1ms", "24h",
        /// From the first try to the last byte of the answer, streams of events and calls of gRPC included; a route may override it. Default: no bound.
        timeout: optional Duration where "1ms", "24h",
        /// How long an HTTP/2 connection with requests in flight may be silent before a PING asks whether it is alive. Two come so soon, others five minutes apart until a message has come: gRPC services allow no more.
        ping_after: default Duration = "20s" where "10ms", "24h",
        /// How long an answer to that may take; beyond, the connection is closed and its requests fail, but for those that may be tried again.
        ping_timeout: default Duration = "10s" where "10ms", "1h",
        /// How long an idle connection is kept for the next request.
        keepalive: default Duration = "60s" where "0s", "24h",
        /// The most idle connections to one endpoint that one worker keeps; each holds a buffer of 20 KiB.
        pool_max_idle: default usize = "256" where "0", "65536",
        /// The most connections of the node to this upstream; beyond, requests wait.
        pool_max_connections: default usize = "1024" where "1", "1048576",
        /// The most requests of the node that wait for a connection; beyond, 503.
        pool_max_pending: default usize = "1024" where "0", "1048576",
        /// The most requests of the node in flight to this upstream; beyond, 503. Default: no bound.
        max_in_flight: optional u64 where "1", "",
        /// How the gateway finds out whether an endpoint works: `http`, it answers a GET of `health_path`; `grpc`, it says SERVING to a call of the gRPC health checking protocol; `tcp`, a connection can be made, TLS included; `off`, not at all. Default: `http` with `health_path`, `grpc` with `health_service`, else `off`. What fails gets no requests until it is well again.
        health_check: optional HealthCheck,
        /// The path, and query if any, that `http` checks GET.
        health_path: optional String,
        /// The statuses of the answer to an `http` check that are good, each one or a range.
        health_status: default Vec<String> = "200-399",
        /// The `Host` (over HTTP/2 `:authority`) that `http` and `grpc` checks ask for. Default: `tls_name`, else the endpoint's address.
        health_host: optional String,
        /// The service that `grpc` checks ask about. Default: none, which asks about the endpoint as a whole.
        health_service: optional String,
        /// From the beginning of one check of an endpoint to that of the next, give or take a tenth.
        health_interval: default Duration = "5s" where "10ms", "24h",
        /// How long one check may take, the connection included. One that takes longer than the interval delays the next.
        health_timeout: default Duration = "2s" where "1ms", "24h",
        /// How many good checks in a row make an unhealthy endpoint healthy.
        health_healthy: default u32 = "2" where "1", "1000",
        /// How many bad checks in a row make a healthy endpoint unhealthy. The first check of an endpoint decides alone.
        health_unhealthy: default u32 = "3" where "1", "1000",
    }
    later {
        discover, refresh, hash_key, slow_start, eject_consecutive_errors, eject_error_rate, eject_for, eject_max_percent,
        breaker_error_rate, breaker_slow, breaker_window, breaker_min_requests, breaker_open_for,
        breaker_probes, retry_attempts, retry_on, retry_budget, retry_backoff, retry_backoff_max,
        per_try_timeout, zone,
    }
}

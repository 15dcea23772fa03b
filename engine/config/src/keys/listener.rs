//! `[listener.NAME]`: a place where clients connect.

use policy_keys::{Address, Cidr, Duration, Size};

policy_keys::choices! {
    /// What a listener speaks.
    pub enum Protocol as "protocol" {
        /// HTTP/1.1 and HTTP/1.0.
        Http1 = "http/1.1",
    }
    later { "h2", "h2c" }
}

policy_keys::keys! {
    /// A place where clients connect.
    pub struct Listener = "listener", named {
        /// Where it listens.
        @connection address: required Address,
        /// What it speaks.
        @connection protocols: default Vec<Protocol> = "http/1.1",
        /// The most connections of the node on this listener. Default: no bound.
        @connection max_connections: optional u64 where "1", "",
        /// The most connections of one client address. Default: no bound.
        @connection max_connections_per_ip: optional u64 where "1", "",
        /// The most requests on one connection, which is then closed. Default: no bound.
        max_requests_per_connection: optional u64 where "1", "",
        /// From the first byte of a request's head to its last.
        header_timeout: default Duration = "10s" where "1ms", "1h",
        /// How long a connection may be quiet between two requests.
        idle_timeout: default Duration = "60s" where "1ms", "24h",
        /// Between two bytes of a request body.
        body_timeout: default Duration = "15s" where "1ms", "1h",
        /// The least bytes a second of a request body, on average, once it has been flowing for some seconds. 0: any.
        min_body_rate: default Size = "240",
        /// How long a write waits for a client that does not take it.
        write_timeout: default Duration = "30s" where "1ms", "1h",
        /// The most bytes of a request's head; beyond, 431.
        max_header_bytes: default Size = "16KiB" where "1KiB", "128KiB",
        /// The most fields of a request's head; beyond, 431.
        max_headers: default usize = "100" where "1", "256",
        /// The most bytes of a request body; beyond, 413. A route may set its own. Default: no bound.
        max_body_bytes: optional Size,
        /// The only client addresses that may connect. Default: all.
        @connection allow: optional Vec<Cidr>,
        /// The client addresses that may not connect, even when `allow` names them.
        @connection deny: optional Vec<Cidr>,
    }
    later {
        certificates, tls_min_version, client_ca, client_auth, client_crl, proxy_protocol,
        stream_idle_timeout, max_concurrent_streams, http_to_https,
    }
}

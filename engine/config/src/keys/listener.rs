//! `[listener.NAME]`: a place where clients connect.

use policy_keys::{Address, Cidr, Duration, Name, Size};

policy_keys::choices! {
    /// What a listener speaks.
    pub enum Protocol as "protocol" {
        /// HTTP/1.1 and HTTP/1.0.
        Http1 = "http/1.1",
        /// HTTP/2 over TLS, agreed on by ALPN.
        H2 = "h2",
        /// HTTP/2 without TLS, begun at once ("prior knowledge").
        H2c = "h2c",
    }
}

policy_keys::choices! {
    /// The oldest version of TLS that is spoken.
    pub enum TlsVersion as "TLS version" {
        /// RFC 5246.
        Tls12 = "1.2",
        /// RFC 8446.
        Tls13 = "1.3",
    }
}

policy_keys::choices! {
    /// What the keys of a TLS connection are agreed on with.
    pub enum TlsGroup as "key exchange group" {
        /// X25519 together with ML-KEM-768, which a quantum computer does not break.
        X25519MlKem768 = "X25519MLKEM768",
        /// RFC 7748.
        X25519 = "X25519",
        /// secp256r1.
        P256 = "P-256",
        /// secp384r1.
        P384 = "P-384",
    }
}

policy_keys::choices! {
    /// Whether clients are asked for a certificate.
    pub enum ClientAuth as "client authentication" {
        /// They are not asked.
        None = "none",
        /// They are asked and may have none; one that does not verify ends the handshake.
        Optional = "optional",
        /// Without one that verifies there is no connection.
        Required = "required",
    }
}

policy_keys::keys! {
    /// A place where clients connect.
    pub struct Listener = "listener", named {
        /// Where it listens.
        @connection address: required Address,
        /// What it speaks, the preferred first. Default with TLS: `h2`, `http/1.1`; without: `http/1.1` and `h2c` (HTTP/2 by prior knowledge).
        @connection protocols: optional Vec<Protocol>,
        /// The certificates it shows, each the name of a `[certificate.NAME]`, chosen by the name that the client asks for; the first when none fits. With this key the listener speaks TLS.
        @connection certificates: optional Vec<Name>,
        /// The oldest version of TLS that it speaks.
        @connection tls_min_version: default TlsVersion = "1.2",
        /// With what it agrees on keys, the preferred first. `X25519MLKEM768` is the one that a quantum computer does not break; it needs TLS 1.3, and a build whose TLS library has it.
        @connection tls_groups: default Vec<TlsGroup> = "X25519MLKEM768, X25519, P-256, P-384",
        /// Whether clients are asked for a certificate: `optional` lets those pass that have none, `required` does not. One that is shown must verify in any case. When this, `client_ca` or `client_crl` changes, connections of before take no more requests, and what they have under way is cut after `gateway.shutdown_grace`.
        @connection client_auth: default ClientAuth = "none",
        /// The file with the certificates (PEM) of the authorities that client certificates must lead to.
        @connection client_ca: optional String,
        /// The file with the revocation lists (PEM, or one as DER) of those authorities: a certificate on them is refused, and so is one whose authority has no list here, or only one that has run out.
        @connection client_crl: optional String,
        /// How long a connection may take to begin: the PROXY header, then the TLS handshake.
        @connection handshake_timeout: default Duration = "10s" where "10ms", "5m",
        /// The most TLS handshakes that one worker has in progress; connections beyond wait for one to end, at most `handshake_timeout`.
        @connection max_handshakes: default usize = "1024" where "1", "65536",
        /// The load balancers in front, if they speak the PROXY protocol (version 1 or 2): each of their connections must begin with its header, whose address then counts as the client's; connections from anywhere else are closed. Default: no PROXY header is read.
        @connection proxy_protocol: optional Vec<Cidr>,
        /// TLS connections that are not ended here but passed on as they are, by the name that the client asks for: `"db.example.com -> upstream"`, `"*.db.example.com -> upstream"` for any name below, `"* -> upstream"` for all others and those without a name.
        @connection passthrough: optional Vec<String>,
        /// Whether every request is answered with 308 to the same place under `https`.
        http_to_https: default bool = "false",
        /// The port that `http_to_https` sends clients to.
        https_port: default u16 = "443" where "1", "65535",
        /// The most connections of the node on this listener. Default: no bound.
        @connection max_connections: optional u64 where "1", "",
        /// The most connections of one client address. Default: no bound.
        @connection max_connections_per_ip: optional u64 where "1", "",
        /// The most requests on one connection, which is then closed. Default: no bound.
        max_requests_per_connection: optional u64 where "1", "",
        /// How old a connection grows before it is ended between two requests (HTTP/2: two-step GOAWAY); each ends at a moment of its own in the last fifth of this time. Default: no bound.
        @connection max_connection_age: optional Duration where "1s", "365d",
        /// From the first byte of a request's head to its last.
        header_timeout: default Duration = "10s" where "1ms", "1h",
        /// How long a connection may be quiet between two requests.
        idle_timeout: default Duration = "60s" where "1ms", "24h",
        /// How long an event stream, a gRPC stream or a tunnel (WebSocket, `passthrough`) may be quiet.
        stream_idle_timeout: default Duration = "5m" where "1ms", "24h",
        /// Between two bytes of a request body.
        body_timeout: default Duration = "15s" where "1ms", "1h",
        /// The least bytes a second of a request body, on average, once it has been flowing for some seconds. 0: any.
        min_body_rate: default Size = "240",
        /// How long a write waits for a client that does not take it.
        write_timeout: default Duration = "30s" where "1ms", "1h",
        /// The most requests that one HTTP/2 connection has open at a time.
        @connection max_concurrent_streams: default u32 = "100" where "1", "16384",
        /// The most HTTP/2 requests of a connection that its client may reset at once. A tenth as many come back each second, and one with each request that ends properly; half as many may be refused for what the client sent. Beyond, GOAWAY with ENHANCE_YOUR_CALM.
        @connection h2_max_resets: default u32 = "200" where "2", "1000000",
        /// How many times the usual number of frames that carry no request (PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA) an HTTP/2 client may send before GOAWAY with ENHANCE_YOUR_CALM.
        @connection h2_flood_factor: default u32 = "1" where "1", "1000",
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
}

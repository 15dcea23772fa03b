//! TLS, HTTP/2, PROXY headers and pass-through that can't be, or would not be what they seem to be.

use expect_test::expect;

use super::below;

#[test]
fn what_a_listener_speaks() {
    below(
        r#"[certificate.edge]
chain = "certs/edge.pem"
key = "certs/edge.key"
[listener.a]
address = "127.0.0.1:1"
protocols = ["h2", "h2c", "h2c"]
tls_min_version = "1.2"
client_auth = "required"
client_ca = "certs/ca.pem"
[listener.b]
address = "127.0.0.1:2"
certificates = ["edge", "egde", "edge"]
protocols = ["h2c"]
tls_min_version = "1.1"
tls_groups = ["P-521", "x25519"]
client_auth = "yes"
client_crl = "certs/ca.crl"
[listener.c]
address = "127.0.0.1:3"
certificates = []
protocols = []
client_ca = "certs/ca.pem"
http_to_https = true
[listener.d]
address = "127.0.0.1:4"
certificates = ["edge"]
client_auth = "required"
client_crl = "certs/ca.pem"
[listener.e]
address = "127.0.0.1:5"
certificates = ["edge"]
client_auth = "optional"
client_ca = "certs/edge.key"
tls_groups = []
max_connection_age = "1ms"
[listener.f]
address = "unix:/run/f.sock"
proxy_protocol = ["10.0.0.0/8"]
[listener.g]
address = "127.0.0.1:7"
proxy_protocol = []
h2_max_resets = 0
"#,
        expect![[r#"
            gateway.toml:8:14: error: `h2` is HTTP/2 over TLS
              |
            8 | protocols = ["h2", "h2c", "h2c"]
              |              ^^^^
              = add `certificates`, or write "h2c" for HTTP/2 without TLS

            gateway.toml:8:27: error: `h2c` stands here twice
              |
            8 | protocols = ["h2", "h2c", "h2c"]
              |                           ^^^^^

            gateway.toml:9:1: error: `tls_min_version` needs `certificates`: without them this listener does not end TLS
              |
            9 | tls_min_version = "1.2"
              | ^^^^^^^^^^^^^^^

            gateway.toml:10:1: error: `client_auth` needs `certificates`: without them this listener does not end TLS
               |
            10 | client_auth = "required"
               | ^^^^^^^^^^^

            gateway.toml:11:1: error: `client_ca` needs `certificates`: without them this listener does not end TLS
               |
            11 | client_ca = "certs/ca.pem"
               | ^^^^^^^^^

            gateway.toml:14:25: error: there is no [certificate.egde]
               |
            14 | certificates = ["edge", "egde", "edge"]
               |                         ^^^^^^
               = did you mean `edge`?

            gateway.toml:14:33: error: `edge` stands here twice
               |
            14 | certificates = ["edge", "egde", "edge"]
               |                                 ^^^^^^

            gateway.toml:15:14: error: `h2c` is HTTP/2 without TLS
               |
            15 | protocols = ["h2c"]
               |              ^^^^^
               = write "h2"

            gateway.toml:16:19: error: unknown TLS version `1.1`
               |
            16 | tls_min_version = "1.1"
               |                   ^^^^^
               = did you mean `1.2`?
               = expected "1.2" or "1.3"

            gateway.toml:17:15: error: unknown key exchange group `P-521`
               |
            17 | tls_groups = ["P-521", "x25519"]
               |               ^^^^^^^
               = expected "X25519MLKEM768", "X25519", "P-256" or "P-384"

            gateway.toml:17:24: error: unknown key exchange group `x25519`
               |
            17 | tls_groups = ["P-521", "x25519"]
               |                        ^^^^^^^^
               = did you mean `X25519`?
               = expected "X25519MLKEM768", "X25519", "P-256" or "P-384"

            gateway.toml:18:15: error: unknown client authentication `yes`
               |
            18 | client_auth = "yes"
               |               ^^^^^
               = expected "none", "optional" or "required"

            gateway.toml:22:1: error: `certificates` can't stand beside `http_to_https`, which is for a listener without TLS
               |
            22 | certificates = []
               | ^^^^^^^^^^^^

            gateway.toml:22:16: error: an empty list shows nothing
               |
            22 | certificates = []
               |                ^^
               = leave the key out for a listener without TLS

            gateway.toml:23:13: error: a listener speaks at least one protocol
               |
            23 | protocols = []
               |             ^^

            gateway.toml:24:1: error: `client_ca` does nothing unless client_auth is "optional" or "required"
               |
            24 | client_ca = "certs/ca.pem"
               | ^^^^^^^^^

            gateway.toml:29:15: error: nobody vouches for client certificates
               |
            29 | client_auth = "required"
               |               ^^^^^^^^^^
               = add client_ca = "FILE" with the authorities that do

            gateway.toml:30:14: error: certs/ca.pem holds no revocation list
               |
            30 | client_crl = "certs/ca.pem"
               |              ^^^^^^^^^^^^^^

            gateway.toml:35:13: error: certs/edge.key holds no certificate
               |
            35 | client_ca = "certs/edge.key"
               |             ^^^^^^^^^^^^^^^^

            gateway.toml:36:14: error: without a group there are no keys
               |
            36 | tls_groups = []
               |              ^^

            gateway.toml:37:22: error: `1ms` is out of range
               |
            37 | max_connection_age = "1ms"
               |                      ^^^^^
               = expected 1s to 365d

            gateway.toml:40:1: error: `proxy_protocol` goes by addresses, and peers of a unix socket have none
               |
            40 | proxy_protocol = ["10.0.0.0/8"]
               | ^^^^^^^^^^^^^^

            gateway.toml:43:18: error: nobody may send a PROXY header, so nobody can connect
               |
            43 | proxy_protocol = []
               |                  ^^
               = leave the key out where no load balancer sends one

            gateway.toml:44:17: error: 0 is out of range
               |
            44 | h2_max_resets = 0
               |                 ^
               = expected 2 to 1000000

            24 problems"#]],
    );
}

#[test]
fn what_is_passed_on() {
    below(
        r#"[certificate.edge]
chain = "certs/edge.pem"
key = "certs/edge.key"
[upstream.db]
endpoints = ["10.0.0.1:5432"]
[listener.a]
address = "127.0.0.1:1"
protocols = ["h2"]
passthrough = ["db.example", "DB.example -> db", "db.example. -> db", "x.example -> bd", "10.0.0.1 -> db", "*.*.example -> db", "* -> db", "* -> db"]
[listener.b]
address = "127.0.0.1:2"
certificates = ["edge"]
passthrough = ["* -> db"]
[listener.c]
address = "127.0.0.1:3"
passthrough = []
"#,
        expect![[r#"
            gateway.toml:10:1: error: `protocols` does nothing here: without `certificates` every connection is passed on
               |
            10 | protocols = ["h2"]
               | ^^^^^^^^^

            gateway.toml:11:16: error: expected `name -> upstream`, found `db.example`
               |
            11 | passthrough = ["db.example", "DB.example -> db", "db.example. -> db", "x.example -> bd", "10.0.0.1 -> db", "*.*.example -> db", "* -> db", "* -> db"]
               |                ^^^^^^^^^^^^

            gateway.toml:11:50: error: another line passes these names on already
               |
            11 | passthrough = ["db.example", "DB.example -> db", "db.example. -> db", "x.example -> bd", "10.0.0.1 -> db", "*.*.example -> db", "* -> db", "* -> db"]
               |                                                  ^^^^^^^^^^^^^^^^^^^

            gateway.toml:11:71: error: there is no [upstream.bd]
               |
            11 | passthrough = ["db.example", "DB.example -> db", "db.example. -> db", "x.example -> bd", "10.0.0.1 -> db", "*.*.example -> db", "* -> db", "* -> db"]
               |                                                                       ^^^^^^^^^^^^^^^^^
               = did you mean `db`?

            gateway.toml:11:90: error: `10.0.0.1`: clients ask for names, never for addresses (RFC 6066 section 3)
               |
            11 | passthrough = ["db.example", "DB.example -> db", "db.example. -> db", "x.example -> bd", "10.0.0.1 -> db", "*.*.example -> db", "* -> db", "* -> db"]
               |                                                                                          ^^^^^^^^^^^^^^^^

            gateway.toml:11:108: error: `*.*.example`: `*` may only be the whole first label
               |
            11 | passthrough = ["db.example", "DB.example -> db", "db.example. -> db", "x.example -> bd", "10.0.0.1 -> db", "*.*.example -> db", "* -> db", "* -> db"]
               |                                                                                                            ^^^^^^^^^^^^^^^^^^^

            gateway.toml:11:140: error: another line passes these names on already
               |
            11 | passthrough = ["db.example", "DB.example -> db", "db.example. -> db", "x.example -> bd", "10.0.0.1 -> db", "*.*.example -> db", "* -> db", "* -> db"]
               |                                                                                                                                            ^^^^^^^^^

            gateway.toml:15:16: error: `*` passes every connection on, so no certificate is ever shown
               |
            15 | passthrough = ["* -> db"]
               |                ^^^^^^^^^

            gateway.toml:18:15: error: an empty list passes nothing on
               |
            18 | passthrough = []
               |               ^^

            9 problems"#]],
    );
}

#[test]
fn upstreams() {
    below(
        r#"[upstream.a]
endpoints = ["https://10.0.0.1:443"]
tls_ca = "certs/ca.pem"
protocol = "auto"
[upstream.b]
endpoints = ["10.0.0.1:443"]
tls = true
tls_ca = "certs/edge.key"
tls_name = "*.example"
tls_client_chain = "certs/edge.pem"
[upstream.c]
endpoints = ["unix:/run/c.sock"]
tls = true
tls_client_chain = "certs/edge.pem"
tls_client_key = "certs/rsa.key"
proxy_protocol = "v2"
protocol = "grpc"
[upstream.d]
endpoints = ["10.0.0.1:443"]
tls = "yes"
tls_name = "d.example"
protocol = "http/2"
proxy_protocol = "v3"
"#,
        expect![[r#"
            gateway.toml:4:15: error: `https://10.0.0.1:443` is not a valid address
              |
            4 | endpoints = ["https://10.0.0.1:443"]
              |               ^^^^^^^^^^^^^^^^^^^^
              = expected an address such as "127.0.0.1:8080", "[::1]:8080" or "unix:/run/x.sock"
              = write the address alone, and `tls = true`

            gateway.toml:5:1: error: `tls_ca` does nothing without `tls = true`: connections would go unencrypted
              |
            5 | tls_ca = "certs/ca.pem"
              | ^^^^^^

            gateway.toml:6:12: error: `auto` goes by ALPN, which is part of TLS
              |
            6 | protocol = "auto"
              |            ^^^^^^
              = add tls = true, or write "http/1.1" or "h2"

            gateway.toml:10:10: error: certs/edge.key holds no certificate
               |
            10 | tls_ca = "certs/edge.key"
               |          ^^^^^^^^^^^^^^^^

            gateway.toml:11:12: error: one name is asked for, not many
               |
            11 | tls_name = "*.example"
               |            ^^^^^^^^^^^

            gateway.toml:12:1: error: `tls_client_chain` needs `tls_client_key` beside it
               |
            12 | tls_client_chain = "certs/edge.pem"
               | ^^^^^^^^^^^^^^^^

            gateway.toml:14:13: error: a unix socket has no host that its certificate could bear
               |
            14 | endpoints = ["unix:/run/c.sock"]
               |             ^^^^^^^^^^^^^^^^^^^^
               = add tls_name = "…" with the name to verify

            gateway.toml:17:18: error: certs/rsa.key is not the key of the certificate in certs/edge.pem
               |
            17 | tls_client_key = "certs/rsa.key"
               |                  ^^^^^^^^^^^^^^^

            gateway.toml:18:18: error: a connection that begins with a PROXY header serves one client, and HTTP/2 would mix several
               |
            18 | proxy_protocol = "v2"
               |                  ^^^^
               = write protocol = "http/1.1"

            gateway.toml:22:7: error: expected true or false, found a string
               |
            22 | tls = "yes"
               |       ^^^^^

            gateway.toml:24:12: error: unknown upstream protocol `http/2`
               |
            24 | protocol = "http/2"
               |            ^^^^^^^^
               = expected "http/1.1", "h2", "auto" or "grpc"

            gateway.toml:25:18: error: unknown PROXY protocol version `v3`
               |
            25 | proxy_protocol = "v3"
               |                  ^^^^
               = did you mean `v1`?
               = expected "off", "v1" or "v2"

            12 problems"#]],
    );
}

//! Certificates as authentication: lines that can't be read, and routes where nobody would be asked for one.

use expect_test::expect;

use super::below;

#[test]
fn client_certificates_as_authentication() {
    below(
        r#"[auth.partners]
kind = "mtls"
subjects = ["alice", "dns:*.acme.example -> acmee", "ip:10.0.0.1", "cn:***", "cn:bob -> Bob", "cn:"]
forward_claims = ["subject -> X-Subject", "sub -> X-User-ID"]
issuer = "x"
[auth.nobody]
kind = "mtls"
subjects = []
[consumer.acme]
keys = []
"#,
        expect![[r#"
            gateway.toml:5:13: error: `alice` is not a valid certificate subject
              |
            5 | subjects = ["alice", "dns:*.acme.example -> acmee", "ip:10.0.0.1", "cn:***", "cn:bob -> Bob", "cn:"]
              |             ^^^^^^^
              = expected a part of a certificate and what stands there, such as "cn:alice" or "dns:*.svc.example -> orders"

            gateway.toml:5:53: error: `ip` is no part of a certificate
              |
            5 | subjects = ["alice", "dns:*.acme.example -> acmee", "ip:10.0.0.1", "cn:***", "cn:bob -> Bob", "cn:"]
              |                                                     ^^^^^^^^^^^^^
              = expected cn, dns, uri or email before the colon

            gateway.toml:5:68: error: `cn:***` is not a valid certificate subject
              |
            5 | subjects = ["alice", "dns:*.acme.example -> acmee", "ip:10.0.0.1", "cn:***", "cn:bob -> Bob", "cn:"]
              |                                                                    ^^^^^^^^
              = expected a part of a certificate and what stands there, such as "cn:alice" or "dns:*.svc.example -> orders"

            gateway.toml:5:89: error: `Bob` is not a valid name
              |
            5 | subjects = ["alice", "dns:*.acme.example -> acmee", "ip:10.0.0.1", "cn:***", "cn:bob -> Bob", "cn:"]
              |                                                                                         ^
              = expected a name of letters a-z, digits, `-` and `_`
              = write `bob`

            gateway.toml:5:95: error: `cn:` is not a valid certificate subject
              |
            5 | subjects = ["alice", "dns:*.acme.example -> acmee", "ip:10.0.0.1", "cn:***", "cn:bob -> Bob", "cn:"]
              |                                                                                               ^^^^^
              = expected a part of a certificate and what stands there, such as "cn:alice" or "dns:*.svc.example -> orders"
              = write "cn:**" for every certificate that has one

            gateway.toml:6:43: error: a certificate tells no `sub`
              |
            6 | forward_claims = ["subject -> X-Subject", "sub -> X-User-ID"]
              |                                           ^^^^^^^^^^^^^^^^^^
              = expected one of subject, cn, dns, uri, email, serial, fingerprint, certificate, chain, consumer, tier, tenant

            gateway.toml:7:1: error: unknown key `issuer` in [auth.partners]
              |
            7 | issuer = "x"
              | ^^^^^^
              = it belongs to kind = "jwt"

            gateway.toml:10:12: error: no certificate is accepted
               |
            10 | subjects = []
               |            ^^
               = leave the key out to accept every one that verifies

            8 problems"#]],
    );
}

/// Two listeners that ask, and four that don't; of these two serve no requests.
const LISTENERS: &str = r#"[certificate.edge]
chain = "certs/edge.pem"
key = "certs/edge.key"
[listener.asking]
address = "127.0.0.1:1"
certificates = ["edge"]
client_auth = "optional"
client_ca = "certs/ca.pem"
[listener.strict]
address = "127.0.0.1:2"
certificates = ["edge"]
client_auth = "required"
client_ca = "certs/ca.pem"
[listener.secure]
address = "127.0.0.1:3"
certificates = ["edge"]
client_auth = "none"
[listener.moved]
address = "127.0.0.1:5"
http_to_https = true
[listener.passing]
address = "127.0.0.1:6"
passthrough = ["* -> db"]
[upstream.db]
endpoints = ["127.0.0.1:7"]
[auth.people]
kind = "mtls"
"#;

#[test]
fn a_route_where_nobody_is_asked() {
    below(
        &format!(
            r#"{LISTENERS}[route.all]
path = "/*"
auth = "people"
respond = "200"
[route.one]
path = "/one"
listeners = ["strict", "secure"]
auth = "people"
respond = "200"
[route.right]
path = "/right"
listeners = ["strict", "asking", "moved"]
auth = "people"
respond = "200"
[route.open]
path = "/open"
auth = "none"
respond = "200"
[route.roles]
path = "/roles"
listeners = ["strict"]
auth = "people"
require_roles = ["admin"]
respond = "200"
"#
        ),
        expect![[r#"
            gateway.toml:32:8: error: [route.all] is for clients with certificates, and can be reached where none is asked for: [listener.public], [listener.secure]
               |
            32 | auth = "people"
               |        ^^^^^^^^
               = set client_auth there, or name the listeners that have it: listeners = ["…"]

            gateway.toml:37:8: error: [route.one] is for clients with certificates, and can be reached where none is asked for: [listener.secure]
               |
            37 | auth = "people"
               |        ^^^^^^^^
               = set client_auth there, or name the listeners that have it: listeners = ["…"]

            gateway.toml:52:1: error: `require_roles` needs an auth of kind "jwt": nobody else carries any
               |
            52 | require_roles = ["admin"]
               | ^^^^^^^^^^^^^

            3 problems"#]],
    );
}

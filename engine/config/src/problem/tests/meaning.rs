//! What can be read and makes no sense: references, routes, authentication, what is not built yet.

use expect_test::expect;

use super::below;

#[test]
fn dangling_references() {
    below(
        r#"[upstream.products]
endpoints = ["10.0.0.1:1"]
[limit.slow]
rate = "1/s"
[route.a]
path = "/a"
listeners = ["publik"]
upstream = "product"
auth = "users"
limits = ["slow", "fast", "slow"]
access_log = "main"
request_headers = ["x"]
"#,
        expect![[r#"
            gateway.toml:9:14: error: there is no [listener.publik]
              |
            9 | listeners = ["publik"]
              |              ^^^^^^^^
              = did you mean `public`?

            gateway.toml:10:12: error: there is no [upstream.product]
               |
            10 | upstream = "product"
               |            ^^^^^^^^^
               = did you mean `products`?

            gateway.toml:11:8: error: there is no [auth.users]
               |
            11 | auth = "users"
               |        ^^^^^^^
               = no section of kind `auth` is there at all

            gateway.toml:12:19: error: there is no [limit.fast]
               |
            12 | limits = ["slow", "fast", "slow"]
               |                   ^^^^^^
               = expected one of slow

            gateway.toml:12:27: error: `slow` stands here twice
               |
            12 | limits = ["slow", "fast", "slow"]
               |                           ^^^^^^

            gateway.toml:13:14: error: there is no [access_log.main]
               |
            13 | access_log = "main"
               |              ^^^^^^
               = no section of kind `access_log` is there at all

            gateway.toml:14:20: error: there is no [headers.x]
               |
            14 | request_headers = ["x"]
               |                    ^^^
               = no section of kind `headers` is there at all

            7 problems"#]],
    );
}

#[test]
fn routes_that_do_not_say_enough_or_too_much() {
    below(
        r#"[route.a]
path = "/a"
[route.b]
path = "b"
auth = "none"
respond = "200 pong"
redirect = "/c"
[route.c]
upstream = "x"
[route.d]
path = "/d/{id}/{id}"
auth = "none"
respond = "99"
[route.e]
path = "/e/{id}"
auth = "none"
redirect = "200 /x"
require_roles = ["admin"]
methods = ["get", "A B"]
hosts = ["https://a"]
headers = ["a b"]
[route.f]
path = "/f/*"
auth = "none"
redirect = "308 /x/{id}"
[route.g]
path = "/g/*"
auth = "none"
respond = "204 text"
strip_prefix = "/h"
"#,
        expect![[r#"
            gateway.toml:3:1: error: [route.a] does not say what is done with requests
              |
            3 | [route.a]
              | ^^^^^^^^^
              = expected one of `upstream`, `respond` and `redirect`

            gateway.toml:3:1: error: [route.a] does not say who may pass: it lacks `auth`
              |
            3 | [route.a]
              | ^^^^^^^^^
              = write auth = "none" for a public route

            gateway.toml:6:9: error: a path starts with `/`
              |
            6 | path = "b"
              |         ^

            gateway.toml:9:1: error: [route.b] has both `respond` and `redirect`
              |
            9 | redirect = "/c"
              | ^^^^^^^^
              = a route does one thing: leave one of them out

            gateway.toml:10:1: error: [route.c] lacks `path`
               |
            10 | [route.c]
               | ^^^^^^^^^
               = expected path = "/api/*"

            gateway.toml:10:1: error: [route.c] does not say who may pass: it lacks `auth`
               |
            10 | [route.c]
               | ^^^^^^^^^
               = write auth = "none" for a public route

            gateway.toml:11:12: error: there is no [upstream.x]
               |
            11 | upstream = "x"
               |            ^^^
               = no section of kind `upstream` is there at all

            gateway.toml:13:17: error: `{id}` stands here twice
               |
            13 | path = "/d/{id}/{id}"
               |                 ^

            gateway.toml:15:12: error: `99` is not a status
               |
            15 | respond = "99"
               |            ^^
               = expected a status from 200 to 599 and, after a space, the body

            gateway.toml:19:13: error: `200` is not a status that sends elsewhere
               |
            19 | redirect = "200 /x"
               |             ^^^
               = expected 301, 302, 303, 307 or 308, then the place

            gateway.toml:20:1: error: `require_roles` needs an auth of kind "jwt": nobody else carries any
               |
            20 | require_roles = ["admin"]
               | ^^^^^^^^^^^^^

            gateway.toml:21:12: error: methods are told apart by case: write `GET`
               |
            21 | methods = ["get", "A B"]
               |            ^^^^^

            gateway.toml:21:19: error: `A B` is not a method
               |
            21 | methods = ["get", "A B"]
               |                   ^^^^^

            gateway.toml:22:10: error: `https://a`: a host here has no port, and an IPv6 address stands in brackets
               |
            22 | hosts = ["https://a"]
               |          ^^^^^^^^^^^

            gateway.toml:23:12: error: ' ' can't stand in the name `a b`
               |
            23 | headers = ["a b"]
               |            ^^^^^

            gateway.toml:27:20: error: `/f/*` has no `{id}`
               |
            27 | redirect = "308 /x/{id}"
               |                    ^

            gateway.toml:31:16: error: an answer with status 204 has no body
               |
            31 | respond = "204 text"
               |                ^^^^

            gateway.toml:32:16: error: the path `/g/*` does not begin with `/h`
               |
            32 | strip_prefix = "/h"
               |                ^^^^

            18 problems"#]],
    );
}

#[test]
fn routes_in_each_others_way() {
    below(
        r#"[route.b]
path = "/a"
auth = "none"
respond = "200"
[route.a]
path = "/a"
auth = "none"
respond = "200"
[route.high]
path = "/x/*"
priority = 1
auth = "none"
respond = "200"
[route.low]
path = "/x/y"
auth = "none"
respond = "200"
"#,
        expect![[r#"
            gateway.toml:8:8: error: [route.a] matches the same requests as [route.b]
              |
            8 | path = "/a"
              |        ^^^^
              = [route.b] stands in gateway.toml:4
              = tell them apart by host, path, methods, headers, query or priority

            gateway.toml:17:8: error: [route.low] never gets a request
               |
            17 | path = "/x/y"
               |        ^^^^^^
               = [route.high] in gateway.toml:12 matches all of them and has a higher priority

            2 problems"#]],
    );
}

#[test]
fn what_is_not_built_yet() {
    below(
        r#"[certificate.edge]
chain = "certs/edge.pem"
key = "certs/edge.key"
acme_email = "a@edge.example"
[telemetry]
otlp = "x"
[auth.a]
kind = "session"
[auth.b]
kind = "jwt"
jwks = "https://issuer.example/keys"
revocation = "store"
[upstream.a]
endpoints = ["backend:80"]
balance = "consistent_hash"
retry_attempts = 2
[limit.a]
algorithm = "sliding_window"
scope = "cluster"
rate = "1/s"
[access_log.a]
path = "syslog"
"#,
        expect![[r#"
            gateway.toml:6:1: error: `acme_email` is not built yet
              |
            6 | acme_email = "a@edge.example"
              | ^^^^^^^^^^

            gateway.toml:7:2: error: [telemetry] sections are not built yet: tracing comes later
              |
            7 | [telemetry]
              |  ^^^^^^^^^

            gateway.toml:10:8: error: kind = "session" is not built yet
               |
            10 | kind = "session"
               |        ^^^^^^^^^
               = expected kind = "jwt", "api_key" or "mtls"

            gateway.toml:13:8: error: a JWK set from a URL is not built yet
               |
            13 | jwks = "https://issuer.example/keys"
               |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
               = expected a file

            gateway.toml:14:1: error: `revocation` is not built yet
               |
            14 | revocation = "store"
               | ^^^^^^^^^^

            gateway.toml:16:15: error: `backend:80` is a name, and looking names up is not built yet
               |
            16 | endpoints = ["backend:80"]
               |               ^^^^^^^^^^
               = write the endpoint's IP address

            gateway.toml:17:11: error: balancing method `consistent_hash` is not built yet
               |
            17 | balance = "consistent_hash"
               |           ^^^^^^^^^^^^^^^^^
               = expected "round_robin", "least_requests" or "random"

            gateway.toml:18:1: error: `retry_attempts` is not built yet
               |
            18 | retry_attempts = 2
               | ^^^^^^^^^^^^^^

            gateway.toml:20:13: error: limit algorithm `sliding_window` is not built yet
               |
            20 | algorithm = "sliding_window"
               |             ^^^^^^^^^^^^^^^^
               = expected "token_bucket"

            gateway.toml:21:9: error: limit scope `cluster` is not built yet
               |
            21 | scope = "cluster"
               |         ^^^^^^^^^
               = expected "node"

            gateway.toml:24:8: error: "syslog" is not built yet
               |
            24 | path = "syslog"
               |        ^^^^^^^^
               = expected a file or "stdout"

            11 problems"#]],
    );
}

#[test]
fn auth() {
    below(
        r#"[auth.a]
[auth.b]
kind = "jwks"
[auth.c]
kind = "jwt"
algorithms = ["RS255", "none"]
keys = ["x"]
token_from = ["body"]
forward_claims = ["sub", "sub -> Host"]
[auth.d]
kind = "jwt"
jwks = "missing.json"
[auth.e]
kind = "api_key"
issuer = "x"
consumers = ["acme"]
[auth.f]
kind = "jwt"
algorithms = ["HS256"]
secret = "short"
[consumer.acmee]
keys = ["hunter2"]
expires = "tomorrow"
"#,
        expect![[r#"
            gateway.toml:3:1: error: [auth.a] lacks `kind`
              |
            3 | [auth.a]
              | ^^^^^^^^
              = expected kind = "jwt", "api_key" or "mtls"

            gateway.toml:5:8: error: unknown kind `jwks`
              |
            5 | kind = "jwks"
              |        ^^^^^^
              = expected kind = "jwt", "api_key" or "mtls"

            gateway.toml:6:1: error: [auth.c] has no keys
              |
            6 | [auth.c]
              | ^^^^^^^^
              = add jwks = "FILE", or secret = "${NAME}" for the HS algorithms

            gateway.toml:8:15: error: unknown algorithm `RS255`
              |
            8 | algorithms = ["RS255", "none"]
              |               ^^^^^^^
              = did you mean `RS256`?
              = expected HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA

            gateway.toml:8:24: error: an unsigned token proves nothing: `none` is not accepted
              |
            8 | algorithms = ["RS255", "none"]
              |                        ^^^^^^
              = expected HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA

            gateway.toml:9:1: error: unknown key `keys` in [auth.c]
              |
            9 | keys = ["x"]
              | ^^^^
              = it belongs to kind = "api_key"

            gateway.toml:10:15: error: expected `header`, `header:NAME`, `cookie:NAME` or `query:NAME`, found `body`
               |
            10 | token_from = ["body"]
               |               ^^^^^^

            gateway.toml:11:19: error: expected `claim -> Header-Name`, found `sub`
               |
            11 | forward_claims = ["sub", "sub -> Host"]
               |                   ^^^^^

            gateway.toml:11:26: error: `Host` is a header that no claim may set
               |
            11 | forward_claims = ["sub", "sub -> Host"]
               |                          ^^^^^^^^^^^^^

            gateway.toml:14:8: error: can't read missing.json: No such file
               |
            14 | jwks = "missing.json"
               |        ^^^^^^^^^^^^^^

            gateway.toml:17:1: error: unknown key `issuer` in [auth.e]
               |
            17 | issuer = "x"
               | ^^^^^^
               = it belongs to kind = "jwt"

            gateway.toml:18:14: error: there is no [consumer.acme]
               |
            18 | consumers = ["acme"]
               |              ^^^^^^
               = did you mean `acmee`?

            gateway.toml:22:10: error: the secret has 5 bytes; HS256 needs at least 32 (RFC 7518 section 3.2)
               |
            22 | secret = *******
               |          ^^^^^^^

            gateway.toml:24:9: error: a key stands here only as its hash: `sha256:` and 64 hex digits (`printf %s KEY | sha256sum`)
               |
            24 | keys = ["hunter2"]
               |         ^^^^^^^^^

            gateway.toml:25:11: error: `tomorrow` is not a date
               |
            25 | expires = "tomorrow"
               |           ^^^^^^^^^^
               = expected a date such as "2027-01-31" or "2027-01-31T12:00:00Z"

            15 problems"#]],
    );
}

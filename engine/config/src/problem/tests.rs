//! What operators read about configurations that are wrong: exact texts.

use crate::Source;
use crate::testing::{LEAST, World, bad};
use expect_test::{Expect, expect};

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&bad(text));
}

/// Below a listener, so that only what is tested is wrong.
fn below(text: &str, expected: Expect) {
    check(&format!("{LEAST}{text}"), expected);
}

#[test]
fn misspelt_keys_and_kinds() {
    check(
        "[listener.public]\nadress = \"127.0.0.1:80\"\n[listner.b]\n[rout.c]\n",
        expect![[r#"
            gateway.toml:1:1: error: [listener.public] lacks `address`
              |
            1 | [listener.public]
              | ^^^^^^^^^^^^^^^^^
              = expected address = "127.0.0.1:8080"

            gateway.toml:2:1: error: unknown key `adress` in [listener.public]
              |
            2 | adress = "127.0.0.1:80"
              | ^^^^^^
              = did you mean `address`?

            gateway.toml:3:2: error: unknown kind of section `listner`
              |
            3 | [listner.b]
              |  ^^^^^^^
              = did you mean `listener`?
              = the kinds are gateway, admin, listener, upstream, route, auth, consumer, limit, headers, access_log

            gateway.toml:4:2: error: unknown kind of section `rout`
              |
            4 | [rout.c]
              |  ^^^^
              = did you mean `route`?
              = the kinds are gateway, admin, listener, upstream, route, auth, consumer, limit, headers, access_log

            4 problems"#]],
    );
    below(
        "[gateway]\ntimeout = \"5s\"\nzzz = 1\n[upstream.a]\nendpoints = [\"10.0.0.1:1\"]\nhosts = [\"a\"]\n",
        expect![[r#"
            gateway.toml:4:1: error: unknown key `timeout` in [gateway]
              |
            4 | timeout = "5s"
              | ^^^^^^^
              = it is a key of [upstream.NAME], [route.NAME]

            gateway.toml:5:1: error: unknown key `zzz` in [gateway]
              |
            5 | zzz = 1
              | ^^^
              = the keys are workers, pin, io, shutdown_delay, shutdown_grace, request_id_header, trusted_proxies, error_format, max_connections

            gateway.toml:8:1: error: unknown key `hosts` in [upstream.a]
              |
            8 | hosts = ["a"]
              | ^^^^^
              = it is a key of [route.NAME]

            3 problems"#]],
    );
}

#[test]
fn wrong_types_and_values() {
    check(
        r#"[gateway]
workers = "two"
pin = "yes"
shutdown_grace = 30
io = "uring"
error_format = "Text"

[listener.public]
address = ":8080"
header_timeout = "10"
max_header_bytes = "64kb"
max_headers = 0
allow = ["10.0.0.1/8", "all"]
protocols = ["h2", "http1.1"]

[limit.a]
rate = "100/m"
key = "ip+user"
tiers = ["free=10"]
"#,
        expect![[r#"
            gateway.toml:2:11: error: expected a whole number, found a string
              |
            2 | workers = "two"
              |           ^^^^^

            gateway.toml:3:7: error: expected true or false, found a string
              |
            3 | pin = "yes"
              |       ^^^^^

            gateway.toml:4:18: error: expected a duration such as "250ms", "5s" or "1m", found an integer
              |
            4 | shutdown_grace = 30
              |                  ^^
              = write "30s"

            gateway.toml:5:6: error: unknown I/O driver `uring`
              |
            5 | io = "uring"
              |      ^^^^^^^
              = did you mean `io_uring`?
              = expected "auto", "io_uring", "monoio" or "epoll"

            gateway.toml:6:16: error: unknown error format `Text`
              |
            6 | error_format = "Text"
              |                ^^^^^^
              = did you mean `text`?
              = expected "problem+json" or "text"

            gateway.toml:9:11: error: `:8080` is not a valid address
              |
            9 | address = ":8080"
              |           ^^^^^^^
              = expected an address such as "127.0.0.1:8080", "[::1]:8080" or "unix:/run/x.sock"
              = write "0.0.0.0:8080" for every interface

            gateway.toml:10:18: error: `10` is not a valid duration
               |
            10 | header_timeout = "10"
               |                  ^^^^
               = expected a duration such as "250ms", "5s" or "1m"
               = say the unit: "10s" or "10ms"

            gateway.toml:11:20: error: `64kb` is not a valid size
               |
            11 | max_header_bytes = "64kb"
               |                    ^^^^^^
               = expected a size such as "64KiB" or "1MiB"
               = write "64KiB"

            gateway.toml:12:15: error: 0 is out of range
               |
            12 | max_headers = 0
               |               ^
               = expected 1 to 256

            gateway.toml:13:10: error: `10.0.0.1/8` has bits set beyond its prefix
               |
            13 | allow = ["10.0.0.1/8", "all"]
               |          ^^^^^^^^^^^^
               = write "10.0.0.0/8"

            gateway.toml:13:24: error: `all` is not a valid address range
               |
            13 | allow = ["10.0.0.1/8", "all"]
               |                        ^^^^^
               = expected an address or a range such as "10.0.0.0/8" or "2001:db8::/32"

            gateway.toml:14:14: error: protocol `h2` is not built yet
               |
            14 | protocols = ["h2", "http1.1"]
               |              ^^^^
               = expected "http/1.1"

            gateway.toml:14:20: error: unknown protocol `http1.1`
               |
            14 | protocols = ["h2", "http1.1"]
               |                    ^^^^^^^^^
               = did you mean `http/1.1`?
               = expected "http/1.1"

            gateway.toml:17:8: error: `100/m` is not a valid rate
               |
            17 | rate = "100/m"
               |        ^^^^^^^
               = expected a rate such as "100/s", "1000/min", "5000/h" or "1000000/day"
               = write "100/min"

            gateway.toml:18:7: error: `user` is no part of a key; expected ip, header:NAME, cookie:NAME, claim:NAME, consumer, tenant, route or global, joined with +
               |
            18 | key = "ip+user"
               |       ^^^^^^^^^

            gateway.toml:19:10: error: `free=10` is not a tier and its rate, such as "free=100/min"
               |
            19 | tiers = ["free=10"]
               |          ^^^^^^^^^

            16 problems"#]],
    );
}

#[test]
fn syntax() {
    check(
        r#"top = 1
[listener.public]
address = 127.0.0.1:80
idle_timeout = 60s
allow = ["10.0.0.1"
deny = []
[route.a
path = "/a
auth =
[gateway]
workers = 2 3
"#,
        expect![[r#"
            gateway.toml:1:1: error: `top` stands before the first section
              |
            1 | top = 1
              | ^^^
              = sections begin with [kind.name], or [gateway] or [admin]

            gateway.toml:3:11: error: a string needs quotes
              |
            3 | address = 127.0.0.1:80
              |           ^^^^^^^^^^^^
              = write "127.0.0.1:80"

            gateway.toml:4:16: error: a string needs quotes
              |
            4 | idle_timeout = 60s
              |                ^^^
              = write "60s"

            gateway.toml:5:9: error: this list is not closed
              |
            5 | allow = ["10.0.0.1"
              |         ^
              = expected `]`

            gateway.toml:7:1: error: [route.a] does not say what is done with requests
              |
            7 | [route.a
              | ^^^^^^^^
              = expected one of `upstream`, `respond` and `redirect`

            gateway.toml:7:9: error: unclosed table
              |
            7 | [route.a
              |         ^
              = expected `]`

            gateway.toml:8:11: error: this string is not closed
              |
            8 | path = "/a
              |           ^
              = expected `"`

            gateway.toml:9:7: error: here a value is missing
              |
            9 | auth =
              |       ^

            gateway.toml:11:11: error: a string needs quotes
               |
            11 | workers = 2 3
               |           ^^^
               = write "2 3"

            9 problems"#]],
    );
}

#[test]
fn what_is_not_flat() {
    below(
        "[[route]]\npath = \"/\"\n[route.a.b]\n[route]\n[gateway.x]\n[route.B]\nx.y = 1\n[route.c]\nheaders = { a = 1 }\nhosts = [[\"a\"], \"b\"]\nmethods = [1]\n",
        expect![[r#"
            gateway.toml:3:1: error: there are no arrays of tables here
              |
            3 | [[route]]
              | ^^^^^^^^^
              = write [route]

            gateway.toml:5:10: error: sections are flat: [kind.name]
              |
            5 | [route.a.b]
              |          ^
              = names hold letters a-z, digits, `-` and `_`, and no dots

            gateway.toml:6:1: error: a section of kind `route` needs a name
              |
            6 | [route]
              | ^^^^^^^
              = write [route.NAME]

            gateway.toml:7:1: error: [gateway] has no name
              |
            7 | [gateway.x]
              | ^^^^^^^^^^^
              = write [gateway]

            gateway.toml:8:8: error: `B` is not a valid name
              |
            8 | [route.B]
              |        ^
              = expected a name of letters a-z, digits, `-` and `_`
              = write `b`

            gateway.toml:9:1: error: keys have no dots here
              |
            9 | x.y = 1
              | ^^^
              = write the section as [kind.name] and the key below it

            gateway.toml:10:1: error: [route.c] lacks `path`
               |
            10 | [route.c]
               | ^^^^^^^^^
               = expected path = "/api/*"

            gateway.toml:10:1: error: [route.c] does not say what is done with requests
               |
            10 | [route.c]
               | ^^^^^^^^^
               = expected one of `upstream`, `respond` and `redirect`

            gateway.toml:10:1: error: [route.c] does not say who may pass: it lacks `auth`
               |
            10 | [route.c]
               | ^^^^^^^^^
               = write auth = "none" for a public route

            gateway.toml:11:11: error: there are no nested tables here
               |
            11 | headers = { a = 1 }
               |           ^^^^^^^^^
               = values are strings, numbers, booleans and lists of strings

            gateway.toml:12:10: error: lists hold only strings here
               |
            12 | hosts = [["a"], "b"]
               |          ^^^^^

            gateway.toml:13:12: error: expected a string, found an integer
               |
            13 | methods = [1]
               |            ^

            12 problems"#]],
    );
}

#[test]
fn twins() {
    below(
        "[upstream.a]\nendpoints = [\"10.0.0.1:1\", \"10.0.0.1:1\"]\nendpoints = [\"10.0.0.2:1\"]\n[upstream.a]\n[limit.x-y]\nrate = \"1/s\"\n[limit.x_y]\nrate = \"1/s\"\n[listener.b]\naddress = \"127.0.0.1:8080\"\n",
        expect![[r#"
            gateway.toml:5:1: error: key `endpoints` stands in [upstream.a] twice
              |
            5 | endpoints = ["10.0.0.2:1"]
              | ^^^^^^^^^
              = it is set already in gateway.toml:4

            gateway.toml:6:1: error: section [upstream.a] stands here twice
              |
            6 | [upstream.a]
              | ^^^^^^^^^^^^
              = it begins in gateway.toml:3: put all of its keys there

            gateway.toml:9:1: error: the names of [limit.x-y] and [limit.x_y] differ only by `-` and `_`
              |
            9 | [limit.x_y]
              | ^^^^^^^^^^^
              = an environment variable could not tell them apart

            gateway.toml:12:11: error: [listener.public] listens on 127.0.0.1:8080 already
               |
            12 | address = "127.0.0.1:8080"
               |           ^^^^^^^^^^^^^^^^
               = it says so in gateway.toml:2

            4 problems"#]],
    );
}

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
        r#"[listener.secure]
address = "127.0.0.1:18443"
certificates = ["edge"]
protocols = ["h2", "http/1.1"]
[certificate.edge]
chain = "certs/edge.pem"
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
            gateway.toml:5:1: error: `certificates` is not built yet: TLS comes later
              |
            5 | certificates = ["edge"]
              | ^^^^^^^^^^^^

            gateway.toml:6:14: error: protocol `h2` is not built yet
              |
            6 | protocols = ["h2", "http/1.1"]
              |              ^^^^
              = expected "http/1.1"

            gateway.toml:7:2: error: [certificate] sections are not built yet: TLS comes later
              |
            7 | [certificate.edge]
              |  ^^^^^^^^^^^

            gateway.toml:9:2: error: [telemetry] sections are not built yet: tracing comes later
              |
            9 | [telemetry]
              |  ^^^^^^^^^

            gateway.toml:12:8: error: kind = "session" is not built yet
               |
            12 | kind = "session"
               |        ^^^^^^^^^
               = expected kind = "jwt" or "api_key"

            gateway.toml:15:8: error: a JWK set from a URL is not built yet
               |
            15 | jwks = "https://issuer.example/keys"
               |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
               = expected a file

            gateway.toml:16:1: error: `revocation` is not built yet
               |
            16 | revocation = "store"
               | ^^^^^^^^^^

            gateway.toml:18:15: error: `backend:80` is a name, and looking names up is not built yet
               |
            18 | endpoints = ["backend:80"]
               |               ^^^^^^^^^^
               = write the endpoint's IP address

            gateway.toml:19:11: error: balancing method `consistent_hash` is not built yet
               |
            19 | balance = "consistent_hash"
               |           ^^^^^^^^^^^^^^^^^
               = expected "round_robin", "least_requests" or "random"

            gateway.toml:20:1: error: `retry_attempts` is not built yet
               |
            20 | retry_attempts = 2
               | ^^^^^^^^^^^^^^

            gateway.toml:22:13: error: limit algorithm `sliding_window` is not built yet
               |
            22 | algorithm = "sliding_window"
               |             ^^^^^^^^^^^^^^^^
               = expected "token_bucket"

            gateway.toml:23:9: error: limit scope `cluster` is not built yet
               |
            23 | scope = "cluster"
               |         ^^^^^^^^^
               = expected "node"

            gateway.toml:26:8: error: "syslog" is not built yet
               |
            26 | path = "syslog"
               |        ^^^^^^^^
               = expected a file or "stdout"

            13 problems"#]],
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
              = expected kind = "jwt" or "api_key"

            gateway.toml:5:8: error: unknown kind `jwks`
              |
            5 | kind = "jwks"
              |        ^^^^^^
              = expected kind = "jwt" or "api_key"

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

#[test]
fn secrets_are_not_shown() {
    below(
        "[admin]\naddress = \"0.0.0.0:9900\"\ntoken = \"hunter2\" # ours\ntoken = \"hunter3\"\ntoken = \"hunter4\"\ntoken = \"hunter5\n[auth.a]\nkind = \"jwt\"\nsecret = \"${NOPE}\"\n",
        expect![[r#"
            gateway.toml:6:1: error: key `token` stands in [admin] twice
              |
            6 | token = *********
              | ^^^^^
              = it is set already in gateway.toml:5

            gateway.toml:7:1: error: key `token` stands in [admin] twice
              |
            7 | token = *********
              | ^^^^^
              = it is set already in gateway.toml:5

            gateway.toml:8:1: error: key `token` stands in [admin] twice
              |
            8 | token = ********
              | ^^^^^
              = it is set already in gateway.toml:5

            gateway.toml:8:17: error: this string is not closed
              |
            8 | token = ********
              |                 ^
              = expected `"`

            gateway.toml:11:10: error: the environment variable NOPE is not set
               |
            11 | secret = "${NOPE}"
               |          ^^^^^^^^^

            5 problems"#]],
    );
    below(
        "[admin]\naddress = \"0.0.0.0:9900\"\n",
        expect![[r#"
        gateway.toml:4:11: error: an admin address that others can reach needs a `token`
          |
        4 | address = "0.0.0.0:9900"
          |           ^^^^^^^^^^^^^^
          = add token = "${ADMIN_TOKEN}", or listen on 127.0.0.1 or a unix socket

        1 problem"#]],
    );
}

#[test]
fn overlays_are_underlined_too() {
    let mut world = World::new();
    world.sets = ["route.a.timeot=2s", "nothing", "gateway.workers=many"]
        .map(str::to_owned)
        .to_vec();
    world
        .variables
        .insert("PORTCULLIS__GATEWAY__PIN".to_owned(), "maybe".to_owned());
    world
        .variables
        .insert("PORTCULLIS__X".to_owned(), "1".to_owned());
    world
        .variables
        .insert("PORTCULLIS__ADMIN__TOKEN".to_owned(), "hunter2".to_owned());
    let misspelt = "PORTCULLIS__ADMIN__TOKN".to_owned();
    world.variables.insert(misspelt, "hunter2".to_owned());
    let problems = world
        .load(&[Source::new("gateway.toml", LEAST)])
        .err()
        .unwrap();
    expect![[r#"
        environment:1:1: error: [admin] lacks `address`
          |
        1 | PORTCULLIS__ADMIN__TOKEN=*******
          | ^^^^^^^^^^^^^^^^^
          = expected address = "127.0.0.1:8080"

        environment:1:20: error: unknown key `tokn` in [admin]
          |
        1 | PORTCULLIS__ADMIN__TOKN=*******
          |                    ^^^^
          = did you mean `token`?

        environment:1:26: error: expected true or false, found a string
          |
        1 | PORTCULLIS__GATEWAY__PIN=maybe
          |                          ^^^^^

        environment:1:1: error: this sets nothing
          |
        1 | PORTCULLIS__X=1
          | ^^^^^^^^^^^^^
          = expected a kind, a name (unless the kind has none) and a key

        --set:1:1: error: [route.a] lacks `path`
          |
        1 | route.a.timeot=**
          | ^^^^^^^
          = expected path = "/api/*"

        --set:1:1: error: [route.a] does not say what is done with requests
          |
        1 | route.a.timeot=**
          | ^^^^^^^
          = expected one of `upstream`, `respond` and `redirect`

        --set:1:1: error: [route.a] does not say who may pass: it lacks `auth`
          |
        1 | route.a.timeot=**
          | ^^^^^^^
          = write auth = "none" for a public route

        --set:1:9: error: unknown key `timeot` in [route.a]
          |
        1 | route.a.timeot=**
          |         ^^^^^^
          = did you mean `timeout`?

        --set:1:1: error: this sets nothing
          |
        1 | nothing
          | ^^^^^^^
          = expected kind.name.key=value, such as route.products.timeout=2s

        --set:1:17: error: expected a whole number, found a string
          |
        1 | gateway.workers=many
          |                 ^^^^

        10 problems"#]]
    .assert_eq(&problems.to_string());
}

#[test]
fn problems_are_data_too() {
    let problems = crate::testing::loaded(&format!("{LEAST}[gateway]\nworker = 1\n"))
        .err()
        .unwrap();
    expect![[r#"[{"column":1,"file":"gateway.toml","line":4,"message":"unknown key `worker` in [gateway]","notes":["did you mean `workers`?"]}]"#]].assert_eq(&problems.to_json());
}

#[test]
fn nothing_at_all() {
    check(
        "",
        expect![[r#"
        error: there is no listener
          = add a section such as [listener.public] with address = "127.0.0.1:8080"

        1 problem"#]],
    );
}

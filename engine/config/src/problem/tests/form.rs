//! Text that is not a configuration, or says a thing twice: syntax, names, kinds of values.

use expect_test::expect;

use super::{below, check};

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
              = the kinds are gateway, admin, listener, certificate, upstream, route, auth, consumer, limit, headers, access_log

            gateway.toml:4:2: error: unknown kind of section `rout`
              |
            4 | [rout.c]
              |  ^^^^
              = did you mean `route`?
              = the kinds are gateway, admin, listener, certificate, upstream, route, auth, consumer, limit, headers, access_log

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
              = the keys are workers, pin, io, shutdown_delay, shutdown_grace, request_id_header, trusted_proxies, error_format, log_level, max_connections

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
protocols = ["h3", "http1.1"]

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

            gateway.toml:14:14: error: unknown protocol `h3`
               |
            14 | protocols = ["h3", "http1.1"]
               |              ^^^^
               = did you mean `h2`?
               = expected "http/1.1", "h2" or "h2c"

            gateway.toml:14:20: error: unknown protocol `http1.1`
               |
            14 | protocols = ["h3", "http1.1"]
               |                    ^^^^^^^^^
               = did you mean `http/1.1`?
               = expected "http/1.1", "h2" or "h2c"

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

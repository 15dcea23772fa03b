//! Health checks that can't be, or say what nothing comes of.

use expect_test::expect;

use super::below;
use crate::testing::{LEAST, bad};

#[test]
fn keys_of_another_check() {
    below(
        r#"[upstream.none]
endpoints = ["10.0.0.1:1"]
health_interval = "3s"
health_status = ["200"]
[upstream.http]
endpoints = ["10.0.0.1:1"]
health_path = "/up"
health_service = "a.B"
[upstream.grpc]
endpoints = ["10.0.0.1:1"]
protocol = "grpc"
health_check = "grpc"
health_path = "/up"
health_status = ["200"]
[upstream.tcp]
endpoints = ["10.0.0.1:1"]
health_check = "tcp"
health_path = "/up"
health_host = "a"
[upstream.pathless]
endpoints = ["10.0.0.1:1"]
health_check = "http"
[upstream.unknown]
endpoints = ["10.0.0.1:1"]
health_check = "htpp"
health_path = "/up"
[upstream.off]
endpoints = ["10.0.0.1:1"]
health_check = "off"
health_path = "/up"
health_service = "a.B"
health_timeout = "1h"
"#,
        expect![[r#"
            gateway.toml:5:1: error: `health_interval` does nothing without a health check: add `health_path` or `health_check`
              |
            5 | health_interval = "3s"
              | ^^^^^^^^^^^^^^^

            gateway.toml:6:1: error: `health_status` does nothing without a health check: add `health_path` or `health_check`
              |
            6 | health_status = ["200"]
              | ^^^^^^^^^^^^^

            gateway.toml:10:1: error: `health_service` is for `grpc` checks, and this one is `http`
               |
            10 | health_service = "a.B"
               | ^^^^^^^^^^^^^^

            gateway.toml:15:1: error: `health_path` is for `http` checks, and this one is `grpc`
               |
            15 | health_path = "/up"
               | ^^^^^^^^^^^

            gateway.toml:16:1: error: `health_status` is for `http` checks, and this one is `grpc`
               |
            16 | health_status = ["200"]
               | ^^^^^^^^^^^^^

            gateway.toml:20:1: error: `health_path` does nothing in a `tcp` check, which only connects
               |
            20 | health_path = "/up"
               | ^^^^^^^^^^^

            gateway.toml:21:1: error: `health_host` does nothing in a `tcp` check, which only connects
               |
            21 | health_host = "a"
               | ^^^^^^^^^^^

            gateway.toml:24:16: error: an `http` check needs `health_path`
               |
            24 | health_check = "http"
               |                ^^^^^^
               = add health_path = "/…", or write "tcp"

            gateway.toml:27:16: error: unknown health check `htpp`
               |
            27 | health_check = "htpp"
               |                ^^^^^^
               = did you mean `http`?
               = expected "off", "http", "tcp" or "grpc"

            9 problems"#]],
    );
}

#[test]
fn values() {
    below(
        r#"[upstream.a]
endpoints = ["10.0.0.1:1"]
health_path = "up"
health_status = ["200-299", "2xx", "100", "399-200"]
health_host = "a b"
health_interval = "1s"
health_timeout = "0s"
health_healthy = 0
health_unhealthy = 0
[upstream.b]
endpoints = ["10.0.0.1:1"]
health_path = "/a#b"
health_status = []
health_interval = "1ms"
[upstream.c]
endpoints = ["10.0.0.1:1"]
health_path = "/ä"
health_status = "200"
[upstream.d]
endpoints = ["10.0.0.1:1"]
health_service = "a.B"
[upstream.e]
endpoints = ["10.0.0.1:1"]
health_check = "grpc"
protocol = "http/1.1"
[upstream.f]
endpoints = ["10.0.0.1:1"]
health_check = "grpc"
protocol = "http/3"
"#,
        expect![[r#"
            gateway.toml:5:16: error: a path begins with `/`
              |
            5 | health_path = "up"
              |                ^^
              = write the path, and query if any, percent-encoded

            gateway.toml:6:29: error: `2xx` is not a status from 200 to 599, nor a range of them such as "200-399"
              |
            6 | health_status = ["200-299", "2xx", "100", "399-200"]
              |                             ^^^^^

            gateway.toml:6:36: error: `100` is not a status from 200 to 599, nor a range of them such as "200-399"
              |
            6 | health_status = ["200-299", "2xx", "100", "399-200"]
              |                                    ^^^^^

            gateway.toml:6:43: error: `399-200` is not a status from 200 to 599, nor a range of them such as "200-399"
              |
            6 | health_status = ["200-299", "2xx", "100", "399-200"]
              |                                           ^^^^^^^^^

            gateway.toml:7:15: error: `a b` is not a host
              |
            7 | health_host = "a b"
              |               ^^^^^
              = expected a host such as "api.internal", with a port or without

            gateway.toml:9:18: error: `0s` is out of range
              |
            9 | health_timeout = "0s"
              |                  ^^^^
              = expected 1ms to 24h

            gateway.toml:10:18: error: 0 is out of range
               |
            10 | health_healthy = 0
               |                  ^
               = expected 1 to 1000

            gateway.toml:11:20: error: 0 is out of range
               |
            11 | health_unhealthy = 0
               |                    ^
               = expected 1 to 1000

            gateway.toml:14:18: error: this can't stand in a request as it is
               |
            14 | health_path = "/a#b"
               |                  ^
               = write the path, and query if any, percent-encoded

            gateway.toml:15:17: error: no status at all would be good
               |
            15 | health_status = []
               |                 ^^

            gateway.toml:16:19: error: `1ms` is out of range
               |
            16 | health_interval = "1ms"
               |                   ^^^^^
               = expected 10ms to 24h

            gateway.toml:19:17: error: this can't stand in a request as it is
               |
            19 | health_path = "/ä"
               |                 ^
               = write the path, and query if any, percent-encoded

            gateway.toml:20:17: error: expected a list of strings, found a string
               |
            20 | health_status = "200"
               |                 ^^^^^
               = write ["200"]

            gateway.toml:23:18: error: gRPC is spoken over HTTP/2, and this upstream speaks HTTP/1.1
               |
            23 | health_service = "a.B"
               |                  ^^^^^
               = add protocol = "grpc"

            gateway.toml:26:16: error: gRPC is spoken over HTTP/2, and this upstream speaks HTTP/1.1
               |
            26 | health_check = "grpc"
               |                ^^^^^^
               = add protocol = "grpc"

            gateway.toml:31:12: error: unknown upstream protocol `http/3`
               |
            31 | protocol = "http/3"
               |            ^^^^^^^^
               = expected "http/1.1", "h2", "auto" or "grpc"

            16 problems"#]],
    );
}

/// No request could be made with them, so that no check would ever be good.
#[test]
fn hosts() {
    let wrong = [
        "", ":80", "a:", "a:+1", "a:65536", "a:b:c", "::1", "[", "[::1", "[::1]80", "[a]", "a..b",
        "*.a", "a/b",
    ];
    for host in wrong {
        let text = format!(
            "{LEAST}[upstream.a]\nendpoints = [\"10.0.0.1:1\"]\nhealth_path = \"/up\"\nhealth_host = \"{host}\"\n"
        );
        let expected = format!("error: `{host}` is not a host\n");
        assert!(bad(&text).contains(&expected), "{host}");
    }
}

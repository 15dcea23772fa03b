//! Fields in both directions: names, order, cookies, what the gateway adds and what it takes away, and the log.

use tests::http2::{Answering, fields};

use super::*;

#[test]
fn what_the_gateway_tells_the_upstream() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering::ok("x"));
        let gateway = Gateway::between(&origin, upstream, "");
        let get = Asking::new("GET", "/").with("x-forwarded-for", "1.2.3.4");
        get.ask(&gateway, client).answer.is(200);
        let request = origin.only();
        let (authority, via) = match (client, upstream) {
            (_, Speaks::Http1) if client == Speaks::Http1 => ("host", "1.1 portcullis"),
            (_, Speaks::Http1) => ("host", "2 portcullis"),
            (Speaks::Http1, _) => (":authority", "1.1 portcullis"),
            (Speaks::Http2, _) => (":authority", "2 portcullis"),
        };
        request.has(authority, "a").has("via", via);
        request
            .has("x-forwarded-for", "127.0.0.1")
            .has("x-forwarded-proto", "http");
        request
            .has("x-forwarded-host", "a")
            .has("forwarded", "for=127.0.0.1;host=\"a\";proto=http");
        assert!(request.field("x-request-id").is_some());
        if upstream == Speaks::Http2 {
            request.lacks("host").has(":scheme", "http");
        }
    });
}

#[test]
fn what_the_gateway_tells_the_client() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering {
            head: fields(&[(":status", "200"), ("via", "1.1 far"), ("date", "then")]),
            ..Answering::ok("x")
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let answer = Asking::new("GET", "/").ask(&gateway, client).answer;
        let version = if upstream == Speaks::Http1 {
            "1.1"
        } else {
            "2"
        };
        answer
            .is(200)
            .has("via", &format!("1.1 far, {version} portcullis"))
            .has("date", "then");
        assert!(answer.field("x-request-id").is_some());
        if client == Speaks::Http2 {
            for (name, _) in &answer.message.fields {
                assert_eq!(*name, name.to_lowercase(), "RFC 9113 section 8.2.1");
            }
            for name in ["connection", "transfer-encoding", "keep-alive"] {
                answer.lacks(name);
            }
        }
    });
}

#[test]
fn fields_keep_their_order_and_lines() {
    each(|client, upstream| {
        let lines = [
            ("x-a", "1"),
            ("x-b", "2"),
            ("x-a", "3, 4"),
            ("x-c", "caf\u{e9}"),
            ("x-a", "5"),
            ("x-e", ""),
        ];
        let origin = origin(upstream, move |_| Answering {
            head: fields(
                &[
                    &[(":status", "200")],
                    &lines[..],
                    &[("set-cookie", "a=1"), ("set-cookie", "b=2")],
                ]
                .concat(),
            ),
            ..Answering::ok("x")
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let mut get = Asking::new("GET", "/");
        for (name, value) in lines {
            get = get.with(name, value);
        }
        let answer = get.ask(&gateway, client).answer;
        let ours = |fields: &[tests::wire::Field]| {
            let ours = fields
                .iter()
                .filter(|(name, _)| name.starts_with("x-") && name.len() == 3);
            ours.map(|(name, value)| (name.to_lowercase(), value.clone()))
                .collect::<Vec<_>>()
        };
        // HTTP/1.1 is written as bytes, of which the test's text has one character each.
        let bytes = |found: Vec<(String, String)>| -> Vec<(String, Vec<u8>)> {
            let raw = |text: String| text.chars().map(|c| c as u8).collect::<Vec<u8>>();
            found
                .into_iter()
                .map(|(name, value)| (name, raw(value)))
                .collect()
        };
        let expected = lines.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let sent = |utf8: bool| -> Vec<(String, Vec<u8>)> {
            let raw = |text: &str| match utf8 {
                true => text.as_bytes().to_vec(),
                false => text.chars().map(|c| c as u8).collect(),
            };
            expected
                .iter()
                .map(|(name, value)| (name.clone(), raw(value)))
                .collect()
        };
        let at_origin = bytes(ours(&origin.only().message.fields));
        assert_eq!(at_origin, sent(client == Speaks::Http1));
        assert_eq!(
            bytes(ours(&answer.message.fields)),
            sent(upstream == Speaks::Http1)
        );
        let cookies: Vec<_> = answer.message.values("set-cookie").collect();
        assert_eq!(cookies, ["a=1", "b=2"]);
    });
}

#[test]
fn cookies_of_a_request_arrive_as_one() {
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let origin = origin(upstream, |_| Answering::ok("x"));
        let gateway = Gateway::between(&origin, upstream, "");
        let get = Asking::new("GET", "/");
        let split = get
            .with("cookie", "a=1")
            .with("x", "y")
            .with("cookie", "b=2; c=3")
            .with("cookie", "d=4");
        split.ask(&gateway, Speaks::Http2).answer.is(200);
        let request = origin.only();
        // RFC 9113 section 8.2.3: joined for HTTP/1.1; an HTTP/2 upstream may get them either way.
        let cookies: Vec<_> = request.message.values("cookie").collect();
        assert_eq!(cookies.join("; "), "a=1; b=2; c=3; d=4");
        if upstream == Speaks::Http1 {
            assert_eq!(cookies.len(), 1);
        }
    }
}

#[test]
fn connection_fields_of_http_1_end_here() {
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let origin = origin(upstream, |_| Answering::ok("x"));
        let gateway = Gateway::between(&origin, upstream, "");
        gateway
            .ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Hop, keep-alive, TE\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\
                  TE: trailers, gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
            .is(200);
        let request = origin.only();
        for name in [
            "x-hop",
            "keep-alive",
            "upgrade",
            "http2-settings",
            "proxy-connection",
        ] {
            request.lacks(name);
        }
        request.has("te", "trailers");
        if upstream == Speaks::Http2 {
            request.lacks("connection");
        }
    }
}

#[test]
fn connection_fields_of_an_answer_in_http_1_end_here() {
    let origin = tests::Origin::always(
        "HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\nX-Hop: 1\r\n\
         Proxy-Connection: x\r\nUpgrade: foo\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n",
    );
    let gateway = Gateway::between(&origin, Speaks::Http1, "");
    let answer = gateway.http2().get(1, "/");
    answer.is(200).has("x-end", "1");
    for name in [
        "connection",
        "keep-alive",
        "x-hop",
        "proxy-connection",
        "upgrade",
    ] {
        answer.lacks(name);
    }
}

#[test]
fn a_large_head_passes_both_ways() {
    // Beyond one frame, and beyond the table.
    each(|client, upstream| {
        let value = "v".repeat(3000);
        let told = value.clone();
        let origin = origin(upstream, move |_| Answering {
            head: fields(&[
                (":status", "200"),
                ("x-1", &told),
                ("x-2", &told),
                ("x-3", &told),
                ("x-4", &told),
            ]),
            ..Answering::ok("x")
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let mut get = Asking::new("GET", "/");
        for name in ["x-1", "x-2", "x-3", "x-4"] {
            get = get.with(name, &value);
        }
        let answer = get.ask(&gateway, client).answer;
        answer.is(200).has("x-1", &value).has("x-4", &value);
        origin.only().has("x-1", &value).has("x-4", &value);
    });
}

#[test]
fn heads_of_many_streams_on_one_connection_agree() {
    // Indexed fields come and go in the tables of both connections.
    for upstream in [Speaks::Http1, Speaks::Http2] {
        let origin = origin(upstream, |request| Answering {
            head: fields(&[
                (":status", "200"),
                ("x-echo", &request.field("x-say").unwrap_or_default()),
                ("x-same", "always"),
            ]),
            ..Answering::ok(request.target.clone())
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let mut http2 = gateway.http2();
        for n in 0..200_u32 {
            let (path, value) = (
                format!("/{}", n % 7),
                format!("{}-{}", n % 13, "z".repeat(n as usize)),
            );
            let get = Asking::new("GET", &path)
                .with("x-say", &value)
                .with("x-constant", "c");
            let answer = get.ask_stream(&mut http2, 2 * n + 1).answer;
            answer
                .is(200)
                .has("x-echo", &value)
                .has("x-same", "always")
                .body_is(&path);
        }
    }
}

#[test]
fn the_log_says_which_protocol_the_client_spoke() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering::ok("hello"));
        let gateway = Gateway::between(&origin, upstream, "");
        let post = Asking::new("POST", "/logged")
            .with("user-agent", "tester")
            .sized("12345");
        post.ask(&gateway, client).answer.is(200);
        let line = gateway.wait_logged("/logged");
        let line: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let protocol = if client == Speaks::Http1 {
            "HTTP/1.1"
        } else {
            "HTTP/2.0"
        };
        assert_eq!(line["protocol"], protocol, "{line}");
        assert_eq!(line["method"], "POST");
        assert_eq!(line["statusCode"], 200);
        assert_eq!(line["userAgent"], "tester");
        assert_eq!(line["clientIp"], "127.0.0.1");
        assert_eq!(line["backendEndpoint"], origin.address.to_string());
        assert_eq!(line["attempts"], 1);
        assert!(line["bytesIn"].as_u64().is_some_and(|it| it >= 5), "{line}");
        assert!(
            line["bytesOut"].as_u64().is_some_and(|it| it >= 5),
            "{line}"
        );
        assert!(line["error"].is_null(), "{line}");
    });
}

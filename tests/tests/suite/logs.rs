//! Access logs and the audit log: what stands in a line, what never does, where lines go.

use serde_json::{Value, json};
use tests::gateway::{Setup, upstream_and_route};
use tests::origin::Refusing;
use tests::token::{self, SECRET};
use tests::{Gateway, Origin, wire};

mod files;

/// A public route for every path to an origin, logged, with these keys of the log.
fn logged(origin: &Origin, log: &str) -> Setup {
    let endpoints = format!("endpoints = [\"{}\"]", origin.address);
    let log = format!("[access_log.main]\npath = \"stdout\"\n{log}\n");
    Setup::new(upstream_and_route(&endpoints, "access_log = \"main\"") + &log)
}

/// The line of the answer with this request id.
#[track_caller]
fn line(gateway: &Gateway, answer: &tests::Answer) -> Value {
    let id = answer.field("x-request-id").expect("every answer has one");
    let line = gateway.wait_logged(&id);
    serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line}"))
}

/// Three decimals, and not less than nothing.
#[track_caller]
fn is_millis(text: &str, member: &str) {
    let (_, rest) = text
        .split_once(&format!("\"{member}\":"))
        .unwrap_or_else(|| panic!("no {member}: {text}"));
    let number = rest.split([',', '}']).next().expect("a value");
    let (whole, decimals) = number.split_once('.').expect("a point");
    assert!(
        whole.parse::<u64>().is_ok() && decimals.len() == 3,
        "{number}"
    );
}

#[test]
fn every_member_of_a_json_line() {
    let origin = Origin::always("HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello");
    let gateway = logged(&origin, "").start();
    let body = "x".repeat(1_000);
    let request = format!(
        "POST /a/%62?secret=1 HTTP/1.1\r\nHost: a\r\nUser-Agent: test \"agent\"\r\nContent-Length: 1000\r\n\
         traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\r\n\r\n{body}"
    );
    let answer = gateway.ask(&request);
    let line = line(&gateway, &answer);
    let raw = gateway.logged().join("\n");
    for member in ["latencyMs", "overheadMs", "backendLatencyMs"] {
        is_millis(&raw, member);
    }
    let mut line = line.as_object().expect("an object").clone();
    let latency = |name: &str, line: &mut serde_json::Map<String, Value>| {
        line.remove(name)
            .and_then(|it| it.as_f64())
            .expect("a number")
    };
    let (total, ours) = (
        latency("latencyMs", &mut line),
        latency("overheadMs", &mut line),
    );
    let theirs = latency("backendLatencyMs", &mut line);
    assert!(
        (total - ours - theirs).abs() < 0.01,
        "{total} {ours} {theirs}"
    );
    let timestamp = line.remove("timestamp").expect("a time");
    let timestamp = timestamp.as_str().expect("text");
    assert!(
        timestamp.len() == 24 && timestamp.ends_with('Z'),
        "{timestamp}"
    );
    assert_eq!(&timestamp[19..20], ".", "{timestamp}");
    let bytes_in = line
        .remove("bytesIn")
        .and_then(|it| it.as_u64())
        .expect("a number");
    assert!(
        bytes_in >= 1_000 && bytes_in <= request.len() as u64,
        "{bytes_in}"
    );
    let bytes_out = line
        .remove("bytesOut")
        .and_then(|it| it.as_u64())
        .expect("a number");
    assert!(
        (5..=(answer.message.head.len() + 5) as u64).contains(&bytes_out),
        "{bytes_out}"
    );
    let wanted = json!({
        "requestId": answer.field("x-request-id"),
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "method": "POST",
        "path": "/a/%62",
        "protocol": "HTTP/1.1",
        "statusCode": 201,
        "clientIp": "127.0.0.1",
        "userAgent": "test \"agent\"",
        "route": "all",
        "backendService": "backend",
        "backendEndpoint": origin.address.to_string(),
        "attempts": 1,
    });
    assert_eq!(Value::Object(line), wanted);
}

#[test]
fn who_it_was_and_what_is_left() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::start(format!(
        "[upstream.u]\nendpoints = [\"{}\"]\n[auth.j]\nkind = \"jwt\"\nsecret = \"{SECRET}\"\n\
         [auth.k]\nkind = \"api_key\"\n[consumer.acme]\ntenant = \"t2\"\nkeys = [\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"]\n\
         [limit.l]\nrate = \"9/day\"\n\
         [route.j]\npath = \"/j\"\nupstream = \"u\"\nauth = \"j\"\nlimits = [\"l\"]\naccess_log = \"main\"\n\
         [route.k]\npath = \"/k\"\nupstream = \"u\"\nauth = \"k\"\naccess_log = \"main\"\n",
        origin.address
    ));
    let mut claims = token::claims("ada");
    claims["tenant"] = json!("t1");
    let bearer = token::hs256(&claims);
    let mut peer = gateway.peer();
    let ask = format!("GET /j HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {bearer}\r\n\r\n");
    let first = line(&gateway, &peer.ask(ask));
    assert_eq!(first["userId"], "ada", "{first}");
    assert_eq!(first["tenant"], "t1", "{first}");
    assert_eq!(first["rateLimitRemaining"], 8, "{first}");
    assert!(first.get("consumer").is_none(), "{first}");
    let second = line(
        &gateway,
        &peer.ask("GET /k HTTP/1.1\r\nHost: a\r\nX-API-Key: abc\r\n\r\n"),
    );
    assert_eq!(second["consumer"], "acme", "{second}");
    assert_eq!(second["tenant"], "t2", "{second}");
    assert!(
        second.get("userId").is_none() && second.get("rateLimitRemaining").is_none(),
        "{second}"
    );
}

#[test]
fn failures_name_their_cause() {
    let refusing = Refusing::new();
    let endpoints = format!("endpoints = [\"{}\"]", refusing.address);
    let more = "[auth.j]\nkind = \"jwt\"\nsecret = \"0123456789abcdef0123456789abcdef\"\n\
        [route.j]\npath = \"/j\"\nrespond = \"200\"\nauth = \"j\"\naccess_log = \"main\"\n";
    let gateway = Gateway::start(
        upstream_and_route(&endpoints, "access_log = \"main\"\nmethods = [\"GET\"]") + more,
    );
    let mut peer = gateway.peer();
    let refused = line(&gateway, peer.get("/x").is(502));
    assert_eq!(refused["error"], "connection_refused", "{refused}");
    assert_eq!(refused["backendService"], "backend", "{refused}");
    let denied = line(&gateway, peer.get("/j").is(401));
    assert_eq!(
        (&denied["error"], &denied["route"]),
        (&json!("missing_credentials"), &json!("j"))
    );
    // What no route answered goes to the first log.
    let unrouted = peer.ask("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    let unrouted = line(&gateway, unrouted.is(405));
    assert_eq!(unrouted["error"], "method_not_allowed", "{unrouted}");
    assert!(unrouted.get("route").is_none(), "{unrouted}");
    let broken = line(
        &gateway,
        gateway.peer().ask("GET / HTTP/1.1\r\n\r\n").is(400),
    );
    assert_eq!(broken["error"], "missing_host", "{broken}");
}

#[test]
fn an_endpoint_that_refuses_is_named() {
    let refusing = Refusing::new();
    let endpoints = format!("endpoints = [\"{}\"]", refusing.address);
    let gateway = Gateway::start(upstream_and_route(&endpoints, "access_log = \"main\""));
    let line = line(&gateway, gateway.get("/x").is(502));
    assert_eq!(
        line["backendEndpoint"],
        refusing.address.to_string(),
        "{line}"
    );
    assert_eq!(line["attempts"], 1, "{line}");
}

#[test]
fn a_client_that_goes_away_is_logged_as_499() {
    let gate = tests::Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        link.request()?;
        told.wait();
        Ok(())
    });
    let gateway = logged(&origin, "").start();
    let mut peer = gateway.peer();
    peer.send("GET /gone HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    peer.0.reset();
    let line: Value = serde_json::from_str(&gateway.wait_logged("/gone")).expect("JSON");
    assert_eq!(line["statusCode"], 499, "{line}");
    assert_eq!(line["error"], "client_gone", "{line}");
    gate.open();
}

#[test]
fn the_query_only_when_asked_for() {
    let origin = Origin::saying("hi");
    let gateway = logged(&origin, "").start();
    let without = line(&gateway, &gateway.get("/a?b=c"));
    assert!(without.get("query").is_none(), "{without}");
    assert!(!without.to_string().contains("b=c"), "{without}");
    let gateway = logged(&origin, "query = true").start();
    let mut peer = gateway.peer();
    assert_eq!(
        line(&gateway, &peer.get("/a?b=c&d=%22"))["query"],
        "b=c&d=%22"
    );
    assert!(line(&gateway, &peer.get("/a")).get("query").is_none());
}

#[test]
fn values_are_escaped() {
    let origin = Origin::saying("hi");
    let gateway = logged(&origin, "query = true").start();
    let mut peer = gateway.peer();
    let request = "GET /a\"},{\"x\":1 HTTP/1.1\r\nHost: a\r\n\r\n";
    // Either refused or escaped; never a line of its own making.
    let answer = peer.ask(
        request
            .replace(' ', "%20")
            .replacen("%20", " ", 1)
            .replace("%20HTTP", " HTTP"),
    );
    let first = line(&gateway, &answer);
    assert!(first.get("x").is_none(), "{first}");
    let mut raw =
        b"GET /b?q=\" HTTP/1.1\r\nHost: a\r\nUser-Agent: a\tb\\\"\xff\xc3\xa9\r\n\r\n".to_vec();
    raw.retain(|byte| *byte != 0);
    let answer = gateway.ask(&raw);
    let second = line(&gateway, &answer);
    if answer.status == 200 {
        let agent = second["userAgent"].as_str().expect("text");
        assert!(agent.starts_with("a\tb\\\""), "{agent:?}");
    }
}

#[test]
fn the_text_format() {
    let origin = Origin::saying("hi");
    let gateway = logged(&origin, "format = \"text\"").start();
    let answer = gateway.get("/a?b");
    let id = answer.field("x-request-id").expect("every answer has one");
    let line = gateway.wait_logged(&id);
    let words: Vec<&str> = line.split(' ').collect();
    let [
        time,
        client,
        method,
        path,
        protocol,
        status,
        bytes,
        millis,
        route,
        endpoint,
        request,
        cause,
    ] = words[..]
    else {
        panic!("{line}");
    };
    assert!(time.ends_with('Z') && time.len() == 24, "{line}");
    assert_eq!(
        (client, method, path, protocol),
        ("127.0.0.1", "\"GET", "/a", "HTTP/1.1\"")
    );
    assert_eq!((status, route, cause), ("200", "all", "-"));
    assert_eq!((endpoint, request), (&*origin.address.to_string(), &*id));
    assert!(bytes.parse::<u64>().is_ok_and(|n| n >= 2), "{line}");
    assert!(millis.parse::<f64>().is_ok(), "{line}");
}

#[test]
fn text_lines_can_not_be_forged() {
    let origin = Origin::saying("hi");
    let gateway = logged(&origin, "format = \"text\"\nquery = true").start();
    let answer = gateway.get("/a\"?x=\"%0A1.2.3.4");
    let id = answer.field("x-request-id").expect("every answer has one");
    let line = gateway.wait_logged(&id);
    if answer.status == 200 {
        assert!(
            line.contains("\"GET /a\\\"?x=\\\"%0A1.2.3.4 HTTP/1.1\""),
            "{line}"
        );
    }
}

#[test]
fn no_secret_is_written_anywhere() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nSet-Cookie: sid=upstream-secret\r\nContent-Length: 0\r\n\r\n",
    );
    let gateway = Gateway::start(format!(
        "[upstream.u]\nendpoints = [\"{}\"]\n\
         [auth.j]\nkind = \"jwt\"\nsecret = \"{SECRET}\"\ntoken_from = [\"header\", \"query:token\", \"cookie:token\"]\n\
         [auth.k]\nkind = \"api_key\"\nfrom = [\"header:X-API-Key\", \"query:key\"]\n\
         [consumer.acme]\nkeys = [\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"]\n\
         [access_log.main]\npath = \"stdout\"\nquery = true\n\
         [route.j]\npath = \"/j\"\nupstream = \"u\"\nauth = \"j\"\naccess_log = \"main\"\n\
         [route.k]\npath = \"/k\"\nupstream = \"u\"\nauth = \"k\"\naccess_log = \"main\"\n",
        origin.address
    ));
    let good = token::hs256(&token::claims("ada"));
    let bad = token::hs256(&json!({"sub": "eve", "exp": 1}));
    let mut peer = gateway.peer();
    for (target, fields) in [
        (
            "/j?a=1".to_owned(),
            format!("Authorization: Bearer {good}\r\nCookie: sid=cookie-secret\r\n"),
        ),
        (
            "/j?a=1".to_owned(),
            format!("Authorization: Bearer {bad}\r\n"),
        ),
        (
            "/j?a=1".to_owned(),
            "Authorization: Basic dXNlcjpwYXNzd29yZA==\r\n".to_owned(),
        ),
        (format!("/j?token={good}"), String::new()),
        (format!("/j?token={bad}&token={good}"), String::new()),
        ("/j".to_owned(), format!("Cookie: token={bad}\r\n")),
        ("/k?key=abc".to_owned(), String::new()),
        ("/k?key=wrong-key".to_owned(), String::new()),
        (
            "/k".to_owned(),
            "X-API-Key: wrong-key\r\nProxy-Authorization: Basic cHJveHk=\r\n".to_owned(),
        ),
    ] {
        peer.ask(format!("GET {target} HTTP/1.1\r\nHost: a\r\n{fields}\r\n"));
    }
    line(&gateway, &peer.get("/j"));
    let everything = [gateway.logged(), gateway.said()].concat().join("\n");
    let (_, page) = gateway.admin("/metrics");
    let signature = |token: &str| token.rsplit_once('.').expect("three parts").1.to_owned();
    for secret in [
        &*signature(&good),
        &*signature(&bad),
        "cookie-secret",
        "upstream-secret",
        "dXNlcjpwYXNzd29yZA",
        "cHJveHk",
        "key=abc",
        "wrong-key",
        SECRET,
    ] {
        assert!(!everything.contains(secret), "{secret} in\n{everything}");
        assert!(!page.contains(secret), "{secret} in the metrics");
    }
    assert!(everything.contains("\"query\":\"a=1\""), "{everything}");
}

#[test]
fn the_audit_log_has_authentication_and_authorisation() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::start(format!(
        "[upstream.u]\nendpoints = [\"{}\"]\n[auth.j]\nkind = \"jwt\"\nsecret = \"{SECRET}\"\n\
         [route.j]\npath = \"/j\"\nupstream = \"u\"\nauth = \"j\"\nrequire_roles = [\"admin\"]\n\
         [route.denied]\npath = \"/denied\"\nrespond = \"200\"\nauth = \"none\"\ndeny = [\"127.0.0.1\"]\n",
        origin.address
    ));
    let mut peer = gateway.peer();
    let bearer = token::hs256(&token::claims("ada"));
    let forbidden = peer.ask(format!(
        "GET /j?q=1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {bearer}\r\n\r\n"
    ));
    let missing = peer.get("/j");
    let denied = peer.get("/denied");
    denied.is(403);
    for (answer, status, cause, user) in [
        (&forbidden, 403, "missing_role", json!("ada")),
        (&missing, 401, "missing_credentials", Value::Null),
    ] {
        let id = answer
            .is(status)
            .field("x-request-id")
            .expect("every answer has one");
        let (line, _) = gateway.wait_said(&id, 0);
        let line: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(line["audit"], "refused", "{line}");
        assert_eq!(line["error"], cause, "{line}");
        assert_eq!(line["statusCode"], status, "{line}");
        assert_eq!(line["route"], "j", "{line}");
        assert_eq!(
            (&line["method"], &line["path"]),
            (&json!("GET"), &json!("/j"))
        );
        assert_eq!(line["clientIp"], "127.0.0.1", "{line}");
        assert_eq!(
            line.get("userId").cloned().unwrap_or_default(),
            user,
            "{line}"
        );
    }
    let id = denied.field("x-request-id").expect("every answer has one");
    assert!(
        !gateway.said().join("\n").contains(&id),
        "a denied address is no matter for it"
    );
}

#[test]
fn off_means_off() {
    let origin = Origin::saying("hi");
    let endpoints = format!("endpoints = [\"{}\"]", origin.address);
    let more = "[route.seen]\npath = \"/seen\"\nrespond = \"200\"\nauth = \"none\"\naccess_log = \"main\"\n";
    let gateway = Gateway::start(upstream_and_route(&endpoints, "access_log = \"off\"") + more);
    let mut peer = gateway.peer();
    peer.get("/unseen").is(200);
    line(&gateway, &peer.get("/seen"));
    assert_eq!(gateway.logged().len(), 1, "{:?}", gateway.logged());
}

#[test]
fn a_sample_is_a_share() {
    let origin = Origin::saying("hi");
    let more = "[access_log.part]\npath = \"part.log\"\nsample = 0.25\n\
        [route.part]\npath = \"/part\"\nrespond = \"200\"\nauth = \"none\"\naccess_log = \"part\"\n";
    let gateway = Setup::new(
        upstream_and_route(
            &format!("endpoints = [\"{}\"]", origin.address),
            "access_log = \"main\"",
        ) + "[access_log.main]\npath = \"stdout\"\n"
            + more,
    )
    .start();
    let mut peer = gateway.peer();
    for _ in 0..400 {
        peer.get("/part").is(200);
    }
    line(&gateway, &peer.get("/end"));
    gateway.signal("TERM");
    assert_eq!(gateway.exit().code(), Some(0));
    let text = std::fs::read_to_string(gateway.dir().join("part.log")).expect("it was opened");
    let lines = text.lines().count();
    // Four standard deviations of 400 tries at a quarter are 35.
    assert!((65..=135).contains(&lines), "{lines} of 400 at a quarter");
}

#[test]
fn http_1_0_is_told() {
    let origin = Origin::saying("hi");
    let gateway = logged(&origin, "").start();
    let answer = gateway.ask("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    assert_eq!(
        line(&gateway, &answer)["protocol"],
        "HTTP/1.0",
        "{}",
        wire::latin(&answer.message.head)
    );
}

#[test]
fn lines_under_rules_of_the_past_do_not_wait_for_others() {
    let gates = [tests::Gate::new(), tests::Gate::new()];
    let held = gates.clone();
    let origin = Origin::start(move |link| {
        let request = link.request()?.expect("a request");
        match &*request.target {
            "/first" => held[0].wait(),
            "/second" => held[1].wait(),
            _ => {}
        }
        link.send(tests::origin::ok("done"))
    });
    let setup = logged(&origin, "");
    let gateway = setup.set("upstream.backend.first_byte_timeout=1h").start();
    let mut peers = [gateway.peer(), gateway.peer()];
    for (peer, path) in peers.iter_mut().zip(["/first", "/second"]) {
        peer.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    }
    origin.wait_received(2);
    gateway.rewrite(
        &(gateway.text()
            + "[route.more]\npath = \"/more\"\nrespond = \"200 new\"\nauth = \"none\"\n"),
    );
    gateway.signal("HUP");
    gateway.wait_said("is live, generation 2", 0);
    // Every worker has taken it over.
    while gateway.get("/more").text() != "new" {}
    for (peer, gate) in peers.iter_mut().zip(&gates) {
        gate.open();
        let answer = peer.answer();
        // For the first of them while the second still goes by the old rules.
        line(&gateway, &answer);
    }
}

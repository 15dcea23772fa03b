//! The main job on the epoll driver. `PORTCULLIS_TEST_IO=epoll` runs all the suites on it.

use serde_json::json;
use tests::origin::ok;
use tests::token::{self, Key};
use tests::{Gate, Gateway, Origin, Setup, metrics};

/// A gateway on epoll with two workers: tokens, a limit, a log.
#[track_caller]
fn gateway(origin: &Origin, key: &Key) -> Gateway {
    let text = format!(
        "[gateway]\nio = \"epoll\"\nworkers = 2\npin = false\n\
         [upstream.backend]\nendpoints = [\"{}\"]\n\
         [auth.users]\nkind = \"jwt\"\njwks = \"keys.json\"\n\
         [limit.each]\nrate = \"6/day\"\nkey = \"claim:sub\"\n\
         [route.all]\npath = \"/*\"\nupstream = \"backend\"\nauth = \"users\"\nlimits = [\"each\"]\naccess_log = \"main\"\n",
        origin.address
    );
    let setup = Setup::new(text).file("keys.json", token::set(&[key.jwk()]));
    let gateway = setup.start();
    let said = gateway.said().join("\n");
    assert!(said.contains("2 workers, epoll"), "{said}");
    gateway
}

fn post(token: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

#[test]
fn the_main_job() {
    let origin = Origin::echo();
    let key = Key::rsa("k");
    let gateway = gateway(&origin, &key);
    let ada = key.sign("RS256", &token::claims("ada"));
    let mut peer = gateway.peer();
    peer.ask(post("x", b"")).is(401);
    let large: Vec<u8> = (0..3_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    for body in [&b""[..], b"hello", &large] {
        peer.ask(post(&ada, body)).is(200).body_is(body);
    }
    let chunked = format!(
        "POST /a HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {ada}\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    );
    peer.ask(chunked).is(200).body_is("abcde");
    peer.send(post(&ada, b"one")).send(post(&ada, b"two"));
    peer.answer().is(200).body_is("one");
    peer.answer()
        .is(200)
        .body_is("two")
        .has("ratelimit-remaining", "0");
    let answer = peer.ask(post(&ada, b"more"));
    answer.problem(429, "/a", "Too many requests");
    let id = answer.field("x-request-id").expect("every answer has one");
    let line: serde_json::Value = serde_json::from_str(&gateway.wait_logged(&id)).expect("JSON");
    assert_eq!(line["userId"], json!("ada"), "{line}");
    assert_eq!(line["error"], json!("rate_limited"), "{line}");
    let eve = key.sign("RS256", &token::claims("eve"));
    gateway.ask(post(&eve, b"hi")).is(200).body_is("hi");
    metrics::wait(
        &gateway,
        "gateway_requests_total{route=\"all\",status=\"200\"}",
        7.0,
    );
    metrics::wait(&gateway, "gateway_requests_total{route=\"all\"}", 9.0);
}

#[test]
fn time_outs_and_the_end() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        while link.request()?.is_some() {
            told.wait();
            link.send(ok("held"))?;
        }
        Ok(())
    });
    let text = format!(
        "[gateway]\nio = \"epoll\"\nworkers = 1\npin = false\n\
         [listener.public]\naddress = \"127.0.0.1:0\"\nheader_timeout = \"500ms\"\nidle_timeout = \"1h\"\n\
         [upstream.backend]\nendpoints = [\"{}\"]\n\
         [route.slow]\npath = \"/slow\"\nupstream = \"backend\"\nauth = \"none\"\ntimeout = \"200ms\"\n\
         [route.all]\npath = \"/*\"\nupstream = \"backend\"\nauth = \"none\"\n",
        origin.address
    );
    let gateway = Gateway::start(text);
    gateway.get("/slow").is(504);
    gateway.peer().ask("GET / HT").is(408);
    let mut idle = gateway.peer();
    idle.get("/slow").is(504);
    let mut busy = gateway.peer();
    busy.send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(3);
    gateway.signal("TERM");
    idle.is_closed();
    gate.open();
    busy.answer()
        .is(200)
        .body_is("held")
        .has("connection", "close");
    busy.is_closed();
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn stray_bytes_on_pooled_connections_are_nobodys_answer() {
    // Behind each answer, in a packet of their own, come bytes that nobody asked for; the next request
    // is sent when they are there. Several clients at once, so that the worker is not always prompt.
    let clients: Vec<_> = (0..4)
        .map(|_| std::thread::spawn(ask_past_stray_bytes))
        .collect();
    for client in clients {
        client.join().expect("it gets its own answers only");
    }
}

fn ask_past_stray_bytes() {
    let (sent, arrived) = std::sync::mpsc::channel();
    let sent = std::sync::Mutex::new(sent);
    let origin = Origin::start(move |link| {
        link.request()?;
        link.send(ok("mine"))?;
        link.send(ok("evil"))?;
        // Nobody listens any more when the test has failed.
        let _ = sent.lock().expect("unpoisoned").send(());
        link.wait_closed();
        Ok(())
    });
    let gateway = Gateway::before(
        origin.address,
        "[gateway]\nio = \"epoll\"\nworkers = 1\npin = false\n",
    );
    let mut peer = gateway.peer();
    for _ in 0..300 {
        peer.get("/").is(200).body_is("mine");
        arrived
            .recv_timeout(tests::PATIENCE)
            .expect("the origin goes on");
    }
}

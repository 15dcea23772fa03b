//! Where one message ends and the next begins, in the cases that once went wrong: a second try, a
//! reload in the middle of a head, a slow head, a body whose taker is gone, an answer before its time.

use std::io;

use tests::gateway::upstream_and_route;
use tests::origin::ok;
use tests::{End, Gate, Gateway, Origin, Peer, metrics};

/// An origin whose first connection answers one request and hangs up on the second.
fn hangs_up_once() -> Origin {
    Origin::start(|link| {
        let mut served = 0;
        while link.request()?.is_some() {
            served += 1;
            if link.number == 0 && served > 1 {
                return Ok(());
            }
            link.send(ok("fine"))?;
        }
        Ok(())
    })
}

#[test]
fn the_body_of_a_request_that_was_sent_again_is_no_request() {
    let origin = hangs_up_once();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.get("/first").is(200);
    let body = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    let head = format!(
        "PUT /again HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    peer.ask(head + body).is(200);
    peer.get("/last").is(200).body_is("fine");
    let asked: Vec<String> = origin.received().into_iter().map(|it| it.target).collect();
    assert_eq!(asked, ["/first", "/again", "/again", "/last"]);
}

#[test]
fn a_head_that_a_reload_met_keeps_to_its_listener() {
    let routes = "[route.inside]\npath = \"/*\"\nauth = \"none\"\nlisteners = [\"internal\"]\nrespond = \"200 inside\"\n\
                  [route.outside]\npath = \"/*\"\nauth = \"none\"\nlisteners = [\"public\"]\nrespond = \"200 outside\"\n";
    let public = "[listener.public]\naddress = \"127.0.0.1:0\"\n";
    let first = routes
        .split("[route.outside]")
        .nth(1)
        .map(|it| format!("[route.outside]{it}"))
        .unwrap_or_default();
    let gateway = Gateway::start(format!("{public}{first}"));
    let mut peer = gateway.peer();
    peer.get("/a").is(200).body_is("outside");
    peer.send("GET /a HTTP/1.1\r\nHost: a\r\n");
    let with_two =
        gateway.text().replace(&first, routes) + "[listener.internal]\naddress = \"127.0.0.1:0\"\n";
    gateway.rewrite(&with_two);
    gateway.signal("HUP");
    gateway.wait_said("is live, generation 2", 0);
    // "internal" now stands where "public" did in the list of listeners.
    peer.ask("\r\n").is(200).body_is("outside");
}

#[test]
fn slow_heads_spend_no_tokens_of_the_past() {
    let limit = "[limit.one]\nrate = \"1/h\"\nburst = 1\nkey = \"global\"\n";
    let route =
        "[route.all]\npath = \"/*\"\nauth = \"none\"\nlimits = [\"one\"]\nrespond = \"200 yes\"\n";
    let gateway = Gateway::start(format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\n{limit}{route}"
    ));
    let mut peers: Vec<Peer> = (0..5).map(|_| gateway.peer()).collect();
    for peer in &mut peers {
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n");
    }
    let mut admitted = 0;
    for peer in &mut peers {
        admitted += usize::from(peer.ask("\r\n").status == 200);
    }
    assert_eq!(admitted, 1);
}

#[test]
fn an_answer_that_begins_early_may_pause_while_the_upload_goes_on() {
    let origin = Origin::start(|link| {
        while link.request_head()?.is_some() {
            link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            let mut taken = 0;
            while taken < 6 {
                taken += link.wire.take(1)?.len();
            }
            link.send("4\r\ndone\r\n0\r\n\r\n")?;
        }
        Ok(())
    });
    let upstream = format!(
        "endpoints = [\"{}\"]\nread_timeout = \"300ms\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut peer = gateway.peer();
    peer.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n");
    for _ in 0..6 {
        // Slower than the time-out allows between two bytes of an answer, all together.
        std::thread::park_timeout(std::time::Duration::from_millis(100));
        peer.send("x");
    }
    peer.answer().is(200).body_is("done");
}

#[test]
fn an_upstream_that_takes_no_more_is_a_write_timeout() {
    let seen = Gate::new();
    let until = seen.clone();
    let origin = Origin::start(move |link| {
        link.request_head()?;
        // Open, and not reading.
        until.wait();
        Ok::<(), io::Error>(())
    });
    let upstream = format!(
        "endpoints = [\"{}\"]\nread_timeout = \"200ms\"\nfirst_byte_timeout = \"1h\"",
        origin.address
    );
    let gateway = Gateway::start(upstream_and_route(&upstream, ""));
    let mut peer = gateway.peer();
    let length = 64 << 20;
    peer.send(format!(
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n"
    ));
    let chunk = vec![b'x'; 1 << 16];
    for _ in 0..length / chunk.len() {
        if !peer.try_send(&chunk) {
            break;
        }
    }
    metrics::wait(
        &gateway,
        "gateway_backend_errors_total{upstream=\"backend\",kind=\"write_timeout\"}",
        1.0,
    );
    seen.open();
}

#[test]
fn forwarding_fields_in_other_spellings_are_not_believed_either() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, "");
    gateway.ask("GET / HTTP/1.1\r\nHost: a\r\nX_Forwarded_For: 6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nx-forwarded-port: 1\r\nX-Mine: 1\r\n\r\n").is(200);
    let received = origin.only();
    received
        .lacks("x_forwarded_for")
        .lacks("x-real-ip")
        .lacks("x-forwarded-port")
        .has("x-mine", "1");
}

#[test]
fn an_http_1_0_answer_that_breaks_off_does_not_end_cleanly() {
    let origin = Origin::start(|link| {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
    });
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
    let (_, end) = peer.to_end();
    assert_eq!(end, End::Reset);
}

#[test]
fn the_answer_to_a_late_head_is_not_lost_to_what_still_comes() {
    let gateway = Gateway::before(
        Origin::saying("hi").address,
        "[listener.public]\naddress = \"127.0.0.1:0\"\nheader_timeout = \"200ms\"\n",
    );
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nX-Long: ");
    peer.answer().is(408).has("connection", "close");
    // It goes on as if nothing had been said; a reset would show here.
    peer.send("and still more of it");
    assert_eq!(peer.end(), End::Closed);
}

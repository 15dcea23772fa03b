//! SIGHUP and changed files: everything or nothing, between two requests.

use tests::metrics::Metrics;
use tests::origin::ok;
use tests::{Gate, Gateway, Origin, Peer, Setup};

fn saying(text: &str) -> String {
    format!("[route.a]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200 {text}\"\n")
}

/// Asks on this connection until the answer is the wanted one: a worker takes a configuration over
/// at its next tick.
#[track_caller]
fn until(peer: &mut Peer, wanted: &str) {
    let start = std::time::Instant::now();
    loop {
        let answer = peer.get("/");
        answer.lacks("connection");
        if answer.text() == wanted {
            return;
        }
        assert!(
            start.elapsed() < tests::PATIENCE,
            "{:?} instead of {wanted:?}",
            answer.text()
        );
    }
}

#[test]
fn sighup_reloads_and_the_connection_lives_on() {
    let gateway =
        Setup::new("[gateway]\nworkers = 2\npin = false\n".to_owned() + &saying("old")).start();
    let mut peers = [
        gateway.peer(),
        gateway.peer(),
        gateway.peer(),
        gateway.peer(),
    ];
    for peer in &mut peers {
        peer.get("/").is(200).body_is("old");
    }
    gateway.rewrite(&gateway.text().replace("old", "new"));
    gateway.signal("HUP");
    gateway.wait_said("is live, generation 2", 0);
    for peer in &mut peers {
        until(peer, "new");
    }
}

#[test]
fn a_changed_file_is_noticed() {
    let gateway = Gateway::start(saying("old"));
    let mut peer = gateway.peer();
    peer.get("/").body_is("old");
    gateway.rewrite(&gateway.text().replace("old", "new"));
    gateway.wait_said("is live, generation 2", 0);
    until(&mut peer, "new");
    std::fs::write(
        gateway.dir().join("gateway.toml"),
        gateway.text().replace("new", "newer"),
    )
    .expect("writable");
    gateway.wait_said("is live, generation 3", 0);
    until(&mut peer, "newer");
}

#[test]
fn a_bad_file_changes_nothing_and_says_why() {
    let gateway = Gateway::start(saying("old"));
    let mut peer = gateway.peer();
    peer.get("/").body_is("old");
    let (good, hash) = (gateway.text(), Metrics::of(&gateway));
    gateway.rewrite(&good.replace("respond", "repsond"));
    gateway.signal("HUP");
    let (line, next) = gateway.wait_said("stays, what was read is wrong", 0);
    assert!(line.contains("reload ("), "{line}");
    gateway.wait_said("repsond", next);
    peer.get("/").is(200).body_is("old");
    let page = Metrics::of(&gateway);
    assert!(
        page.value("gateway_config_reloads_total{result=\"invalid\"}")
            .is_some_and(|n| n >= 1.0)
    );
    let info = |page: &Metrics| {
        page.text()
            .lines()
            .find(|l| l.starts_with("gateway_config_info{"))
            .map(str::to_owned)
    };
    assert_eq!(
        info(&page),
        info(&hash),
        "the live configuration is still the first one"
    );
    gateway.rewrite(&good.replace("old", "new"));
    gateway.wait_said("is live, generation", next);
    until(&mut peer, "new");
}

#[test]
fn a_request_in_flight_finishes_on_the_old_configuration() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        while let Some(request) = link.request()? {
            if request.target == "/busy" {
                told.wait();
            }
            link.send(ok("from the old upstream"))?;
        }
        Ok(())
    });
    let gateway = Gateway::before(origin.address, "");
    let mut busy = gateway.peer();
    busy.send("GET /busy HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    let text = gateway.text();
    let (kept, _) = text
        .split_once("[upstream.backend]")
        .expect("it has an upstream");
    gateway.rewrite(&(kept.to_owned() + &saying("new")));
    gateway.signal("HUP");
    gateway.wait_said("is live, generation 2", 0);
    until(&mut gateway.peer(), "new");
    gate.open();
    busy.answer()
        .is(200)
        .lacks("connection")
        .body_is("from the old upstream");
    busy.get("/").is(200).body_is("new");
}

#[test]
fn a_removed_listener_closes_and_a_new_one_opens() {
    let extra = "[listener.extra]\naddress = \"127.0.0.1:0\"\n[listener.public]\naddress = \"127.0.0.1:0\"\n";
    let gateway = Gateway::start(extra.to_owned() + &saying("hi"));
    let address = gateway.address("extra");
    let mut idle = Peer::connect(address);
    idle.get("/").is(200);
    let socket = "[listener.extra]\naddress = \"unix:@DIR@/new.sock\"\n"
        .replace("@DIR@", &gateway.dir().display().to_string());
    gateway.rewrite(
        &gateway
            .text()
            .replace("[listener.extra]\naddress = \"127.0.0.1:0\"\n", &socket),
    );
    gateway.signal("HUP");
    gateway.wait_said("is live, generation 2", 0);
    idle.is_closed();
    gateway.get("/").is(200);
    let start = std::time::Instant::now();
    while std::os::unix::net::UnixStream::connect(gateway.dir().join("new.sock")).is_err() {
        assert!(
            start.elapsed() < tests::PATIENCE,
            "nobody listens on the new socket"
        );
    }
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(
            start.elapsed() < tests::PATIENCE,
            "the removed listener still listens"
        );
    }
}

#[test]
fn two_workers_can_open_a_unix_listener_by_reload() {
    let gateway =
        Gateway::start("[gateway]\nworkers = 2\npin = false\n".to_owned() + &saying("hi"));
    let socket = format!(
        "[listener.more]\naddress = \"unix:{}/more.sock\"\n",
        gateway.dir().display()
    );
    gateway.rewrite(&(gateway.text() + &socket));
    gateway.signal("HUP");
    let (line, _) = gateway.wait_said("reload (", 0);
    assert!(line.contains("is live, generation 2"), "{line}");
}

#[test]
fn a_listener_that_can_not_be_opened_refuses_the_reload() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let gateway = Gateway::start(saying("old"));
    let mut peer = gateway.peer();
    let more = format!(
        "[listener.more]\naddress = \"{}\"\n",
        taken.local_addr().expect("bound")
    );
    gateway.rewrite(&(gateway.text().replace("old", "new") + &more));
    gateway.signal("HUP");
    let (line, _) = gateway.wait_said("reload (", 0);
    assert!(
        line.contains("stays") && line.contains("listener more"),
        "{line}"
    );
    peer.get("/").is(200).body_is("old");
    let refused = Metrics::of(&gateway).value("gateway_config_reloads_total{result=\"refused\"}");
    assert!(refused.is_some_and(|n| n >= 1.0), "{refused:?}");
}

#[test]
fn what_needs_a_restart_is_told() {
    let gateway =
        Gateway::start("[gateway]\nworkers = 1\npin = false\n".to_owned() + &saying("hi"));
    gateway.rewrite(&gateway.text().replace("workers = 1", "workers = 2"));
    gateway.signal("HUP");
    gateway.wait_said("gateway.workers has changed", 0);
}

//! Start and end of the process: exit codes, draining, second instances.

use std::net::TcpStream;

use tests::gateway::{proxy, upstream_and_route};
use tests::origin::ok;
use tests::{Gate, Gateway, Origin, Setup};

/// An origin that holds each request until told.
fn held() -> (Origin, Gate) {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        while link.request()?.is_some() {
            told.wait();
            link.send(ok("held"))?;
        }
        Ok(())
    });
    (origin, gate)
}

fn graceful(origin: &Origin, keys: &str) -> Gateway {
    Gateway::before(
        origin.address,
        &format!("[gateway]\nworkers = 2\npin = false\n{keys}\n"),
    )
}

#[test]
fn sigterm_finishes_what_is_in_flight_and_exits_0() {
    let (origin, gate) = held();
    let gateway = Gateway::before(
        origin.address,
        "[route.own]\npath = \"/own\"\nauth = \"none\"\nrespond = \"200 own\"\n",
    );
    let (mut busy, mut idle) = (gateway.peer(), gateway.peer());
    busy.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    idle.get("/own").is(200);
    gateway.signal("TERM");
    gateway.wait_said("SIGTERM: draining", 0);
    // From then on the worker knows.
    idle.is_closed();
    gate.open();
    busy.answer()
        .is(200)
        .has("connection", "close")
        .body_is("held");
    busy.is_closed();
    assert_eq!(gateway.exit().code(), Some(0));
    gateway.wait_said("drained: nothing was cut", 0);
    assert!(TcpStream::connect(gateway.address("public")).is_err());
}

#[test]
fn connections_that_ask_for_nothing_are_not_waited_for() {
    // One that has never said anything would otherwise hold the process for header_timeout.
    let listener = "[listener.public]\naddress = \"127.0.0.1:0\"\nheader_timeout = \"1h\"\nidle_timeout = \"1h\"\n";
    let keys = format!("shutdown_grace = \"1h\"\n{listener}");
    let gateway = graceful(&Origin::saying("hi"), &keys);
    let (mut silent, mut idle) = (gateway.peer(), gateway.peer());
    idle.get("/").is(200);
    gateway.signal("TERM");
    idle.is_closed();
    silent.is_closed();
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn sigint_does_the_same() {
    let gateway = graceful(&Origin::saying("hi"), "");
    let mut idle = gateway.peer();
    idle.get("/").is(200);
    gateway.signal("INT");
    idle.is_closed();
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn an_answer_that_streams_is_finished_before_the_exit() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")?;
        told.wait();
        link.send("6\r\nsecond\r\n0\r\n\r\n")
    });
    let gateway = graceful(&origin, "");
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    peer.0.take_through(b"first\r\n").expect("the first part");
    gateway.signal("TERM");
    gateway.wait_said("SIGTERM: draining", 0);
    gate.open();
    peer.0
        .take_through(b"second\r\n0\r\n\r\n")
        .expect("the second part");
    peer.is_closed();
    assert_eq!(gateway.exit().code(), Some(0));
}

#[test]
fn what_outlasts_the_grace_is_cut_and_the_exit_is_1() {
    let (origin, gate) = held();
    let gateway = graceful(&origin, "shutdown_grace = \"100ms\"");
    let mut peers = [gateway.peer(), gateway.peer()];
    for peer in &mut peers {
        peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    origin.wait_received(2);
    gateway.signal("TERM");
    assert_eq!(gateway.exit().code(), Some(1));
    gateway.wait_said("ended: 2 in flight were cut, 0 workers were lost", 0);
    gate.open();
}

#[test]
fn a_second_signal_ends_at_once() {
    let (origin, gate) = held();
    let gateway = graceful(&origin, "shutdown_grace = \"1h\"");
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    origin.wait_received(1);
    gateway.signal("TERM");
    gateway.wait_said("SIGTERM: draining", 0);
    gateway.signal("INT");
    assert_eq!(gateway.exit().code(), Some(1));
    gateway.wait_said("1 in flight were cut", 0);
    gate.open();
}

#[test]
fn not_ready_but_accepting_during_shutdown_delay() {
    let origin = Origin::saying("hi");
    let gateway = graceful(&origin, "shutdown_delay = \"1h\"");
    gateway.wait_ready();
    gateway.signal("TERM");
    gateway.wait_said("not ready any more", 0);
    assert_eq!(gateway.admin("/ready").0, 503);
    assert_eq!(gateway.admin("/health").0, 200);
    gateway.get("/").is(200).body_is("hi");
    gateway.signal("TERM");
    gateway.exit();
}

#[test]
fn a_second_instance_is_an_error() {
    let origin = Origin::saying("hi");
    let first = Gateway::before(origin.address, "");
    let listener = format!(
        "[listener.public]\naddress = \"{}\"\n",
        first.address("public")
    );
    let (code, said) = Setup::new(proxy(origin.address, &listener)).fails();
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("listener public: can't listen on"), "{said}");
    first.get("/").is(200);
}

#[test]
fn an_admin_address_in_use_is_an_error() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let admin = format!(
        "[admin]\naddress = \"{}\"\n",
        taken.local_addr().expect("bound")
    );
    let (code, said) = Setup::new(proxy(taken.local_addr().expect("bound"), &admin)).fails();
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("admin"), "{said}");
}

#[test]
fn a_configuration_with_problems_does_not_start() {
    let (code, said) = Setup::new("[route.a]\npth = \"/\"\n").fails();
    assert_eq!(code, Some(78), "{said}");
    assert!(
        said.contains("gateway.toml:") && said.contains("pth"),
        "{said}"
    );
}

#[test]
fn an_access_log_that_can_not_be_opened_is_an_error() {
    let text = upstream_and_route("endpoints = [\"127.0.0.1:1\"]", "access_log = \"main\"");
    let log = "[access_log.main]\npath = \"no/such/folder/a.log\"\n";
    let (code, said) = Setup::new(text + log).fails();
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("no/such/folder/a.log"), "{said}");
}

#[test]
fn the_start_says_what_listens_where_on_which_driver() {
    let gateway = Gateway::before(
        Origin::saying("hi").address,
        "[gateway]\nworkers = 2\n[listener.a]\naddress = \"127.0.0.1:0\"\n[listener.b]\naddress = \"unix:@DIR@/b.sock\"\n",
    );
    let said = gateway.said().join("\n");
    assert!(said.contains("2 workers"), "{said}");
    assert!(
        said.contains("io_uring") || said.contains("epoll"),
        "{said}"
    );
    assert!(
        said.contains(&format!("listener a: http://{}", gateway.address("a"))),
        "{said}"
    );
    assert!(said.contains("b.sock"), "{said}");
}

#[test]
fn an_admin_port_of_0_is_told() {
    let gateway = Gateway::before(
        Origin::saying("hi").address,
        "[admin]\naddress = \"127.0.0.1:0\"\n",
    );
    let said = gateway.said();
    let line = said
        .iter()
        .find(|line| line.contains("admin") && line.contains("127.0.0.1:"));
    let line = line.unwrap_or_else(|| panic!("the admin address is not said: {said:#?}"));
    assert!(!line.ends_with(":0"), "{line}");
}

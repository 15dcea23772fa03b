//! Handshakes that fail: each is counted by its reason, and told of at the level `debug` alone.

use std::net::SocketAddr;

use super::*;

const HOST: &str = "edge.example";

/// Bytes in a record that no handshake begins with.
const NONSENSE: &[u8] = b"\x16\x03\x01\x00\x05hello";
/// The beginning of a ClientHello.
const HALF: &[u8] = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";

fn world() -> World {
    let world = World::new();
    world.issue("edge", &[HOST], Kind::Ecdsa);
    world
}

fn text(world: &World, more: &str) -> String {
    let ca = world.path("ca.pem").display().to_string();
    let asking = format!("client_auth = \"required\"\nclient_ca = \"{ca}\"");
    listener("secure", "\"edge\"", "")
        + &listener("strict", "\"edge\"", "tls_min_version = \"1.3\"")
        + &listener("asking", "\"edge\"", &asking)
        + &listener("hasty", "\"edge\"", "handshake_timeout = \"50ms\"")
        + &world.section("edge", "")
        + &saying("here")
        + more
}

fn debug_lines(gateway: &Gateway) -> Vec<String> {
    let said = gateway.said().into_iter();
    said.filter(|line| line.contains(" debug: ")).collect()
}

/// Sends these bytes and waits for the end; the address that it did so from.
#[track_caller]
fn send(gateway: &Gateway, listener: &str, bytes: &[u8]) -> SocketAddr {
    let mut peer = Peer::connect(gateway.address(listener));
    let from = peer.0.stream().local_addr().expect("it is connected");
    peer.send(bytes);
    peer.to_end();
    from
}

#[test]
fn each_is_counted_by_its_reason_and_nothing_is_said() {
    let (world, strangers) = (world(), World::new());
    world.issue("late", &["late.example"], Kind::Expired);
    strangers.issue("stranger", &["stranger.example"], Kind::Ecdsa);
    let gateway = Setup::new(text(&world, "")).start();
    let client = |listener: &str, arguments: &[&str]| {
        let said = world.ask(gateway.address(listener), HOST, arguments);
        assert!(said.answer().is_none(), "{}", said.0);
    };
    let show = |listener: &str, of: &World, name: &str| {
        let file = |ending: &str| of.path(&format!("{name}.{ending}")).display().to_string();
        client(listener, &["-cert", &file("pem"), "-key", &file("key")]);
    };
    client("strict", &["-tls1_2"]);
    client("secure", &["-tls1_2", "-cipher", "AES128-GCM-SHA256"]);
    client("secure", &["-alpn", "nobody-speaks-this"]);
    client("asking", &[]);
    show("asking", &strangers, "stranger");
    show("asking", &world, "late");
    let theirs = strangers.path("ca.pem").display().to_string();
    client("secure", &["-CAfile", &theirs, "-verify_return_error"]);
    send(&gateway, "secure", NONSENSE);
    send(&gateway, "hasty", HALF);
    let mut plain = Peer::connect(gateway.address("secure"));
    plain.get("/").is(400);
    let mut gone = Peer::connect(gateway.address("secure"));
    gone.send(HALF).0.finish();
    gone.is_closed();
    for reason in [
        "no_shared_version",
        "no_shared_cipher",
        "no_shared_protocol",
        "client_certificate_required",
        "unknown_issuer",
        "expired",
        "certificate_refused",
        "protocol",
        "timeout",
        "plain_http",
        "closed",
    ] {
        let series = format!("gateway_tls_handshakes_total{{result=\"{reason}\"}}");
        metrics::wait(&gateway, &series, 1.0);
    }
    assert_eq!(debug_lines(&gateway), Vec::<String>::new());
}

#[test]
fn at_the_level_debug_each_is_told_of() {
    let world = world();
    let quiet = "[gateway]\nworkers = 1\npin = false\nlog_level = \"info\"\n";
    let gateway = Setup::new(text(&world, quiet)).start();
    send(&gateway, "secure", NONSENSE);
    let changed = gateway.text().replace("\"info\"", "\"debug\"");
    let changed = changed.replace("200 here", "200 there");
    change(&gateway, &changed, 2);
    let to = gateway.address("secure");
    until("the worker has the new configuration", || {
        world.ask(to, HOST, &[]).says("there").then_some(())
    });
    assert_eq!(debug_lines(&gateway), Vec::<String>::new());
    for (listener, bytes, reason) in [
        ("secure", NONSENSE, "protocol: "),
        ("hasty", HALF, "timeout: no whole ClientHello has come"),
    ] {
        let from = send(&gateway, listener, bytes);
        let about = format!("listener {listener}: TLS handshake with {from} failed: {reason}");
        gateway.wait_said(&about, 0);
    }
    // And no longer.
    change(
        &gateway,
        &gateway
            .text()
            .replace("\"debug\"", "\"info\"")
            .replace("there", "here"),
        3,
    );
    until("the worker has the new configuration", || {
        world.ask(to, HOST, &[]).says("here").then_some(())
    });
    send(&gateway, "secure", NONSENSE);
    let counted = "gateway_tls_handshakes_total{result=\"protocol\"}";
    metrics::wait(&gateway, counted, 3.0);
    gateway.signal("TERM");
    gateway.exit();
    assert_eq!(
        debug_lines(&gateway).len(),
        2,
        "{:?}",
        debug_lines(&gateway)
    );
}

#[test]
fn a_storm_of_them_is_told_of_as_a_number() {
    const STORM: usize = 200;
    let world = world();
    let loud = "[gateway]\nworkers = 1\npin = false\nlog_level = \"debug\"\n";
    let gateway = Setup::new(text(&world, loud)).start();
    let begun = Instant::now();
    for _ in 0..STORM {
        send(&gateway, "secure", NONSENSE);
    }
    gateway.signal("TERM");
    gateway.exit();
    let spans = begun.elapsed().as_secs() as usize + 1;
    let lines = debug_lines(&gateway);
    let number = |line: &String| {
        let (_, rest) = line.split_once("worker 0: ")?;
        let (number, rest) = rest.split_once(' ')?;
        assert_eq!(rest, "more TLS handshakes failed");
        number.parse::<usize>().ok()
    };
    let more: Vec<usize> = lines.iter().filter_map(number).collect();
    let single = lines.len() - more.len();
    assert_eq!(single + more.iter().sum::<usize>(), STORM, "{lines:?}");
    assert!(single <= 10 * spans, "{single} lines in {spans} spans");
}

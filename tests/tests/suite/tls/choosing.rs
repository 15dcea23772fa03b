//! Which certificate a client is shown and what else is settled by a handshake, and hosts that it was not for.

use super::*;

/// Four certificates, the first of them for nobody in particular.
fn world() -> World {
    let world = World::new();
    world.issue("first", &["first.example"], Kind::Ecdsa);
    world.issue("edge", &["edge.example", "other.example"], Kind::Ecdsa);
    world.issue("wild", &["*.edge.example"], Kind::Ecdsa);
    world.issue("edge_rsa", &["edge.example"], Kind::Rsa);
    world
}

fn gateway(world: &World, more: &str) -> Gateway {
    let names = ["first", "edge", "wild", "edge_rsa"];
    let sections = names.map(|name| world.section(name, "")).concat();
    let all = "\"first\", \"edge_rsa\", \"edge\", \"wild\"";
    Setup::new(listener("secure", all, "") + &sections + &saying("here") + more).start()
}

#[test]
fn the_name_decides_and_the_first_is_for_all_others() {
    let world = world();
    let gateway = gateway(&world, "");
    let to = gateway.address("secure");
    for (host, name) in [
        ("edge.example", "edge"),
        ("EDGE.example", "edge"),
        ("other.example", "edge"),
        ("a.edge.example", "wild"),
        ("b.edge.example", "wild"),
        ("a.b.edge.example", "first"),
        ("first.example", "first"),
        ("unknown.example", "first"),
    ] {
        assert_eq!(world.ask(to, host, &[]).shown("here"), name, "{host}");
    }
    let nameless = world.client(to, "unknown.example", &["-noservername"]);
    assert_eq!(nameless.shown("here"), "first");
}

#[test]
fn of_two_keys_the_client_is_shown_the_one_that_it_can_verify() {
    let world = world();
    let gateway = gateway(&world, "");
    let to = gateway.address("secure");
    let ecdsa = "ECDSA+SHA256";
    let rsa = "RSA-PSS+SHA256";
    let both = format!("{rsa}:{ecdsa}");
    for version in ["-tls1_2", "-tls1_3"] {
        for (schemes, name, signed) in [
            (ecdsa, "edge", "ECDSA"),
            (rsa, "edge_rsa", "RSA-PSS"),
            (&*both, "edge", "ECDSA"),
        ] {
            // What issued both has signed with ECDSA, which must not be refused with the signatures of handshakes.
            let said = world.ask(to, "edge.example", &[version, "-sigalgs", schemes]);
            assert_eq!(said.shown("here"), name, "{version} {schemes}");
            let signature = format!("Peer signature type: {signed}");
            assert!(said.0.contains(&signature), "{version}: {}", said.0);
        }
    }
}

#[test]
fn the_oldest_version_is_the_listeners() {
    let world = world();
    let more = listener("strict", "\"edge\"", "tls_min_version = \"1.3\"");
    let gateway = gateway(&world, &more);
    let versions = ["-tls1_2", "-tls1_3"];
    for (name, taken) in [("secure", [true, true]), ("strict", [false, true])] {
        for (version, taken) in versions.into_iter().zip(taken) {
            let said = world.ask(gateway.address(name), "edge.example", &[version]);
            assert_eq!(said.says("here"), taken, "{name}: {version}: {}", said.0);
            let alert = said.0.contains("alert protocol version");
            assert_eq!(alert, !taken, "{name}: {version}: {}", said.0);
        }
    }
    let refused = "gateway_tls_handshakes_total{result=\"no_shared_version\"}";
    metrics::wait(&gateway, refused, 1.0);
}

#[test]
fn a_host_that_the_certificate_is_not_for_is_misdirected() {
    let world = world();
    let gateway = gateway(&world, "");
    let to = gateway.address("secure");
    let status = |named: &str, host: &str| {
        let said = world.client(to, host, &["-servername", named]);
        let (status, _) = said.answer().expect("an answer");
        status.to_owned()
    };
    for (named, host, expected) in [
        ("edge.example", "edge.example", "200"),
        // For both that certificate would have been shown.
        ("edge.example", "other.example", "200"),
        ("a.edge.example", "b.edge.example", "200"),
        ("edge.example", "a.edge.example", "421"),
        ("a.edge.example", "edge.example", "421"),
        ("edge.example", "unknown.example", "421"),
    ] {
        assert_eq!(status(named, host), expected, "{host} after {named}");
    }
}

#[test]
fn plain_requests_are_sent_to_the_same_place_under_https() {
    let origin = Origin::saying("never");
    let listener = |name: &str, keys: &str| {
        format!("[listener.{name}]\naddress = \"127.0.0.1:0\"\nhttp_to_https = true\n{keys}\n")
    };
    let text = listener("usual", "")
        + &listener("odd", "https_port = 8443")
        + &tests::gateway::proxy(origin.address, "");
    let gateway = Setup::new(text).start();
    for (name, authority) in [("usual", "edge.example"), ("odd", "edge.example:8443")] {
        let mut peer = Peer::connect(gateway.address(name));
        for (method, path) in [("GET", "/a?b=c"), ("POST", "/d")] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: edge.example:80\r\nContent-Length: 0\r\n\r\n"
            );
            let answer = peer.ask(request);
            answer.is(308);
            answer.has("Location", &format!("https://{authority}{path}"));
        }
    }
    assert_eq!(origin.connections(), 0);
}

#[test]
fn what_the_authority_says_of_a_certificate_is_stapled() {
    let world = world();
    world.staple("edge");
    let ocsp = format!("ocsp = \"{}\"", world.path("edge.ocsp").display());
    let text = listener("secure", "\"edge\", \"wild\"", "")
        + &world.section("edge", &ocsp)
        + &world.section("wild", "")
        + &saying("here");
    let gateway = Setup::new(text).start();
    let to = gateway.address("secure");
    for version in ["-tls1_2", "-tls1_3"] {
        let said = world.ask(to, "edge.example", &["-status", version]);
        assert_eq!(said.shown("here"), "edge");
        assert!(said.0.contains("Cert Status: good"), "{}", said.0);
        let said = world.ask(to, "a.edge.example", &["-status", version]);
        assert_eq!(said.shown("here"), "wild");
        assert!(
            said.0.contains("OCSP response: no response sent"),
            "{}",
            said.0
        );
    }
}

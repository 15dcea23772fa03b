//! `allow` and `deny` by address, behind trusted proxies and without.

use tests::gateway::upstream_and_route;
use tests::metrics;
use tests::{End, Gateway, Origin};

/// A gateway that trusts what 127.0.0.1 and 10/8 say about their clients.
#[track_caller]
fn trusting(origin: &Origin, route: &str) -> Gateway {
    let gateway = "[gateway]\nworkers = 1\npin = false\ntrusted_proxies = [\"127.0.0.1/32\", \"10.0.0.0/8\"]\n";
    let endpoints = format!("endpoints = [\"{}\"]", origin.address);
    Gateway::start(gateway.to_owned() + &upstream_and_route(&endpoints, route))
}

/// Each list of forwarding addresses must get this status.
#[track_caller]
fn statuses(gateway: &Gateway, cases: &[(&str, u16)]) {
    let mut peer = gateway.peer();
    let mut wrong = Vec::new();
    for (list, status) in cases {
        let answer = peer.ask(super::get(&format!("X-Forwarded-For: {list}\r\n")));
        if answer.status != *status {
            wrong.push(format!("{} instead of {status}: {list}", answer.status));
        }
        if answer.status == 403 {
            answer.problem(403, "/a", "Address not allowed");
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn allow_lets_only_these_pass() {
    let origin = Origin::saying("hi");
    let gateway = trusting(&origin, "allow = [\"192.0.2.0/24\", \"2001:db8::/32\"]");
    statuses(
        &gateway,
        &[
            ("192.0.2.7", 200),
            ("192.0.3.7", 403),
            ("2001:db8::1", 200),
            ("2001:db9::1", 403),
            ("::ffff:192.0.2.7", 200),
            // The rightmost that is not trusted counts, not what stands before it.
            ("192.0.2.7, 198.51.100.1", 403),
            ("198.51.100.1, 192.0.2.7", 200),
            ("198.51.100.1, 192.0.2.7, 10.1.2.3", 200),
            ("", 403),
            ("garbage", 403),
            ("192.0.2.7, garbage", 403),
        ],
    );
}

#[test]
fn deny_wins_over_allow() {
    let origin = Origin::saying("hi");
    let route = "allow = [\"192.0.2.0/24\"]\ndeny = [\"192.0.2.128/25\"]";
    let gateway = trusting(&origin, route);
    statuses(
        &gateway,
        &[
            ("192.0.2.1", 200),
            ("192.0.2.200", 403),
            ("203.0.113.1", 403),
        ],
    );
}

#[test]
fn deny_alone_lets_all_others_pass() {
    let origin = Origin::saying("hi");
    let gateway = trusting(&origin, "deny = [\"192.0.2.0/24\"]");
    statuses(
        &gateway,
        &[("192.0.2.1", 403), ("203.0.113.1", 200), ("", 200)],
    );
    assert_eq!(origin.received().len(), 2);
}

#[test]
fn a_stranger_can_not_choose_its_address() {
    let origin = Origin::saying("hi");
    let endpoints = format!("endpoints = [\"{}\"]", origin.address);
    let route = upstream_and_route(&endpoints, "allow = [\"192.0.2.0/24\"]");
    let gateway = Gateway::start(route);
    statuses(&gateway, &[("192.0.2.7", 403), ("", 403)]);
    let forwarded = super::get("Forwarded: for=192.0.2.7\r\nX-Real-IP: 192.0.2.7\r\n");
    gateway.ask(forwarded).is(403);
    super::untouched(&origin);
}

#[test]
fn several_lines_are_one_list() {
    let origin = Origin::saying("hi");
    let gateway = trusting(&origin, "allow = [\"192.0.2.0/24\"]");
    let mut peer = gateway.peer();
    peer.ask(super::get(
        "X-Forwarded-For: 198.51.100.1\r\nX-Forwarded-For: 192.0.2.7, 10.0.0.1\r\n",
    ))
    .is(200);
    peer.ask(super::get(
        "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-For: 198.51.100.1\r\n",
    ))
    .is(403);
}

#[test]
fn a_listener_closes_on_whom_it_denies() {
    let origin = Origin::saying("hi");
    let listeners = "[listener.public]\naddress = \"127.0.0.1:0\"\n\
        [listener.denied]\naddress = \"127.0.0.1:0\"\ndeny = [\"127.0.0.0/8\"]\n\
        [listener.others]\naddress = \"127.0.0.1:0\"\nallow = [\"10.0.0.0/8\"]\n";
    let gateway = Gateway::before(origin.address, listeners);
    for name in ["denied", "others"] {
        let mut peer = tests::Peer::connect(gateway.address(name));
        let end = peer.end();
        assert!(matches!(end, End::Closed | End::Reset), "{end:?}");
        let series =
            format!("gateway_connections_refused_total{{listener=\"{name}\",reason=\"address\"}}");
        metrics::wait(&gateway, &series, 1.0);
    }
    gateway.get("/").is(200);
}

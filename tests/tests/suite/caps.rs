//! Caps on connections, counted over the whole node and never exceeded; requests per connection.

use tests::metrics;
use tests::{End, Gateway, Peer};

/// A gateway whose listener has these keys; the route answers by itself.
#[track_caller]
fn listener(keys: &str, gateway: &str) -> Gateway {
    Gateway::start(format!(
        "{gateway}[listener.public]\naddress = \"127.0.0.1:0\"\n{keys}\n\
         [route.a]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200\"\n"
    ))
}

const TWO: &str = "[gateway]\nworkers = 2\npin = false\n";

/// The connection is closed without an answer.
#[track_caller]
fn is_turned_away(mut peer: Peer) {
    // The gateway may have closed before the request came.
    peer.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let end = peer.end();
    assert!(matches!(end, End::Closed | End::Reset), "{end:?}");
}

/// So many connections are served, the next ones are not; when one leaves, one more is.
#[track_caller]
fn holds(gateway: &Gateway, most: usize, reason: &str) {
    let mut peers: Vec<Peer> = (0..most).map(|_| gateway.peer()).collect();
    for peer in &mut peers {
        peer.get("/").is(200);
    }
    for _ in 0..5 {
        is_turned_away(gateway.peer());
    }
    let refused =
        format!("gateway_connections_refused_total{{listener=\"public\",reason=\"{reason}\"}}");
    metrics::wait(gateway, &refused, 5.0);
    for peer in &mut peers {
        peer.get("/").is(200);
    }
    peers.pop();
    let open = "gateway_active_connections{listener=\"public\"}";
    metrics::wait(gateway, open, (most - 1) as f64);
    let mut next = gateway.peer();
    next.get("/").is(200);
    is_turned_away(gateway.peer());
    next.get("/").is(200);
}

#[test]
fn of_a_listener() {
    holds(
        &listener("max_connections = 3", ""),
        3,
        "listener_max_connections",
    );
}

#[test]
fn of_a_listener_over_two_workers() {
    holds(
        &listener("max_connections = 9", TWO),
        9,
        "listener_max_connections",
    );
}

#[test]
fn of_one_address() {
    holds(
        &listener("max_connections_per_ip = 4", TWO),
        4,
        "max_connections_per_ip",
    );
}

#[test]
fn of_the_node() {
    holds(
        &listener("", &format!("{TWO}max_connections = 5\n")),
        5,
        "max_connections",
    );
}

#[test]
fn of_the_node_over_its_listeners() {
    let more = "[gateway]\nworkers = 1\npin = false\nmax_connections = 2\n[listener.more]\naddress = \"127.0.0.1:0\"\n";
    let gateway = listener("", more);
    let mut one = gateway.peer();
    one.get("/").is(200);
    let mut two = Peer::connect(gateway.address("more"));
    two.get("/").is(200);
    is_turned_away(gateway.peer());
    is_turned_away(Peer::connect(gateway.address("more")));
}

#[test]
fn many_that_come_at_once_never_exceed_it() {
    let gateway = listener("max_connections = 7", TWO);
    let threads: Vec<_> = (0..60)
        .map(|_| {
            let mut peer = gateway.peer();
            std::thread::spawn(move || {
                peer.try_send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
                let served = peer.read(false).is_ok_and(|answer| answer.status == 200);
                (served, peer)
            })
        })
        .collect();
    // Each keeps its connection until all have been told.
    let told: Vec<(bool, Peer)> = threads
        .into_iter()
        .map(|thread| thread.join().expect("a peer's thread"))
        .collect();
    let served = told.iter().filter(|(served, _)| *served).count();
    assert_eq!(served, 7);
}

#[test]
fn requests_of_one_connection() {
    let gateway = listener("max_requests_per_connection = 3", "");
    let mut peer = gateway.peer();
    peer.get("/").is(200).lacks("connection");
    peer.get("/").is(200).lacks("connection");
    peer.get("/").is(200).has("connection", "close");
    peer.is_closed();
    // Pipelined ones beyond it are not served.
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(5));
    for n in 1..=3 {
        let answer = peer.answer();
        let last = answer.field("connection").is_some();
        assert_eq!(last, n == 3, "request {n}");
    }
    assert_eq!(peer.to_end().0, b"");
}

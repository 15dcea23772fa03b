//! Connections that are passed on unopened, by the name in a ClientHello that the tests write by hand.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

use tests::metrics::wait;
use tests::origin::Refusing;
use tests::{Gate, Gateway, Origin, PATIENCE, Peer, Setup};

/// A ClientHello for TLS 1.2 and up with this name, or none, in one record.
fn hello(name: Option<&str>) -> Vec<u8> {
    let mut extensions = Vec::new();
    if let Some(name) = name {
        let len = name.len() as u16;
        extensions.extend([0, 0]);
        extensions.extend((len + 5).to_be_bytes());
        extensions.extend((len + 3).to_be_bytes());
        extensions.push(0);
        extensions.extend(len.to_be_bytes());
        extensions.extend(name.as_bytes());
    }
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    // No session, one cipher suite, no compression.
    body.extend([0, 0, 2, 0x13, 0x01, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1, 0];
    message.extend((body.len() as u16).to_be_bytes());
    message.extend(body);
    let mut record = vec![22, 3, 1];
    record.extend((message.len() as u16).to_be_bytes());
    record.extend(message);
    record
}

/// An origin that takes what comes for bytes, says its name and then everything again.
fn echo(name: &'static str) -> Origin {
    Origin::start(move |link| {
        link.send(name)?;
        loop {
            if link.wire.fill()? == 0 {
                return Ok(());
            }
            let len = link.wire.rest().len();
            let came = link.wire.take(len)?;
            link.send(came)?;
        }
    })
}

fn listening(lines: &str) -> String {
    format!("[listener.public]\naddress = \"127.0.0.1:0\"\npassthrough = [{lines}]\n")
}

fn upstream(name: &str, origin: std::net::SocketAddr, keys: &str) -> String {
    format!("[upstream.{name}]\nendpoints = [\"{origin}\"]\n{keys}\n")
}

/// A connection ends without a byte, perhaps before it is made.
#[track_caller]
fn is_reset(gateway: &Gateway) {
    let Ok(mut stream) = TcpStream::connect(gateway.address("public")) else {
        return;
    };
    // It may be gone already.
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let end = stream.read(&mut [0]).err().map(|why| why.kind());
    assert_eq!(end, Some(ErrorKind::ConnectionReset));
}

#[track_caller]
fn heard(peer: &mut Peer, bytes: &[u8]) {
    let came = peer.0.take(bytes.len()).expect("bytes");
    assert_eq!(came, bytes);
}

#[test]
fn the_name_decides_and_the_hello_comes_first_however_it_is_cut() {
    let (db, tenants, rest) = (echo("db"), echo("tenants"), echo("rest"));
    let text = listening("\"db.example -> db\", \"*.tenants.example -> tenants\", \"* -> rest\"")
        + &upstream("db", db.address, "")
        + &upstream("tenants", tenants.address, "")
        + &upstream("rest", rest.address, "");
    let gateway = Gateway::start(text);
    let cases: [(Vec<u8>, &str); 5] = [
        (hello(Some("db.example")), "db"),
        (hello(Some("DB.example")), "db"),
        (hello(Some("a.tenants.example")), "tenants"),
        (hello(None), "rest"),
        (b"GET / HTTP/1.1\r\n\r\n".to_vec(), "rest"),
    ];
    for (first, name) in &cases {
        for size in [1, 7, first.len()] {
            let mut peer = gateway.peer();
            for piece in first.chunks(size) {
                peer.send(piece);
            }
            heard(&mut peer, name.as_bytes());
            heard(&mut peer, first);
            peer.send("more");
            heard(&mut peer, b"more");
            peer.0.finish();
            peer.is_closed();
        }
    }
}

#[test]
fn what_nobody_takes_is_closed() {
    let origin = echo("db");
    let text = listening("\"db.example -> db\"") + &upstream("db", origin.address, "");
    let gateway = Gateway::start(text);
    for first in [
        hello(Some("other.example")),
        hello(None),
        b"GET / HTTP/1.1".to_vec(),
    ] {
        let mut peer = gateway.peer();
        peer.send(first);
        assert_eq!(peer.to_end().0, b"");
    }
    let refused =
        "gateway_connections_refused_total{listener=\"public\",reason=\"passthrough_no_match\"}";
    wait(&gateway, refused, 3.0);
    assert_eq!(origin.connections(), 0);
}

#[test]
fn a_hello_that_does_not_come_is_not_waited_for_long() {
    let origin = echo("db");
    let text = listening("\"db.example -> db\"")
        .replace("passthrough", "handshake_timeout = \"200ms\"\npassthrough")
        + &upstream("db", origin.address, "");
    let gateway = Gateway::start(text);
    let mut peer = gateway.peer();
    peer.send(&hello(Some("db.example"))[..20]);
    assert_eq!(peer.to_end().0, b"");
    assert_eq!(origin.connections(), 0);
}

#[test]
fn where_all_goes_to_one_the_origin_may_speak_first() {
    let origin = echo("welcome");
    let text = listening("\"* -> db\"") + &upstream("db", origin.address, "");
    let gateway = Gateway::start(text);
    let mut peer = gateway.peer();
    heard(&mut peer, b"welcome");
    peer.send("EHLO");
    heard(&mut peer, b"EHLO");
    wait(&gateway, "gateway_tunnels{listener=\"public\"}", 1.0);
    let bytes = "gateway_tunnel_bytes_total{listener=\"public\",direction=";
    wait(&gateway, &format!("{bytes}\"in\"}}"), 4.0);
    wait(&gateway, &format!("{bytes}\"out\"}}"), 11.0);
    peer.0.finish();
    peer.is_closed();
    wait(&gateway, "gateway_tunnels{listener=\"public\"}", 0.0);
}

#[test]
fn the_endpoint_is_told_of_the_client_if_it_wants_to_be() {
    let origin = Origin::start(|link| {
        let head = link.wire.take_through(b"\r\n")?;
        link.send(head)?;
        let rest = link.wire.take(5)?;
        link.send(rest)
    });
    let text =
        listening("\"* -> db\"") + &upstream("db", origin.address, "proxy_protocol = \"v1\"");
    let gateway = Gateway::start(text);
    let mut peer = gateway.peer();
    let ours = peer.0.stream().local_addr().expect("it is connected");
    let theirs = gateway.address("public");
    peer.send("hello");
    let line = format!(
        "PROXY TCP4 127.0.0.1 127.0.0.1 {} {}\r\nhello",
        ours.port(),
        theirs.port()
    );
    assert_eq!(peer.to_end().0, line.as_bytes());
}

#[test]
fn an_endpoint_that_refuses_is_passed_over_and_none_is_a_reset() {
    let (origin, refusing) = (echo("db"), Refusing::new());
    let both = format!(
        "endpoints = [\"{}\", \"{}\"]",
        refusing.address, origin.address
    );
    let text = listening("\"* -> db\"") + "[upstream.db]\n" + &both + "\n";
    let gateway = Gateway::start(text);
    for _ in 0..4 {
        heard(&mut gateway.peer(), b"db");
    }
    let text = listening("\"* -> db\"") + &upstream("db", refusing.address, "");
    let gateway = Gateway::start(text);
    is_reset(&gateway);
    let errors = "gateway_backend_errors_total{upstream=\"db\",kind=\"connection_refused\"}";
    wait(&gateway, errors, 1.0);
}

#[test]
fn the_caps_of_the_upstream_hold() {
    let origin = echo("db");
    let text = listening("\"* -> db\"") + &upstream("db", origin.address, "max_in_flight = 1");
    let gateway = Gateway::start(text);
    let mut first = gateway.peer();
    heard(&mut first, b"db");
    is_reset(&gateway);
    first.0.finish();
    first.is_closed();
    origin.wait_ended(1);
    let mut next = gateway.peer();
    heard(&mut next, b"db");
}

#[test]
fn either_end_is_carried_over_and_losses_end_both() {
    let gate = Gate::new();
    let told = gate.clone();
    let origin = Origin::start(move |link| {
        match link.number {
            // Ends first, and can still be spoken to.
            0 => {
                link.send("bye")?;
                link.wire.finish();
                let (heard, _) = link.wire.drain();
                assert_eq!(heard, b"one more thing");
                told.open();
            }
            1 => {
                link.wire.fill()?;
                link.reset();
            }
            _ => link.wait_closed(),
        }
        Ok(())
    });
    let text = listening("\"* -> db\"") + &upstream("db", origin.address, "");
    let gateway = Gateway::start(text);
    let mut peer = gateway.peer();
    assert_eq!(peer.to_end().0, b"bye");
    peer.send("one more thing").0.finish();
    gate.wait();
    let mut peer = gateway.peer();
    peer.send("x");
    assert_eq!(peer.to_end().0, b"");
    let peer = gateway.peer();
    origin.wait_connections(3);
    peer.0.reset();
    origin.wait_ended(3);
}

#[test]
fn quiet_ones_are_closed_and_drained_ones_go_on() {
    let origin = echo("db");
    let idle = "stream_idle_timeout = \"300ms\"\npassthrough";
    let text =
        listening("\"* -> db\"").replace("passthrough", idle) + &upstream("db", origin.address, "");
    let gateway = Gateway::start(&text);
    let mut peer = gateway.peer();
    heard(&mut peer, b"db");
    assert_eq!(peer.to_end().0, b"");
    let timeouts =
        "gateway_client_timeouts_total{listener=\"public\",timeout=\"stream_idle_timeout\"}";
    wait(&gateway, timeouts, 1.0);

    let text = listening("\"* -> db\"") + &upstream("db", origin.address, "");
    let gateway = Setup::new(text).start();
    let mut peer = gateway.peer();
    heard(&mut peer, b"db");
    gateway.signal("TERM");
    gateway.wait_said("SIGTERM: draining", 0);
    // Until nobody is let in any more the worker need not know.
    while TcpStream::connect(gateway.address("public")).is_ok() {
        std::thread::yield_now();
    }
    peer.send("still here");
    heard(&mut peer, b"still here");
    peer.0.finish();
    peer.is_closed();
    assert_eq!(gateway.exit().code(), Some(0));
}

/// Bytes that this end of a connection has written and the other end's kernel has not taken.
fn on_its_way(stream: &TcpStream) -> usize {
    let port = |address: std::io::Result<std::net::SocketAddr>| {
        format!(":{:04X}", address.expect("it is connected").port())
    };
    let ends = (port(stream.local_addr()), port(stream.peer_addr()));
    let table = std::fs::read_to_string("/proc/net/tcp").expect("this is Linux");
    let ours = table.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (local, remote) = (words.get(1)?, words.get(2)?);
        let found = local.ends_with(&ends.0) && remote.ends_with(&ends.1);
        found.then(|| words.get(4)?.split_once(':')).flatten()
    });
    usize::from_str_radix(ours.expect("it is there").0, 16).expect("a number")
}

#[test]
fn what_came_before_a_loss_is_passed_on() {
    let (tell, told) = std::sync::mpsc::channel();
    let origin = Origin::start(move |link| {
        // Until nothing more fits anywhere between here and a client that does not read.
        let mut stream = link.wire.stream();
        stream.set_write_timeout(Some(std::time::Duration::from_millis(500)))?;
        let some = [7; 64 * 1024];
        let mut written = 0;
        while let Ok(n) = std::io::Write::write(&mut stream, &some) {
            written += n;
        }
        let taken = written - on_its_way(stream);
        link.reset();
        let _ = tell.send(taken);
        Ok(())
    });
    let other = "[listener.other]\naddress = \"127.0.0.1:0\"\n[route.hi]\npath = \"/\"\nrespond = \"200 hi\"\n\
                 auth = \"none\"\nlisteners = [\"other\"]\n";
    let text = listening("\"* -> db\"") + &upstream("db", origin.address, "") + other;
    let gateway = Gateway::start(text);
    let mut peer = gateway.peer();
    let taken = told
        .recv_timeout(PATIENCE)
        .expect("it can't write for ever");
    origin.wait_ended(1);
    // By this the gateway learns of the loss; the one worker that there is has done so when it has served another.
    peer.send([7; 20_000]);
    Peer::connect(gateway.address("other")).get("/").is(200);
    let (came, _) = peer.to_end();
    assert!(came.len() >= taken, "{} of {taken}", came.len());
    let out = "gateway_tunnel_bytes_total{listener=\"public\",direction=\"out\"}";
    wait(&gateway, out, came.len() as f64);
}

//! PROXY headers (the PROXY protocol, versions 1 and 2), written here byte by byte: from balancers that are trusted to say
//! who a client is, from others, and to upstreams that ask to be told.

use std::net::{Ipv6Addr, SocketAddr};
use std::process::Command;

use serde_json::Value;
use tests::gateway::{proxy, upstream_and_route};
use tests::{Gateway, Origin, Peer, Setup, metrics, secure};

/// The first bytes of version 2 (section 2.2).
const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";

/// Version 2 for these ends, with this behind the addresses.
fn binary(from: &str, to: &str, more: &[u8]) -> Vec<u8> {
    let end = |text: &str| -> SocketAddr { text.parse().expect("an address") };
    let (family, mut addresses, ports) = match (end(from), end(to)) {
        (SocketAddr::V4(from), SocketAddr::V4(to)) => {
            let ends = [from.ip().octets(), to.ip().octets()].concat();
            (0x11, ends, [from.port(), to.port()])
        }
        (SocketAddr::V6(from), SocketAddr::V6(to)) => {
            let ends = [from.ip().octets(), to.ip().octets()].concat();
            (0x21, ends, [from.port(), to.port()])
        }
        _ => panic!("two families"),
    };
    addresses.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    addresses.extend_from_slice(more);
    let len = (addresses.len() as u16).to_be_bytes();
    [&SIGNATURE[..], &[0x21, family], &len, &addresses].concat()
}

/// A listener where these are trusted, before an origin.
fn gateway(origin: &Origin, trusted: &str, more: &str) -> Gateway {
    let listener = format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\nproxy_protocol = [\"{trusted}\"]\n{more}\n"
    );
    let route = format!("endpoints = [\"{}\"]", origin.address);
    Setup::new(listener + &upstream_and_route(&route, "access_log = \"main\"")).start()
}

/// A request for this path.
fn asking(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

/// The client of the request for this path, as the access log has it.
#[track_caller]
fn client(gateway: &Gateway, path: &str) -> String {
    let line = gateway.wait_logged(&format!("\"path\":\"{path}\""));
    let line: Value = serde_json::from_str(&line).expect("log lines are JSON");
    line["clientIp"].as_str().expect("a text").to_owned()
}

#[test]
fn whom_a_balancer_names_is_the_client() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin, "127.0.0.0/8", "");
    // A field of some kind behind the addresses (section 2.2): nothing that anybody need understand.
    let field = [0xee, 0, 3, 1, 2, 3];
    let cases: [(&str, Vec<u8>, &str); 6] = [
        (
            "/line4",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n".to_vec(),
            "192.0.2.7",
        ),
        (
            "/line6",
            b"PROXY TCP6 2001:db8::7 2001:db8::1 4711 443\r\n".to_vec(),
            "2001:db8::7",
        ),
        // Its health check, or something that has no address: the connection's own counts.
        ("/unknown", b"PROXY UNKNOWN\r\n".to_vec(), "127.0.0.1"),
        (
            "/binary4",
            binary("192.0.2.8:4711", "198.51.100.1:443", &field),
            "192.0.2.8",
        ),
        (
            "/binary6",
            binary("[2001:db8::8]:4711", "[2001:db8::1]:443", &[]),
            "2001:db8::8",
        ),
        (
            "/local",
            [&SIGNATURE[..], &[0x20, 0, 0, 0]].concat(),
            "127.0.0.1",
        ),
    ];
    for (path, header, expected) in cases {
        for size in [1, header.len(), usize::MAX] {
            let mut peer = gateway.peer();
            let path = format!("{path}-{size}");
            let all = [&header[..], &asking(&path)].concat();
            // By bytes; header and request apart; in one.
            let (first, rest) = all.split_at(header.len().min(all.len()));
            match size {
                usize::MAX => peer.send(&all),
                _ => {
                    for piece in first.chunks(size) {
                        peer.send(piece);
                    }
                    peer.send(rest)
                }
            };
            peer.answer().is(200);
            // It holds for the whole connection.
            let again = format!("{path}-again");
            peer.send(asking(&again));
            peer.answer().is(200);
            for path in [&path, &again] {
                assert_eq!(client(&gateway, path), expected);
            }
            let received = origin.received();
            let told = received
                .last()
                .expect("a request")
                .message
                .value("x-forwarded-for");
            assert_eq!(told.as_deref(), Some(expected));
        }
    }
}

#[test]
fn address_rules_are_about_whom_it_names() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin, "127.0.0.1", "allow = [\"192.0.2.0/24\"]");
    let ask = |from: &str| {
        let mut peer = gateway.peer();
        peer.send(binary(from, "198.51.100.1:443", &[]));
        peer
    };
    let mut allowed = ask("192.0.2.7:1");
    allowed.send(asking("/a"));
    allowed.answer().is(200);
    assert_eq!(ask("203.0.113.7:1").to_end().0, b"");
    let refused = "gateway_connections_refused_total{listener=\"public\",reason=\"address\"}";
    metrics::wait(&gateway, refused, 1.0);
}

#[test]
fn who_is_not_trusted_says_nothing_about_anybody() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin, "192.0.2.0/24", "");
    let header = binary("192.0.2.7:4711", "198.51.100.1:443", &[]);
    for first in [
        header,
        b"PROXY TCP4 192.0.2.7 198.51.100.1 1 2\r\n".to_vec(),
        Vec::new(),
    ] {
        let mut peer = gateway.peer();
        // It may be closed already.
        peer.try_send([first, asking("/a")].concat());
        assert_eq!(peer.to_end().0, b"");
    }
    let refused =
        "gateway_connections_refused_total{listener=\"public\",reason=\"proxy_protocol_sender\"}";
    metrics::wait(&gateway, refused, 3.0);
    assert_eq!(origin.connections(), 0);
}

#[test]
fn what_is_no_header_is_never_taken_for_a_request() {
    let origin = Origin::saying("hi");
    let gateway = gateway(&origin, "127.0.0.1", "handshake_timeout = \"200ms\"");
    let good = binary("192.0.2.7:4711", "198.51.100.1:443", &[]);
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let no_header = "proxy_no_header";
    let cases: [(Vec<u8>, &str); 10] = [
        (Vec::new(), no_header),
        (b"\x16\x03\x01".to_vec(), no_header),
        (
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711\r\n".to_vec(),
            "proxy_bad_line",
        ),
        (
            b"PROXY TCP4 192.0.2.256 198.51.100.1 4711 443\r\n".to_vec(),
            "proxy_bad_address",
        ),
        (
            b"PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n".to_vec(),
            "proxy_bad_port",
        ),
        (
            [&b"PROXY "[..], &[b'x'; 200]].concat(),
            "proxy_line_too_long",
        ),
        (changed(12, 0x31), "proxy_bad_version"),
        (changed(12, 0x2f), "proxy_bad_command"),
        (changed(13, 0x51), "proxy_bad_family"),
        (changed(15, 4), "proxy_header_too_short"),
    ];
    let mut counted = std::collections::BTreeMap::new();
    for (bytes, cause) in cases {
        let mut peer = gateway.peer();
        peer.try_send([bytes, asking("/a")].concat());
        assert_eq!(peer.to_end().0, b"", "{cause}");
        *counted.entry(cause).or_insert(0) += 1;
    }
    // One that does not end, or does not come at all.
    for part in [&good[..good.len() - 1], &good[..5], b"PROXY TCP4 192", b""] {
        let mut peer = gateway.peer();
        peer.send(part);
        assert_eq!(peer.to_end().0, b"");
        *counted.entry(no_header).or_insert(0) += 1;
    }
    for (cause, times) in counted {
        let series =
            format!("gateway_connections_refused_total{{listener=\"public\",reason=\"{cause}\"}}");
        metrics::wait(&gateway, &series, f64::from(times));
    }
    assert_eq!(origin.connections(), 0);
}

/// Says the header that it gets in hexadecimal digits, then TLS, then a request.
const TLS_CLIENT: &str = r"
import socket, ssl, sys
port, folder, header, path = int(sys.argv[1]), *sys.argv[2:5]
plain = socket.create_connection(('127.0.0.1', port), timeout=30)
plain.sendall(bytes.fromhex(header))
context = ssl.create_default_context(cafile=folder + '/edge.pem')
secure = context.wrap_socket(plain, server_hostname='edge.example')
secure.sendall(f'GET {path} HTTP/1.1\r\nHost: edge.example\r\nConnection: close\r\n\r\n'.encode())
answer = b''
while more := secure.recv(65536):
    answer += more
print(answer.decode())
";

#[test]
fn it_stands_before_tls() {
    let (dir, origin) = (tempfile::tempdir().expect("a folder"), Origin::saying("hi"));
    secure::certificate(dir.path());
    let folder = dir.path().display().to_string();
    let keys = format!(
        "certificates = [\"edge\"]\n[certificate.edge]\nchain = \"{folder}/edge.pem\"\nkey = \"{folder}/edge.key\""
    );
    let gateway = gateway(&origin, "127.0.0.1", &keys);
    let port = gateway.address("public").port().to_string();
    let line = b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n".to_vec();
    let binary = binary("192.0.2.8:4711", "198.51.100.1:443", &[]);
    for (path, header, expected) in [("/1", line, "192.0.2.7"), ("/2", binary, "192.0.2.8")] {
        let header: String = header.iter().map(|byte| format!("{byte:02x}")).collect();
        let mut command = Command::new("python3");
        command.args(["-c", TLS_CLIENT, &port, &folder, &header, path]);
        let output = command.output().expect("python3 can be started");
        let answer = String::from_utf8_lossy(&output.stdout);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{output:?}");
        assert_eq!(client(&gateway, path), expected);
    }
    // Without a header even a good ClientHello is nothing.
    let mut peer = gateway.peer();
    peer.send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
    assert_eq!(peer.to_end().0, b"");
}

/// An origin that is told by a header of this version whom each connection is for, and answers with it.
fn told(version: &str) -> Origin {
    let binary = version == "v2";
    Origin::start(move |link| {
        let header = if binary {
            let head = link.wire.take(16)?;
            assert_eq!(head[..14], [&SIGNATURE[..], &[0x21, 0x11]].concat());
            let body = link.wire.take(usize::from(head[15]))?;
            let ip = |at: usize| {
                format!(
                    "{}.{}.{}.{}",
                    body[at],
                    body[at + 1],
                    body[at + 2],
                    body[at + 3]
                )
            };
            let port = |at: usize| u16::from_be_bytes([body[at], body[at + 1]]);
            assert_eq!(
                (head[14], body.len()),
                (0, 12),
                "addresses and nothing else"
            );
            format!("{} {} {} {}", ip(0), ip(4), port(8), port(10))
        } else {
            let line = link.wire.take_through(b"\r\n")?;
            let line = String::from_utf8(line).expect("ASCII");
            let ends = line.trim_end().strip_prefix("PROXY TCP4 ");
            ends.expect("version 1").to_owned()
        };
        while link.request()?.is_some() {
            link.send(tests::origin::ok(&header))?;
        }
        Ok(())
    })
}

#[test]
fn an_upstream_that_asks_is_told_whom_each_connection_is_for() {
    for version in ["v1", "v2"] {
        let origin = told(version);
        let upstream = format!(
            "endpoints = [\"{}\"]\nproxy_protocol = \"{version}\"",
            origin.address
        );
        let gateway = Setup::new(upstream_and_route(&upstream, "")).start();
        let port = gateway.address("public").port();
        let mut peers: Vec<Peer> = (0..3).map(|_| gateway.peer()).collect();
        for _ in 0..2 {
            for peer in &mut peers {
                let own = peer
                    .0
                    .stream()
                    .local_addr()
                    .expect("it is connected")
                    .port();
                let expected = format!("127.0.0.1 127.0.0.1 {own} {port}");
                peer.get("/").is(200).body_is(&expected);
            }
        }
        // Nobody's requests come on the connection of another.
        for request in origin.received() {
            assert_eq!(request.target, "/");
        }
        assert!(origin.connections() >= peers.len(), "{version}");
    }
}

#[test]
fn what_a_balancer_has_said_is_passed_on() {
    for (version, header) in [
        ("v1", binary("192.0.2.7:4711", "198.51.100.1:443", &[])),
        (
            "v2",
            b"PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n".to_vec(),
        ),
    ] {
        let origin = told(version);
        let listener =
            "[listener.public]\naddress = \"127.0.0.1:0\"\nproxy_protocol = [\"127.0.0.1\"]\n";
        let text = proxy(origin.address, "").replace(
            "[upstream.backend]\n",
            &format!("[upstream.backend]\nproxy_protocol = \"{version}\"\n"),
        );
        let gateway = Setup::new(listener.to_owned() + &text).start();
        let mut peer = gateway.peer();
        peer.send(&header).send(asking("/"));
        let answer = peer.answer();
        let said = answer.text();
        assert!(said.starts_with("192.0.2.7 "), "{said}");
        assert!(said.contains(" 4711 "), "{said}");
    }
}

#[test]
fn a_client_of_another_family_is_told_as_unknown() {
    // Of version 1 there is no line for a client with IPv6 of a listener with IPv4: it says so.
    let origin = Origin::start(|link| {
        let line = link.wire.take_through(b"\r\n")?;
        while link.request()?.is_some() {
            let line = String::from_utf8_lossy(&line);
            link.send(tests::origin::ok(line.trim_end()))?;
        }
        Ok(())
    });
    let upstream = format!(
        "endpoints = [\"{}\"]\nproxy_protocol = \"v1\"",
        origin.address
    );
    let listener =
        "[listener.public]\naddress = \"127.0.0.1:0\"\nproxy_protocol = [\"127.0.0.1\"]\n";
    let gateway = Setup::new(listener.to_owned() + &upstream_and_route(&upstream, "")).start();
    let from = SocketAddr::from((Ipv6Addr::LOCALHOST, 4711)).to_string();
    let mut peer = gateway.peer();
    peer.send(binary(&from, "[2001:db8::1]:443", &[]))
        .send(asking("/"));
    peer.answer().is(200).body_is("PROXY UNKNOWN");
}

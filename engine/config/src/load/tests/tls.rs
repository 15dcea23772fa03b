//! What is meant by right configurations of TLS, HTTP/2, PROXY headers and pass-through.

use crate::Source;
use crate::snapshot::{
    Certificate, KeyKind, Listener, Protocol, ProxyHeader, Snapshot, TlsVersion, Upstream,
    UpstreamProtocol,
};
use crate::testing::{LEAST, World, cert, good};
use std::path::Path;

const EDGE: &str = "[certificate.edge]\nchain = \"certs/edge.pem\"\nkey = \"certs/edge.key\"\n";
const RSA: &str = "[certificate.rsa]\nchain = \"certs/rsa.pem\"\nkey = \"certs/rsa.key\"\n";

/// A listener with these keys and a route, beside two certificates and an upstream.
fn with_listener(keys: &str) -> Snapshot {
    good(&format!(
        "{EDGE}{RSA}[upstream.u]\nendpoints = [\"10.0.0.1:1\"]\n\
         [route.a]\npath = \"/\"\nauth = \"none\"\nupstream = \"u\"\n\
         [listener.l]\naddress = \"127.0.0.1:1\"\n{keys}"
    ))
}

fn listener(keys: &str) -> Listener {
    with_listener(keys).listeners[0].clone()
}

fn upstream(keys: &str) -> Upstream {
    let text = format!("{LEAST}[upstream.u]\nendpoints = [\"10.0.0.1:1\"]\n{keys}");
    good(&text).upstreams[0].clone()
}

fn certificate(keys: &str) -> Certificate {
    let text = format!("{LEAST}[certificate.c]\n{keys}");
    let mut certificates = good(&text).certificates;
    std::sync::Arc::into_inner(certificates.remove(0)).unwrap()
}

#[test]
fn a_certificate_is_chain_key_and_names() {
    let edge = certificate("chain = \"certs/edge.pem\"\nkey = \"certs/edge.key\"\n");
    assert_eq!((edge.id, edge.identity.chain.len()), (0, 2));
    assert_eq!(edge.identity.key.kind, KeyKind::P256);
    let names: Vec<&str> = edge.names.iter().map(|name| &**name).collect();
    let expected = [
        "*.edge.example",
        "192.0.2.1",
        "[2001:db8::1]",
        "edge.example",
    ];
    assert_eq!(names, expected);
    assert!(edge.identity.not_before < edge.identity.not_after);
    // The leaf ends 10000 days before the intermediate.
    assert!(edge.identity.not_after < 3_600_000_000);
    assert_eq!(edge.ocsp, None);
    let shown = format!("{edge:?}");
    assert!(shown.contains("Secret(…)") && shown.len() < 1000, "{shown}");
}

#[test]
fn a_certificate_serves_its_names() {
    let edge = certificate("chain = \"certs/edge.pem\"\nkey = \"certs/edge.key\"\n");
    for host in [
        "edge.example",
        "EDGE.example.",
        "a.edge.example",
        "192.0.2.1",
        "[2001:db8::1]",
    ] {
        assert!(edge.serves(host.as_bytes()), "{host}");
    }
    for host in [
        "",
        ".",
        "example",
        "b.a.edge.example",
        ".edge.example",
        "xedge.example",
        "192.0.2.2",
    ] {
        assert!(!edge.serves(host.as_bytes()), "{host}");
    }
    let nameless = certificate("chain = \"certs/ed25519.pem\"\nkey = \"certs/ed25519.key\"\n");
    assert!(nameless.names.is_empty() && !nameless.serves(b"a"));
}

#[test]
fn names_can_be_said() {
    let snapshot = good(&format!(
        "{LEAST}{EDGE}names = [\"Edge.Example\", \"x.edge.example\", \"other.example\"]\n"
    ));
    let names: Vec<&str> = snapshot.certificates[0]
        .names
        .iter()
        .map(|name| &**name)
        .collect();
    assert_eq!(names, ["edge.example", "x.edge.example", "other.example"]);
    let warnings = snapshot.warnings.join("\n");
    assert!(
        warnings.contains("the certificate is not good for `other.example`, only for edge.example, *.Edge.example, 192.0.2.1, [2001:db8::1]"),
        "{warnings}"
    );
    assert_eq!(warnings.matches("not good for").count(), 1);
}

#[test]
fn the_digest_is_that_of_all_that_is_shown() {
    let edge = "chain = \"certs/edge.pem\"\nkey = \"certs/edge.key\"\n";
    let digest = |keys: &str| certificate(keys).digest;
    assert_eq!(digest(edge), digest(edge));
    let named = format!("{edge}names = [\"edge.example\"]\n");
    assert_ne!(digest(edge), digest(&named));
    let mut world = World::new();
    world
        .files
        .insert("o.der".into(), vec![0x30, 3, 0x0a, 1, 0]);
    let stapled = format!("{LEAST}{EDGE}ocsp = \"o.der\"\n");
    let loaded = world.load(&[Source::new("gateway.toml", &*stapled)]);
    let stapled = &loaded.unwrap().certificates[0];
    assert_ne!(stapled.digest, digest(edge));
    assert_eq!(stapled.ocsp.as_deref(), Some(&[0x30, 3, 0x0a, 1, 0][..]));
}

#[test]
fn protocols_go_by_tls_unless_they_are_said() {
    let protocols = |keys: &str| listener(keys).protocols;
    assert_eq!(protocols(""), [Protocol::Http1, Protocol::H2c]);
    let tls = "certificates = [\"edge\"]\n";
    assert_eq!(protocols(tls), [Protocol::H2, Protocol::Http1]);
    let only = format!("{tls}protocols = [\"http/1.1\"]\n");
    assert_eq!(protocols(&only), [Protocol::Http1]);
    assert_eq!(protocols("protocols = [\"h2c\"]\n"), [Protocol::H2c]);
}

#[test]
fn a_tls_listener_shows_its_certificates_in_order() {
    let snapshot = with_listener(
        "certificates = [\"rsa\", \"edge\"]\ntls_min_version = \"1.3\"\nhandshake_timeout = \"3s\"\nmax_handshakes = 7\n",
    );
    // Keys of two kinds for one name are what having both is for.
    assert_eq!(snapshot.warnings, Vec::<String>::new());
    let listener = &snapshot.listeners[0];
    let tls = listener.tls.as_ref().unwrap();
    let names: Vec<&str> = tls.certificates.iter().map(|c| &*c.name).collect();
    assert_eq!(names, ["rsa", "edge"]);
    assert_eq!(tls.min_version, TlsVersion::Tls13);
    let groups: Vec<&str> = tls.groups.iter().map(|group| group.as_str()).collect();
    assert_eq!(groups, ["X25519MLKEM768", "X25519", "P-256", "P-384"]);
    assert!(tls.client.is_none());
    assert_eq!(
        (
            listener.handshake_timeout.as_secs(),
            listener.max_handshakes
        ),
        (3, 7)
    );
}

#[test]
fn the_digest_of_a_listener_is_that_of_all_it_shows_and_asks() {
    let digest = |keys: &str| listener(keys).tls.unwrap().digest;
    let base = "certificates = [\"edge\", \"rsa\"]\n";
    assert_eq!(
        digest(base),
        digest(&format!("{base}idle_timeout = \"1s\"\n"))
    );
    let others = [
        base.to_owned(),
        "certificates = [\"rsa\", \"edge\"]\n".to_owned(),
        "certificates = [\"edge\"]\n".to_owned(),
        format!("{base}tls_min_version = \"1.3\"\n"),
        format!("{base}tls_groups = [\"X25519\"]\n"),
        format!("{base}protocols = [\"http/1.1\"]\n"),
        format!("{base}client_auth = \"optional\"\nclient_ca = \"certs/ca.pem\"\n"),
    ];
    let digests: Vec<_> = others.iter().map(|keys| digest(keys)).collect();
    for (at, one) in digests.iter().enumerate() {
        assert!(!digests[..at].contains(one), "{}", others[at]);
    }
}

#[test]
fn an_authority_that_can_not_be_used_is_left_out_and_told() {
    let mut world = World::new();
    let broken = "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n";
    let bundle = [cert("ca.pem"), broken.as_bytes(), cert("rsa.pem")].concat();
    world.files.insert("bundle.pem".into(), bundle);
    let text = format!(
        "{LEAST}[upstream.u]\nendpoints = [\"10.0.0.1:1\"]\ntls = true\ntls_ca = \"bundle.pem\"\n"
    );
    let snapshot = world.load(&[Source::new("gateway.toml", text)]).unwrap();
    let tls = snapshot.upstreams[0].tls.as_ref().unwrap();
    assert_eq!(tls.roots.len(), 2);
    assert!(
        snapshot.warnings.iter().any(|it| it
            .contains("the 2nd certificate in bundle.pem can't be used as an authority: BadDer")),
        "{:?}",
        snapshot.warnings
    );
}

#[test]
fn a_certificate_that_is_never_shown_is_told() {
    let snapshot = good(&format!(
        "{EDGE}[certificate.twin]\nchain = \"certs/edge.pem\"\nkey = \"certs/edge.key\"\n\
         [route.a]\npath = \"/\"\nauth = \"none\"\nrespond = \"200\"\n\
         [listener.l]\naddress = \"127.0.0.1:1\"\ncertificates = [\"edge\", \"twin\"]\n"
    ));
    let [warning] = &snapshot.warnings[..] else {
        panic!("{:?}", snapshot.warnings)
    };
    assert!(
        warning.contains("`twin` is never shown for `*.edge.example`: `edge` stands first"),
        "{warning}"
    );
}

#[test]
fn client_certificates_are_asked_for_as_said() {
    let client = |keys: &str| {
        let keys = format!("certificates = [\"edge\"]\nclient_ca = \"certs/ca.pem\"\n{keys}");
        listener(&keys).tls.unwrap().client.unwrap()
    };
    let required = client("client_auth = \"required\"\n");
    assert!(required.required && required.crls.is_empty());
    assert_eq!(required.roots.len(), 1);
    let optional = client("client_auth = \"optional\"\n");
    assert!(!optional.required);
    assert_ne!(required.digest, optional.digest);
    let revoked = client("client_auth = \"required\"\nclient_crl = \"certs/ca.crl\"\n");
    assert_eq!(revoked.crls.len(), 1);
    assert_ne!(required.digest, revoked.digest);
    assert_eq!(
        required.digest,
        client("client_auth = \"required\"\n").digest
    );
}

#[test]
fn passthrough_names_its_upstreams() {
    let table = listener(
        "certificates = [\"edge\"]\npassthrough = [\"DB.example -> u\", \"*.db.example->u\"]\n",
    );
    assert!(table.tls.is_some());
    assert_eq!(table.protocols, [Protocol::H2, Protocol::Http1]);
    assert_eq!(table.passthrough.find(Some("db.example")), Some(0));
    assert_eq!(table.passthrough.find(Some("b.a.db.example")), Some(0));
    assert_eq!(table.passthrough.find(Some("example")), None);
    let all = listener("passthrough = [\"* -> u\"]\n");
    assert!(all.tls.is_none() && all.protocols.is_empty());
    assert_eq!(all.passthrough.find(None), Some(0));
}

#[test]
fn listeners_that_serve_no_requests_need_no_route() {
    let text = "[upstream.u]\nendpoints = [\"10.0.0.1:1\"]\n\
        [listener.db]\naddress = \"127.0.0.1:1\"\npassthrough = [\"* -> u\"]\n\
        [listener.plain]\naddress = \"127.0.0.1:2\"\nhttp_to_https = true\n";
    let snapshot = good(text);
    assert_eq!(snapshot.warnings, Vec::<String>::new());
    assert_eq!(snapshot.listeners[0].http_to_https, None);
    assert_eq!(snapshot.listeners[1].http_to_https, Some(443));
    let route = "[route.a]\npath = \"/\"\nauth = \"none\"\nrespond = \"200\"\nlisteners = [\"db\", \"plain\"]\n";
    let warnings = good(&format!("{text}https_port = 8443\n{route}")).warnings;
    assert!(
        warnings[0].contains("these listeners serve no requests"),
        "{warnings:?}"
    );
}

#[test]
fn who_sends_proxy_headers_is_a_set() {
    assert_eq!(listener("").proxy_protocol, None);
    let senders = listener("proxy_protocol = [\"10.0.0.0/8\"]\n").proxy_protocol;
    let senders = senders.unwrap();
    assert!(senders.contains("10.1.2.3".parse().unwrap()));
    assert!(!senders.contains("11.1.2.3".parse().unwrap()));
}

#[test]
fn the_defaults_of_connections() {
    let listener = listener("");
    assert_eq!(listener.stream_idle_timeout.as_secs(), 300);
    assert_eq!(listener.handshake_timeout.as_secs(), 10);
    assert_eq!(
        (listener.max_handshakes, listener.max_concurrent_streams),
        (1024, 100)
    );
    assert_eq!((listener.h2_max_resets, listener.h2_flood_factor), (200, 1));
    assert_eq!(
        (listener.max_connection_age, listener.http_to_https),
        (None, None)
    );
    assert!(listener.passthrough.is_empty());
    let upstream = upstream("");
    assert_eq!(
        (upstream.protocol, upstream.proxy_protocol),
        (UpstreamProtocol::Http1, ProxyHeader::Off)
    );
    assert!(upstream.tls.is_none());
    assert_eq!(upstream.max_concurrent_streams, 100);
}

#[test]
fn an_upstream_over_tls() {
    let plain = upstream("protocol = \"h2\"\n");
    assert_eq!(plain.protocol, UpstreamProtocol::H2);
    assert!(plain.tls.is_none());
    let system = upstream("tls = true\nprotocol = \"auto\"\n").tls.unwrap();
    assert!(system.name.is_none() && system.identity.is_none());
    let own = upstream("tls = true\ntls_ca = \"certs/ca.pem\"\ntls_name = \"API.internal\"\n");
    let own = own.tls.unwrap();
    assert_eq!(own.roots.len(), 1);
    assert_eq!(own.name.as_deref(), Some("api.internal"));
    let address = upstream("tls = true\ntls_name = \"[2001:db8:0::1]\"\n");
    assert_eq!(address.tls.unwrap().name.as_deref(), Some("2001:db8::1"));
    let mutual = upstream(
        "tls = true\ntls_client_chain = \"certs/edge.pem\"\ntls_client_key = \"certs/edge.key\"\n",
    );
    let mutual = mutual.tls.unwrap();
    let identity = mutual.identity.as_ref().unwrap();
    assert_eq!(
        (identity.chain.len(), identity.key.kind),
        (2, KeyKind::P256)
    );
    let digests = [system.digest, own.digest, mutual.digest];
    for (at, digest) in digests.iter().enumerate() {
        assert!(!digests[..at].contains(digest));
    }
}

#[test]
fn an_upstream_may_get_proxy_headers() {
    let upstream = upstream("proxy_protocol = \"v2\"\n");
    assert_eq!(upstream.proxy_protocol, ProxyHeader::V2);
}

#[test]
fn a_chain_in_disorder_is_told() {
    let mut world = World::new();
    let strange = [cert("rsa.pem"), cert("ca.pem")].concat();
    world.files.insert("strange.pem".into(), strange);
    let text =
        format!("{LEAST}[certificate.c]\nchain = \"strange.pem\"\nkey = \"certs/rsa.key\"\n");
    let warnings = world
        .load(&[Source::new("gateway.toml", text)])
        .unwrap()
        .warnings
        .join("\n");
    assert!(
        warnings.contains("the 2nd certificate is not the one that vouches for the 1st"),
        "{warnings}"
    );
}

#[test]
fn every_file_of_tls_is_watched() {
    let text = format!(
        "{EDGE}[listener.l]\naddress = \"127.0.0.1:1\"\ncertificates = [\"edge\"]\nclient_auth = \"required\"\n\
         client_ca = \"certs/ca.pem\"\nclient_crl = \"certs/ca.crl\"\n\
         [upstream.u]\nendpoints = [\"10.0.0.1:1\"]\ntls = true\ntls_ca = \"certs/v1.pem\"\n\
         tls_client_chain = \"certs/rsa.pem\"\ntls_client_key = \"certs/rsa.key\"\n"
    );
    let snapshot = good(&text);
    for name in [
        "edge.pem", "edge.key", "ca.pem", "ca.crl", "v1.pem", "rsa.pem", "rsa.key",
    ] {
        let path = Path::new("certs").join(name);
        assert!(snapshot.watched.contains(&path), "{name}");
        let line = format!("file {name} = sha256:");
        assert!(
            snapshot.canonical.iter().any(|it| it.starts_with(&line)),
            "{name}"
        );
    }
}

#[test]
fn websockets_are_allowed_by_route() {
    let route = |keys: &str| {
        good(&format!(
            "{LEAST}[upstream.u]\nendpoints = [\"10.0.0.1:1\"]\n\
             [route.a]\npath = \"/\"\nauth = \"none\"\n{keys}"
        ))
    };
    let snapshot = route("upstream = \"u\"\nwebsocket = true\n");
    assert!(snapshot.routes[0].websocket);
    assert!(!route("upstream = \"u\"\n").routes[0].websocket);
    let idle = route("respond = \"200\"\nwebsocket = true\n").warnings;
    assert!(
        idle.iter()
            .any(|it| it.contains("`websocket` does nothing on a route without `upstream`")),
        "{idle:?}"
    );
}

/// Every example of `docs/tls.md` says only what can be said; what it refers to need not be there.
#[test]
fn the_examples_of_the_document_are_in_the_language() {
    let document = include_str!("../../../../../docs/tls.md");
    let examples: Vec<&str> = document
        .split("```toml\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(examples.len() > 7);
    for example in examples {
        let text = match example.starts_with('[') {
            true => example.to_owned(),
            false => format!("{LEAST}{example}"),
        };
        let Err(problems) = crate::testing::loaded(&text) else {
            continue;
        };
        for problem in problems.iter() {
            let elsewhere = ["can't read ", "there is no "];
            assert!(
                elsewhere.iter().any(|it| problem.message.starts_with(it)),
                "{}",
                problem.text
            );
        }
    }
}

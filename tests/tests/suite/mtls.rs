//! Client certificates as authentication: who is let in, who they are to limits, logs and services, and that nobody can
//! say so of himself.

use std::net::SocketAddr;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tests::{Gateway, Origin, PATIENCE, Peer, Received, Setup, metrics};

mod people;
mod trust;

use people::{Person, Staying, World};

/// What a client could say to pass for somebody else.
const FORGED: [&str; 8] = [
    "X-Client-Subject: CN=root",
    "x_client_subject: CN=root",
    "Client-Cert: :AAAA:",
    "CLIENT_CERT: :AAAA:",
    "Client-Cert-Chain: :AAAA:, :AAAA:",
    "X-Consumer: root",
    "X-Names: root.example",
    "X-Print: 00",
];

/// The names of headers that say who a client is, and what came under them.
fn identity(request: &Received) -> Vec<String> {
    let ours = [
        "x-client-subject",
        "client-cert",
        "client-cert-chain",
        "x-consumer",
        "x-tenant-id",
        "x-names",
        "x-serial",
        "x-print",
    ];
    let folded = request.message.fields.iter().map(|(name, value)| {
        let name = name.to_ascii_lowercase().replace('_', "-");
        (name, value)
    });
    let mut found: Vec<String> = folded
        .filter(|(name, _)| ours.contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    found.sort_unstable();
    found
}

/// The people of the tests: alice and till are known by a line, web is a workload, bob fits no line.
fn world() -> World {
    let world = World::new();
    let people = &world.people;
    people.issue(
        "alice",
        &Person {
            common_name: "alice",
            organisation: "Acme, Inc.",
            dns: &["alice.acme.example", "a.acme.example"],
            email: &["alice@acme.example"],
            serial: 0xabcd,
            ..Person::default()
        },
    );
    people.issue(
        "web",
        &Person {
            uri: &["spiffe://mesh.example/ns/prod/sa/web"],
            serial: 3,
            ..Person::default()
        },
    );
    let named = |name: &'static str, serial| Person {
        common_name: name,
        serial,
        ..Person::default()
    };
    people.issue("till", &named("till", 4));
    people.issue("bob", &named("bob", 5));
    people.issue("revoked", &named("till", 13));
    people.issue(
        "expired",
        &Person {
            expired: true,
            ..named("till", 6)
        },
    );
    world.strangers.issue("strange", &named("till", 4));
    world
}

/// A listener that may ask for certificates, one without TLS, and a route to the origin for those whom `auth` lets in.
fn text(world: &World, origin: SocketAddr, auth: &str, more: &str) -> String {
    let file = |name| world.path(name).display().to_string();
    format!(
        r#"[certificate.edge]
chain = "{}"
key = "{}"
[listener.public]
address = "127.0.0.1:0"
[listener.secure]
address = "127.0.0.1:0"
certificates = ["edge"]
client_auth = "optional"
client_ca = "{}"
client_crl = "{}"
[upstream.backend]
endpoints = ["{origin}"]
[auth.people]
kind = "mtls"
{auth}
[consumer.acme]
tier = "gold"
tenant = "acme-inc"
[consumer.mesh]
[route.open]
path = "/open"
upstream = "backend"
auth = "none"
[route.closed]
path = "/*"
upstream = "backend"
auth = "people"
listeners = ["secure"]
access_log = "main"
{more}"#,
        file("edge.pem"),
        file("edge.key"),
        file("people.pem"),
        file("people.crl"),
    )
}

const SUBJECTS: &str = r#"subjects = ["dns:*.acme.example -> acme", "uri:spiffe://mesh.example/ns/*/sa/* -> mesh", "cn:till"]"#;

#[track_caller]
fn gateway(world: &World, origin: &Origin, auth: &str, more: &str) -> Gateway {
    Setup::new(text(world, origin.address, auth, more)).start()
}

/// Curl's arguments for field lines.
fn fields<'a>(lines: &[&'a str]) -> Vec<&'a str> {
    lines.iter().flat_map(|line| ["-H", *line]).collect()
}

#[track_caller]
fn logged(gateway: &Gateway, path: &str) -> Value {
    let line = gateway.wait_logged(&format!("\"path\":\"{path}\""));
    serde_json::from_str(&line).expect("log lines are JSON")
}

#[test]
fn the_service_is_told_who_it_is_and_nothing_that_the_client_said() {
    let (world, origin) = (world(), Origin::saying("hi"));
    let told = "forward_claims = [\"subject -> X-Client-Subject\", \"consumer -> X-Consumer\", \"tenant -> X-Tenant-ID\", \
        \"dns -> X-Names\", \"serial -> X-Serial\", \"fingerprint -> X-Print\", \"certificate -> Client-Cert\"]";
    let gateway = gateway(&world, &origin, &format!("{SUBJECTS}\n{told}"), "");
    let to = gateway.address("secure");
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|it| format!("{it:02x}")).collect() };
    for (round, version) in ["--http1.1", "--http2"].into_iter().enumerate() {
        let more = [&[version][..], &fields(&FORGED)].concat();
        for person in ["alice", "web", "till"] {
            let path = format!("/{person}{round}");
            let heard = world.ask(to, Some(person), &path, &more);
            heard.is(200);
            assert_eq!(heard.body, "hi");
            let expected = ["HTTP/1.1", "HTTP/2"][round];
            assert!(heard.line.starts_with(expected), "{heard:?}");
        }
    }
    let received = origin.received();
    assert_eq!(received.len(), 6);
    for round in received.chunks(3) {
        let [alice, web, till] = round else {
            panic!("three each time");
        };
        let whole = |name| {
            let der = world.der(name);
            let digest = ring::digest::digest(&ring::digest::SHA256, &der);
            [
                format!("client-cert: :{}:", STANDARD.encode(&der)),
                format!("x-print: {}", hex(digest.as_ref())),
            ]
        };
        let with = |name, others: &[&str]| {
            let others = others.iter().map(|it| (*it).to_owned());
            let mut all: Vec<String> = others.chain(whole(name)).collect();
            all.sort_unstable();
            all
        };
        assert_eq!(
            identity(alice),
            with(
                "alice",
                &[
                    "x-client-subject: CN=alice,O=Acme\\, Inc.",
                    "x-consumer: acme",
                    "x-names: alice.acme.example,a.acme.example",
                    "x-serial: ABCD",
                    "x-tenant-id: acme-inc",
                ]
            )
        );
        assert_eq!(
            identity(web),
            with("web", &["x-consumer: mesh", "x-serial: 03"])
        );
        assert_eq!(
            identity(till),
            with("till", &["x-client-subject: CN=till", "x-serial: 04"])
        );
    }
    let line = logged(&gateway, "/alice0");
    assert_eq!(line["consumer"], "acme", "{line}");
    assert_eq!(line["tenant"], "acme-inc", "{line}");
    assert_eq!(line["userId"], "alice.acme.example", "{line}");
    let line = logged(&gateway, "/till1");
    assert_eq!(
        (&line["consumer"], &line["userId"]),
        (&Value::Null, &"till".into())
    );
}

#[test]
fn what_was_shown_behind_the_certificate_is_told_too() {
    let (world, origin) = (world(), Origin::saying("hi"));
    let told = "forward_claims = [\"certificate -> Client-Cert\", \"chain -> Client-Cert-Chain\"]";
    let gateway = gateway(&world, &origin, told, "");
    let to = gateway.address("secure");
    let file = |name: &str| std::fs::read_to_string(world.path(name)).expect("issued");
    let both = file("till.pem") + &file("people.pem");
    std::fs::write(world.path("both.pem"), both).expect("the folder is writable");
    std::fs::write(world.path("both.key"), file("till.key")).expect("the folder is writable");
    for person in ["till", "both"] {
        world
            .ask(to, Some(person), "/a", &fields(&FORGED[2..5]))
            .is(200);
    }
    let [till, both] = &origin.received()[..] else {
        panic!("two requests");
    };
    let own = format!("client-cert: :{}:", STANDARD.encode(world.der("till")));
    let behind = format!(
        "client-cert-chain: :{}:",
        STANDARD.encode(world.der("people"))
    );
    assert_eq!(identity(till), std::slice::from_ref(&own));
    assert_eq!(identity(both), [behind, own]);
    let output = Setup::new(gateway.text()).command(
        &["explain"],
        &[
            "--client-cert",
            &world.path("both.pem").display().to_string(),
            "--listener",
            "secure",
            "GET",
            "https://edge.example/a",
        ],
    );
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("Client-Cert-Chain"), "{said}{output:?}");
}

#[test]
fn nobody_says_so_of_himself_on_any_route() {
    let (world, origin) = (world(), Origin::saying("hi"));
    let gateway = gateway(&world, &origin, "", "");
    let secure = gateway.address("secure");
    let own = [
        "X-Client-Subject: CN=root",
        "Client-Cert: :AAAA:",
        "X-Consumer: root",
    ];
    for person in [None, Some("alice")] {
        world.ask(secure, person, "/open", &fields(&own)).is(200);
    }
    let plain = format!(
        "GET /open HTTP/1.1\r\nHost: a\r\n{}\r\n\r\n",
        FORGED[..6].join("\r\n")
    );
    Peer::connect(gateway.address("public")).ask(plain).is(200);
    let received = origin.received();
    assert_eq!(received.len(), 3);
    for request in &received {
        assert_eq!(identity(request), Vec::<String>::new());
    }
}

#[test]
fn those_without_a_certificate_and_strangers_are_told_apart() {
    let (world, origin) = (world(), Origin::saying("hi"));
    let gateway = gateway(&world, &origin, SUBJECTS, "");
    let to = gateway.address("secure");
    let cases = [
        (
            None,
            401,
            "Missing client certificate",
            "client_certificate_required",
        ),
        (
            Some("bob"),
            403,
            "Client certificate not allowed",
            "client_certificate_not_allowed",
        ),
    ];
    for (person, status, error, cause) in cases {
        for version in ["--http1.1", "--http2"] {
            let more = [&[version][..], &fields(&FORGED)].concat();
            let heard = world.ask(to, person, "/a", &more);
            heard.is(status);
            let body: Value = serde_json::from_str(&heard.body).expect("a problem document");
            assert_eq!(body["error"], error, "{heard:?}");
            let challenge = (status == 401).then_some("ClientCertificate realm=\"portcullis\"");
            assert_eq!(heard.field("www-authenticate"), challenge);
            let id = heard.field("x-request-id").expect("every answer has one");
            let (line, _) = gateway.wait_said(id, 0);
            let line: Value = serde_json::from_str(&line).expect("audit lines are JSON");
            assert_eq!(line["error"], cause, "{line}");
            assert_eq!(line["userId"].as_str(), person, "{line}");
        }
        let counted = format!("gateway_auth_failures_total{{auth=\"people\",reason=\"{cause}\"}}");
        metrics::wait(&gateway, &counted, 2.0);
    }
    assert_eq!(
        origin.connections(),
        0,
        "nothing refused reaches an upstream"
    );
}

#[test]
fn who_does_not_hold_never_gets_to_a_route() {
    let (world, origin) = (world(), Origin::saying("hi"));
    let gateway = gateway(&world, &origin, "", "");
    let to = gateway.address("secure");
    for person in ["strange", "revoked", "expired"] {
        for path in ["/a", "/open"] {
            let output = world.curl(to, Some(person), path, &[]);
            assert!(!output.status.success(), "{person}: {output:?}");
            assert!(output.stdout.is_empty(), "{person}: {output:?}");
        }
    }
    world.ask(to, Some("till"), "/a", &[]).is(200);
    assert_eq!(origin.received().len(), 1);
}

#[test]
fn limits_count_by_consumer_and_tier() {
    let (world, origin) = (world(), Origin::saying("hi"));
    world.people.issue(
        "anna",
        &Person {
            dns: &["anna.acme.example"],
            serial: 7,
            ..Person::default()
        },
    );
    let limit = "limits = [\"l\"]\n[limit.l]\nrate = \"1/h\"\nkey = \"consumer\"\ntiers = [\"gold = 3/h\"]\n";
    let gateway = gateway(&world, &origin, SUBJECTS, limit);
    let to = gateway.address("secure");
    let status = |person| {
        let heard = world.ask(to, Some(person), "/a", &[]);
        heard.line.split(' ').nth(1).map(str::to_owned)
    };
    let mut said = Vec::new();
    for person in ["alice", "anna", "alice", "anna", "web", "web", "till"] {
        said.push(status(person).expect("a status"));
    }
    assert_eq!(said, ["200", "200", "200", "429", "200", "429", "200"]);
}

#[test]
fn a_connection_and_a_resumed_one_are_the_same_client_under_the_rules_of_now() {
    let (world, origin) = (world(), Origin::saying("hi"));
    let auth = |subjects: &str| text(&world, origin.address, subjects, "");
    let gateway = Setup::new(auth(SUBJECTS)).start();
    let to = gateway.address("secure");
    let mut alice = Staying::connect(&world, to, "alice");
    let mut bob = Staying::connect(&world, to, "bob");
    for _ in 0..3 {
        assert_eq!(alice.ask("/a"), "200 new");
        assert_eq!(bob.ask("/b"), "403 new");
    }
    assert_eq!(alice.ask_anew("/a"), "200 resumed");
    assert_eq!(bob.ask_anew("/b"), "403 resumed");
    let received = origin.received();
    assert_eq!(received.len(), 4);
    for request in &received {
        request.has("X-Consumer", "acme");
        request.has("X-Client-Subject", "CN=alice,O=Acme\\, Inc.");
    }
    // Open connections stay; who may pass is asked anew with each request.
    let whole = gateway.text();
    let changed = whole.replace(SUBJECTS, "subjects = [\"cn:bob -> mesh\"]");
    assert_ne!(whole, changed);
    gateway.rewrite(&changed);
    gateway.signal("HUP");
    gateway.wait_said("is live, generation 2", 0);
    // The worker takes it over at its next tick.
    let start = Instant::now();
    while alice.ask("/a") != "403 resumed" {
        assert!(start.elapsed() < PATIENCE, "alice is still let in");
    }
    assert_eq!(bob.ask("/b"), "200 resumed");
    let received = origin.received();
    received.last().expect("bob's").has("X-Consumer", "mesh");
}

#[test]
fn check_finds_a_route_where_nobody_is_asked() {
    let (world, origin) = (world(), Origin::saying("hi"));
    let whole = text(&world, origin.address, "", "").replace("listeners = [\"secure\"]\n", "");
    let output = Setup::new(whole).command(&["check"], &[]);
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    let message = "[route.closed] is for clients with certificates, and can be reached where none is asked for: \
        [listener.public]";
    assert!(said.contains(message), "{said}");
}

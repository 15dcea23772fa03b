//! Certificates: which are accepted, who comes with them, what is told of them, and that they are read once.

use super::presented::MAX_DER;
use super::*;
use crate::address::Set;
use crate::identity::Identity;
use crate::testing::Sample;
use proptest::prelude::*;

/// What they hold is told by `certificate/testing/make`.
const ALICE: &[u8] = include_bytes!("../../certificate/testing/alice.der");
const SPIFFE: &[u8] = include_bytes!("../../certificate/testing/spiffe.der");
const BOB: &[u8] = include_bytes!("../../certificate/testing/bob.der");

/// The last second of all three.
const LAST: u64 = 3_523_340_730;

fn consumer(name: &str) -> Consumer {
    Consumer {
        name: name.into(),
        tier: Some("gold".into()),
        tenant: Some(format!("{name}-inc").into()),
        ..Consumer::default()
    }
}

/// With these lines of `subjects`, whose consumers are all alike but for their names.
fn settings(subjects: &[&str]) -> Settings {
    let rule = |line: &&str| {
        let subject = Subject::parse(line).unwrap();
        let consumer = subject.consumer.as_ref().map(|it| consumer(it.as_str()));
        Rule { subject, consumer }
    };
    Settings {
        name: "people".into(),
        subjects: Some(subjects.iter().map(rule).collect()),
        ..Settings::default()
    }
}

fn verifier(subjects: &[&str]) -> Verifier {
    Verifier::new(settings(subjects)).unwrap()
}

fn everybody(forward: Option<&[&str]>) -> Verifier {
    let forward = forward.map(|lines| {
        let parsed = lines.iter().map(|line| ForwardClaim::parse(line).unwrap());
        parsed.collect()
    });
    Verifier::new(Settings {
        name: "people".into(),
        subjects: None,
        forward_claims: forward,
    })
    .unwrap()
}

fn ask_with(verifier: &Verifier, caches: &mut Caches, sample: &Sample) -> (&'static str, Identity) {
    let mut ctx = Context::new();
    let verdict = verifier.check(&sample.view(), caches, &mut ctx);
    let word = verdict.refusal().map_or("ok", |r| r.kind.cause());
    (word, ctx.identity)
}

fn ask(verifier: &Verifier, der: &[u8]) -> (&'static str, Identity) {
    ask_with(verifier, &mut Caches::new(), &Sample::shown(der))
}

fn lines(identity: &Identity) -> String {
    let mut lines = Vec::new();
    identity.forward_lines(&mut lines);
    String::from_utf8(lines).unwrap()
}

#[test]
fn without_a_certificate_one_is_asked_for() {
    let bare = Sample::get("/", &["Client-Cert: :MIIB:", "X-Client-Subject: CN=alice"]);
    let mut ctx = Context::new();
    let verdict = everybody(None).check(&bare.view(), &mut Caches::new(), &mut ctx);
    let refusal = verdict.refusal().unwrap();
    assert_eq!(refusal.kind.cause(), "client_certificate_required");
    assert_eq!(refusal.kind.status(), 401);
    assert!(refusal.audit && ctx.identity.is_empty());
    let mut challenge = Vec::new();
    assert!(refusal.kind.www_authenticate(&mut challenge, "people"));
    assert_eq!(challenge, br#"ClientCertificate realm="people""#);
}

#[test]
fn a_line_of_subjects_lets_in_what_it_fits_and_nobody_else() {
    let cases: [(&str, [&str; 3]); 8] = [
        ("cn:**", ["ok", "no", "ok"]),
        // The last common name of alice's counts.
        ("cn:people", ["no", "no", "no"]),
        ("cn:žluť+alice", ["ok", "no", "no"]),
        ("dns:*.acme.example", ["ok", "no", "no"]),
        ("uri:spiffe://acme/ns/*/sa/*", ["ok", "ok", "no"]),
        ("uri:spiffe://acme/ns/*/sa/db", ["no", "ok", "no"]),
        ("email:*@acme.example", ["ok", "no", "no"]),
        // A subject's emailAddress is no alternative name.
        ("email:a@acme.example", ["no", "no", "no"]),
    ];
    for (line, expected) in cases {
        let verifier = verifier(&[line]);
        for (der, expected) in [ALICE, SPIFFE, BOB].iter().zip(expected) {
            let expected = match expected {
                "no" => "client_certificate_not_allowed",
                word => word,
            };
            assert_eq!(ask(&verifier, der).0, expected, "{line}");
        }
    }
    assert_eq!(ask(&everybody(None), SPIFFE).0, "ok");
    let nobody = verifier(&[]);
    assert_eq!(ask(&nobody, BOB).0, "client_certificate_not_allowed");
}

#[test]
fn the_first_line_that_fits_says_who_it_is() {
    let lines = [
        "cn:nobody -> nobody",
        "uri:spiffe://acme/** -> mesh",
        "cn:** -> someone",
        "cn:bob -> bob",
    ];
    let verifier = verifier(&lines);
    let who = |der| {
        let (word, identity) = ask(&verifier, der);
        assert_eq!(word, "ok");
        assert_eq!(identity.tier(), Some("gold"));
        let name = identity.consumer_name().unwrap().to_owned();
        assert_eq!(identity.tenant().unwrap(), format!("{name}-inc"));
        name
    };
    assert_eq!(who(ALICE), "mesh");
    assert_eq!(who(SPIFFE), "mesh");
    assert_eq!(who(BOB), "someone");
    let (_, stranger) = ask(&super::tests::verifier(&["cn:bob"]), ALICE);
    assert_eq!(stranger.consumer_name(), None);
}

#[test]
fn logs_and_limits_know_the_holder_by_a_name() {
    let name = |verifier: &Verifier, der| {
        let (_, identity) = ask(verifier, der);
        identity.subject().map(str::to_owned).unwrap_or_default()
    };
    let by_dns = verifier(&["dns:*.acme.example", "uri:**"]);
    assert_eq!(name(&by_dns, ALICE), "alice.acme.example");
    assert_eq!(name(&by_dns, SPIFFE), "spiffe://acme/ns/prod/sa/db");
    // Also of one that is refused.
    assert_eq!(ask(&by_dns, BOB).0, "client_certificate_not_allowed");
    assert_eq!(name(&by_dns, BOB), "bob");
    assert_eq!(name(&everybody(None), ALICE), "žluť+alice");
    assert_eq!(
        name(&everybody(None), SPIFFE),
        "spiffe://acme/ns/prod/sa/db"
    );
}

#[test]
fn the_upstream_is_told_what_was_asked_for() {
    let mesh = verifier(&["uri:spiffe://acme/** -> mesh"]);
    assert_eq!(
        lines(&ask(&mesh, SPIFFE).1),
        "X-Consumer: mesh\r\nX-Tenant-ID: mesh-inc\r\n"
    );
    assert_eq!(
        lines(&ask(&everybody(None), BOB).1),
        "X-Client-Subject: CN=bob+UID=b1,2.5.4.15=#0c0473686f70,O=Acme\r\n"
    );
    // Nothing is told of one that was refused.
    assert_eq!(lines(&ask(&mesh, BOB).1), "");
    let all = [
        "cn -> X-CN",
        "dns -> X-DNS",
        "uri -> X-URI",
        "email -> X-Email",
        "serial -> X-Serial",
        "fingerprint -> X-Fingerprint",
        "consumer -> X-Consumer",
        "tier -> X-Tier",
    ];
    assert_eq!(
        lines(&ask(&everybody(Some(&all)), ALICE).1),
        "X-CN: žluť+alice\r\n\
         X-DNS: alice.acme.example,*.acme.example\r\n\
         X-URI: spiffe://acme/ns/prod/sa/web\r\n\
         X-Email: alice@acme.example\r\n\
         X-Serial: D1D2D3\r\n\
         X-Fingerprint: e4f8c3fce66f70369cb8fd18acfe42dadd96763258882d918e55c1b46bac8384\r\n"
    );
    let whole = lines(&ask(&everybody(Some(&["certificate -> Client-Cert"])), BOB).1);
    let value = whole.strip_prefix("Client-Cert: :").unwrap();
    let value = value.strip_suffix(":\r\n").unwrap();
    let engine = base64::engine::general_purpose::STANDARD;
    assert_eq!(base64::Engine::decode(&engine, value).unwrap(), BOB);
}

#[test]
fn the_upstream_is_told_what_was_shown_behind_it() {
    let verifier = everybody(Some(&["cn -> X-CN", "chain -> Client-Cert-Chain"]));
    let mut caches = Caches::new();
    let mut told = |behind: &[&[u8]]| {
        let sample = Sample::shown(BOB).behind(behind);
        let (word, identity) = ask_with(&verifier, &mut caches, &sample);
        assert_eq!(word, "ok");
        lines(&identity).replace("X-CN: bob\r\n", "")
    };
    let both = "Client-Cert-Chain: :AQID:, :BA==:\r\n";
    assert_eq!(told(&[]), "");
    assert_eq!(told(&[&[1, 2, 3], &[4]]), both);
    // A matter of the connection: the same certificate may come with another chain.
    assert_eq!(told(&[&[4]]), "Client-Cert-Chain: :BA==:\r\n");
    assert_eq!(told(&[&[1, 2, 3], &[4]]), both);
    assert_eq!(told(&[]), "");
    assert!(!told(&[&[0; 8000], &[0; 192]]).is_empty());
    assert_eq!(told(&[&[0; 8000], &[0; 193]]), "", "too long is left out");
    let sample = Sample::shown(ALICE).behind(&[&[4]]);
    let nobody = super::tests::verifier(&["cn:bob"]);
    let (word, refused) = ask_with(&nobody, &mut Caches::new(), &sample);
    assert_eq!(
        (word, refused.chain.is_none()),
        ("client_certificate_not_allowed", true)
    );
    let (_, unasked) = ask_with(&everybody(None), &mut Caches::new(), &sample);
    assert!(unasked.chain.is_none());
}

#[test]
fn the_gateway_alone_sets_what_it_may_set() {
    let headers = |verifier: &Verifier| {
        let names = verifier.forwarded_headers().map(str::to_owned);
        names.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(
        headers(&everybody(None)),
        "X-Client-Subject X-Consumer X-Tenant-ID Client-Cert Client-Cert-Chain"
    );
    assert_eq!(
        headers(&everybody(Some(&["cn -> X-A"]))),
        "X-A Client-Cert Client-Cert-Chain"
    );
    let twice = Settings {
        forward_claims: Some(vec![("cn", "X-A").into(), ("dns", "x_a").into()]),
        ..Settings::default()
    };
    let problem = Verifier::new(twice).err().unwrap();
    assert_eq!(problem, "`forward_claims` sets `x_a` twice");
}

#[test]
fn a_certificate_that_has_run_out_since_the_handshake_is_refused() {
    let (verifier, mut caches) = (everybody(None), Caches::new());
    let at = |unix| Sample::shown(ALICE).at(unix);
    assert_eq!(ask_with(&verifier, &mut caches, &at(LAST)).0, "ok");
    let (word, identity) = ask_with(&verifier, &mut caches, &at(LAST + 1));
    assert_eq!(word, "client_certificate_expired");
    assert_eq!(identity.subject(), Some("žluť+alice"), "the log names it");
    assert_eq!(ask_with(&verifier, &mut caches, &at(LAST)).0, "ok");
}

#[test]
fn a_consumer_expires_and_may_be_bound_to_addresses() {
    let mut limited = settings(&["cn:bob -> bob"]);
    let rule = &mut limited.subjects.as_mut().unwrap()[0];
    rule.consumer = Some(Consumer {
        expires: Some(2000),
        allow: Set::parse(&["10.0.0.0/8".to_owned()]).unwrap(),
        ..consumer("bob")
    });
    let (verifier, mut caches) = (Verifier::new(limited).unwrap(), Caches::new());
    let mut word = |client: &str, unix| {
        let mut sample = Sample::shown(BOB).at(unix);
        sample.client = client.parse().unwrap();
        let (word, identity) = ask_with(&verifier, &mut caches, &sample);
        assert_eq!(identity.consumer.is_some(), word == "ok");
        word
    };
    assert_eq!(word("10.1.2.3", 1999), "ok");
    assert_eq!(word("192.0.2.1", 1999), "address_denied");
    assert_eq!(word("10.1.2.3", 2000), "consumer_expired");
}

#[test]
fn what_is_no_certificate_or_too_large_is_refused() {
    let verifier = everybody(None);
    let large = [ALICE, &vec![0; MAX_DER]].concat();
    // Bytes behind a certificate are the library's to refuse; they don't change what it says.
    let padded = [ALICE, &vec![0; MAX_DER - ALICE.len()]].concat();
    assert_eq!(ask(&verifier, &padded).0, "ok");
    for wrong in [&b""[..], b"\x30\x00", &ALICE[1..], &large] {
        let (word, identity) = ask(&verifier, wrong);
        assert_eq!(word, "client_certificate_unreadable");
        assert_eq!(identity.subject(), None);
        assert_eq!(lines(&identity), "");
    }
}

#[test]
fn a_certificate_is_read_once_until_what_follows_from_it_changes() {
    let mut caches = Caches::new();
    let mut copy = |verifier: &Verifier, der| {
        let (_, identity) = ask_with(verifier, &mut caches, &Sample::shown(der));
        identity.certificate.unwrap()
    };
    let same = |a: &Rc<Presented>, b: &Rc<Presented>| Rc::ptr_eq(a, b);
    let first = copy(&verifier(&["cn:bob -> bob"]), BOB);
    assert!(same(&first, &copy(&verifier(&["cn:bob -> bob"]), BOB)));
    let refused = copy(&verifier(&["cn:bob -> bob"]), ALICE);
    assert!(same(&refused, &copy(&verifier(&["cn:bob -> bob"]), ALICE)));
    // Each change is seen at once, and nothing of before comes back.
    let changes = [
        settings(&["cn:bob -> carl"]),
        settings(&["cn:bob"]),
        settings(&["cn:b* -> bob"]),
        Settings {
            subjects: None,
            ..settings(&[])
        },
        Settings {
            forward_claims: Some(vec![("cn", "X-A").into()]),
            ..settings(&["cn:bob -> bob"])
        },
        settings(&["cn:bob -> bob"]),
    ];
    let mut before = vec![first];
    for change in changes {
        let now = copy(&Verifier::new(change).unwrap(), BOB);
        assert!(!before.iter().any(|it| same(it, &now)));
        before.push(now);
    }
}

#[test]
fn explain_says_whose_certificates_are_accepted() {
    assert_eq!(
        verifier(&["cn:bob -> bob", "dns:*.a.example"]).describe(),
        "authenticate: people (client certificate: cn:bob -> bob, dns:*.a.example)"
    );
    assert_eq!(
        everybody(None).describe(),
        "authenticate: people (client certificate: any that is verified)"
    );
    assert!(verifier(&["cn:a", "cn:bob -> bob"]).knows_consumers());
    assert!(!verifier(&["cn:a"]).knows_consumers() && !everybody(None).knows_consumers());
}

proptest! {
    #[test]
    fn any_bytes_are_answered_and_told_in_whole_lines(
        which in 0..3usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let mut bytes = [ALICE, SPIFFE, BOB][which].to_vec();
        for (at, to) in changes {
            *at.get_mut(&mut bytes) = to;
        }
        let all: Vec<String> = FACTS.iter().map(|fact| format!("{fact} -> X-{fact}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let (word, identity) = ask(&everybody(Some(&all)), &bytes);
        let told = lines(&identity);
        prop_assert!(word == "ok" || word.starts_with("client_certificate_"), "{}", word);
        for line in told.split_inclusive("\r\n") {
            prop_assert!(line.starts_with("X-") && line.ends_with("\r\n"));
            let inside = &line[..line.len() - 2];
            prop_assert!(!inside.bytes().any(|byte| byte < b' ' || byte == 0x7f));
        }
    }
}

//! Versions, suites, groups, protocols: what both sides agree on, and that data then flow.

use super::*;

#[test]
fn the_newest_version_is_agreed_on_and_carries_data() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        for min_version in [Version::Tls12, Version::Tls13] {
            let server = acceptor(&AcceptorSettings {
                min_version,
                ..authority.server()
            });
            let client = connector(&authority.client());
            let (client, server) = shaken(&server, &client, "host.example").await;
            for conn in [&client, &server] {
                assert_eq!(info(conn).version, Version::Tls13);
                assert_eq!(info(conn).server_name.as_deref(), Some("host.example"));
                assert!(!info(conn).resumed);
                assert!(info(conn).suite.starts_with("TLS_"), "{}", info(conn).suite);
            }
            assert_eq!(info(&client).certificate, None);
            assert_eq!(info(&server).certificate, Some(0));
            talk(&client, &server).await;
        }
    });
}

#[test]
fn the_preferred_group_of_both_is_used() {
    let authority = Authority::new("root");
    let cases: &[(&[Group], &[Group], &str)] = &[
        #[cfg(feature = "aws-lc-rs")]
        (&[], &[], "X25519MLKEM768"),
        (&[Group::X25519], &[], "X25519"),
        (&[], &[Group::P256], "P-256"),
        // The share that was sent does not fit: the server asks for another (RFC 8446 section 4.1.4).
        (&[Group::X25519, Group::P384], &[Group::P384], "P-384"),
    ];
    on_each_driver(async || {
        for (ours, theirs, group) in cases {
            let server = acceptor(&AcceptorSettings {
                groups: theirs.to_vec(),
                ..authority.server()
            });
            let client = connector(&ConnectorSettings {
                groups: ours.to_vec(),
                ..authority.client()
            });
            let (client, server) = shaken(&server, &client, "host.example").await;
            assert_eq!(info(&client).group, Some(*group));
            assert_eq!(info(&server).group, Some(*group));
            talk(&client, &server).await;
        }
        let server = acceptor(&AcceptorSettings {
            groups: vec![Group::P384],
            ..authority.server()
        });
        let client = connector(&ConnectorSettings {
            groups: vec![Group::P256],
            ..authority.client()
        });
        let (client, server) = shake(&server, &client, "host.example").await;
        assert_eq!(reason(server), Reason::NoSharedCipher);
        assert_eq!(reason(client), Reason::NoSharedCipher, "told by an alert");
    });
}

#[test]
fn protocols_are_agreed_on_or_the_client_is_refused() {
    use Alpn::{H2, Http11};
    let authority = Authority::new("root");
    let cases: &[(&[Alpn], &[Alpn], Option<Alpn>)] = &[
        (&[H2, Http11], &[H2, Http11], Some(H2)),
        (&[H2, Http11], &[Http11], Some(Http11)),
        // The server's preference wins (RFC 7301 section 3.2).
        (&[H2, Http11], &[Http11, H2], Some(H2)),
        (&[Http11], &[], None),
        (&[], &[H2], None),
    ];
    on_each_driver(async || {
        for (served, offered, agreed) in cases {
            let server = acceptor(&AcceptorSettings {
                alpn: served.to_vec(),
                ..authority.server()
            });
            let client = connector(&ConnectorSettings {
                alpn: offered.to_vec(),
                ..authority.client()
            });
            let (client, server) = shaken(&server, &client, "host.example").await;
            assert_eq!((info(&client).alpn, info(&server).alpn), (*agreed, *agreed));
        }
        let server = acceptor(&AcceptorSettings {
            alpn: vec![Http11],
            ..authority.server()
        });
        let client = connector(&ConnectorSettings {
            alpn: vec![H2],
            ..authority.client()
        });
        let (client, server) = shake(&server, &client, "host.example").await;
        assert_eq!(reason(server), Reason::NoSharedProtocol);
        assert_eq!(reason(client), Reason::NoSharedProtocol, "told by an alert");
    });
}

#[test]
fn settings_that_cannot_work_say_why() {
    let authority = Authority::new("root");
    let refused = |settings: &AcceptorSettings| {
        let error = Acceptor::new(settings).expect_err("refused");
        (error.certificate, error.what)
    };
    assert_eq!(
        refused(&AcceptorSettings::default()),
        (None, "no certificate".into())
    );
    let mut settings = authority.server();
    let (mut one, two) = (
        authority.issue(&["a.example"], EC),
        authority.issue(&["b.example"], EC),
    );
    one.key = two.key;
    settings.certificates.push(one);
    let (at, what) = refused(&settings);
    assert_eq!(at, Some(1));
    assert!(what.contains("not the certificate's"), "{what}");
    let mut settings = authority.server();
    settings.certificates[0].chain = vec![b"nonsense".to_vec()];
    let (at, what) = refused(&settings);
    assert_eq!(at, Some(0));
    assert!(!what.is_empty());
    settings.certificates[0].chain.clear();
    assert_eq!(refused(&settings), (Some(0), "the chain is empty".into()));
    settings.certificates[0].key = PrivateKey::new(b"nonsense".to_vec());
    assert_eq!(format!("{:?}", settings.certificates[0].key), "PrivateKey");
    let none = Connector::new(&ConnectorSettings::default()).expect_err("refused");
    assert!(none.what.contains("no CA"), "{none}");
}

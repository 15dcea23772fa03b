//! Sessions that are resumed: by any acceptor with the keys and the context, for the same host; never otherwise.

use super::*;

fn key(n: u8) -> TicketKey {
    TicketKey::new([n; 8], [n; 32])
}

fn keys(newest: u8, previous: Option<u8>) -> TicketKeys {
    TicketKeys {
        newest: key(newest),
        previous: previous.map(key),
        lifetime: 3600,
    }
}

fn settings(authority: &Authority, context: &[u8]) -> AcceptorSettings {
    AcceptorSettings {
        certificates: vec![authority.issue(&["a.example", "b.example"], EC)],
        context: context.to_vec(),
        ..AcceptorSettings::default()
    }
}

/// Whether both ends say that the session was resumed; then data must flow, and the client has new tickets.
async fn resumed(acceptor: &Acceptor, connector: &Connector, name: &str) -> bool {
    let (client, server) = shaken(acceptor, connector, name).await;
    talk(&client, &server).await;
    assert_eq!(info(&client).resumed, info(&server).resumed);
    info(&server).resumed
}

/// A client without sessions. (Of TLS 1.3, as its server; the older version is the strangers' test.)
fn client(authority: &Authority) -> Connector {
    connector(&authority.client())
}

#[test]
fn any_worker_with_the_keys_resumes_and_rotation_ends_it_in_time() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let build = || acceptor(&settings(&authority, b"public"));
        let client = client(&authority);
        let one = build().with_tickets(&keys(1, None));
        assert!(!resumed(&one, &client, "a.example").await);
        assert!(resumed(&one, &client, "a.example").await);
        // Another worker, or the same after a reload.
        let two = build().with_tickets(&keys(1, None));
        assert!(resumed(&two, &client, "a.example").await);
        // Rotated once: the previous key still reads, and what is sealed anew is the newest's.
        let rotated = build().with_tickets(&keys(2, Some(1)));
        assert!(resumed(&rotated, &client, "a.example").await);
        // Rotated twice, and the client has slept: its ticket is of the first key.
        let sleeper = self::client(&authority);
        assert!(!resumed(&one, &sleeper, "a.example").await);
        let rotated = build().with_tickets(&keys(3, Some(2)));
        assert!(!resumed(&rotated, &sleeper, "a.example").await);
        assert!(resumed(&rotated, &sleeper, "a.example").await);
        // Without keys there is nothing to resume.
        assert!(!resumed(&build(), &sleeper, "a.example").await);
    });
}

#[test]
fn another_context_or_host_is_not_resumed_into() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let public = acceptor(&settings(&authority, b"public")).with_tickets(&keys(1, None));
        let private = acceptor(&settings(&authority, b"private")).with_tickets(&keys(1, None));
        let client = client(&authority);
        assert!(!resumed(&public, &client, "a.example").await);
        assert!(resumed(&public, &client, "a.example").await);
        assert!(!resumed(&private, &client, "a.example").await);
    });
}

#[test]
fn a_resumed_client_is_still_the_one_it_was() {
    let (authority, people) = (Authority::new("root"), Authority::new("people"));
    on_each_driver(async || {
        let build = |context: &[u8], crls: Vec<Vec<u8>>| {
            let trust = ClientTrust {
                roots: vec![people.der.clone()],
                crls,
            };
            let settings = AcceptorSettings {
                client_auth: ClientAuth::Required(trust),
                ..settings(&authority, context)
            };
            acceptor(&settings).with_tickets(&keys(1, None))
        };
        let own = people.issue(&["somebody"], EC);
        let der = own.chain[0].clone();
        let client = connector(&ConnectorSettings {
            identity: Some(own),
            ..authority.client()
        });
        let server = build(b"people", vec![]);
        assert!(!resumed(&server, &client, "a.example").await);
        let (ours, theirs) = shaken(&server, &client, "a.example").await;
        talk(&ours, &theirs).await;
        assert!(info(&theirs).resumed);
        let shown = &info(&theirs).peer_certificates;
        assert_eq!(shown.first().map(|it| &it[..]), Some(&der[..]));
        // Even under the same context a client is judged again by what holds now.
        let revoking = build(b"people", vec![people.revoke(&[EC.serial], 4000)]);
        let (ours, theirs) = shake(&revoking, &client, "a.example").await;
        assert_eq!(reason(theirs), Reason::Revoked);
        let (read, _) = ours
            .expect("it can't know yet")
            .read(Buffer::standard())
            .await;
        assert!(read.is_err());
    });
}

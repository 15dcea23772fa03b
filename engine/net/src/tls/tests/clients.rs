//! Clients that show certificates: asked or not, trusted or not, revoked, expired.

use super::*;

/// A server that treats clients so.
fn server(authority: &Authority, client_auth: ClientAuth) -> Acceptor {
    acceptor(&AcceptorSettings {
        client_auth,
        ..authority.server()
    })
}

fn trust(authority: &Authority, crls: Vec<Vec<u8>>) -> ClientTrust {
    ClientTrust {
        roots: vec![authority.der.clone()],
        crls,
    }
}

fn client(authority: &Authority, identity: Option<Certificate>) -> Connector {
    connector(&ConnectorSettings {
        identity,
        ..authority.client()
    })
}

/// Both ends' view of a client: in TLS 1.3 it believes itself connected before the server has judged.
async fn judged(acceptor: &Acceptor, connector: &Connector) -> Shaken {
    let (client, server) = shake(acceptor, connector, "host.example").await;
    match (&client, &server) {
        (Ok(client), Ok(server)) => talk(client, server).await,
        (Ok(client), Err(_)) => {
            let (read, _) = client.read(Buffer::standard()).await;
            let why = read.expect_err("an alert");
            assert_eq!(why.kind(), std::io::ErrorKind::InvalidData, "{why}");
        }
        (Err(client), Err(_)) => assert_eq!(client.reason, Reason::CertificateRefused),
        (Err(why), Ok(_)) => panic!("the client alone failed: {why}"),
    }
    server
}

#[test]
fn a_client_is_asked_as_the_mode_says() {
    let (authority, people) = (Authority::new("root"), Authority::new("people"));
    let stranger = Authority::new("stranger");
    on_each_driver(async || {
        let none = server(&authority, ClientAuth::None);
        let optional = server(&authority, ClientAuth::Optional(trust(&people, vec![])));
        let required = server(&authority, ClientAuth::Required(trust(&people, vec![])));
        let nobody = client(&authority, None);
        let other = client(&authority, Some(stranger.issue(&["other"], EC)));
        let own = people.issue(&["somebody"], EC);
        let der = own.chain[0].clone();
        let somebody = client(&authority, Some(own));

        let conn = judged(&none, &somebody).await.expect("served");
        assert_eq!(info(&conn).peer_certificates.len(), 0);
        let conn = judged(&optional, &nobody).await.expect("served");
        assert_eq!(info(&conn).peer_certificates.len(), 0);
        for mode in [&optional, &required] {
            let conn = judged(mode, &somebody).await.expect("served");
            let shown = &info(&conn).peer_certificates;
            assert_eq!(shown.first().map(|it| &it[..]), Some(&der[..]));
            assert_eq!(reason(judged(mode, &other).await), Reason::UnknownIssuer);
        }
        let missing = judged(&required, &nobody).await;
        assert_eq!(reason(missing), Reason::ClientCertificateRequired);
    });
}

#[test]
fn the_revoked_and_the_expired_are_refused() {
    let (authority, people) = (Authority::new("root"), Authority::new("people"));
    on_each_driver(async || {
        let with = |serial| Wish { serial, ..EC };
        let mode = |list| {
            let trust = trust(&people, vec![list]);
            server(&authority, ClientAuth::Required(trust))
        };
        let listed = mode(people.revoke(&[7, 8], 4000));
        let of = |wish| {
            let own = people.issue(&["somebody"], wish);
            client(&authority, Some(own))
        };
        assert!(judged(&listed, &of(with(9))).await.is_ok());
        assert_eq!(reason(judged(&listed, &of(with(8))).await), Reason::Revoked);
        let late = Wish {
            expired: true,
            ..with(9)
        };
        assert_eq!(reason(judged(&listed, &of(late)).await), Reason::Expired);
        // A list that is out of date, or another's, proves nothing.
        let old = mode(people.revoke(&[], 2021));
        let refused = judged(&old, &of(with(9))).await;
        assert_eq!(reason(refused), Reason::RevocationUnknown);
        let others = mode(Authority::new("others").revoke(&[], 4000));
        let refused = judged(&others, &of(with(9))).await;
        assert_eq!(reason(refused), Reason::RevocationUnknown);
    });
}

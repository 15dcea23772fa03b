//! Which certificate serves which name and which client; which server a client takes for which name.

use rustls::SignatureScheme;
use rustls::server::{ClientHello, ResolvesServerCert};

use super::super::certificates::{Certificates, take_chosen};
use super::*;

#[test]
fn the_name_decides_over_the_certificate() {
    let authority = Authority::new("root");
    let settings = AcceptorSettings {
        certificates: vec![
            authority.issue(&["default.example"], EC),
            authority.issue(&["exact.example", "*.wild.example"], EC),
            authority.issue(&["one.wild.example"], EC),
            Certificate {
                names: vec!["GIVEN.example".into()],
                ..authority.issue(&["given.example", "ignored.example"], EC)
            },
        ],
        ..AcceptorSettings::default()
    };
    let cases = [
        ("default.example", Some(0)),
        ("exact.example", Some(1)),
        ("EXACT.example", Some(1)),
        ("any.wild.example", Some(1)),
        ("one.wild.example", Some(2)),
        ("given.example", Some(3)),
        // The default's certificate is not for these: the client says no, and why.
        ("two.labels.wild.example", None),
        ("wild.example", None),
        ("ignored.example", None),
        ("127.0.0.1", None),
    ];
    let covers = acceptor(&settings);
    assert!(covers.covers(1, "Exact.example") && covers.covers(1, "b.wild.example"));
    assert!(!covers.covers(1, "one.wild.example") && !covers.covers(1, "default.example"));
    assert!(covers.covers(0, "elsewhere.example") && !covers.covers(2, "elsewhere.example"));
    on_each_driver(async || {
        let server = acceptor(&settings);
        for (name, certificate) in cases {
            let client = connector(&authority.client());
            let (client, served) = shake(&server, &client, name).await;
            match certificate {
                Some(at) => {
                    let served = served.expect("served");
                    assert_eq!(info(&served).certificate, Some(at), "{name}");
                    let named = info(&served).server_name.as_deref().map(str::to_owned);
                    assert_eq!(named, Some(name.to_ascii_lowercase()));
                    talk(&client.expect("taken"), &served).await;
                }
                None => {
                    assert_eq!(reason(client), Reason::WrongName, "{name}");
                    assert_eq!(reason(served), Reason::CertificateRefused, "{name}");
                }
            }
        }
    });
}

#[test]
fn a_server_of_unknown_issue_or_out_of_time_is_not_taken() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let server = acceptor(&authority.server());
        let client = connector(&Authority::new("another").client());
        let (client, served) = shake(&server, &client, "host.example").await;
        assert_eq!(reason(client), Reason::UnknownIssuer);
        assert_eq!(reason(served), Reason::CertificateRefused);
        let server = acceptor(&AcceptorSettings {
            certificates: vec![authority.issue(
                &["host.example"],
                Wish {
                    expired: true,
                    ..EC
                },
            )],
            ..AcceptorSettings::default()
        });
        let client = connector(&authority.client());
        let (client, served) = shake(&server, &client, "host.example").await;
        assert_eq!(reason(client), Reason::Expired);
        assert_eq!(reason(served), Reason::CertificateRefused);
        let (_client, plain) = tcp().await;
        let client = connector(&authority.client());
        let nameless = connect(plain, &client, "not a name").await;
        assert_eq!(reason(nameless), Reason::Internal);
    });
}

/// What a client with these schemes is shown for the name.
fn shown(certificates: &[Certificate], name: &str, schemes: &[SignatureScheme]) -> Option<u16> {
    // rustls makes no ClientHello for others: one travels through a real handshake.
    #[derive(Debug)]
    struct Probe(Certificates, Vec<SignatureScheme>);
    impl ResolvesServerCert for Probe {
        fn resolve(
            &self,
            hello: ClientHello<'_>,
        ) -> Option<std::sync::Arc<rustls::sign::CertifiedKey>> {
            assert!(
                self.1
                    .iter()
                    .all(|it| hello.signature_schemes().contains(it)),
                "the client offers more than it is asked here"
            );
            self.0.resolve(hello)
        }
    }
    let provider = super::super::provider::provider(&[]);
    let mut verifying = (*provider).clone();
    let all = verifying.signature_verification_algorithms;
    let kept: Vec<_> = all
        .mapping
        .iter()
        .copied()
        .filter(|(scheme, _)| schemes.contains(scheme))
        .collect();
    verifying.signature_verification_algorithms = rustls::crypto::WebPkiSupportedAlgorithms {
        all: all.all,
        mapping: Box::leak(kept.into_boxed_slice()),
    };
    let probe = Probe(
        Certificates::new(certificates, &provider).expect("certificates"),
        schemes.to_vec(),
    );
    let server = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_cert_resolver(std::sync::Arc::new(probe));
    let client = rustls::ClientConfig::builder_with_provider(std::sync::Arc::new(verifying))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let name = rustls_pki_types::ServerName::try_from(name.to_owned()).expect("a name");
    let mut client = rustls::ClientConnection::new(client.into(), name).expect("a client");
    let mut server = rustls::ServerConnection::new(server.into()).expect("a server");
    let mut hello = Vec::new();
    client.write_tls(&mut hello).expect("a hello");
    server.read_tls(&mut hello.as_slice()).expect("read");
    take_chosen();
    let _ = server.process_new_packets();
    take_chosen().and_then(|chosen| chosen.certificate)
}

#[test]
fn of_two_keys_for_a_name_the_client_gets_the_one_it_understands() {
    use SignatureScheme as S;
    let authority = Authority::new("root");
    let certificates = [
        authority.issue(&["both.example"], RSA),
        authority.issue(&["both.example"], EC),
        authority.issue(&["rsa.example"], RSA),
    ];
    let rsa = [S::RSA_PSS_SHA256, S::RSA_PKCS1_SHA256];
    let ec = [S::ECDSA_NISTP256_SHA256];
    let all = [S::RSA_PSS_SHA256, S::ECDSA_NISTP256_SHA256];
    let check = |name: &str, schemes: &[S], expected| {
        assert_eq!(
            shown(&certificates, name, schemes),
            expected,
            "{name} {schemes:?}"
        );
    };
    check("both.example", &rsa, Some(0));
    check("both.example", &ec, Some(1));
    check("both.example", &all, Some(1));
    check("rsa.example", &all, Some(2));
    check("rsa.example", &ec, None);
    // The default is both of them, since they share a name.
    check("other.example", &rsa, Some(0));
    check("other.example", &ec, Some(1));
}

#[test]
fn an_ocsp_response_is_stapled() {
    let authority = Authority::new("root");
    let mut certificate = authority.issue(&["host.example"], EC);
    certificate.ocsp = Some(b"a response".to_vec());
    let provider = super::super::provider::provider(&[]);
    let certified = super::super::certificates::certified(&certificate, &provider);
    let certified = certified.expect("a certificate");
    assert_eq!(certified.ocsp.as_deref(), Some(&b"a response"[..]));
}

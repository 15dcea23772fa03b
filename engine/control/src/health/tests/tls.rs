//! Checks over TLS: certificates on both sides, and what ALPN agrees on.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tokio::io::AsyncWriteExt;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use super::*;

const NAME: &str = "a.example";

/// An authority, whose certificate is in `ca.pem` of a folder, and a client's in `client.pem` and `client.key`.
struct World {
    folder: tempfile::TempDir,
    issuer: Issuer<'static, KeyPair>,
    root: CertificateDer<'static>,
}

/// What a server shows.
struct Shown {
    chain: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
    pem: [String; 2],
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{text}\n-----END {label}-----\n")
}

impl World {
    fn new() -> World {
        World::named("ours")
    }

    fn named(name: &str) -> World {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        fs::write(
            folder.path().join("ca.pem"),
            pem("CERTIFICATE", certificate.der()),
        )
        .unwrap();
        let world = World {
            folder,
            root: certificate.der().clone(),
            issuer: Issuer::new(params, key),
        };
        let client = world.issue("client.example", false);
        let [chain, key] = &client.pem;
        fs::write(world.folder.path().join("client.pem"), chain).unwrap();
        fs::write(world.folder.path().join("client.key"), key).unwrap();
        world
    }

    fn issue(&self, name: &str, expired: bool) -> Shown {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Shown {
            pem: [
                pem("CERTIFICATE", certificate.der()),
                pem("PRIVATE KEY", &key.serialize_der()),
            ],
            chain: certificate.der().clone(),
            key: PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        }
    }

    /// A server that shows this, and speaks these protocols by ALPN: HTTP/2, or HTTP/1.1 where that is not agreed on.
    async fn serve(
        &self,
        shown: Shown,
        alpn: &[&str],
        clients: bool,
    ) -> (SocketAddr, UnboundedReceiver<String>) {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap();
        let builder = match clients {
            false => builder.with_no_client_auth(),
            true => {
                let mut roots = RootCertStore::empty();
                roots.add(self.root.clone()).unwrap();
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let mut config = builder
            .with_single_cert(vec![shown.chain], shown.key)
            .unwrap();
        config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let (tell, asked) = unbounded_channel();
        let (address, _told) = serve(move |stream| {
            let (acceptor, tell) = (acceptor.clone(), tell.clone());
            async move {
                let mut stream = acceptor.accept(stream).await?;
                if stream.get_ref().1.alpn_protocol() == Some(b"h2") {
                    return http2(stream, 200, tell).await;
                }
                let came = head(&mut stream).await;
                let _ = tell.send(String::from_utf8_lossy(&came).into_owned());
                stream
                    .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                    .await
            }
        })
        .await;
        (address, asked)
    }

    fn keys(&self, more: &str) -> String {
        let ca = display(&self.folder.path().join("ca.pem"));
        format!("tls = true\ntls_ca = \"{ca}\"\n{more}\n")
    }
}

fn named(more: &str) -> String {
    format!("tls_name = \"{NAME}\"\n{more}")
}

const UP: &str = "health_path = \"/up\"";

#[test]
fn what_alpn_agrees_on_is_spoken() {
    run(async {
        let world = World::new();
        let both = &["h2", "http/1.1"];
        let (address, mut asked) = world.serve(world.issue(NAME, false), both, false).await;
        for (protocol, expected) in [
            ("http/1.1", "GET /up HTTP/1.1\r\n".to_owned()),
            ("h2", format!("GET https://{NAME}/up")),
            ("grpc", format!("GET https://{NAME}/up")),
            ("auto", format!("GET https://{NAME}/up")),
        ] {
            let keys = world.keys(&named(&format!("protocol = \"{protocol}\"\n{UP}")));
            assert_eq!(checked(address, &keys).await, "ok", "{protocol}");
            begins(&asked.recv().await.unwrap(), &expected);
        }
        let grpc = "protocol = \"grpc\"\nhealth_check = \"grpc\"";
        assert_eq!(checked(address, &world.keys(&named(grpc))).await, "ok");
        let call = format!("POST https://{NAME}/grpc.health.v1.Health/Check");
        assert_eq!(asked.recv().await.unwrap(), call);
    });
}

#[test]
fn where_only_http1_is_spoken() {
    run(async {
        let world = World::new();
        for alpn in [&["http/1.1"] as &[&str], &[]] {
            let (address, mut asked) = world.serve(world.issue(NAME, false), alpn, false).await;
            let auto = named(&format!("protocol = \"auto\"\n{UP}"));
            assert_eq!(checked(address, &world.keys(&auto)).await, "ok");
            begins(&asked.recv().await.unwrap(), "GET /up HTTP/1.1\r\n");
            let word = "upstream_tls_no_shared_protocol: ";
            for keys in [
                format!("protocol = \"h2\"\n{UP}"),
                "protocol = \"h2\"\nhealth_check = \"tcp\"".to_owned(),
                "protocol = \"auto\"\nhealth_check = \"grpc\"".to_owned(),
            ] {
                let result = checked(address, &world.keys(&named(&keys))).await;
                begins(&result, word);
            }
        }
    });
}

#[test]
fn the_certificate_is_verified() {
    run(async {
        let (world, strangers) = (World::new(), World::named("strangers"));
        let (good, _asked) = world.serve(world.issue(NAME, false), &[], false).await;
        let (old, _asked) = world.serve(world.issue(NAME, true), &[], false).await;
        for check in [UP, "health_check = \"tcp\""] {
            let keys = world.keys(&named(check));
            assert_eq!(checked(good, &keys).await, "ok");
            let result = checked(old, &keys).await;
            assert_eq!(result, "upstream_tls_expired: its certificate has run out");
            // Without a name, the endpoint's host.
            for other in ["", "tls_name = \"b.example\"\n"] {
                let result = checked(good, &world.keys(&format!("{other}{check}"))).await;
                let expected = "upstream_tls_wrong_name: its certificate is for another name";
                assert_eq!(result, expected);
            }
            let result = checked(good, &strangers.keys(&named(check))).await;
            let expected = "upstream_tls_unknown_issuer: its certificate leads to no authority that is trusted";
            assert_eq!(result, expected);
        }
    });
}

#[test]
fn the_gateway_shows_its_own() {
    run(async {
        let world = World::new();
        let (address, _asked) = world.serve(world.issue(NAME, false), &[], true).await;
        let folder = display(world.folder.path());
        let shown = format!(
            "tls_client_chain = \"{folder}/client.pem\"\ntls_client_key = \"{folder}/client.key\"\n{UP}"
        );
        assert_eq!(checked(address, &world.keys(&named(&shown))).await, "ok");
        assert_ne!(checked(address, &world.keys(&named(UP))).await, "ok");
    });
}

#[test]
fn what_does_not_speak_tls() {
    run(async {
        let world = World::new();
        let (address, _told) = serve(|mut stream| async move {
            let _ = stream.write_all(b"220 mail.example ESMTP\r\n").await;
            gone(&mut stream).await;
        })
        .await;
        let result = checked(address, &world.keys(&named(UP))).await;
        begins(&result, "upstream_tls_failed: the TLS handshake failed: ");
        let (address, _told) = serve(|stream| async move { drop(stream) }).await;
        let result = checked(address, &world.keys(&named(UP))).await;
        begins(&result, "upstream_tls_closed: ");
    });
}

//! Peers that are not ours: rustls' own buffered connections over a blocking socket, on a thread of their own.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use rustls::client::{
    ClientSessionMemoryCache, ClientSessionStore, Resumption, Tls12ClientSessionValue,
    Tls13ClientSessionValue,
};
use rustls::{
    CipherSuite, ClientConfig, ClientConnection, NamedGroup, RootCertStore, ServerConfig,
    ServerConnection, StreamOwned, SupportedProtocolVersion,
};
use rustls_pki_types::{CertificateDer, ServerName};

use super::super::provider::chosen;
use super::*;

pub(super) type Client = StreamOwned<ClientConnection, TcpStream>;

/// A foreign client that trusts the authority and speaks this version alone.
pub(super) fn config(
    authority: &Authority,
    version: &'static SupportedProtocolVersion,
    suite: Option<CipherSuite>,
) -> ClientConfig {
    let mut provider = chosen::default_provider();
    provider
        .cipher_suites
        .retain(|it| suite.is_none_or(|wanted| it.suite() == wanted));
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from(authority.der.clone());
    roots.add(root).expect("a root");
    ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .expect("a version")
        .with_root_certificates(roots)
        .with_no_client_auth()
}

/// Runs a foreign client against our server's end of a connection.
pub(super) async fn visit<T: Send + 'static>(
    acceptor: &Acceptor,
    config: &Arc<ClientConfig>,
    name: &'static str,
    client: impl FnOnce(Client) -> T + Send + 'static,
) -> (Shaken, JoinHandle<T>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let address = listener.local_addr().expect("an address");
    let config = Arc::clone(config);
    let thread = std::thread::spawn(move || {
        let name = ServerName::try_from(name).expect("a name");
        let tls = ClientConnection::new(config, name).expect("a client");
        let stream = TcpStream::connect(address).expect("connected");
        stream.set_nodelay(true).expect("an option");
        client(StreamOwned::new(tls, stream))
    });
    let conn = Conn::from_tcp(listener.accept().expect("accepted").0).expect("a connection");
    (accept(conn, acceptor).await, thread)
}

/// Reads from ours until the thread is through.
async fn until<T>(thread: JoinHandle<T>) -> T {
    while !thread.is_finished() {
        crate::runtime::sleep(std::time::Duration::from_millis(1)).await;
    }
    thread.join().expect("a client that succeeds")
}

/// Sends everything back until the peer has said that there is no more.
async fn echo(conn: Conn) {
    let mut buffer = Buffer::standard();
    loop {
        let (read, back) = conn.read(buffer).await;
        if read.expect("data or a close_notify") == 0 {
            return;
        }
        let (wrote, back) = conn.write(back).await;
        wrote.expect("a write");
        buffer = back;
    }
}

#[test]
fn every_suite_of_both_versions_carries_data() {
    let authority = Authority::new("root");
    let (v12, v13) = (&rustls::version::TLS12, &rustls::version::TLS13);
    let suites = [
        (CipherSuite::TLS13_AES_128_GCM_SHA256, v13),
        (CipherSuite::TLS13_AES_256_GCM_SHA384, v13),
        (CipherSuite::TLS13_CHACHA20_POLY1305_SHA256, v13),
        (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, v12),
        (CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, v12),
        (
            CipherSuite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
            v12,
        ),
    ];
    on_each_driver(async || {
        let server = acceptor(&authority.server());
        for (suite, version) in suites {
            let config = Arc::new(config(&authority, version, Some(suite)));
            let (conn, client) = visit(&server, &config, "host.example", move |mut client| {
                // More than fits into one record, and lengths that end anywhere.
                for len in [1, 5, 100, 4_074, 4_075, 16_384, 16_385, 50_000] {
                    let sent: Vec<u8> = (0..len).map(|i| (i * 7 + len) as u8).collect();
                    client.write_all(&sent).expect("a write");
                    let mut got = vec![0; len];
                    client.read_exact(&mut got).expect("the echo");
                    assert!(got == sent, "{suite:?}: {len} bytes came back changed");
                }
                client.conn.send_close_notify();
                client.flush().expect("flushed");
                // Our side says that it has no more either.
                assert_eq!(client.read(&mut [0]).expect("a close_notify"), 0);
            })
            .await;
            let conn = conn.expect("a connection");
            let name = info(&conn).suite;
            assert!(
                format!("{suite:?}").replace("TLS13_", "TLS_") == name,
                "{suite:?} {name}"
            );
            echo(conn).await;
            until(client).await;
        }
    });
}

#[test]
fn keys_are_updated_as_the_peer_asks() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let server = acceptor(&authority.server());
        let config = Arc::new(config(&authority, &rustls::version::TLS13, None));
        let (conn, client) = visit(&server, &config, "host.example", |mut client| {
            client.conn.complete_io(&mut client.sock).expect("shaken");
            for round in 0..40u8 {
                client.conn.refresh_traffic_keys().expect("an update");
                client.write_all(&[round; 300]).expect("a write");
                let mut got = [0; 300];
                client.read_exact(&mut got).expect("the echo");
                assert_eq!(got, [round; 300]);
            }
            client.conn.send_close_notify();
            client.flush().expect("flushed");
        })
        .await;
        echo(conn.expect("a connection")).await;
        until(client).await;
    });
}

#[test]
fn records_may_come_byte_by_byte() {
    /// Writes one byte at a time.
    struct Slow(TcpStream);
    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            std::thread::yield_now();
            self.0.write(&bytes[..bytes.len().min(1)])
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    impl Read for Slow {
        fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(bytes)
        }
    }
    let authority = Authority::new("root");
    on_each_driver(async || {
        let server = acceptor(&authority.server());
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let config = Arc::new(config(&authority, version, None));
            let (conn, client) = visit(&server, &config, "host.example", |client| {
                let (tls, stream) = client.into_parts();
                let mut client = StreamOwned::new(tls, Slow(stream));
                let sent: Vec<u8> = (0..3000).map(|i| (i * 11) as u8).collect();
                client.write_all(&sent).expect("a write");
                let mut got = vec![0; sent.len()];
                client.read_exact(&mut got).expect("the echo");
                assert!(got == sent);
                client.conn.send_close_notify();
                client.flush().expect("flushed");
            })
            .await;
            echo(conn.expect("a connection")).await;
            until(client).await;
        }
    });
}

/// Whatever the name is, the same session is offered.
#[derive(Debug)]
struct Nameless(ClientSessionMemoryCache);

fn one() -> ServerName<'static> {
    ServerName::try_from("one.example").expect("a name")
}

impl ClientSessionStore for Nameless {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.0.set_kx_hint(one(), group);
    }
    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.0.kx_hint(&one())
    }
    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.0.set_tls12_session(one(), value);
    }
    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.0.tls12_session(&one())
    }
    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.0.remove_tls12_session(&one());
    }
    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.0.insert_tls13_ticket(one(), value);
    }
    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.0.take_tls13_ticket(&one())
    }
}

#[test]
fn a_ticket_for_one_host_is_none_for_another() {
    let authority = Authority::new("root");
    let settings = AcceptorSettings {
        certificates: vec![
            authority.issue(&["a.example"], EC),
            authority.issue(&["b.example"], EC),
        ],
        ..AcceptorSettings::default()
    };
    let keys = TicketKeys {
        newest: TicketKey::new([1; 8], [1; 32]),
        previous: None,
        lifetime: 3600,
    };
    on_each_driver(async || {
        let server = acceptor(&settings).with_tickets(&keys);
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let mut config = config(&authority, version, None);
            let store = Nameless(ClientSessionMemoryCache::new(8));
            config.resumption = Resumption::store(Arc::new(store));
            let config = Arc::new(config);
            let resumed = async |name| {
                let (conn, client) = visit(&server, &config, name, |mut client| {
                    client.write_all(b"question").expect("a write");
                    let mut answer = [0; 6];
                    client.read_exact(&mut answer).expect("the answer");
                })
                .await;
                let conn = conn.expect("a connection");
                hear(&conn, b"question").await;
                say(&conn, b"answer").await;
                until(client).await;
                info(&conn).resumed
            };
            assert!(!resumed("a.example").await);
            assert!(resumed("a.example").await, "{version:?}");
            assert!(!resumed("b.example").await, "{version:?}");
            assert!(resumed("b.example").await, "{version:?}");
        }
    });
}

#[test]
fn clients_show_certificates_in_the_older_version_too() {
    let (authority, people) = (Authority::new("root"), Authority::new("people"));
    let own = people.issue(&["somebody"], EC);
    let der = own.chain[0].clone();
    let build = |context: &[u8], crls: Vec<Vec<u8>>| {
        let roots = vec![people.der.clone()];
        let keys = TicketKeys {
            newest: TicketKey::new([1; 8], [1; 32]),
            previous: None,
            lifetime: 3600,
        };
        let settings = AcceptorSettings {
            client_auth: ClientAuth::Required(ClientTrust { roots, crls }),
            context: context.to_vec(),
            ..authority.server()
        };
        acceptor(&settings).with_tickets(&keys)
    };
    on_each_driver(async || {
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let mut roots = RootCertStore::empty();
            let root = CertificateDer::from(authority.der.clone());
            roots.add(root).expect("a root");
            let key = own.key.der().expect("a key").clone_key();
            let config = ClientConfig::builder_with_provider(Arc::new(chosen::default_provider()))
                .with_protocol_versions(&[version])
                .expect("a version")
                .with_root_certificates(roots)
                .with_client_auth_cert(vec![CertificateDer::from(der.clone())], key)
                .expect("a certificate");
            let config = Arc::new(config);
            let server = build(b"people", vec![]);
            let met = async |server: &Acceptor| {
                let (conn, client) = visit(server, &config, "host.example", |mut client| {
                    let asked = client.write_all(b"question");
                    let mut answer = [0; 6];
                    asked.and_then(|()| client.read_exact(&mut answer)).is_ok()
                })
                .await;
                let conn = match conn {
                    Ok(conn) => conn,
                    Err(error) => {
                        assert!(!until(client).await);
                        return Err(error.reason);
                    }
                };
                hear(&conn, b"question").await;
                say(&conn, b"answer").await;
                assert!(until(client).await);
                let shown = &info(&conn).peer_certificates;
                assert_eq!(shown.first().map(|it| &it[..]), Some(&der[..]));
                Ok(info(&conn).resumed)
            };
            assert_eq!(met(&server).await, Ok(false));
            assert_eq!(met(&server).await, Ok(true), "{version:?}");
            let changed = build(b"other people", vec![]);
            assert_eq!(met(&changed).await, Ok(false), "{version:?}");
            let revoking = build(b"other people", vec![people.revoke(&[EC.serial], 4000)]);
            assert_eq!(met(&revoking).await, Err(Reason::Revoked), "{version:?}");
        }
    });
}

#[test]
fn a_version_that_is_not_spoken_is_refused_with_an_alert() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let server = acceptor(&AcceptorSettings {
            min_version: Version::Tls13,
            ..authority.server()
        });
        let config = Arc::new(config(&authority, &rustls::version::TLS12, None));
        let (conn, client) = visit(&server, &config, "host.example", |mut client| {
            let why = client.write_all(b"x").expect_err("refused");
            why.to_string()
        })
        .await;
        assert_eq!(reason(conn), Reason::NoSharedVersion);
        let told = until(client).await;
        assert!(told.contains("ProtocolVersion"), "{told}");
    });
}

#[test]
fn our_client_takes_tickets_and_data_from_a_foreign_server() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let certificate = authority.issue(&["host.example"], EC);
        let key = certificate.key.der().expect("a key").clone_key();
        let chain = vec![CertificateDer::from(certificate.chain[0].clone())];
        for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
            let provider = Arc::new(chosen::default_provider());
            let config = ServerConfig::builder_with_provider(provider)
                .with_protocol_versions(&[version])
                .expect("a version")
                .with_no_client_auth()
                .with_single_cert(chain.clone(), key.clone_key())
                .expect("a certificate");
            let config = Arc::new(config);
            let ours = connector(&authority.client());
            for round in 0..2 {
                let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
                let address = listener.local_addr().expect("an address");
                let config = Arc::clone(&config);
                let thread = std::thread::spawn(move || {
                    let tls = ServerConnection::new(config).expect("a server");
                    let stream = listener.accept().expect("accepted").0;
                    let mut server = StreamOwned::new(tls, stream);
                    let mut got = [0; 8];
                    server.read_exact(&mut got).expect("the question");
                    if server.conn.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3) {
                        server.conn.refresh_traffic_keys().expect("an update");
                    }
                    server.write_all(&[5; 40_000]).expect("an answer");
                    server.conn.send_close_notify();
                    server.flush().expect("flushed");
                    // Our answer to the key update must not be left unread: the close would be a reset.
                    let mut rest = [0; 1024];
                    while matches!(server.sock.read(&mut rest), Ok(1..)) {}
                });
                let plain = crate::connect(&Address::Tcp(address))
                    .await
                    .expect("connected");
                let conn = connect(plain, &ours, "host.example").await.expect("shaken");
                assert_eq!(info(&conn).resumed, round == 1, "{version:?}");
                say(&conn, b"question").await;
                let mut got = Buffer::large();
                loop {
                    let read;
                    (read, got) = conn.read(got).await;
                    if read.expect("data or the end") == 0 {
                        break;
                    }
                }
                assert!(got.filled() == [5; 40_000]);
                drop(conn);
                until(thread).await;
            }
        }
    });
}

#[test]
fn a_server_may_cut_its_tickets_over_records() {
    let authority = Authority::new("root");
    on_each_driver(async || {
        let certificate = authority.issue(&["host.example"], EC);
        let key = certificate.key.der().expect("a key").clone_key();
        let chain = vec![CertificateDer::from(certificate.chain[0].clone())];
        let provider = Arc::new(chosen::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("a version")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate");
        // Tickets of some hundred bytes in records of thirty.
        config.max_fragment_size = Some(32);
        config.ticketer = chosen::Ticketer::new().expect("a ticketer");
        let config = Arc::new(config);
        let ours = connector(&authority.client());
        let resumed = Arc::new(Mutex::new(0));
        for _ in 0..2 {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
            let address = listener.local_addr().expect("an address");
            let (config, resumed) = (Arc::clone(&config), Arc::clone(&resumed));
            let thread = std::thread::spawn(move || {
                let tls = ServerConnection::new(config).expect("a server");
                let stream = listener.accept().expect("accepted").0;
                let mut server = StreamOwned::new(tls, stream);
                let mut got = [0; 8];
                server.read_exact(&mut got).expect("the question");
                server.write_all(b"answer").expect("an answer");
                if server.conn.handshake_kind() == Some(rustls::HandshakeKind::Resumed) {
                    *resumed.lock().expect("a count") += 1;
                }
            });
            let plain = crate::connect(&Address::Tcp(address))
                .await
                .expect("connected");
            let conn = connect(plain, &ours, "host.example").await.expect("shaken");
            say(&conn, b"question").await;
            hear(&conn, b"answer").await;
            until(thread).await;
        }
        assert_eq!(*resumed.lock().expect("a count"), 1);
    });
}

//! Handshakes between our own two sides and with rustls' own connections, on each driver. Here what they share.

use std::future::Future;
use std::pin::pin;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    RevokedCertParams, SerialNumber, SignatureAlgorithm, date_time_ymd,
};

use super::*;
use crate::testing::on_each_driver;
use crate::{Address, Buffer, Conn, Either, Listener, Shutdown, clock, race};

mod clients;
mod endings;
mod names;
mod negotiation;
mod resumption;
mod strangers;
mod transfer;

/// Someone who issues certificates.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    der: Vec<u8>,
}

/// What a certificate says beside its names.
struct Wish {
    key: &'static SignatureAlgorithm,
    serial: u64,
    expired: bool,
}

const EC: Wish = Wish {
    key: &PKCS_ECDSA_P256_SHA256,
    serial: 1,
    expired: false,
};
const RSA: Wish = Wish {
    key: &PKCS_RSA_SHA256,
    ..EC
};

impl Authority {
    fn new(name: &str) -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let der = params.self_signed(&key).expect("a certificate");
        Authority {
            der: der.der().to_vec(),
            issuer: Issuer::new(params, key),
        }
    }

    fn issue(&self, names: &[&str], wish: Wish) -> Certificate {
        let key = KeyPair::generate_for(wish.key).expect("a key");
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        let mut params = CertificateParams::new(names).expect("parameters");
        params.serial_number = Some(SerialNumber::from(wish.serial));
        if wish.expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let issued = params.signed_by(&key, &self.issuer).expect("a certificate");
        Certificate {
            chain: vec![issued.der().to_vec()],
            key: PrivateKey::new(key.serialize_der()),
            names: Vec::new(),
            ocsp: None,
        }
    }

    fn revoke(&self, serials: &[u64], until: i32) -> Vec<u8> {
        let revoked = serials.iter().map(|&serial| RevokedCertParams {
            serial_number: SerialNumber::from(serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(until, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = params.signed_by(&self.issuer).expect("a list");
        list.der().to_vec()
    }

    /// What trusts this one's servers.
    fn client(&self) -> ConnectorSettings {
        ConnectorSettings {
            roots: vec![self.der.clone()],
            ..ConnectorSettings::default()
        }
    }

    /// A server for `host.example`.
    fn server(&self) -> AcceptorSettings {
        AcceptorSettings {
            certificates: vec![self.issue(&["host.example"], EC)],
            ..AcceptorSettings::default()
        }
    }
}

/// Both ends of a TCP connection.
async fn tcp() -> (Conn, Conn) {
    let any = Address::Tcp(([127, 0, 0, 1], 0).into());
    let listener = Listener::bind(&any, 16).expect("a listener");
    let client = crate::connect(&listener.local()).await.expect("connected");
    (client, listener.accept().await.expect("accepted"))
}

async fn both<A: Future, B: Future>(first: A, second: B) -> (A::Output, B::Output) {
    let (mut first, mut second) = (pin!(first), pin!(second));
    match race(first.as_mut(), second.as_mut()).await {
        Either::First(first) => (first, second.await),
        Either::Second(second) => (first.await, second),
    }
}

type Shaken = Result<Conn, HandshakeError>;

/// The client's and the server's end of a handshake.
async fn shake(acceptor: &Acceptor, connector: &Connector, name: &str) -> (Shaken, Shaken) {
    let (client, server) = tcp().await;
    both(connect(client, connector, name), accept(server, acceptor)).await
}

/// As `shake`, but it must work out.
async fn shaken(acceptor: &Acceptor, connector: &Connector, name: &str) -> (Conn, Conn) {
    let (client, server) = shake(acceptor, connector, name).await;
    (
        client.expect("the client's end"),
        server.expect("the server's end"),
    )
}

fn acceptor(settings: &AcceptorSettings) -> Acceptor {
    Acceptor::new(settings).expect("good settings")
}

fn connector(settings: &ConnectorSettings) -> Connector {
    Connector::new(settings).expect("good settings")
}

fn with(bytes: &[u8]) -> Buffer {
    let mut buffer = match bytes.len() > crate::buffer::STANDARD {
        true => Buffer::large(),
        false => Buffer::standard(),
    };
    assert!(buffer.extend(bytes));
    buffer
}

async fn say(conn: &Conn, bytes: &[u8]) {
    conn.write(with(bytes)).await.0.expect("a write");
}

/// Reads exactly these bytes.
async fn hear(conn: &Conn, bytes: &[u8]) {
    let mut got = Buffer::standard();
    while got.len() < bytes.len() {
        let read;
        (read, got) = conn.read(got).await;
        assert_ne!(read.expect("data"), 0, "ended after {:?}", got.filled());
    }
    assert_eq!(got.filled(), bytes);
}

/// A question and its answer.
async fn talk(client: &Conn, server: &Conn) {
    say(client, b"question").await;
    hear(server, b"question").await;
    say(server, b"answer").await;
    hear(client, b"answer").await;
}

fn info(conn: &Conn) -> &Info {
    conn.tls().expect("a connection under TLS")
}

/// Why it failed.
fn reason(shaken: Shaken) -> Reason {
    shaken
        .map(|conn| info(&conn).version)
        .expect_err("no")
        .reason
}

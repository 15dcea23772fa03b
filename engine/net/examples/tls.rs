//! A server of one page over TLS, to be tried by other people's clients: `cargo run --example tls -- 127.0.0.1:8443`,
//! then `openssl s_client`, `curl --cacert` and the like. It writes its root certificate (DER; `openssl x509 -inform der`
//! makes PEM of it) to the path given second; third may stand `ring`, `uring` or `epoll`.
//!
//! No product code. Each answer says what the handshake came to; a path of digits asks for a body of so many bytes.

use std::error::Error;
use std::net::SocketAddr;
use std::rc::Rc;

use engine_net::runtime::{self, Driver};
use engine_net::tls::{self, Acceptor, AcceptorSettings, Alpn, Certificate, PrivateKey};
use engine_net::tls::{TicketKey, TicketKeys};
use engine_net::{Address, Buffer, Conn, Listener, Shutdown};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    PKCS_RSA_SHA256,
};

type Failure = Box<dyn Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or("127.0.0.1:8443".into());
    let address: SocketAddr = address.parse()?;
    let root = arguments.next().unwrap_or("root.der".into());
    let driver = match arguments.next().as_deref() {
        Some("epoll") => Driver::Epoll,
        Some("uring") => Driver::UringDefer,
        _ => Driver::Ring,
    };
    let acceptor = Rc::new(acceptor(&root)?);
    println!("listening on {address}, {driver}; the root is {root}");
    runtime::run(driver, async || {
        let listener = Listener::bind(&Address::Tcp(address), 1024)?;
        loop {
            let conn = listener.accept().await?;
            let acceptor = Rc::clone(&acceptor);
            runtime::spawn(async move {
                match tls::accept(conn, &acceptor).await {
                    Ok(conn) => serve(conn).await,
                    Err(error) => println!("{error}"),
                }
            });
        }
    })?
}

/// A root, and a certificate of either kind for localhost.
fn acceptor(path: &str) -> Result<Acceptor, Failure> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
        .distinguished_name
        .push(DnType::CommonName, "root of the example");
    std::fs::write(path, params.self_signed(&key)?.der())?;
    let issuer = Issuer::new(params, key);
    let mut certificates = Vec::new();
    for kind in [&PKCS_ECDSA_P256_SHA256, &PKCS_RSA_SHA256] {
        let key = KeyPair::generate_for(kind)?;
        let params = CertificateParams::new(vec!["localhost".to_owned()])?;
        certificates.push(Certificate {
            chain: vec![params.signed_by(&key, &issuer)?.der().to_vec()],
            key: PrivateKey::new(key.serialize_der()),
            names: Vec::new(),
            ocsp: None,
        });
    }
    let settings = AcceptorSettings {
        certificates,
        alpn: vec![Alpn::Http11],
        ..AcceptorSettings::default()
    };
    // Constant keys would be no good for anything but an example.
    let keys = TicketKeys {
        newest: TicketKey::new(*b"example.", [42; 32]),
        previous: None,
        lifetime: 3600,
    };
    Ok(Acceptor::new(&settings)?.with_tickets(&keys))
}

/// Answers what ends with an empty line, until the client has no more to say.
async fn serve(conn: Conn) {
    println!("{:?}", conn.tls());
    let mut buffer = Buffer::standard();
    loop {
        let (read, back) = conn.read(buffer).await;
        buffer = back;
        match read {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return println!("{error}"),
        }
        if !buffer.filled().ends_with(b"\r\n\r\n") {
            continue;
        }
        let text = String::from_utf8_lossy(buffer.filled()).into_owned();
        let path = text.split_ascii_whitespace().nth(1).unwrap_or_default();
        let body = match path.trim_start_matches('/').parse() {
            Ok(bytes) => vec![b'x'; bytes],
            Err(_) => format!("{:?}\n", conn.tls()).into_bytes(),
        };
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
        for part in [head.as_bytes(), &body]
            .into_iter()
            .flat_map(|it| it.chunks(64 * 1024))
        {
            let mut out = Buffer::large();
            out.extend(part);
            if let Err(error) = conn.write(out).await.0 {
                return println!("{error}");
            }
        }
        buffer.clear();
    }
    conn.shutdown(Shutdown::Write);
}

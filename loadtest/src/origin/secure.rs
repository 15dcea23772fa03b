//! TLS in front of the origin: its certificate, its tickets, a handshake in bounded time.

use std::io;
use std::path::Path;

use engine_net::tls::{
    self, Acceptor, AcceptorSettings, Alpn, Certificate, PrivateKey, TicketKey, TicketKeys,
};
use engine_net::{Conn, clock, deadline};
use ring::rand::{SecureRandom, SystemRandom};

use crate::pem;

/// How long a handshake may take, nanoseconds.
const PATIENCE: u64 = 10_000_000_000;
/// How long clients may keep a ticket, seconds; an origin that runs longer takes it all the same.
const LIFETIME: u32 = 7200;

/// What all threads accept with.
pub(super) fn acceptor(certificate: &Path, key: &Path) -> io::Result<Acceptor> {
    let wrong = |path: &Path, why: &str| {
        io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("`{}`: {why}", path.display()),
        )
    };
    let read = |path: &Path| std::fs::read(path).map_err(|why| wrong(path, &why.to_string()));
    let chain = pem::certificates(&read(certificate)?).map_err(|why| wrong(certificate, why))?;
    let der = pem::private_key(&read(key)?).map_err(|why| wrong(key, why))?;
    let settings = AcceptorSettings {
        certificates: vec![Certificate {
            chain,
            key: PrivateKey::new(der),
            names: Vec::new(),
            ocsp: None,
        }],
        alpn: vec![Alpn::H2, Alpn::Http11],
        ..AcceptorSettings::default()
    };
    let acceptor =
        Acceptor::new(&settings).map_err(|error| wrong(certificate, &error.to_string()))?;
    Ok(acceptor.with_tickets(&tickets()?))
}

fn tickets() -> io::Result<TicketKeys> {
    let (mut id, mut secret) = ([0; 8], [0; 32]);
    let random = SystemRandom::new();
    let filled = random.fill(&mut id).and_then(|()| random.fill(&mut secret));
    filled.map_err(|_| io::Error::other("the system gives no random numbers"))?;
    Ok(TicketKeys {
        newest: TicketKey::new(id, secret),
        previous: None,
        lifetime: LIFETIME,
    })
}

/// The connection under TLS; none when the handshake failed.
pub(super) async fn handshake(conn: Conn, acceptor: &Acceptor) -> Option<Conn> {
    let end = clock::now().saturating_add(PATIENCE);
    deadline::within(end, tls::accept(conn, acceptor))
        .await?
        .ok()
}

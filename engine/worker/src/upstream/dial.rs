//! A new connection to an endpoint: the socket, the PROXY header that it may begin with, TLS; all within one time.

use std::net::SocketAddr;

use engine_config::snapshot::ProxyHeader;
use engine_net::deadline::{Deadline, Strike, within};
use engine_net::tls::{self, Alpn, Reason};
use engine_net::{Address, Buffer, Conn};
use protocol::proxy_protocol::{Extras, Origin, encode_v1, encode_v2};

use super::Endpoint;
use crate::reply::Fault;
use crate::tls::Connectors;

/// How an endpoint is spoken to under TLS.
pub(super) struct Secured {
    connectors: Connectors,
    /// The name that its certificate must bear.
    name: String,
}

impl Secured {
    /// By this name; without one, by the endpoint's host.
    pub(super) fn new(connectors: &Connectors, name: Option<&str>, address: &Address) -> Secured {
        Secured {
            connectors: connectors.clone(),
            name: match (name, address) {
                (Some(name), _) => name.to_owned(),
                (None, Address::Tcp(at)) => at.ip().to_string(),
                (None, Address::Unix(_)) => "localhost".to_owned(),
            },
        }
    }
}

/// Whose request the connection is for, and until when it must stand.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// The client.
    pub(crate) from: SocketAddr,
    /// What the client connected to, where that is known.
    pub(crate) to: Option<SocketAddr>,
    /// When all tries together are over.
    pub(crate) whole: u64,
    /// The client's bytes go to the endpoint as they are: if they are TLS, it is not ours.
    pub(crate) unopened: bool,
    /// Only HTTP/1.1 will do, where the endpoint has the choice.
    pub(crate) http1: bool,
}

/// Why there is no connection.
#[derive(Clone, Copy)]
pub(super) enum Failure {
    Refused,
    /// It did not stand in time.
    Late,
    Tls(Reason),
}

impl Failure {
    pub(super) fn fault(self) -> Fault {
        match self {
            Failure::Refused => Fault::ConnectFailed,
            Failure::Late => Fault::ConnectTimeout,
            Failure::Tls(reason) => Fault::UpstreamTls(reason),
        }
    }
}

/// Makes a connection. `give_up`: when it must stand.
pub(super) async fn dial(
    endpoint: &Endpoint,
    header: ProxyHeader,
    call: &Call,
    give_up: u64,
) -> Result<Conn, Failure> {
    let made = within(give_up, engine_net::connect(&endpoint.address)).await;
    let conn = made.ok_or(Failure::Late)?.map_err(|_| Failure::Refused)?;
    let secured = endpoint.secured.as_ref().filter(|_| !call.unopened);
    if header == ProxyHeader::Off && secured.is_none() {
        return Ok(conn);
    }
    let deadline = Deadline::new(&conn);
    deadline.set(give_up, Strike::BothShut);
    let done = begin(conn, secured, header, call).await;
    match deadline.struck() {
        true => Err(Failure::Late),
        false => done,
    }
}

async fn begin(
    conn: Conn,
    secured: Option<&Secured>,
    header: ProxyHeader,
    call: &Call,
) -> Result<Conn, Failure> {
    if header != ProxyHeader::Off {
        let mut buf = Buffer::standard();
        buf.extend(&proxy_header(header, call));
        conn.write(buf).await.0.map_err(|_| Failure::Refused)?;
    }
    let Some(secured) = secured else {
        return Ok(conn);
    };
    let connector = match (&secured.connectors.http1, call.http1) {
        (Some(http1), true) => http1,
        _ => &secured.connectors.usual,
    };
    tls::connect(conn, connector, &secured.name)
        .await
        .map_err(|error| Failure::Tls(error.reason))
}

fn proxy_header(header: ProxyHeader, call: &Call) -> Vec<u8> {
    let origin = match call.to {
        Some(destination) if destination.is_ipv4() == call.from.is_ipv4() => Origin::Tcp {
            source: call.from,
            destination,
        },
        _ => Origin::Unknown,
    };
    let mut out = Vec::with_capacity(128);
    match header {
        ProxyHeader::V1 => encode_v1(&origin, &mut out),
        _ => encode_v2(&origin, &Extras::default(), &mut out),
    }
    out
}

/// Whether HTTP/2 was agreed on, or need not be.
pub(super) fn speaks_http2(conn: &Conn) -> bool {
    conn.tls().is_none_or(|tls| tls.alpn == Some(Alpn::H2))
}

/// What it means that an endpoint does not speak what it must.
pub(super) fn no_http2() -> Failure {
    Failure::Tls(Reason::NoSharedProtocol)
}

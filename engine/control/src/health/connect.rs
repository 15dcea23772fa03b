//! A connection for a check: the socket, the PROXY header that it may begin with, TLS. As workers make theirs
//! (`engine/worker/src/upstream/dial.rs`), but for nobody's request: the header says so.

use engine_config::snapshot::{Address, ProxyHeader, UpstreamProtocol};
use protocol::proxy_protocol::{Extras, Origin, encode_v1, encode_v2};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;

use super::failure::Failure;
use super::terms::{H2, Terms};

/// Bytes both ways.
pub(super) trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<W: AsyncRead + AsyncWrite + Send + Unpin> Wire for W {}

/// A connection that stands.
pub(super) struct Connected {
    pub(super) wire: Box<dyn Wire>,
    /// Whether HTTP/2 is spoken on it.
    pub(super) http2: bool,
}

/// Makes one.
pub(super) async fn connect(terms: &Terms) -> Result<Connected, Failure> {
    let mut wire = socket(&terms.asks.address).await?;
    let header = proxy_header(terms.asks.proxy_protocol);
    if !header.is_empty() {
        let sent = wire.write_all(&header).await;
        sent.map_err(|error| Failure::broken(&error))?;
    }
    let must = matches!(
        terms.asks.protocol,
        UpstreamProtocol::H2 | UpstreamProtocol::Grpc
    );
    let Some(tls) = &terms.tls else {
        let http2 = must;
        return Ok(Connected { wire, http2 });
    };
    let connector = TlsConnector::from(tls.config.clone());
    let secured = connector.connect(tls.name.clone(), wire).await;
    let secured = secured.map_err(|error| Failure::handshake(&error))?;
    let http2 = secured.get_ref().1.alpn_protocol() == Some(H2);
    if must && !http2 {
        let why = "it does not speak HTTP/2: ALPN agreed on nothing";
        return Err(Failure::new("upstream_tls_no_shared_protocol", why));
    }
    Ok(Connected {
        wire: Box::new(secured),
        http2,
    })
}

async fn socket(address: &Address) -> Result<Box<dyn Wire>, Failure> {
    let failed = |error| Failure::connecting(&error);
    Ok(match address {
        Address::Tcp(at) => {
            let socket = TcpStream::connect(at).await.map_err(failed)?;
            // A PROXY header and a request are two writes.
            socket.set_nodelay(true).map_err(failed)?;
            Box::new(socket)
        }
        Address::Unix(path) => Box::new(UnixStream::connect(path).await.map_err(failed)?),
    })
}

/// That nobody is behind this connection but the gateway itself: LOCAL in version 2, UNKNOWN in version 1, which has no
/// other word for it.
fn proxy_header(header: ProxyHeader) -> Vec<u8> {
    let mut out = Vec::new();
    match header {
        ProxyHeader::Off => {}
        ProxyHeader::V1 => encode_v1(&Origin::Unknown, &mut out),
        ProxyHeader::V2 => encode_v2(&Origin::Local, &Extras::default(), &mut out),
    }
    out
}

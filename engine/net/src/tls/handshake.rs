//! Handshakes: bytes to and fro until both sides have the keys, then the connection under TLS.
//!
//! rustls decides everything; here its flights travel, each in one write. A server's tickets, for which nobody waits, go out
//! with what is written next, or as soon as the connection waits for the peer. Dropping the future closes the connection.
//! The peer can make us hold no more than one buffer in either direction.

use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::unbuffered::{ConnectionState, EncodeError, UnbufferedStatus};
use rustls::{AlertDescription, CommonState, Error, ExtractedSecrets};
use rustls_pki_types::{CertificateDer, ServerName};

use super::certificates::{self, Chosen};
use super::info::suite_name;
use super::records::{HEADER, Header};
use super::session::{Keys, Role, Session};
use super::{Acceptor, Alpn, Connector, Group, HandshakeError, Info, Reason, Tls, Version};
use crate::{Buffer, Conn, Shutdown};

/// Bytes by which a request in plain HTTP shows itself.
const METHOD: usize = 16;

/// The server's side of a handshake. A deadline made for the connection keeps acting on it; struck, the handshake fails
/// with [`Reason::Closed`].
pub async fn accept(conn: Conn, acceptor: &Acceptor) -> Result<Conn, HandshakeError> {
    accept_after(conn, acceptor, Buffer::standard()).await
}

/// As [`accept`], where the first bytes have been read already.
pub async fn accept_after(
    conn: Conn,
    acceptor: &Acceptor,
    read: Buffer,
) -> Result<Conn, HandshakeError> {
    let side = UnbufferedServerConnection::new(acceptor.config())
        .map_err(|error| HandshakeError::from(&error))?;
    let mut handshake = Handshake::new(conn, Side::Server(Box::new(side)), read);
    match handshake.sniff().await? {
        Sniffed::Tls => {}
        Sniffed::Http => {
            let error = HandshakeError::new(Reason::PlainHttp, "the client spoke HTTP without TLS");
            return Err(error.with_plain(handshake.conn, handshake.incoming));
        }
    }
    handshake.run().await?;
    handshake.finish(None, Some(acceptor))
}

/// The client's side of a handshake with the server of that name, a host's or an address, which its certificate must be
/// for. As for [`accept`].
pub async fn connect(
    conn: Conn,
    connector: &Connector,
    server_name: &str,
) -> Result<Conn, HandshakeError> {
    let name = ServerName::try_from(server_name.to_owned())
        .map_err(|_| HandshakeError::new(Reason::Internal, "not a host's name"))?;
    let side = UnbufferedClientConnection::new(connector.config(), name)
        .map_err(|error| HandshakeError::from(&error))?;
    let mut handshake = Handshake::new(conn, Side::Client(Box::new(side)), Buffer::standard());
    handshake.run().await?;
    handshake.finish(Some(server_name), None)
}

enum Side {
    Server(Box<UnbufferedServerConnection>),
    Client(Box<UnbufferedClientConnection>),
}

struct Handshake {
    conn: Conn,
    side: Side,
    /// What has been received and not been used.
    incoming: Buffer,
    /// How much of that rustls has been given: whole records, one at a time, since those behind the handshake are not for
    /// it. (It would answer a key update after we have taken the keys.) `0 <= given <= incoming.len()`
    given: usize,
    /// What is to be sent.
    outgoing: Buffer,
    chosen: Option<Chosen>,
}

enum Sniffed {
    Tls,
    Http,
}

enum Step {
    Again,
    /// More must be received first.
    Receive,
    /// Data can flow, as far as rustls is concerned.
    Traffic,
    Closed,
}

impl Side {
    fn common(&self) -> &CommonState {
        match self {
            Side::Server(side) => side,
            Side::Client(side) => side,
        }
    }

    /// Gives up rustls' connection for what outlives it.
    fn into_keys(self) -> Result<(ExtractedSecrets, Keys, Role), Error> {
        let is_13 = self.common().protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
        Ok(match self {
            Side::Server(side) => {
                let (secrets, keys) = side.dangerous_into_kernel_connection()?;
                let keys = if is_13 {
                    Keys::Server(keys)
                } else {
                    Keys::Fixed
                };
                (secrets, keys, Role::Server)
            }
            Side::Client(side) => {
                let (secrets, keys) = side.dangerous_into_kernel_connection()?;
                let keys = if is_13 {
                    Keys::Client(keys)
                } else {
                    Keys::Fixed
                };
                (secrets, keys, Role::Client)
            }
        })
    }
}

impl Handshake {
    fn new(conn: Conn, side: Side, incoming: Buffer) -> Handshake {
        Handshake {
            conn,
            side,
            incoming,
            given: 0,
            outgoing: Buffer::default(),
            chosen: None,
        }
    }

    /// Looks at the first bytes: a browser that was given the wrong scheme deserves a better answer than an alert.
    async fn sniff(&mut self) -> Result<Sniffed, HandshakeError> {
        loop {
            let bytes = self.incoming.filled();
            let method = bytes
                .iter()
                .take(METHOD)
                .take_while(|it| it.is_ascii_uppercase());
            match (method.count(), bytes.len()) {
                (0, 1..) | (METHOD, _) => return Ok(Sniffed::Tls),
                (method, len) if method < len => {
                    return Ok(match bytes.get(method) {
                        Some(b' ') => Sniffed::Http,
                        _ => Sniffed::Tls,
                    });
                }
                _ => self.receive().await?,
            }
        }
    }

    async fn run(&mut self) -> Result<(), HandshakeError> {
        loop {
            match self.step() {
                Ok(Step::Again) => {}
                Ok(Step::Traffic) if self.is_done() => return Ok(()),
                Ok(Step::Receive | Step::Traffic) => {
                    while !self.give() {
                        self.send().await?;
                        self.receive().await?;
                    }
                }
                Ok(Step::Closed) => {
                    return Err(HandshakeError::new(Reason::Closed, "closed by the peer"));
                }
                Err(error) => return Err(self.refuse(&error)),
            }
        }
    }

    fn step(&mut self) -> Result<Step, Error> {
        let bytes = self.incoming.filled_mut();
        let bytes = bytes.get_mut(..self.given).unwrap_or_default();
        let outgoing = &mut self.outgoing;
        let (used, step) = match &mut self.side {
            Side::Server(side) => advance(side.process_tls_records(bytes), outgoing),
            Side::Client(side) => advance(side.process_tls_records(bytes), outgoing),
        };
        self.incoming.consume(used);
        self.given = self.given.saturating_sub(used);
        if let Some(chosen) = certificates::take_chosen() {
            self.chosen = Some(chosen);
        }
        step
    }

    /// Gives rustls one more record, if there is a whole one; or all, if it is none.
    fn give(&mut self) -> bool {
        let all = self.incoming.filled();
        let end = match all.get(self.given..).and_then(Header::of) {
            None => return false,
            Some(Err(_)) => all.len(),
            Some(Ok(header)) => self.given + HEADER + header.len,
        };
        let is_whole = end <= all.len();
        if is_whole {
            self.given = end;
        }
        is_whole
    }

    /// Whether rustls has nothing left to do.
    fn is_done(&self) -> bool {
        let common = self.side.common();
        !common.is_handshaking() && !common.wants_write() && self.given == 0
    }

    async fn send(&mut self) -> Result<(), HandshakeError> {
        if self.outgoing.is_empty() {
            return Ok(());
        }
        let (sent, back) = self.conn.write(std::mem::take(&mut self.outgoing)).await;
        self.outgoing = back;
        Ok(sent?)
    }

    async fn receive(&mut self) -> Result<(), HandshakeError> {
        if self.incoming.room() == 0 {
            self.incoming.compact();
        }
        if self.incoming.room() == 0 && !self.incoming.is_large() {
            let mut large = Buffer::large();
            large.extend(self.incoming.filled());
            self.incoming = large;
        }
        if self.incoming.room() == 0 {
            return Err(HandshakeError::new(Reason::Protocol, "a message too long"));
        }
        let (received, back) = self.conn.read(std::mem::take(&mut self.incoming)).await;
        self.incoming = back;
        match received? {
            0 => Err(HandshakeError::new(Reason::Closed, "closed by the peer")),
            _ => Ok(()),
        }
    }

    /// Tells the peer and closes.
    fn refuse(&mut self, error: &Error) -> HandshakeError {
        // With something to send rustls touches no bytes.
        while self.side.common().wants_write() {
            let outgoing = &mut self.outgoing;
            let (_, step) = match &mut self.side {
                Side::Server(side) => advance(side.process_tls_records(&mut []), outgoing),
                Side::Client(side) => advance(side.process_tls_records(&mut []), outgoing),
            };
            if step.is_err() {
                break;
            }
        }
        part(&self.conn, self.outgoing.filled());
        HandshakeError::from(error)
    }

    /// The connection under TLS, with the last flight sent if the peer waits for it.
    fn finish(
        self,
        name: Option<&str>,
        acceptor: Option<&Acceptor>,
    ) -> Result<Conn, HandshakeError> {
        let failed = |error: Error| HandshakeError::from(&error);
        let common = self.side.common();
        let (Some(suite), Some(version)) = (
            common.negotiated_cipher_suite(),
            common.protocol_version().and_then(Version::of),
        ) else {
            return Err(failed(Error::HandshakeNotComplete));
        };
        let chain = match self.side {
            Side::Server(_) => common.peer_certificates().unwrap_or_default(),
            Side::Client(_) => &[],
        };
        let resumed = common.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        let verified = match acceptor {
            Some(acceptor) if resumed => acceptor.verify(chain),
            _ => Ok(()),
        };
        let group = common.negotiated_key_exchange_group();
        let chosen = self.chosen;
        let info = Info {
            version,
            suite: suite_name(suite.suite()),
            group: group
                .and_then(|group| Group::of(group.name()))
                .map(Group::as_str),
            alpn: common.alpn_protocol().and_then(Alpn::of),
            certificate: chosen.as_ref().and_then(|chosen| chosen.certificate),
            server_name: match name {
                Some(name) => Some(name.to_ascii_lowercase().into()),
                None => chosen.and_then(|chosen| chosen.server_name),
            },
            resumed,
            peer_certificates: chain.iter().map(bytes_of).collect(),
        };
        let (secrets, keys, role) = self.side.into_keys().map_err(failed)?;
        let mut session =
            Session::new(suite, secrets, keys, role, self.outgoing.filled()).map_err(failed)?;
        if let Err(error) = verified {
            session.refuse(AlertDescription::CertificateUnknown);
            part(&self.conn, session.outgoing());
            return Err(error);
        }
        let waited_for = role == Role::Client || version == Version::Tls12;
        let tls = Tls::over(self.conn, session, info, self.incoming)?;
        if waited_for {
            tls.flush();
        }
        Ok(Conn::Tls(Box::new(tls)))
    }
}

fn bytes_of(certificate: &CertificateDer<'static>) -> Box<[u8]> {
    certificate.as_ref().into()
}

/// Sends the last words without waiting, and ends the connection so that they arrive.
fn part(conn: &Conn, words: &[u8]) {
    let socket = conn.socket();
    // Whoever is gone need not be told.
    let _ = socket.send_now(words);
    conn.shutdown(Shutdown::Write);
    // Bytes that were not read would make the close a reset, which overtakes the alert.
    let mut rest = Buffer::standard();
    while matches!(socket.receive_now(&mut rest), Ok(1..)) && rest.room() > 0 {}
}

/// Does what rustls asks for next: how many received bytes are done with, and how it goes on.
fn advance<Data>(
    status: UnbufferedStatus<'_, '_, Data>,
    outgoing: &mut Buffer,
) -> (usize, Result<Step, Error>) {
    let used = status.discard;
    let state = match status.state {
        Ok(state) => state,
        Err(error) => return (used, Err(error)),
    };
    let step = match state {
        ConnectionState::EncodeTlsData(mut message) => {
            encode(outgoing, |room| message.encode(room)).map(|()| Step::Again)
        }
        ConnectionState::TransmitTlsData(sent) => {
            sent.done();
            Ok(Step::Again)
        }
        ConnectionState::BlockedHandshake => Ok(Step::Receive),
        ConnectionState::WriteTraffic(_) => Ok(Step::Traffic),
        ConnectionState::PeerClosed | ConnectionState::Closed => Ok(Step::Closed),
        // Data are none of rustls' business, and 0-RTT is never offered.
        _ => Err(Error::HandshakeNotComplete),
    };
    (used, step)
}

/// Lets a message be written behind what is to be sent.
fn encode(
    outgoing: &mut Buffer,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, EncodeError>,
) -> Result<(), Error> {
    loop {
        match write(outgoing.room_mut()) {
            Ok(written) => {
                outgoing.received(written);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(_)) if !outgoing.is_large() => grow(outgoing),
            Err(error) => return Err(Error::General(error.to_string())),
        }
    }
}

/// From none to a standard buffer, from that to a large one.
fn grow(buffer: &mut Buffer) {
    let mut larger = match buffer.room() + buffer.len() {
        0 => Buffer::standard(),
        _ => Buffer::large(),
    };
    larger.extend(buffer.filled());
    *buffer = larger;
}

//! Opening a connection: TCP, TLS, and in HTTP/2 the first words; how long each took, and what stood in the way.

use std::cell::RefCell;
use std::io;
use std::sync::Arc;

use engine_net::tls::{self, Alpn, Connector, ConnectorSettings, Info, SettingsError};
use engine_net::{Buffer, Conn, clock, connect, deadline};

use super::world::World;
use crate::http2::Connection;
use crate::results::{ErrorKind, Part};
use crate::scenario::Http;

/// Connectors that keep sessions for others to resume, by worker: a few sessions each, so that as many connections at
/// once as are usual find one.
const KEPT: usize = 64;

/// A connection, ready for requests.
pub(super) struct Link {
    pub(super) conn: Conn,
    /// In HTTP/2 what has been agreed on, and what has been received beyond that.
    pub(super) http2: Option<Box<(Connection, Buffer)>>,
    pub(super) took: Took,
}

/// What opening a connection took, in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Took {
    pub(super) connect: u64,
    pub(super) tls: Option<Handshake>,
}

/// A TLS handshake.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handshake {
    pub(super) ns: u64,
    /// Whether it resumed a session.
    pub(super) resumed: bool,
}

/// Counts a connection.
pub(super) fn record(part: &mut Part, took: &Took) {
    part.connected(took.connect);
    if let Some(handshake) = took.tls {
        part.handshaken(handshake.ns, handshake.resumed);
    }
}

/// What one worker's connections need for TLS.
pub(super) struct Secure {
    settings: Arc<ConnectorSettings>,
    name: String,
    resume: bool,
    kept: RefCell<Vec<Connector>>,
    /// What the first handshake came to.
    agreed: RefCell<Option<String>>,
}

impl Secure {
    pub(super) fn new(settings: Arc<ConnectorSettings>, name: String, resume: bool) -> Secure {
        Secure {
            settings,
            name,
            resume,
            kept: RefCell::default(),
            agreed: RefCell::default(),
        }
    }

    /// What the first handshake came to, in words.
    pub(super) fn agreed(&self) -> Option<String> {
        self.agreed.borrow().clone()
    }

    /// The connector of the connections at this place: sessions are kept with it, so that one that is new resumes none.
    fn connector(&self, place: usize) -> Result<Connector, SettingsError> {
        if !self.resume {
            return Connector::new(&self.settings);
        }
        let mut kept = self.kept.borrow_mut();
        while kept.len() <= place % KEPT {
            kept.push(Connector::new(&self.settings)?);
        }
        match kept.get(place % KEPT) {
            Some(connector) => Ok(connector.clone()),
            None => Connector::new(&self.settings),
        }
    }
}

/// Opens a connection for the task at this place; what stood in the way is told later.
pub(super) async fn open(world: &World, place: usize) -> Result<Link, ErrorKind> {
    let end = clock::now() + world.timeout;
    let (kind, why) = match deadline::within(end, establish(world, place)).await {
        Some(Ok(link)) => return Ok(link),
        Some(Err(refusal)) => refusal,
        None => (ErrorKind::Connect, "timed out".to_owned()),
    };
    world.reasons.borrow_mut().refused = Some(why);
    Err(kind)
}

async fn establish(world: &World, place: usize) -> Result<Link, (ErrorKind, String)> {
    let begun = clock::now();
    let conn = connect(&world.address)
        .await
        .map_err(|error| (ErrorKind::Connect, error.to_string()))?;
    let connected = clock::now();
    let mut took = Took {
        connect: connected - begun,
        tls: None,
    };
    let conn = match &world.secure {
        None => conn,
        Some(secure) => {
            let failed = |why: String| (ErrorKind::Tls, format!("TLS: {why}"));
            let connector = secure
                .connector(place)
                .map_err(|error| failed(error.to_string()))?;
            // Making a connector is no part of the handshake.
            let begun = clock::now();
            let conn = tls::connect(conn, &connector, &secure.name)
                .await
                .map_err(|error| failed(error.detail))?;
            took.tls = conn.tls().map(|info| Handshake {
                ns: clock::now() - begun,
                resumed: info.resumed,
            });
            if let Some(info) = conn.tls() {
                let mut agreed = secure.agreed.borrow_mut();
                agreed.get_or_insert_with(|| in_words(info));
            }
            conn
        }
    };
    let http2 = match world.scenario.target.http {
        Http::Http1 => None,
        Http::Http2 => Some(Box::new(greet(world, &conn).await?)),
    };
    Ok(Link { conn, http2, took })
}

/// The first words of HTTP/2: ours, and the server's SETTINGS, so that what it takes is known before it is asked anything.
async fn greet(world: &World, conn: &Conn) -> Result<(Connection, Buffer), (ErrorKind, String)> {
    let foreign = |why: &str| (ErrorKind::Protocol, format!("HTTP/2: {why}"));
    if conn.tls().is_some_and(|info| info.alpn != Some(Alpn::H2)) {
        return Err(foreign("the server does not offer it by ALPN"));
    }
    let mut http2 = Connection::new(world.scenario.fields);
    let mut buffer = Buffer::standard();
    buffer.extend(http2.output());
    let sent = buffer.len();
    let (written, _) = conn.write(buffer).await;
    let lost = |error: io::Error| foreign(&format!("no answer to its first words: {error}"));
    written.map_err(lost)?;
    http2.written(sent);
    let mut inbox = Buffer::standard();
    while http2.peer().is_none() {
        let (read, back) = conn.read(inbox).await;
        inbox = back;
        if read.map_err(lost)? == 0 {
            return Err(foreign("the connection was closed at its first words"));
        }
        if inbox.filled().starts_with(b"HTTP/1.") {
            return Err(foreign("the server speaks HTTP/1.1"));
        }
        let used = http2.receive(inbox.filled(), &mut |_| {});
        inbox.consume(used.map_err(|broken| foreign(broken.rule))?);
        inbox.compact();
    }
    match http2.room() {
        0 => Err(foreign("the server takes no requests")),
        _ => Ok((http2, inbox)),
    }
}

fn in_words(info: &Info) -> String {
    let parts = [Some(info.version.as_str()), Some(info.suite), info.group];
    let parts = parts.into_iter().flatten();
    parts
        .chain(info.alpn.map(|alpn| alpn.as_str()))
        .collect::<Vec<_>>()
        .join(", ")
}

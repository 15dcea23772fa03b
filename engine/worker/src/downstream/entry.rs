//! How a connection begins, before its first request: PROXY header, TLS handshake.
//!
//! All of it together has one deadline. What fails here is counted and closed; nothing of it reaches the access log,
//! since there is no request yet.

use std::net::SocketAddr;
use std::rc::Rc;

use engine_config::snapshot::Listener;
use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike, within};
use engine_net::tls::{self, HandshakeError, Reason, SniPeek};
use engine_net::{Conn, clock};
use protocol::proxy_protocol::{self, Decoded, Origin};

use super::passthrough::{self, Look};
use crate::core::{Core, Live};
use crate::exchange::{self, Client};
use crate::link::Link;
use crate::listener::{Listening, admits};
use crate::nanos;
use crate::reply::Fault;

/// How long a handshake may take once it has a place: two round trips to anywhere.
const INSIDE: u64 = 3_000_000_000;

/// What is said of handshakes that were over before TLS could judge them.
const NO_HELLO: &str = "no whole ClientHello has come";
const NO_PLACE: &str = "none of the listener's max_handshakes became free";
const TOO_LONG: &str = "the client did not go on with it";

/// Where a connection is passed on to, in the terms of the snapshot that said so: numbers mean something else in the next.
pub(super) struct PassedTo {
    pub(super) live: Rc<Live>,
    pub(super) listener: usize,
    pub(super) upstream: u16,
}

/// A connection that requests can come on.
pub(super) struct Entered {
    pub(super) conn: Conn,
    /// What has been read of it already.
    pub(super) read: Buffer,
    /// The client, if a PROXY header has named it.
    pub(super) peer: Option<SocketAddr>,
    /// The upstream that it is passed on to, unopened.
    pub(super) passed_to: Option<Box<PassedTo>>,
}

impl Entered {
    pub(super) fn plain(conn: Conn) -> Entered {
        Entered {
            conn,
            read: Buffer::default(),
            peer: None,
            passed_to: None,
        }
    }

    /// The client.
    fn from(&self) -> SocketAddr {
        super::address_of(&self.conn, self.peer)
    }
}

/// Whether requests come right away.
pub(super) fn is_plain(listener: &Listener) -> bool {
    listener.tls.is_none() && listener.proxy_protocol.is_none() && listener.passthrough.is_empty()
}

/// Leads a connection to its first request; none if there is to be none.
pub(super) async fn enter(
    core: &Rc<Core>,
    conn: Conn,
    listening: &Rc<Listening>,
) -> Option<Entered> {
    let live = core.live();
    // Once: a reload on the way gives the listener another index, but not in this snapshot.
    let id = listening.id();
    let listener = live.snapshot.listeners.get(id)?;
    let give_up = deadline::now().saturating_add(nanos(listener.handshake_timeout));
    let deadline = Deadline::new(&conn);
    deadline.set(give_up, Strike::BothShut);
    let mut entered = Entered::plain(conn);
    if let Some(trusted) = &listener.proxy_protocol {
        let sender = entered.conn.peer().map(|peer| peer.ip().to_canonical());
        if !sender.is_some_and(|ip| trusted.contains(ip)) {
            listening.series.refused.inc("proxy_protocol_sender");
            return None;
        }
        if let Err(cause) = proxy_header(&mut entered).await {
            listening.series.refused.inc(cause);
            return None;
        }
        let client = super::address_of(&entered.conn, entered.peer).ip();
        if !admits(listener, client) {
            listening.series.refused.inc("address");
            return None;
        }
    }
    if !listener.passthrough.is_empty() {
        match passthrough::look(&mut entered, &listener.passthrough).await {
            Look::Found(Some(upstream)) => {
                deadline.clear();
                entered.passed_to = Some(Box::new(PassedTo {
                    live: Rc::clone(&live),
                    listener: id,
                    upstream,
                }));
                return Some(entered);
            }
            Look::Found(None) if listener.tls.is_none() => {
                listening.series.refused.inc("passthrough_no_match");
                return None;
            }
            Look::Found(None) => {}
            Look::Gone => {
                let reason = match deadline.struck() {
                    true => Reason::Timeout,
                    false => Reason::Closed,
                };
                failed(core, listening, &entered.from(), reason, NO_HELLO);
                return None;
            }
        }
    }
    if listener.tls.is_none() {
        deadline.clear();
        return Some(entered);
    }
    let acceptor = live.tls.acceptor(id)?;
    // A place among the handshakes is for those that have said all that a handshake begins with, and not for long.
    while tls::sni(entered.read.filled()) == SniPeek::More {
        if !more(&mut entered).await {
            let reason = match deadline.struck() {
                true => Reason::Timeout,
                false => Reason::Closed,
            };
            failed(core, listening, &entered.from(), reason, NO_HELLO);
            return None;
        }
    }
    let most = listener.max_handshakes;
    let waiting = &listening.series.handshakes_waiting;
    waiting.inc();
    let place = within(give_up, listening.handshakes.enter(most)).await;
    waiting.dec();
    let Some(place) = place else {
        failed(core, listening, &entered.from(), Reason::Timeout, NO_PLACE);
        return None;
    };
    deadline.set(
        deadline::now().saturating_add(INSIDE).min(give_up),
        Strike::BothShut,
    );
    let (from, read) = (entered.from(), std::mem::take(&mut entered.read));
    let done = tls::accept_after(entered.conn, &acceptor, read).await;
    drop(place);
    match done {
        Ok(conn) => {
            listening.note_handshake(&conn);
            deadline.clear();
            Some(Entered {
                conn,
                read: Buffer::default(),
                peer: entered.peer,
                passed_to: None,
            })
        }
        Err(error) => {
            let (reason, detail) = match deadline.struck() {
                true => (Reason::Timeout, TOO_LONG),
                false => (error.reason, error.detail.as_str()),
            };
            failed(core, listening, &from, reason, detail);
            answer_plain(core, listening, error).await;
            None
        }
    }
}

/// Counts a handshake that came to nothing, and tells of it where that is wanted.
fn failed(core: &Core, listening: &Listening, from: &SocketAddr, reason: Reason, detail: &str) {
    listening.handshake_failed(reason);
    if let Some(debug) = &core.live().debug {
        debug.handshake_failed(clock::now(), &listening.name, from, (reason, detail));
    }
}

/// A client that spoke HTTP where TLS is spoken is told so in its own language.
async fn answer_plain(core: &Rc<Core>, listening: &Rc<Listening>, mut error: HandshakeError) {
    let Some((conn, mut read)) = error.take_plain() else {
        return;
    };
    let deadline = Deadline::new(&conn);
    let seat = listening.seat(core);
    let client = Client {
        core,
        link: Link::Conn(&conn),
        deadline: &deadline,
        listener: listening.id(),
        seat: &seat,
        series: &listening.series,
        from: super::address_of(&conn, None),
    };
    let mut scratch = core.take_scratch();
    let begun = clock::now();
    exchange::refuse_head(client, scratch.get(), &mut read, begun, Fault::PlainOnTls).await;
    if conn.is_posting() {
        // Whoever is gone needs no answer.
        let _ = conn.posted().await;
    }
    super::http1::linger(&conn, &deadline).await;
}

/// Reads the PROXY header; the client that it names becomes the connection's.
async fn proxy_header(entered: &mut Entered) -> Result<(), &'static str> {
    loop {
        match proxy_protocol::decode(entered.read.filled()) {
            Err(error) => return Err(error.cause()),
            Ok(Decoded::Done { len, header }) => {
                if let Origin::Tcp { source, .. } = header.origin {
                    entered.peer = Some(source);
                }
                entered.read.consume(len);
                return Ok(());
            }
            Ok(Decoded::More) => {}
        }
        if !more(entered).await {
            return Err("proxy_no_header");
        }
    }
}

/// Reads more of the beginning; false when nothing comes, or it is too long.
pub(super) async fn more(entered: &mut Entered) -> bool {
    if entered.read.room() == 0 {
        let mut read = match entered.read.is_empty() {
            true => Buffer::standard(),
            false if entered.read.is_large() => return false,
            false => Buffer::large(),
        };
        read.extend(entered.read.filled());
        entered.read = read;
    }
    let (result, back) = entered.conn.read(std::mem::take(&mut entered.read)).await;
    entered.read = back;
    result.is_ok_and(|n| n > 0)
}

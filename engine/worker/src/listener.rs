//! This worker's side of one listener: accepting, counting, and the end of it.
//!
//! A listener is known by its name; a reload changes the settings behind it, not its socket, unless
//! the address has changed.

use std::cell::{Cell, RefCell};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use engine_bridge::board::Share;
use engine_bridge::metrics::{ListenerSeries, WorkerSeries};
use engine_config::snapshot as config;
use engine_net::deadline::Deadline;
use engine_net::listener::Listener;
use engine_net::tls::Reason;
use engine_net::{Conn, clock, is_cancelled, runtime};

use crate::core::Core;
use crate::downstream;
use crate::gate::Gate;
use crate::nanos;

mod trust;

use trust::Trust;
pub(crate) use trust::Watched;

/// One listener on this worker.
pub(crate) struct Listening {
    pub(crate) name: Arc<str>,
    pub(crate) address: engine_config::snapshot::Address,
    id: Cell<usize>,
    socket: RefCell<Option<Rc<Listener>>>,
    pub(crate) series: Arc<ListenerSeries>,
    worker: Arc<WorkerSeries>,
    /// Connections of the whole node on this listener, and in all.
    open: Rc<Share>,
    open_all: Rc<Share>,
    closing: Cell<bool>,
    /// Whose client certificates are trusted, and since when they were no longer who were before.
    trust: Trust,
    /// TLS handshakes in progress.
    pub(crate) handshakes: Rc<Gate>,
}

/// How long accepting pauses when the process is out of descriptors or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

impl Listening {
    pub(crate) fn new(core: &Core, settings: &config::Listener, socket: Listener) -> Rc<Listening> {
        Rc::new(Listening {
            name: Arc::clone(&settings.name),
            address: settings.address.clone(),
            id: Cell::new(usize::from(settings.id)),
            socket: RefCell::new(Some(Rc::new(socket))),
            series: core.bridge.metrics.listener(core.index, &settings.name),
            worker: core.bridge.metrics.worker(core.index),
            open: core.shares.listener(&settings.name),
            open_all: core.shares.all_connections(),
            closing: Cell::new(false),
            trust: Trust::new(digest(settings)),
            handshakes: Rc::default(),
        })
    }

    /// Its index in the current snapshot.
    pub(crate) fn id(&self) -> usize {
        self.id.get()
    }

    /// A reload has given it another index, and perhaps another mind about client certificates: whoever was let in
    /// under the old one must show itself again, then true.
    pub(crate) fn renew(&self, settings: &config::Listener) -> bool {
        self.id.set(usize::from(settings.id));
        self.trust.renew(digest(settings), clock::now())
    }

    /// The same for one that is removed or has moved: what its connections have under way goes by the listener that bears
    /// its name now, if there is one.
    pub(crate) fn follow(&self, heir: Option<&config::Listener>) {
        self.trust.renew(heir.and_then(digest), clock::now());
    }

    /// Each tick: connections that were let in under a trust that is over for longer than `grace` are cut.
    pub(crate) fn cut_distrusted(&self, grace: u64, now: u64) {
        self.trust.cut(grace, now);
    }

    /// The same for this connection of HTTP/1.1, for as long as it is at work; one without TLS was never asked.
    pub(crate) fn watch<'l>(&'l self, conn: &Conn, seat: &Seat) -> Option<Watched<'l>> {
        let era = seat.era.filter(|_| conn.tls().is_some())?;
        Some(self.trust.watch(era, Deadline::new(conn)))
    }

    /// A reload has removed it: its index is another's now.
    pub(crate) fn unlist(&self) {
        self.id.set(usize::MAX);
    }

    /// Reads from the settings that the current snapshot has for it.
    pub(crate) fn settings<T: Default>(
        &self,
        core: &Core,
        read: impl FnOnce(&config::Listener) -> T,
    ) -> T {
        let live = core.live();
        live.snapshot
            .listeners
            .get(self.id.get())
            .map(read)
            .unwrap_or_default()
    }

    /// Lets a connection in, under the terms of now.
    pub(crate) fn seat(self: &Rc<Self>, core: &Core) -> Seat {
        let age = self.settings(core, |listener| listener.max_connection_age.map(nanos));
        // Each grows to its own age, so that those that came together don't go together.
        let until = age.map_or(u64::MAX, |age| {
            let spread = core.random() % (age / 5).max(1);
            clock::now().saturating_add(age.saturating_sub(spread))
        });
        Seat {
            listening: Rc::clone(self),
            era: Some(self.trust.era()),
            until,
        }
    }

    /// Counts a handshake that came to a connection.
    pub(crate) fn note_handshake(&self, conn: &Conn) {
        let Some(tls) = conn.tls() else { return };
        let result = if tls.resumed { "resumed" } else { "ok" };
        self.worker
            .tls
            .handshake(Some(tls.version.as_str()), result);
        if let Some(group) = tls.group {
            self.worker.tls.groups.inc(group);
        }
    }

    /// Counts one that did not.
    pub(crate) fn handshake_failed(&self, reason: Reason) {
        self.worker.tls.handshake(None, reason.as_str());
    }

    /// Accepts until stopped.
    pub(crate) async fn accept(self: Rc<Self>, core: Rc<Core>) {
        let Some(socket) = self.socket.borrow().clone() else {
            return;
        };
        loop {
            match socket.accept().await {
                Ok(conn) => self.admit(&core, conn),
                Err(error) if is_cancelled(&error) => break,
                Err(_) => runtime::sleep(ACCEPT_PAUSE).await,
            }
            if self.closing.get() {
                break;
            }
        }
        // Closing a member of a SO_REUSEPORT group resets what is queued on it: empty it first.
        while let Some(conn) = socket.accept_queued() {
            self.admit(&core, conn);
        }
    }

    /// Stops accepting: what is queued is still served, then the socket closes.
    pub(crate) fn close(&self) {
        self.closing.set(true);
        if let Some(socket) = self.socket.borrow_mut().take() {
            socket.stop();
        }
    }

    /// Serves a connection in a task of its own, within the caps.
    fn admit(self: &Rc<Self>, core: &Rc<Core>, conn: Conn) {
        let live = core.live();
        let Some(settings) = live.snapshot.listeners.get(self.id.get()) else {
            return;
        };
        let peer = conn.peer().map(|peer| peer.ip().to_canonical());
        // With a PROXY header it is the address in that which counts.
        let named = settings.proxy_protocol.is_some();
        if !named && peer.is_some_and(|ip| !admits(settings, ip)) {
            return self.series.refused.inc("address");
        }
        let most = live.snapshot.gateway.max_connections.unwrap_or(u64::MAX);
        let Some(open_all) = self.open_all.acquire(most) else {
            return self.series.refused.inc("max_connections");
        };
        let most = settings.max_connections.unwrap_or(u64::MAX);
        let Some(open) = self.open.acquire(most) else {
            return self.series.refused.inc("listener_max_connections");
        };
        let Some(per_address) =
            core.bridge
                .board
                .per_address(&self.name, conn.peer(), settings.max_connections_per_ip)
        else {
            return self.series.refused.inc("max_connections_per_ip");
        };
        let guard = Open::new(core, self);
        let (core, listening) = (Rc::clone(core), Rc::clone(self));
        runtime::spawn(async move {
            let _held = (guard, open, open_all, per_address);
            downstream::serve(core, conn, listening).await;
        });
    }
}

/// One connection's place on a listener.
#[derive(Clone)]
pub(crate) struct Seat {
    pub(crate) listening: Rc<Listening>,
    /// Whose certificates were trusted when it was let in; `None`: it was asked for none.
    era: Option<u32>,
    /// When it has grown old.
    until: u64,
}

impl Seat {
    /// Clients are asked for other certificates now: nothing more is served to whoever was let in before.
    pub(crate) fn is_stale(&self) -> bool {
        self.era
            .is_some_and(|era| era != self.listening.trust.era())
    }

    /// It has been cut for that.
    pub(crate) fn is_cut(&self) -> bool {
        self.era.is_some_and(|era| self.listening.trust.is_cut(era))
    }

    /// The same for a connection that is passed on unopened: no certificate is asked for.
    pub(crate) fn unasked(&self) -> Seat {
        Seat {
            era: None,
            ..self.clone()
        }
    }

    /// The connection is to end after what it is doing: its listener has been removed, the process drains, clients must
    /// show themselves anew, or it has grown old.
    pub(crate) fn is_over(&self) -> bool {
        self.listening.closing.get()
            || self.is_stale()
            || (self.until != u64::MAX && clock::now() >= self.until)
    }
}

fn digest(settings: &config::Listener) -> Option<config::Digest> {
    let tls = settings.tls.as_ref()?;
    Some(tls.client.as_ref()?.digest)
}

/// Whether a client at this address may connect.
pub(crate) fn admits(settings: &config::Listener, ip: IpAddr) -> bool {
    !settings.deny.contains(ip) && (settings.allow.is_empty() || settings.allow.contains(ip))
}

/// Counts a connection for as long as its task lives.
struct Open {
    core: Rc<Core>,
    listening: Rc<Listening>,
}

impl Open {
    fn new(core: &Rc<Core>, listening: &Rc<Listening>) -> Open {
        core.connections.set(core.connections.get() + 1);
        listening.series.active.inc();
        listening.series.accepted.inc();
        Open {
            core: Rc::clone(core),
            listening: Rc::clone(listening),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.core
            .connections
            .set(self.core.connections.get().saturating_sub(1));
        self.listening.series.active.dec();
    }
}

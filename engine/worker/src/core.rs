//! One core's world: what every exchange on this worker shares, and nothing another thread can see.
//!
//! A `Live` is one snapshot as this worker uses it: the immutable `Snapshot` with this worker's
//! counters and pools resolved once, so that a request looks up nothing by name. It is wrapped in an
//! `Rc` and each exchange clones that: no contended count. State (pools, caches, leases) is keyed by
//! stable names and outlives any snapshot.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use engine_bridge::Bridge;
use engine_bridge::board::Shares;
use engine_bridge::logs::LineSink;
use engine_bridge::metrics::{BackendSeries, NO_ROUTE, RouteSeries};
use engine_config::snapshot::{Action, LogLevel, Route, Snapshot};
use engine_net::clock;
use policy::chain::State;

use crate::debug::DebugLog;
use crate::downstream::Downstream;
use crate::refusals::Refusals;
use crate::removed::Removed;
use crate::scratch::Scratch;
use crate::tls::{self, Tls};
use crate::tunnel::Tunnels;
use crate::upstream::Upstreams;

/// One worker's world. Not `Send`: it never leaves its thread.
pub(crate) struct Core {
    pub(crate) index: usize,
    pub(crate) bridge: Arc<Bridge>,
    live: RefCell<Rc<Live>>,
    /// Those before it that exchanges still go by.
    former: RefCell<Vec<Weak<Live>>>,
    pub(crate) policy: RefCell<State>,
    pub(crate) upstreams: Upstreams,
    /// What this worker has of the node's caps.
    pub(crate) shares: Shares,
    /// Set while the process drains: answers say `Connection: close`.
    pub(crate) draining: Cell<bool>,
    /// Connections of clients open on this worker.
    pub(crate) connections: Cell<usize>,
    /// Exchanges begun and not recorded yet.
    pub(crate) in_flight: Cell<u64>,
    /// Exchanges begun since the last tick: tells a busy worker from an idle one.
    pub(crate) activity: Cell<u64>,
    /// What of TLS outlives a snapshot.
    known_tls: tls::Known,
    /// The generation of ticket keys in use.
    tickets: Cell<u64>,
    /// The HTTP/2 connections of clients, for what is to be done with them from outside.
    pub(crate) http2: RefCell<Vec<Weak<Downstream>>>,
    pub(crate) tunnels: Tunnels,
    random: Cell<u64>,
    date: RefCell<Date>,
    // Boxed, so that lending and giving back moves a pointer and not the areas themselves.
    #[allow(clippy::vec_box)]
    scratches: RefCell<Vec<Box<Scratch>>>,
}

/// One snapshot as this worker uses it.
pub(crate) struct Live {
    pub(crate) generation: u64,
    pub(crate) snapshot: Arc<Snapshot>,
    /// By route id.
    pub(crate) routes: Vec<LiveRoute>,
    /// What no route answered: 404, 405, malformed heads.
    pub(crate) unrouted: Arc<RouteSeries>,
    /// By upstream id.
    pub(crate) upstreams: Vec<Rc<crate::upstream::Upstream>>,
    /// By access log id.
    pub(crate) logs: RefCell<Vec<LineSink>>,
    pub(crate) refusals: Refusals,
    /// At the level `debug`.
    pub(crate) debug: Option<DebugLog>,
    pub(crate) tls: Tls,
    /// Some route lets WebSockets through.
    pub(crate) websockets: bool,
}

/// One route of a snapshot as this worker uses it.
pub(crate) struct LiveRoute {
    pub(crate) series: Arc<RouteSeries>,
    pub(crate) backend: Option<Arc<BackendSeries>>,
    pub(crate) removed: Removed,
}

/// Scratch areas kept for the next busy connections.
const SCRATCHES_KEPT: usize = 256;

impl Core {
    /// The world of the snapshot that is live.
    ///
    /// # Errors
    /// When TLS can't be made of it, and why.
    pub(crate) fn new(index: usize, bridge: Arc<Bridge>, seed: u64) -> Result<Rc<Core>, String> {
        let (generation, snapshot) = bridge.slot.load();
        let known_tls = tls::Known::default();
        let tickets = bridge.tickets.generation();
        let keys = bridge.tickets.keys().map(|keys| tls::ticket_keys(&keys));
        let tls = Tls::prepare(&snapshot, &known_tls, keys.as_ref())?;
        let upstreams = Upstreams::default();
        let shares = Shares::new(&bridge.board);
        let live = Live::new(
            (index, &bridge),
            &upstreams,
            &shares,
            (generation, snapshot),
            tls,
        );
        let state = State::new(Box::new(Arc::clone(&bridge.ledger)));
        Ok(Rc::new(Core {
            index,
            bridge,
            live: RefCell::new(Rc::new(live)),
            former: RefCell::new(Vec::new()),
            policy: RefCell::new(state),
            upstreams,
            shares,
            draining: Cell::new(false),
            connections: Cell::new(0),
            in_flight: Cell::new(0),
            activity: Cell::new(0),
            known_tls,
            tickets: Cell::new(tickets),
            http2: RefCell::new(Vec::new()),
            tunnels: Tunnels::default(),
            random: Cell::new(seed | 1),
            date: RefCell::new(Date::default()),
            scratches: RefCell::new(Vec::new()),
        }))
    }

    /// The snapshot that the next request binds to.
    pub(crate) fn live(&self) -> Rc<Live> {
        Rc::clone(&self.live.borrow())
    }

    /// What a snapshot needs of TLS; why not, if it can't be made.
    pub(crate) fn prepare_tls(&self, snapshot: &Snapshot) -> Result<Tls, String> {
        let keys = self.bridge.tickets.keys();
        let keys = keys.map(|keys| tls::ticket_keys(&keys));
        Tls::prepare(snapshot, &self.known_tls, keys.as_ref())
    }

    /// Takes over the snapshot that control has committed, with what was prepared for it.
    pub(crate) fn adopt(&self, prepared: Option<Tls>) {
        let (generation, snapshot) = self.bridge.slot.load();
        if generation == self.live.borrow().generation {
            return;
        }
        // Another was prepared than is live: every worker has said that it can be made.
        let tls = prepared.unwrap_or_else(|| self.prepare_tls(&snapshot).unwrap_or_default());
        // They may have been changed since it was prepared.
        if let Some(keys) = self.bridge.tickets.keys() {
            tls.rotate(&tls::ticket_keys(&keys));
        }
        let live = Live::new(
            (self.index, &self.bridge),
            &self.upstreams,
            &self.shares,
            (generation, snapshot),
            tls,
        );
        let live = Rc::new(live);
        let old = self.live.replace(live);
        self.former.borrow_mut().push(Rc::downgrade(&old));
        drop(old);
        let live = self.live();
        self.upstreams.retain(&live.upstreams);
        self.known_tls.retain(&live.snapshot);
    }

    /// The generation of the snapshot in use.
    pub(crate) fn generation(&self) -> u64 {
        self.live.borrow().generation
    }

    /// Each tick: leases are reconciled, log lines handed over.
    pub(crate) fn tick(&self, now: u64) {
        self.policy.borrow_mut().tick(now);
        let live = self.live();
        for upstream in &live.upstreams {
            upstream.sweep();
            upstream.make_room();
        }
        self.shares.tick();
        self.rotate_tickets(&live);
        self.tick_connections(now);
        live.hand_over_lines();
        self.former.borrow_mut().retain(|former| {
            let former = former.upgrade();
            former.iter().for_each(|it| it.hand_over_lines());
            former.is_some()
        });
    }

    /// Each tick: new ticket keys are taken into use.
    fn rotate_tickets(&self, live: &Live) {
        let generation = self.bridge.tickets.generation();
        if self.tickets.replace(generation) != generation
            && let Some(keys) = self.bridge.tickets.keys()
        {
            live.tls.rotate(&tls::ticket_keys(&keys));
        }
    }

    /// Each tick: connections that must end are told so, those that have ended are forgotten.
    fn tick_connections(&self, now: u64) {
        let draining = self.draining.get();
        self.http2.borrow_mut().retain(|downstream| {
            let downstream = downstream.upgrade();
            downstream.iter().for_each(|it| it.tick(draining, now));
            downstream.is_some()
        });
        self.tunnels.tick(draining, now);
    }

    /// The worker ends: log lines are handed over whatever waits already, since tasks that are abandoned
    /// with the runtime may keep this world from being dropped.
    pub(crate) fn finish(&self) {
        self.shares.finish();
        self.live().finish_lines();
        for former in self.former.borrow().iter().filter_map(Weak::upgrade) {
            former.finish_lines();
        }
    }

    /// A pseudo-random number (xorshift64*, Marsaglia 2003): for balancing and ids, never for secrets.
    pub(crate) fn random(&self) -> u64 {
        let mut x = self.random.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.random.set(x);
        x.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// Appends the current IMF-fixdate (RFC 9110 section 5.6.7), made once a second.
    pub(crate) fn date(&self, out: &mut Vec<u8>) {
        let mut date = self.date.borrow_mut();
        date.refresh(clock::unix_millis() / 1000);
        out.extend_from_slice(&date.text);
    }

    pub(crate) fn take_scratch(self: &Rc<Self>) -> ScratchGuard {
        let scratch = self.scratches.borrow_mut().pop().unwrap_or_default();
        ScratchGuard {
            core: Rc::clone(self),
            scratch: Some(scratch),
        }
    }
}

impl Live {
    fn new(
        (worker, bridge): (usize, &Arc<Bridge>),
        upstreams: &Upstreams,
        shares: &Shares,
        (generation, snapshot): (u64, Arc<Snapshot>),
        tls: Tls,
    ) -> Live {
        let metrics = &bridge.metrics;
        let route = |route: &Route| LiveRoute {
            series: metrics.route(worker, &route.name),
            backend: match route.action {
                Action::Forward { upstream } => snapshot
                    .upstreams
                    .get(usize::from(upstream))
                    .map(|upstream| metrics.backend(worker, &upstream.name, &route.name)),
                _ => None,
            },
            removed: Removed::of(route),
        };
        Live {
            generation,
            routes: snapshot.routes.iter().map(route).collect(),
            unrouted: metrics.route(worker, NO_ROUTE),
            upstreams: snapshot
                .upstreams
                .iter()
                .map(|u| upstreams.resolve(worker, bridge, shares, u, tls.connectors(u.id)))
                .collect(),
            logs: RefCell::new(
                snapshot
                    .access_logs
                    .iter()
                    .map(|l| bridge.logs.sink(worker, l))
                    .collect(),
            ),
            refusals: Refusals::new(worker, bridge, &snapshot),
            debug: (snapshot.gateway.log_level == LogLevel::Debug)
                .then(|| DebugLog::new(worker, &bridge.logs)),
            tls,
            websockets: snapshot.routes.iter().any(|route| route.websocket),
            snapshot,
        }
    }

    /// Each tick, also of one that is live no longer: exchanges may go by it for hours.
    fn hand_over_lines(&self) {
        self.refusals.tick();
        self.debug.iter().for_each(|debug| debug.tick(clock::now()));
        for log in self.logs.borrow_mut().iter_mut() {
            log.tick();
        }
    }

    fn finish_lines(&self) {
        self.refusals.finish();
        self.debug.iter().for_each(DebugLog::finish);
        for log in self.logs.borrow_mut().iter_mut() {
            log.finish();
        }
    }
}

/// Lends one connection the state that only a request needs; given back on drop, also on a panic.
pub(crate) struct ScratchGuard {
    core: Rc<Core>,
    scratch: Option<Box<Scratch>>,
}

impl ScratchGuard {
    pub(crate) fn get(&mut self) -> &mut Scratch {
        self.scratch.get_or_insert_default()
    }
}

impl Drop for ScratchGuard {
    fn drop(&mut self) {
        let Some(mut scratch) = self.scratch.take() else {
            return;
        };
        let mut kept = self.core.scratches.borrow_mut();
        if kept.len() < SCRATCHES_KEPT {
            scratch.shed();
            kept.push(scratch);
        }
    }
}

#[derive(Default)]
struct Date {
    second: u64,
    text: Vec<u8>,
}

impl Date {
    fn refresh(&mut self, second: u64) {
        if self.second == second && !self.text.is_empty() {
            return;
        }
        self.second = second;
        self.text.clear();
        crate::time::imf_fixdate(second, &mut self.text);
    }
}

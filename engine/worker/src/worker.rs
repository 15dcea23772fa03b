//! The loop of one worker: a tick that keeps it in step with control, and the start and end of it all.
//!
//! Workers look at the bridge on their own tick, so that nothing on the request path is woken from
//! another thread. A reload is prepared here (new sockets are bound) before control may commit it.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use engine_bridge::Bridge;
use engine_bridge::life::Phase;
use engine_bridge::metrics::WorkerSeries;
use engine_bridge::slot::{CandidateId, Outcome};
use engine_config::snapshot::{self as config, Snapshot};
use engine_net::listener::Listener;
use engine_net::runtime::{self, Driver};
use engine_net::{buffer, clock, deadline};

use crate::core::Core;
use crate::listener::Listening;
use crate::tls::Tls;

/// A listener's socket of this worker, bound before the worker started.
pub struct Bound {
    /// The listener's name.
    pub name: Arc<str>,
    /// Its socket, one of a SO_REUSEPORT group.
    pub socket: Listener,
}

/// What one worker is made from.
pub struct Options {
    /// Its number, from 0.
    pub index: usize,
    /// The core to stay on.
    pub core: Option<usize>,
    /// The I/O driver that `engine_net::runtime::probe` found.
    pub driver: Driver,
    /// What it shares with the rest of the process.
    pub bridge: Arc<Bridge>,
    /// Its sockets, one for each listener of the live snapshot.
    pub listeners: Vec<Bound>,
    /// Seed of its pseudo-random numbers.
    pub seed: u64,
}

/// The tick while there is work, and while there is none.
const TICK: Duration = Duration::from_millis(10);
const IDLE_TICK: Duration = Duration::from_millis(100);
/// Ticks without work after which the worker slows down.
const QUIET_TICKS: u32 = 5;
/// Connections waiting to be accepted, by listener and worker.
pub(crate) const BACKLOG: u32 = 4096;

thread_local! {
    /// Where this worker counts its panics: the hook of the runtime is a plain function.
    static PANICS: RefCell<Option<Arc<WorkerSeries>>> = const { RefCell::new(None) };
}

/// Runs one worker on the calling thread until it has drained or is told to stop.
///
/// # Errors
/// When the core can't be pinned to or the driver's ring can't be made.
pub fn run(options: Options) -> std::io::Result<()> {
    let bridge = Arc::clone(&options.bridge);
    let _guard = bridge.life.guard(options.index);
    if let Some(core) = options.core {
        runtime::pin_to(core)?;
    }
    runtime::run(options.driver, move || async {
        Worker::start(options)
            .map_err(std::io::Error::other)?
            .serve()
            .await;
        Ok(())
    })?
}

struct Worker {
    core: Rc<Core>,
    listening: RefCell<Vec<Rc<Listening>>>,
    /// Those that reloads have removed or moved, for as long as connections of theirs are open.
    former: RefCell<Vec<Weak<Listening>>>,
    /// A reload that this worker has prepared for and control has not decided yet.
    prepared: Option<Prepared>,
}

struct Prepared {
    id: CandidateId,
    /// Sockets for listeners that are new or have moved.
    sockets: Vec<Bound>,
    tls: Tls,
}

impl Worker {
    fn start(options: Options) -> Result<Worker, String> {
        PANICS.set(Some(options.bridge.metrics.worker(options.index)));
        runtime::on_panic(|_| {
            PANICS.with_borrow(|series| series.iter().for_each(|it| it.panics.inc()))
        });
        let core = Core::new(options.index, options.bridge, options.seed)?;
        let worker = Worker {
            core,
            listening: RefCell::new(Vec::new()),
            former: RefCell::new(Vec::new()),
            prepared: None,
        };
        worker.relisten(options.listeners);
        Ok(worker)
    }

    async fn serve(mut self) {
        let core = Rc::clone(&self.core);
        core.bridge.life.ready(core.index);
        let mut quiet = 0;
        loop {
            runtime::sleep(if quiet < QUIET_TICKS { TICK } else { IDLE_TICK }).await;
            let now = clock::now();
            core.bridge.life.beat(core.index, now);
            core.bridge.life.in_flight(core.index, core.in_flight.get());
            self.follow_control();
            self.cut_distrusted(now);
            core.tick(now);
            buffer::trim();
            quiet = if core.activity.take() > 0 {
                0
            } else {
                quiet.saturating_add(1)
            };
            match core.bridge.life.phase() {
                Phase::Running => {}
                Phase::Draining { .. } => {
                    quiet = 0;
                    self.drain();
                    if core.connections.get() == 0 {
                        core.tick(now);
                        core.finish();
                        core.bridge.life.drained(core.index, 0);
                        return;
                    }
                }
                Phase::Stop => {
                    core.tick(now);
                    core.finish();
                    core.bridge.life.drained(core.index, core.in_flight.get());
                    return;
                }
            }
        }
    }

    /// Whoever was let in by certificates that are trusted no longer has had its time.
    fn cut_distrusted(&self, now: u64) {
        let grace = crate::nanos(self.core.live().snapshot.gateway.shutdown_grace);
        for listening in self.listening.borrow().iter() {
            listening.cut_distrusted(grace, now);
        }
        self.former.borrow_mut().retain(|former| {
            let former = former.upgrade();
            former.iter().for_each(|it| it.cut_distrusted(grace, now));
            former.is_some()
        });
    }

    /// Stops accepting and lets every connection end after what it is doing.
    fn drain(&mut self) {
        if !self.core.draining.replace(true) {
            for listening in self.listening.borrow().iter() {
                listening.close();
            }
            self.core.upstreams.close_idle();
        }
        deadline::end_resting();
    }

    /// The two steps of a reload, as far as control has come.
    fn follow_control(&mut self) {
        if let Some(prepared) = self.prepared.take() {
            match self.core.bridge.slot.outcome(prepared.id) {
                Outcome::Pending => self.prepared = Some(prepared),
                Outcome::Committed(_) => {
                    self.core.bridge.sockets.forget(prepared.id);
                    self.core.adopt(Some(prepared.tls));
                    self.relisten(prepared.sockets);
                }
                Outcome::Discarded => self.core.bridge.sockets.forget(prepared.id),
            }
        }
        if self.core.bridge.slot.generation() != self.core.generation() {
            self.core.adopt(None);
            self.relisten(Vec::new());
        }
        let Some((id, candidate)) = self.core.bridge.slot.candidate() else {
            return;
        };
        if self.prepared.as_ref().is_some_and(|it| it.id == id) {
            return;
        }
        let answer = match self.prepare(id, &candidate) {
            Ok((sockets, tls)) => {
                self.prepared = Some(Prepared { id, sockets, tls });
                Ok(())
            }
            Err(why) => Err(why),
        };
        self.core.bridge.slot.answer(self.core.index, id, answer);
    }

    /// Makes what a candidate needs of TLS, and binds what it would listen on and this worker does not yet.
    fn prepare(&self, id: CandidateId, candidate: &Snapshot) -> Result<(Vec<Bound>, Tls), String> {
        let tls = self.core.prepare_tls(candidate)?;
        let mut sockets = Vec::new();
        for listener in &candidate.listeners {
            if self.known(listener).is_some() {
                continue;
            }
            let socket = self.bind(id, listener).map_err(|e| {
                format!(
                    "listener {}: can't bind {}: {e}",
                    listener.name, listener.address
                )
            })?;
            sockets.push(Bound {
                name: Arc::clone(&listener.name),
                socket,
            });
        }
        Ok((sockets, tls))
    }

    /// A socket for a new listener. All workers start from the one that the first of them bound: a
    /// chosen port (0) must be the same for all, and a Unix socket has only one queue.
    fn bind(&self, id: CandidateId, listener: &config::Listener) -> std::io::Result<Listener> {
        let address = crate::address(&listener.address);
        let bind = || Listener::bind(&address, BACKLOG)?.duplicate();
        let (socket, was_first) = self.core.bridge.sockets.shared(id, &listener.name, bind)?;
        let shared = Listener::from_fd(socket)?;
        match shared.local() {
            local @ engine_net::Address::Tcp(_) if !was_first => Listener::bind(&local, BACKLOG),
            _ => Ok(shared),
        }
    }

    fn known(&self, listener: &config::Listener) -> Option<Rc<Listening>> {
        let listening = self.listening.borrow();
        let same = |it: &&Rc<Listening>| it.name == listener.name && it.address == listener.address;
        listening.iter().find(same).map(Rc::clone)
    }

    /// Makes what this worker listens on agree with the live snapshot; sockets for what is new are
    /// handed in.
    fn relisten(&self, sockets: Vec<Bound>) {
        let live = self.core.live();
        let mut sockets = sockets;
        let mut current = Vec::with_capacity(live.snapshot.listeners.len());
        for listener in &live.snapshot.listeners {
            if let Some(known) = self.known(listener) {
                if known.renew(listener) {
                    // Better a close than a request that gets no answer.
                    deadline::end_resting();
                }
                current.push(known);
            } else if let Some(at) = sockets.iter().position(|it| it.name == listener.name) {
                let new = Listening::new(&self.core, listener, sockets.swap_remove(at).socket);
                runtime::spawn(Rc::clone(&new).accept(Rc::clone(&self.core)));
                current.push(new);
            }
        }
        let old = self.listening.replace(current);
        for gone in old {
            if !self
                .listening
                .borrow()
                .iter()
                .any(|it| Rc::ptr_eq(it, &gone))
            {
                // Its old index may be another listener's now; what comes next on its connections is refused.
                gone.unlist();
                gone.close();
                deadline::end_resting();
                self.former.borrow_mut().push(Rc::downgrade(&gone));
            }
        }
        // They go by whoever bears their name now: where it has moved, its clients are trusted by what it says there, and
        // by nothing where it is no more.
        for former in self.former.borrow().iter().filter_map(Weak::upgrade) {
            let mut named = live.snapshot.listeners.iter();
            former.follow(named.find(|it| it.name == former.name));
        }
    }
}

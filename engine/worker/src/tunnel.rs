//! Tunnels: bytes both ways between a client and an upstream, until both have ended or one is lost.
//!
//! A WebSocket after its handshake, or a connection that is passed on unopened. What is said is nobody's business here,
//! but where frames of a WebSocket end is (`frames`): a tunnel that must end is told so by a Close between two of them.
//! How bytes are moved is `way`'s; what they were preceded by, `exchange/upgrade`'s and `downstream/passthrough`'s.
//!
//! Invariants: one buffer for each direction, none while it is quiet; nothing is read before what was read has been
//! taken; no future with an operation in flight is dropped: both ends are cut and the operations complete. What came from
//! an end that was lost is passed on before the other one is closed, for as long as `DELIVERY`.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike};
use protocol::websocket::{Extensions, Sender};

use crate::core::Core;
use crate::downstream::linger;
use crate::link::Link;
use crate::listener::Seat;

mod frames;
mod way;

use frames::Frames;
use way::{Lost, Way};

/// How long an end may take for what came from the other one before that was lost.
const DELIVERY: u64 = 5_000_000_000;
/// How long two ends that were told to close may take to say so.
const FAREWELL: u64 = 2_000_000_000;
/// How often tunnels are held against the terms of their listeners.
const LOOK: u64 = 500_000_000;

/// What a tunnel is made of.
pub(crate) struct Tunnel<'a> {
    pub(crate) client: Link<'a>,
    pub(crate) upstream: Link<'a>,
    pub(crate) speaks: Speaks,
    /// Nanoseconds without a byte in either direction after which it is closed.
    pub(crate) idle: u64,
}

/// What its bytes are.
pub(crate) enum Speaks {
    /// Frames, with these extensions agreed on.
    WebSocket(Extensions),
    /// Nothing that anybody here understands. Once it is to end it may go on for so many nanoseconds.
    Unknown { grace: u64 },
}

/// What went through, and how it came to its end.
pub(crate) struct Passed {
    pub(crate) from_client: u64,
    pub(crate) to_client: u64,
    pub(crate) end: End,
}

/// How a tunnel came to its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// Both ends have closed.
    Closed,
    /// It had to end: the process drains, or the terms of the connection have changed.
    Drained,
    Idle,
    ClientLost,
    UpstreamLost,
}

/// One of its two ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Client,
    Upstream,
}

/// A tunnel as the worker's tick knows it.
pub(crate) struct Handle {
    seat: Seat,
    ending: Cell<bool>,
    /// Those of what is read from the client and from the upstream.
    deadlines: [Deadline; 2],
}

/// The tunnels of a worker.
#[derive(Default)]
pub(crate) struct Tunnels {
    open: RefCell<Vec<Weak<Handle>>>,
    looked: Cell<u64>,
}

impl Tunnels {
    /// Each tick: tunnels that must end are told so, those that have ended are forgotten.
    pub(crate) fn tick(&self, draining: bool, now: u64) {
        if !draining && now < self.looked.get().saturating_add(LOOK) {
            return;
        }
        self.looked.set(now);
        self.open.borrow_mut().retain(|handle| {
            let handle = handle.upgrade();
            handle.iter().for_each(|it| it.tick(draining));
            handle.is_some()
        });
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.seat.listening.series.tunnels.dec();
    }
}

impl Handle {
    fn tick(&self, draining: bool) {
        if draining || self.seat.is_over() {
            self.tell();
        }
    }

    /// It is to end: whatever waits for bytes looks up.
    fn tell(&self) {
        if !self.ending.replace(true) {
            for deadline in &self.deadlines {
                deadline.set(deadline::now(), Strike::CancelRead);
            }
        }
    }
}

/// What both directions of a tunnel go by.
struct Course<'t> {
    handle: &'t Handle,
    /// Wakes the tunnel when its time may be up.
    clock: Deadline,
    idle: u64,
    /// Its ends can be told that it ends.
    polite: bool,
    /// How long it may go on then.
    grace: u64,
    /// It ends because it was idle.
    idled: Cell<bool>,
    /// When a byte passed last.
    last: Cell<u64>,
    /// When it is over whatever passes.
    until: Cell<u64>,
}

impl Course<'_> {
    /// Something has passed.
    fn touch(&self) {
        self.last.set(deadline::now());
    }

    /// Whether it is to end.
    fn is_ending(&self) -> bool {
        let ending = self.handle.ending.get();
        if ending && self.until.get() == u64::MAX {
            self.end_within(self.grace);
        }
        ending
    }

    /// Bounds what is left of it.
    fn end_within(&self, span: u64) {
        let until = deadline::now().saturating_add(span);
        if until < self.until.get() {
            self.until.set(until);
            self.clock.set(self.due(), Strike::Wake);
        }
    }

    fn due(&self) -> u64 {
        match self.until.get() {
            u64::MAX => self.last.get().saturating_add(self.idle),
            until => until,
        }
    }

    /// Its time may be up. None: it is not, or the two ends are told first.
    fn expire(&self) -> Option<End> {
        let now = deadline::now();
        if now >= self.until.get() {
            return Some(self.end());
        }
        if now >= self.due() {
            self.idled.set(true);
            if !self.polite {
                return Some(End::Idle);
            }
            self.handle.tell();
            self.end_within(self.grace);
        }
        self.clock.set(self.due().max(now + 1), Strike::Wake);
        None
    }

    /// How an end without a loss is called.
    fn end(&self) -> End {
        match self.handle.ending.get() {
            _ if self.idled.get() => End::Idle,
            true => End::Drained,
            false => End::Closed,
        }
    }
}

impl Tunnel<'_> {
    /// Moves bytes until it is over. `first`: what has been read from the client and from the upstream already.
    pub(crate) async fn run(self, core: &Core, seat: &Seat, first: [Buffer; 2]) -> Passed {
        let handle = Rc::new(Handle {
            seat: seat.clone(),
            ending: Cell::new(false),
            deadlines: [self.client.deadline(), self.upstream.deadline()],
        });
        let series = &seat.listening.series;
        series.tunnels.inc();
        core.tunnels.open.borrow_mut().push(Rc::downgrade(&handle));
        let [inward, outward] = match self.speaks {
            Speaks::Unknown { .. } => [Frames::UNKNOWN; 2],
            Speaks::WebSocket(extensions) => {
                let mask = (core.random() >> 32) as u32;
                [
                    Frames::new(Sender::Client, extensions, Some(mask.to_be_bytes())),
                    Frames::new(Sender::Server, extensions, None),
                ]
            }
        };
        let (polite, grace) = match self.speaks {
            Speaks::WebSocket(_) => (true, FAREWELL),
            Speaks::Unknown { grace } => (false, grace),
        };
        let course = Course {
            handle: &handle,
            clock: Deadline::alone(),
            idle: self.idle,
            polite,
            grace,
            idled: Cell::new(false),
            last: Cell::new(deadline::now()),
            until: Cell::new(u64::MAX),
        };
        let [client, upstream] = &handle.deadlines;
        let (from, to) = (self.client, self.upstream);
        let inward = Way::new(from, to, client, inward, &series.tunnel_bytes_in);
        let outward = Way::new(to, from, upstream, outward, &series.tunnel_bytes_out);
        let end = self.watch(&course, &inward, &outward, first).await;
        Passed {
            from_client: inward.passed(),
            to_client: outward.passed(),
            end,
        }
    }

    async fn watch(
        &self,
        course: &Course<'_>,
        inward: &Way<'_>,
        outward: &Way<'_>,
        [from_client, from_upstream]: [Buffer; 2],
    ) -> End {
        let mut inwards = pin!(inward.carry(course, from_client));
        let mut outwards = pin!(outward.carry(course, from_upstream));
        let (mut into, mut out) = (None, None);
        let mut end = None;
        let mut lost = None;
        let mut cut = false;
        course.clock.set(course.due(), Strike::Wake);
        poll_fn(|cx| {
            loop {
                if into.is_none()
                    && let Poll::Ready(done) = inwards.as_mut().poll(cx)
                {
                    into = Some(done);
                }
                if out.is_none()
                    && let Poll::Ready(done) = outwards.as_mut().poll(cx)
                {
                    out = Some(done);
                }
                if into.is_some() && out.is_some() && (cut || lost.is_some()) {
                    return Poll::Ready(());
                }
                if cut {
                    return Poll::Pending;
                }
                if lost.is_none() {
                    lost = match (&into, &out) {
                        (Some(Err(which)), _) => Some(which.side(Side::Client)),
                        (_, Some(Err(which))) => Some(which.side(Side::Upstream)),
                        (Some(Ok(())), Some(Ok(()))) => {
                            end = Some(course.end());
                            return Poll::Ready(());
                        }
                        _ => None,
                    };
                    let closed = inward.has_closed() && outward.has_closed();
                    if let Some(side) = lost {
                        end = Some(side.loss(closed));
                        course.end_within(DELIVERY);
                        self.let_go(side, [inward, outward], [into.is_some(), out.is_some()]);
                        continue;
                    }
                    // All has been said: whoever does not hang up is not waited for.
                    if closed && (into.is_some() || out.is_some()) {
                        course.end_within(FAREWELL);
                    }
                }
                if course.clock.poll_expired(cx).is_pending() {
                    return Poll::Pending;
                }
                let Some(over) = course.expire() else {
                    continue;
                };
                end.get_or_insert(over);
                cut = true;
                // What is pending ends now, and on a stream nobody would wake it: it is looked at again.
                self.client.cut();
                self.upstream.cut();
            }
        })
        .await;
        if let (Some(side), false) = (lost, cut) {
            self.part_from(side.other()).await;
        }
        end.unwrap_or(End::Closed)
    }

    /// One side is lost. What has come from it is still passed on; what comes for it is not waited for any more.
    fn let_go(&self, side: Side, [inward, outward]: [&Way<'_>; 2], done: [bool; 2]) {
        let (way, done, link) = match side {
            Side::Client => (outward, done[1], self.client),
            Side::Upstream => (inward, done[0], self.upstream),
        };
        way.stop();
        if !done {
            link.cut();
        }
    }

    /// The other side is lost, and all of it has been passed on to this one: it ends so that this arrives. A close with
    /// something unread would be a reset, and overtake it.
    async fn part_from(&self, side: Side) {
        let link = match side {
            Side::Client => self.client,
            Side::Upstream => self.upstream,
        };
        match link {
            Link::Conn(conn) => linger(conn, &Deadline::new(conn)).await,
            Link::Stream(stream) => stream.abandon(),
        }
    }
}

impl Side {
    fn other(self) -> Side {
        match self {
            Side::Client => Side::Upstream,
            Side::Upstream => Side::Client,
        }
    }

    /// What it means that it was lost. After both have said Close it means nothing.
    fn loss(self, closed: bool) -> End {
        match self {
            _ if closed => End::Closed,
            Side::Client => End::ClientLost,
            Side::Upstream => End::UpstreamLost,
        }
    }
}

impl Lost {
    /// Which side it is, when the bytes came from `source`.
    fn side(self, source: Side) -> Side {
        match self {
            Lost::Source => source,
            Lost::Sink => source.other(),
        }
    }
}

#[cfg(test)]
mod tests;

//! Tunnels: bytes both ways between a client and an upstream, until both have ended or one is lost.
//!
//! A WebSocket after its handshake, or a connection that is passed on unopened. What is said is nobody's business here,
//! but where frames of a WebSocket end is (`frames`): a tunnel that must end is told so by a Close between two of them.
//! How bytes are moved is `way`'s; what they were preceded by, `exchange/upgrade`'s and `downstream/passthrough`'s.
//!
//! Invariants: one buffer for each direction, none while it is quiet; nothing is read before what was read has been
//! taken; no future with an operation in flight is dropped: both ends are cut and the operations complete.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::task::Poll;

use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike};
use protocol::websocket::{Extensions, Sender};

use crate::core::Core;
use crate::link::Link;
use crate::listener::Seat;

mod frames;
mod way;

use frames::Frames;
use way::{Lost, Way};

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
                let over = end.is_some();
                let closed = inward.has_closed() && outward.has_closed();
                match (&into, &out) {
                    (Some(_), Some(_)) if over => return Poll::Ready(()),
                    (Some(Err(lost)), _) if !over => end = Some(lost.end(End::ClientLost, closed)),
                    (_, Some(Err(lost))) if !over => {
                        end = Some(lost.end(End::UpstreamLost, closed))
                    }
                    (Some(Ok(())), Some(Ok(()))) if !over => {
                        end = Some(course.end());
                        return Poll::Ready(());
                    }
                    // All has been said: whoever does not hang up is not waited for.
                    (Some(Ok(())), None) | (None, Some(Ok(()))) if closed => {
                        course.end_within(FAREWELL);
                    }
                    _ => {}
                }
                if end.is_none() && course.clock.poll_expired(cx).is_ready() {
                    end = course.expire();
                    if end.is_none() {
                        continue;
                    }
                }
                if over || end.is_none() {
                    return Poll::Pending;
                }
                // What is pending ends now, and on a stream nobody would wake it: it is looked at again.
                self.client.cut();
                self.upstream.cut();
            }
        })
        .await;
        end.unwrap_or(End::Closed)
    }
}

impl Lost {
    /// Whom the loss is of; `source`: that of the side that sends. After both have said Close it is none.
    fn end(self, source: End, closed: bool) -> End {
        match (self, source) {
            _ if closed => End::Closed,
            (Lost::Source, source) => source,
            (Lost::Sink, End::ClientLost) => End::UpstreamLost,
            (Lost::Sink, _) => End::ClientLost,
        }
    }
}

#[cfg(test)]
mod tests;

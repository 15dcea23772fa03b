//! The life of a connection: opened, used for one request after the other, opened anew when it ends.
//!
//! In a closed loop a connection's task lives as long as the run. In an open loop it lives as long as its connection: when
//! there are too few, [`super::pacer`] starts another.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use engine_net::{Buffer, Conn, Deadline, Strike, clock, runtime};

use super::exchange::{Seen, receive};
use super::line::{Line, Read, Sending, send};
use super::link::{Link, open, record};
use super::multiplexed;
use super::reasons::unexpected;
use super::world::{Next, Order, Pace, Slot, World};
use crate::results::{Answer, ErrorKind};

/// How long a closed loop waits after a connection could not be opened, so that a server that is down is not stormed.
pub(super) const AFTER_REFUSAL: Duration = Duration::from_millis(10);
/// More came than an answer's framing says.
const SURPLUS: &str = "bytes follow an answer that nothing was asked for";
/// The template of a request that failed before one was chosen.
pub(super) const NO_TEMPLATE: usize = usize::MAX;

/// How a connection ended.
pub(super) enum Ended {
    /// The run is over.
    Over,
    /// It can't be used any more; what it was given last may not have been sent.
    Gone { unsent: VecDeque<Order>, at: u64 },
}

/// Uses a connection, and those that replace it, until the run is over. `link` was opened before the run began.
pub(super) async fn client(world: Rc<World>, place: usize, mut link: Option<Link>) {
    world.gate.opened().await;
    let slot = Rc::new(Slot::default());
    let mut taken = VecDeque::new();
    let mut free = clock::now();
    loop {
        if taken.is_empty() && matches!(world.pace, Pace::Closed { .. }) {
            // Taken before connecting: what a closed loop waits for a connection is part of the latency.
            match world.next(free) {
                Next::Send(order) => taken.push_back(order),
                Next::Wait | Next::End => break,
            }
        }
        let open = match link.take() {
            Some(link) => Ok(link),
            None => reconnect(&world, place).await,
        };
        let open = match open {
            Ok(open) => open,
            Err(kind) => {
                let at = clock::now();
                if !refused(&world, taken.pop_front(), kind, at).await {
                    break;
                }
                free = clock::now();
                continue;
            }
        };
        let given = std::mem::take(&mut taken);
        let ended = match open.http2 {
            None => session(&world, &open.conn, &slot, given).await,
            Some(http2) => multiplexed::session(&world, &open.conn, *http2, &slot, given).await,
        };
        match ended {
            Ended::Over => break,
            Ended::Gone { unsent, at } => (taken, free) = (unsent, at),
        }
        if taken.is_empty() && matches!(world.pace, Pace::Open(_)) {
            break;
        }
    }
    slot.leave();
    world.leave();
}

/// A connection that is opened since requests of an open loop wait for one.
pub(super) async fn newcomer(world: Rc<World>) {
    let place = world.place();
    let link = reconnect(&world, place).await;
    if let Pace::Open(open) = &world.pace {
        open.opening.set(open.opening.get().saturating_sub(1));
    }
    match link {
        Ok(link) => return client(world, place, Some(link)).await,
        Err(kind) => refused(&world, None, kind, clock::now()).await,
    };
    world.leave();
}

/// Opens a connection; how long that took is counted.
async fn reconnect(world: &World, place: usize) -> Result<Link, ErrorKind> {
    let link = open(world, place).await?;
    if clock::now() >= world.counted_from.get() {
        record(&mut world.part.borrow_mut(), &link.took);
    }
    Ok(link)
}

/// No connection could be opened: a request fails for it. Whether to try again.
async fn refused(world: &World, taken: Option<Order>, kind: ErrorKind, at: u64) -> bool {
    let closed = matches!(world.pace, Pace::Closed { .. });
    let failed = match taken {
        Some(order) => Some(order),
        None => match world.next(at) {
            Next::Send(order) => Some(order),
            Next::Wait | Next::End => None,
        },
    };
    if let Some(order) = failed {
        world.failed(order, NO_TEMPLATE, kind, 0, at);
    }
    if closed {
        runtime::sleep(AFTER_REFUSAL).await;
    }
    closed
}

/// Sends requests on a connection and receives their answers, until it ends or there is nothing more to send.
async fn session(world: &World, conn: &Conn, slot: &Rc<Slot>, mut taken: VecDeque<Order>) -> Ended {
    let deadline = Deadline::new(conn);
    let post = |buffer: Buffer| conn.read(buffer);
    let reading = pin!(post(Buffer::standard()));
    let mut line = Line::new(reading, post, &deadline);
    let mut user = User {
        world,
        conn,
        slot,
        deadline: &deadline,
        free: clock::now(),
        left: world.scenario.requests_per_connection.unwrap_or(u64::MAX),
        templates: Vec::with_capacity(world.pipeline),
        rest: Vec::new(),
        seen: Seen::default(),
    };
    loop {
        let (order, sent) = match taken.pop_front() {
            Some(order) => (order, clock::now()),
            None => match world.next(user.free) {
                Next::Send(order) => (order, user.free),
                Next::End => return Ended::Over,
                Next::Wait => match user.wait(&mut line).await {
                    Ok(order) => (order, clock::now()),
                    Err(ended) => return ended,
                },
            },
        };
        if !user.exchange(&mut line, order, sent).await {
            let (unsent, at) = (taken, user.free);
            return Ended::Gone { unsent, at };
        }
        if let Err(ended) = user.think(&mut line).await {
            return ended;
        }
    }
}

/// Who uses a connection.
struct User<'a> {
    world: &'a World,
    conn: &'a Conn,
    slot: &'a Rc<Slot>,
    deadline: &'a Deadline,
    /// Since when nothing has been under way.
    free: u64,
    /// Requests that the connection may still be used for.
    left: u64,
    /// Of the requests under way.
    templates: Vec<usize>,
    /// What of the requests did not fit the buffer.
    rest: Vec<u8>,
    seen: Seen,
}

impl User<'_> {
    /// Waits until the open loop has a request for this connection.
    async fn wait<R, P>(&mut self, line: &mut Line<'_, R, P>) -> Result<Order, Ended>
    where
        R: Future<Output = Read>,
        P: Fn(Buffer) -> R,
    {
        let Pace::Open(open) = &self.world.pace else {
            return Err(Ended::Over);
        };
        self.deadline.clear();
        open.wait(self.slot, self.free, 1);
        let slot = self.slot;
        let mut given = None;
        let waited = line.idle(|cx| {
            let polled = slot.poll_given(cx);
            if let Poll::Ready(order) = &polled {
                given = *order;
            }
            polled.map(|_| ())
        });
        match waited.await {
            Some(()) => given.ok_or(Ended::Over),
            None => {
                slot.leave();
                let (unsent, at) = (given.into_iter().collect(), clock::now());
                Err(Ended::Gone { unsent, at })
            }
        }
    }

    /// Sends a request (or several, when they are pipelined) and receives what comes of it; whether the connection can be
    /// used again.
    #[inline]
    async fn exchange<R, P>(&mut self, line: &mut Line<'_, R, P>, order: Order, sent: u64) -> bool
    where
        R: Future<Output = Read>,
        P: Fn(Buffer) -> R,
    {
        let world = self.world;
        let buffer = self.fill(order);
        self.deadline.set(sent + world.timeout, Strike::BothShut);
        if matches!(world.pace, Pace::Open(_)) && world.counts(order) {
            let late = sent.saturating_sub(order.due.max(order.free));
            world.part.borrow_mut().lagged(late);
        }
        let sending = pin!(send(self.conn, buffer, std::mem::take(&mut self.rest)));
        let mut sending = Sending::new(sending);
        let mut reusable = true;
        for at in 0..self.templates.len() {
            let index = self.templates.get(at).copied().unwrap_or(NO_TEMPLATE);
            let Some(template) = world.scenario.templates.get(index) else {
                return false;
            };
            if !reusable {
                // What was pipelined behind an answer that closes is lost.
                world.failed(order, index, ErrorKind::Closed, 0, self.free);
                continue;
            }
            let seen = &mut self.seen;
            match receive(line, &mut sending, template, seen, self.free).await {
                Ok(got) => {
                    let last = at + 1 == self.templates.len();
                    let surplus = last && !line.inbox.is_empty();
                    self.free = got.done;
                    reusable = got.reusable && !surplus;
                    let mut unmet = got.unmet;
                    if let Some(kind) = unmet {
                        unexpected(world, order, index, got.status, seen, kind);
                    }
                    if surplus {
                        // Whoever reads on takes it for the next answer.
                        unmet = Some(ErrorKind::Protocol);
                        world.reasons.borrow_mut().malformed = Some(SURPLUS);
                    }
                    world.answered(
                        order,
                        Answer {
                            template: index,
                            status: got.status,
                            grpc: None,
                            bytes: got.bytes,
                            due: order.due,
                            sent,
                            first_byte: got.first_byte,
                            done: got.done,
                            unmet,
                        },
                    );
                }
                Err(lost) => {
                    self.free = lost.at;
                    reusable = false;
                    world.failed(order, index, lost.kind, lost.bytes, lost.at);
                    if let Some(rule) = lost.rule {
                        world.reasons.borrow_mut().malformed = Some(rule.words());
                    }
                }
            }
        }
        self.left = self.left.saturating_sub(self.templates.len() as u64);
        match sending.ended.take() {
            Some((Ok(()), rest)) => self.rest = rest,
            // Answered before the request was all sent: its rest would be taken for the next one.
            Some((Err(_), _)) | None => return false,
        }
        reusable && self.left > 0
    }

    /// Makes what is to be sent.
    #[inline]
    fn fill(&mut self, order: Order) -> Buffer {
        let world = self.world;
        let mut generator = world.generator.borrow_mut();
        let mut text = world.text.borrow_mut();
        text.clear();
        self.templates.clear();
        self.templates.push(generator.next(&mut text));
        let most = (world.pipeline as u64).min(self.left);
        while (self.templates.len() as u64) < most
            && let Next::Send(_) = world.next(order.free)
        {
            self.templates.push(generator.next(&mut text));
        }
        if world.counts(order) {
            let mut part = world.part.borrow_mut();
            for _ in 1..self.templates.len() {
                part.sent(0);
            }
            part.sent(text.len() as u64);
        }
        let mut buffer = Buffer::standard();
        let (first, rest) = text.split_at(text.len().min(buffer.room()));
        buffer.extend(first);
        self.rest.extend_from_slice(rest);
        buffer
    }

    /// Pauses as the scenario says for the request that was answered last.
    #[inline]
    async fn think<R, P>(&mut self, line: &mut Line<'_, R, P>) -> Result<(), Ended>
    where
        R: Future<Output = Read>,
        P: Fn(Buffer) -> R,
    {
        if matches!(self.world.pace, Pace::Open(_)) {
            return Ok(());
        }
        let template = self.templates.last().copied().unwrap_or(NO_TEMPLATE);
        let pause = self.world.generator.borrow_mut().think(template);
        if pause.is_zero() {
            return Ok(());
        }
        let left = self.world.end.get().saturating_sub(self.free);
        let pause = pause.min(Duration::from_nanos(left));
        self.deadline.clear();
        let mut sleep = pin!(runtime::sleep(pause));
        let lives = line.idle(|cx| sleep.as_mut().poll(cx)).await.is_some();
        self.free = clock::now();
        match lives {
            true => Ok(()),
            false => Err(Ended::Gone {
                unsent: VecDeque::new(),
                at: self.free,
            }),
        }
    }
}

//! A connection of HTTP/2 in use: as many requests under way as it may have, answers in whatever order they come.
//!
//! One task reads, and whatever a read has brought goes out again in one write: answers end, the streams that they leave
//! begin the next requests, and frames of all of them lie in one buffer. Which request is the next is the world's matter,
//! what may be sent when is `http2`'s. Invariant: a request that was taken is counted once, as answered or as failed; what
//! the server has not looked at is sent once more.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use engine_net::{Buffer, Conn, Deadline, Strike, clock, is_cancelled, runtime};

use super::connection::Ended;
use super::exchange::Seen;
use super::world::{Next, Order, Pace, Slot, World};
use crate::http2::{Broken, Connection, Event};
use crate::results::{Answer, ErrorKind};

mod state;
mod under_way;

use state::State;

/// What fits any socket, so that nobody need wait until it has been written.
const POSTED: usize = 8 * 1024;
/// A read that brings so much is followed by one into a large buffer.
const MUCH: usize = 12 * 1024;

/// What ended a connection.
enum End {
    /// There is nothing more to do on it.
    Idle,
    Failed(ErrorKind),
    Broken(Broken),
}

/// Uses a connection until it ends or there is nothing more to send. `taken` is sent first.
pub(super) async fn session(
    world: &World,
    conn: &Conn,
    (http2, inbox): (Connection, Buffer),
    slot: &Rc<Slot>,
    taken: VecDeque<Order>,
) -> Ended {
    let user = User {
        world,
        conn,
        slot,
        deadline: Deadline::new(conn),
        armed: Cell::new(false),
        writing: Cell::new(false),
        state: RefCell::new(State::new(world, http2, taken)),
    };
    user.go_on(clock::now());
    let end = {
        let (mut reader, mut writer) = (pin!(user.reader(inbox)), pin!(user.writer()));
        let mut writes = true;
        poll_fn(|cx| {
            user.take_given(cx);
            if let Poll::Ready(end) = reader.as_mut().poll(cx) {
                return Poll::Ready(end);
            }
            // When writing has failed, reading says why.
            writes = writes && writer.as_mut().poll(cx).is_pending();
            match user.is_done() {
                true => Poll::Ready(End::Idle),
                false => Poll::Pending,
            }
        })
        .await
    };
    user.finish(end)
}

/// Who uses a connection.
struct User<'a> {
    world: &'a World,
    conn: &'a Conn,
    slot: &'a Rc<Slot>,
    deadline: Deadline,
    /// Whether the deadline stands at a time not later than that of the oldest request.
    armed: Cell<bool>,
    /// A write is under way.
    writing: Cell<bool>,
    state: RefCell<State>,
}

impl User<'_> {
    /// Begins what is due, as far as there is room; then waits for more, or knows that there will be none.
    #[inline]
    fn go_on(&self, now: u64) {
        let mut state = self.state.borrow_mut();
        let state = &mut *state;
        // What was given takes precedence over what is due next.
        self.slot.take_given(&mut state.taken);
        while state.room() > 0 {
            let order = match state.taken.pop_front() {
                Some(order) => order,
                None => match self.world.next(now) {
                    Next::Send(order) => order,
                    Next::End => {
                        state.over = true;
                        break;
                    }
                    Next::Wait => {
                        if let Pace::Open(open) = &self.world.pace {
                            open.wait(self.slot, now, state.room());
                        }
                        break;
                    }
                },
            };
            state.send(self.world, order, now);
        }
        if state.room() == 0 {
            self.slot.leave();
        }
        self.flush(&mut state.http2);
    }

    /// Takes what the pacer has given, and streams back that have paused long enough.
    fn take_given(&self, cx: &mut Context<'_>) {
        while let Poll::Ready(over) = self.slot.poll_any(cx) {
            let mut state = self.state.borrow_mut();
            state.resting -= self.slot.rested();
            state.over |= over;
            self.slot.take_given(&mut state.taken);
            drop(state);
            self.go_on(clock::now());
        }
    }

    /// Hands over what is to be written, if that need not be waited for.
    #[inline]
    fn flush(&self, http2: &mut Connection) {
        let len = http2.output().len();
        if len == 0 || len > POSTED || self.writing.get() || self.conn.is_posting() {
            return;
        }
        let mut buffer = Buffer::standard();
        buffer.extend(http2.output());
        if self.conn.post(buffer).is_ok() {
            http2.written(len);
        }
    }

    /// Writes what `flush` does not.
    async fn writer(&self) -> io::Result<()> {
        loop {
            // The task is awake whenever something has come up.
            poll_fn(|_| match self.state.borrow().http2.output() {
                [] => Poll::Pending,
                _ => Poll::Ready(()),
            })
            .await;
            self.writing.set(true);
            if self.conn.is_posting() {
                self.conn.posted().await?;
            }
            let buffer = {
                let http2 = &mut self.state.borrow_mut().http2;
                let mut buffer = match http2.output().len() > engine_net::buffer::STANDARD {
                    true => Buffer::large(),
                    false => Buffer::standard(),
                };
                let len = http2.output().len().min(buffer.room());
                buffer.extend(http2.output().get(..len).unwrap_or_default());
                http2.written(len);
                buffer
            };
            let (sent, _) = self.conn.write(buffer).await;
            self.writing.set(false);
            sent?;
        }
    }

    async fn reader(&self, mut inbox: Buffer) -> End {
        let mut now = clock::now();
        loop {
            if !inbox.is_empty() {
                let received = self.receive(inbox.filled(), now);
                match received {
                    Ok(used) => inbox.consume(used),
                    Err(broken) => return End::Broken(broken),
                }
                self.go_on(now);
                inbox.compact();
            }
            if self.is_done() {
                return End::Idle;
            }
            if self.armed.get() && self.deadline.struck() && !self.expire(clock::now()) {
                return End::Failed(ErrorKind::Timeout);
            }
            self.arm();
            let (read, back) = self.conn.read_cancelable(inbox).await;
            inbox = back;
            now = clock::now();
            match read {
                Ok(0) => return End::Failed(ErrorKind::Closed),
                Ok(read) if inbox.len() == read => grow(&mut inbox, read),
                Ok(_) => {}
                Err(error) if is_cancelled(&error) => {}
                Err(error) => return End::Failed(kind(&error)),
            }
        }
    }

    /// Takes received bytes; what has ended is counted.
    #[inline]
    fn receive(&self, bytes: &[u8], now: u64) -> Result<usize, Broken> {
        let mut state = self.state.borrow_mut();
        let State {
            http2,
            under_way,
            taken,
            resting,
            ..
        } = &mut *state;
        let world = self.world;
        http2.receive(bytes, &mut |event| match event {
            Event::Head {
                place,
                status,
                bytes,
                headers,
            } => {
                if let Some(it) = under_way.get(place) {
                    it.head(status, bytes, headers, now);
                }
            }
            Event::Data { place, bytes } => {
                if let Some(it) = under_way.get(place) {
                    let expect = world.scenario.templates.get(it.template);
                    it.data(bytes, expect.is_some_and(|it| it.expect().wants_body()));
                }
            }
            Event::Whole { place, grpc } => {
                if let Some(it) = under_way.get(place) {
                    it.answered(world, grpc, now);
                    *resting += usize::from(self.rests(it.template, now));
                }
            }
            Event::Malformed { place, rule } => {
                if let Some(it) = under_way.get(place) {
                    world.reasons.borrow_mut().malformed = Some(rule);
                    it.failed(world, ErrorKind::Protocol, now);
                }
            }
            Event::Reset { place } => {
                if let Some(it) = under_way.get(place) {
                    it.failed(world, ErrorKind::Reset, now);
                }
            }
            Event::Unprocessed { place } => {
                if let Some(it) = under_way.get(place) {
                    match it.again() {
                        Some(order) => taken.push_back(order),
                        None => it.failed(world, ErrorKind::Reset, now),
                    }
                }
            }
        })
    }

    /// Whether a stream pauses after an answer to this template.
    #[inline]
    fn rests(&self, template: usize, now: u64) -> bool {
        if matches!(self.world.pace, Pace::Open(_)) {
            return false;
        }
        let pause = self.world.generator.borrow_mut().think(template);
        let left = self.world.end.get().saturating_sub(now);
        let pause = pause.min(Duration::from_nanos(left));
        if pause.is_zero() {
            return false;
        }
        let slot = self.slot.clone();
        runtime::spawn(async move {
            runtime::sleep(pause).await;
            slot.rest_over();
        });
        true
    }

    /// Sets the deadline, unless it stands already: a later request does not move it.
    fn arm(&self) {
        let state = self.state.borrow();
        if self.armed.get() || (state.http2.under_way() == 0 && !state.is_stuck()) {
            return;
        }
        let oldest = state.under_way.oldest().unwrap_or_else(clock::now);
        self.deadline
            .set(oldest + self.world.timeout, Strike::CancelRead);
        self.armed.set(true);
    }

    /// Gives up requests that have taken too long; false when the connection can't be used for anything.
    fn expire(&self, now: u64) -> bool {
        self.armed.set(false);
        let mut state = self.state.borrow_mut();
        if state.is_stuck() {
            return false;
        }
        let State {
            http2, under_way, ..
        } = &mut *state;
        let world = self.world;
        // The clock that deadlines go by is coarse, but never early.
        under_way.older_than(now.saturating_sub(world.timeout), |place, it| {
            it.failed(world, ErrorKind::Timeout, now);
            http2.cancel(place);
        });
        drop(state);
        self.go_on(now);
        true
    }

    fn is_done(&self) -> bool {
        self.state.borrow().is_done()
    }

    /// Counts what has not been answered, and says how it goes on.
    fn finish(self, end: End) -> Ended {
        self.slot.leave();
        let now = clock::now();
        let mut state = self.state.into_inner();
        self.slot.take_given(&mut state.taken);
        let (kind, broken) = match end {
            End::Idle => (None, None),
            End::Failed(kind) => (Some(kind), None),
            End::Broken(broken) => {
                self.world.reasons.borrow_mut().malformed = Some(broken.rule);
                (Some(ErrorKind::Protocol), Some(broken))
            }
        };
        let kind = kind.unwrap_or(ErrorKind::Closed);
        state
            .under_way
            .older_than(u64::MAX, |_, it| it.failed(self.world, kind, now));
        if !self.writing.get() && !self.conn.is_posting() {
            // Whether it arrives is the server's matter.
            state.http2.part(broken);
            let mut buffer = Buffer::standard();
            if buffer.extend(state.http2.output()) {
                let _ = self.conn.post(buffer);
            }
        }
        match state.over && state.taken.is_empty() {
            true => Ended::Over,
            false => Ended::Gone {
                unsent: state.taken,
                at: now,
            },
        }
    }
}

/// Bodies under load are read in large pieces.
fn grow(inbox: &mut Buffer, read: usize) {
    let wants_large = read >= MUCH;
    if wants_large && !inbox.is_large() {
        let mut large = Buffer::large();
        large.extend(inbox.filled());
        *inbox = large;
    }
}

fn kind(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => ErrorKind::Reset,
        io::ErrorKind::UnexpectedEof => ErrorKind::Closed,
        _ => ErrorKind::Io,
    }
}

//! The life of a connection of HTTP/2: read, answer whatever can be answered, write it all at once, again.
//!
//! One task reads, writes and waits for what is to be sent later. What a stream has been asked and how far its answer is
//! lies in `call`; what may be sent when is [`crate::http2::Server`]'s matter. A connection without requests comes to rest
//! and holds no buffer.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use engine_net::{Buffer, Conn, Deadline, Strike, clock, deadline, is_cancelled, race, runtime};

use super::worker::Worker;
use crate::http2::Broken;

mod call;
mod fields;
mod state;

use state::State;

/// How often a connection without traffic looks whether it is to rest or to end, nanoseconds.
const QUIET: u64 = 20_000_000;
/// A resting connection is closed after this: half an hour.
const PATIENCE: u64 = 1_800_000_000_000;
/// What fits any socket, so that nobody need wait until it has been written.
const POSTED: usize = 8 * 1024;
/// A read that brings so much is followed by one into a large buffer.
const MUCH: usize = 12 * 1024;

/// How serving came to an end, for now or for good.
enum End {
    Rest,
    Close,
    Broken(Broken),
}

/// Serves a connection to its end; `inbox` has been read already.
pub(super) async fn serve(worker: &Worker, conn: Conn, mut inbox: Buffer) {
    let served = Served {
        worker,
        conn: &conn,
        deadline: Deadline::new(&conn),
        writing: Cell::new(false),
        state: RefCell::new(Box::new(State::new())),
    };
    loop {
        // Boxed: a connection at rest does without.
        let end = Box::pin(served.busy(std::mem::take(&mut inbox))).await;
        match end {
            End::Rest => {}
            End::Close => return,
            End::Broken(broken) => {
                served.state.borrow_mut().server.part(Some(broken));
                return served.last_words().await;
            }
        }
        let end = deadline::now().saturating_add(PATIENCE);
        served.deadline.set(end, Strike::Rest);
        let readable = conn.readable().await;
        let struck = served.deadline.struck();
        served.deadline.clear();
        if readable.is_err() || struck || worker.ending.get() {
            return;
        }
    }
}

/// A connection and what happens on it.
struct Served<'a> {
    worker: &'a Worker,
    conn: &'a Conn,
    deadline: Deadline,
    /// A write is under way.
    writing: Cell<bool>,
    state: RefCell<Box<State>>,
}

impl Served<'_> {
    /// Serves until nothing is under way and nothing comes, or to the end.
    async fn busy(&self, inbox: Buffer) -> End {
        let (mut reader, mut writer) = (pin!(self.reader(inbox)), pin!(self.writer()));
        let mut timer = pin!(self.timer());
        let mut writes = true;
        poll_fn(|cx| {
            if let Poll::Ready(end) = reader.as_mut().poll(cx) {
                return Poll::Ready(end);
            }
            let _ = timer.as_mut().poll(cx);
            // When writing has failed, reading says why.
            writes = writes && writer.as_mut().poll(cx).is_pending();
            Poll::Pending
        })
        .await
    }

    async fn reader(&self, mut inbox: Buffer) -> End {
        loop {
            if !inbox.is_empty() {
                let received = self.state.borrow_mut().receive(inbox.filled(), self.worker);
                match received {
                    Ok(used) => inbox.consume(used),
                    Err(broken) => return End::Broken(broken),
                }
                inbox.compact();
            }
            self.go_on();
            if self.is_over() {
                return End::Close;
            }
            if inbox.room() == 0 {
                let mut larger = match inbox.is_empty() {
                    true => Buffer::standard(),
                    false => Buffer::large(),
                };
                larger.extend(inbox.filled());
                inbox = larger;
            }
            let at = deadline::now().saturating_add(QUIET);
            self.deadline.set(at, Strike::CancelRead);
            let (read, back) = self.conn.read_cancelable(inbox).await;
            self.deadline.clear();
            inbox = back;
            match read {
                Ok(0) => return End::Close,
                Ok(read) if read >= MUCH && inbox.len() == read && !inbox.is_large() => {
                    let mut large = Buffer::large();
                    large.extend(inbox.filled());
                    inbox = large;
                }
                Ok(_) => {}
                Err(error) if is_cancelled(&error) => {
                    if self.worker.ending.get() {
                        self.state.borrow_mut().server.part(None);
                    } else if inbox.is_empty() && self.is_quiet() {
                        return End::Rest;
                    }
                }
                Err(_) => return End::Close,
            }
        }
    }

    /// Answers as far as it can be done now, and hands over what is to be written if that need not be waited for.
    fn go_on(&self) {
        let mut state = self.state.borrow_mut();
        state.pump(clock::now(), self.worker);
        let len = state.server.output().len();
        if len == 0 || len > POSTED || self.writing.get() || self.conn.is_posting() {
            return;
        }
        let mut buffer = Buffer::standard();
        buffer.extend(state.server.output());
        if self.conn.post(buffer).is_ok() {
            state.server.written(len);
        }
    }

    /// Writes what `go_on` does not.
    async fn writer(&self) -> io::Result<()> {
        loop {
            // The task is awake whenever something has come up.
            poll_fn(|_| match self.state.borrow().server.output() {
                [] => Poll::Pending,
                _ => Poll::Ready(()),
            })
            .await;
            self.writing.set(true);
            if self.conn.is_posting() {
                self.conn.posted().await?;
            }
            let buffer = {
                let server = &mut self.state.borrow_mut().server;
                let mut buffer = match server.output().len() > engine_net::buffer::STANDARD {
                    true => Buffer::large(),
                    false => Buffer::standard(),
                };
                let len = server.output().len().min(buffer.room());
                buffer.extend(server.output().get(..len).unwrap_or_default());
                server.written(len);
                buffer
            };
            let (sent, _) = self.conn.write(buffer).await;
            self.writing.set(false);
            sent?;
            self.go_on();
        }
    }

    /// Goes on when the time has come for what was to wait.
    async fn timer(&self) {
        let next = || self.state.borrow().next_wake;
        loop {
            // The task is awake whenever that has changed.
            poll_fn(|_| match next() {
                u64::MAX => Poll::Pending,
                _ => Poll::Ready(()),
            })
            .await;
            let at = next();
            let left = Duration::from_nanos(at.saturating_sub(clock::now()));
            let earlier = poll_fn(|_| match next() < at {
                true => Poll::Ready(()),
                false => Poll::Pending,
            });
            race(pin!(runtime::sleep(left)), pin!(earlier)).await;
            if clock::now() >= next() {
                self.state.borrow_mut().next_wake = u64::MAX;
                self.go_on();
            }
        }
    }

    /// Whether there is nothing to do until something comes.
    fn is_quiet(&self) -> bool {
        let state = self.state.borrow();
        let written = !self.writing.get() && !self.conn.is_posting();
        state.server.under_way() == 0 && state.server.output().is_empty() && written
    }

    fn is_over(&self) -> bool {
        self.state.borrow().server.is_leaving() && self.is_quiet()
    }

    /// Writes what is left, as far as it goes at once.
    async fn last_words(&self) {
        let mut buffer = Buffer::standard();
        {
            let state = self.state.borrow();
            let out = state.server.output();
            buffer.extend(out.get(..out.len().min(buffer.room())).unwrap_or_default());
        }
        if !self.writing.get() && (!self.conn.is_posting() || self.conn.posted().await.is_ok()) {
            let (_, _) = self.conn.write(buffer).await;
        }
    }
}

#[cfg(test)]
mod tests;

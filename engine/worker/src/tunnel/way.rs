//! One direction of a tunnel: read, pass on, and how its end is carried over.

use std::cell::{Cell, RefCell};

use engine_bridge::metrics::Counter;
use engine_net::buffer::Buffer;
use engine_net::deadline::{self, Deadline, Strike};
use engine_net::{Conn, Shutdown, is_cancelled, runtime};

use super::Course;
use super::frames::Frames;
use crate::http2::Stream;
use crate::link::Link;

/// A direction in which nothing has come for this long gives its buffer back.
const QUIET: u64 = 20_000_000;
/// A read that brings so much is followed by one into a large buffer.
const BUSY: usize = 16 * 1024;
/// No more than this is handed to the driver without waiting for it.
const POSTED: usize = 16 * 1024;
/// After so many bytes moved in one go the other connections have their turn.
const STREAK: usize = 256 * 1024;

/// One direction.
pub(super) struct Way<'t> {
    from: Link<'t>,
    to: Link<'t>,
    /// That of what is read.
    deadline: &'t Deadline,
    /// Never set.
    never: Deadline,
    frames: RefCell<Frames>,
    /// Nobody takes any more what it would bring.
    stopped: Cell<bool>,
    passed: Cell<u64>,
    /// Where what passes is counted, as it does.
    bytes: &'t Counter,
}

/// Which side of a direction was lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lost {
    Source,
    Sink,
}

/// What goes for one wait.
struct Wait<'c> {
    course: &'c Course<'c>,
    /// What is known of the tunnel's end already.
    ending: bool,
    /// Much came last.
    busy: bool,
}

impl Wait<'_> {
    /// The tunnel has been told something meanwhile.
    fn is_disturbed(&self) -> bool {
        self.course.is_ending() != self.ending
    }

    fn buffer(&self) -> Buffer {
        match self.busy {
            true => Buffer::large(),
            false => Buffer::standard(),
        }
    }
}

/// What waiting for more came to.
enum More {
    Bytes(usize),
    End,
    /// Nothing: the tunnel has been told something.
    Look,
}

impl<'t> Way<'t> {
    pub(super) fn new(
        from: Link<'t>,
        to: Link<'t>,
        deadline: &'t Deadline,
        frames: Frames,
        bytes: &'t Counter,
    ) -> Way<'t> {
        Way {
            from,
            to,
            deadline,
            never: Deadline::alone(),
            frames: RefCell::new(frames),
            stopped: Cell::new(false),
            passed: Cell::new(0),
            bytes,
        }
    }

    /// Bytes that were passed on.
    pub(super) fn passed(&self) -> u64 {
        self.passed.get()
    }

    /// The sender has said Close.
    pub(super) fn has_closed(&self) -> bool {
        self.frames.borrow().has_closed()
    }

    /// Whoever takes what it brings is lost: it ends as soon as it can.
    pub(super) fn stop(&self) {
        self.stopped.set(true);
        self.deadline.set(deadline::now(), Strike::CancelRead);
    }

    /// Moves bytes to their end, which it carries over. `buf`: what has been read already.
    pub(super) async fn carry(&self, course: &Course<'_>, buf: Buffer) -> Result<(), Lost> {
        let done = self.move_all(course, buf).await;
        if done == Err(Lost::Source) {
            // What came before the loss may still be on its way out. If that fails both are lost, and nothing changes.
            let _ = self.flush().await;
        }
        done
    }

    async fn move_all(&self, course: &Course<'_>, mut buf: Buffer) -> Result<(), Lost> {
        let mut streak = 0;
        let mut busy = false;
        loop {
            if self.stopped.get() {
                return Err(Lost::Sink);
            }
            let ending = course.is_ending();
            if !buf.is_empty() {
                streak += buf.len();
                self.pass(&mut buf, ending).await?;
                course.touch();
            }
            if ending {
                let close = self.frames.borrow_mut().close();
                if let Some(close) = close {
                    self.send(&mut holding(&close)).await?;
                }
                if self.frames.borrow().is_unfollowed() {
                    course.end_within(0);
                }
            }
            if self.frames.borrow().is_over() {
                return self.finish().await;
            }
            if streak >= STREAK {
                streak = 0;
                runtime::yield_now().await;
            }
            let wait = Wait {
                course,
                ending,
                busy,
            };
            busy = match self.more(&wait, &mut buf).await? {
                More::Bytes(n) => n >= BUSY,
                More::Look => false,
                More::End => return self.finish().await,
            };
        }
    }

    /// Passes on what has come, as far as it may.
    async fn pass(&self, buf: &mut Buffer, ending: bool) -> Result<(), Lost> {
        let len = self.frames.borrow_mut().take(buf.filled(), ending);
        buf.truncate(len);
        self.send(buf).await?;
        buf.clear();
        self.passed.set(self.passed.get() + len as u64);
        self.bytes.add(len as u64);
        Ok(())
    }

    /// Waits for bytes, without a buffer once nothing has come for a moment.
    async fn more(&self, wait: &Wait<'_>, buf: &mut Buffer) -> Result<More, Lost> {
        match self.from {
            Link::Conn(conn) => self.more_of(conn, wait, buf).await,
            Link::Stream(stream) => self.more_on(stream, wait, buf).await,
        }
    }

    async fn more_of(&self, conn: &Conn, wait: &Wait<'_>, buf: &mut Buffer) -> Result<More, Lost> {
        loop {
            if buf.room() == 0 || (wait.busy && !buf.is_large()) {
                *buf = wait.buffer();
            }
            let quiet = deadline::now().saturating_add(QUIET);
            self.deadline.set(quiet, Strike::CancelRead);
            let (result, back) = conn.read_cancelable(std::mem::take(buf)).await;
            self.deadline.clear();
            *buf = back;
            match result {
                Ok(0) => return Ok(More::End),
                Ok(n) => return Ok(More::Bytes(n)),
                Err(error) if is_cancelled(&error) => {}
                Err(_) => return Err(Lost::Source),
            }
            *buf = Buffer::default();
            if self.stopped.get() || wait.is_disturbed() {
                return Ok(More::Look);
            }
            let ready = conn.readable().await;
            self.deadline.clear();
            match ready {
                Ok(()) => {}
                Err(error) if is_cancelled(&error) => return Ok(More::Look),
                Err(_) => return Err(Lost::Source),
            }
        }
    }

    async fn more_on(
        &self,
        stream: &Stream,
        wait: &Wait<'_>,
        buf: &mut Buffer,
    ) -> Result<More, Lost> {
        *buf = Buffer::default();
        let ready = stream.readable(self.deadline).await;
        let struck = self.deadline.struck();
        self.deadline.clear();
        match ready {
            Ok(()) => {}
            Err(_) if struck => return Ok(More::Look),
            Err(_) => return Err(Lost::Source),
        }
        let (result, back) = stream.read(wait.buffer(), &self.never).await;
        *buf = back;
        match result {
            Ok(0) => Ok(More::End),
            Ok(n) => Ok(More::Bytes(n)),
            Err(_) => Err(Lost::Source),
        }
    }

    /// Passes all of it on.
    async fn send(&self, buf: &mut Buffer) -> Result<(), Lost> {
        match self.to {
            _ if buf.is_empty() => {}
            Link::Conn(conn) if post(conn, buf) => {}
            Link::Conn(conn) => {
                let (result, back) = conn.write(std::mem::take(buf)).await;
                *buf = back;
                result.map_err(|_| Lost::Sink)?;
            }
            Link::Stream(stream) => self.send_on(stream, buf.filled(), false).await?,
        }
        Ok(())
    }

    async fn send_on(&self, stream: &Stream, bytes: &[u8], ends: bool) -> Result<(), Lost> {
        let mut rest = bytes;
        loop {
            let sent = stream.send_data(rest, ends).map_err(|_| Lost::Sink)?;
            rest = rest.get(sent.bytes..).unwrap_or_default();
            if sent.all {
                return Ok(());
            }
            let ready = stream.sendable(&self.never).await;
            ready.map_err(|_| Lost::Sink)?;
        }
    }

    /// Carries the sender's end over.
    async fn finish(&self) -> Result<(), Lost> {
        self.flush().await?;
        match self.to {
            Link::Conn(conn) => conn.shutdown(Shutdown::Write),
            Link::Stream(stream) => self.send_on(stream, &[], true).await?,
        }
        Ok(())
    }

    /// Waits until what was handed over has gone out.
    async fn flush(&self) -> Result<(), Lost> {
        match self.to {
            Link::Conn(conn) if conn.is_posting() => conn.posted().await.map_err(|_| Lost::Sink),
            _ => Ok(()),
        }
    }
}

/// Hands a few bytes to the driver without waiting for them; false, and nothing done, where that can't be.
fn post(conn: &Conn, buf: &mut Buffer) -> bool {
    if buf.len() > POSTED || conn.is_posting() {
        return false;
    }
    match conn.post(std::mem::take(buf)) {
        Ok(()) => true,
        Err(back) => {
            *buf = back;
            false
        }
    }
}

/// A few bytes in a buffer.
fn holding(bytes: &[u8]) -> Buffer {
    let mut buf = Buffer::standard();
    buf.extend(bytes);
    buf
}

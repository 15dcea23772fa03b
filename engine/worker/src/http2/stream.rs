//! One stream, as the exchange that holds it sees it: reads, writes, its end.
//!
//! All futures of one stream are awaited by one task. A stream that is dropped before its end is reset.

use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use engine_net::Conn;
use engine_net::buffer::Buffer;
use engine_net::deadline::Deadline;
use protocol::http2::{ErrorCode, Role, SendError, StreamId};
use protocol::message::ResponseHead;

use super::Mux;
use super::mux::{Inner, Slot, fill};
use crate::reply::Fault;

mod tunnel;

/// A stream that is held.
pub(crate) struct Stream {
    mux: Rc<Mux>,
    at: usize,
}

/// Why a stream can't go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The peer has reset it.
    Reset(ErrorCode),
    /// The peer has not touched it.
    Refused,
    /// What came on it is malformed.
    Malformed(&'static str),
    /// The connection is over.
    Gone,
    /// We gave it up.
    Abandoned,
}

/// How much of a body has been handed over.
pub(crate) struct Sent {
    pub(crate) bytes: usize,
    /// All of it, with the end if it was one.
    pub(crate) all: bool,
}

impl Broken {
    /// What it means that an upstream's stream broke so.
    pub(crate) fn fault(self) -> Fault {
        match self {
            Broken::Malformed(cause) => Fault::UpstreamMalformed(cause),
            Broken::Reset(code) => Fault::UpstreamReset(code),
            Broken::Refused | Broken::Gone | Broken::Abandoned => Fault::UpstreamClosed,
        }
    }
}

impl From<SendError> for Broken {
    fn from(_: SendError) -> Broken {
        Broken::Gone
    }
}

impl Stream {
    pub(super) fn new(mux: Rc<Mux>, at: usize) -> Stream {
        Stream { mux, at }
    }

    /// An answer is late that was asked for at `asked`: if nothing at all has come over the connection since, it may be
    /// dead.
    pub(crate) fn suspect(&self, asked: u64) {
        self.mux.suspect(asked);
    }

    /// The connection under it.
    pub(crate) fn conn(&self) -> &Conn {
        &self.mux.conn
    }

    fn with<T>(&self, read: impl FnOnce(&mut Slot) -> T) -> Result<T, Broken> {
        let mut inner = self.mux.inner.borrow_mut();
        inner.slot(self.at).map(read).ok_or(Broken::Gone)
    }

    /// Reads what has come of its body into `buf`; `Ok(0)` is the end. Waits until the deadline has struck.
    pub(crate) async fn read(
        &self,
        mut buf: Buffer,
        deadline: &Deadline,
    ) -> (io::Result<usize>, Buffer) {
        let result =
            poll_fn(|cx| self.poll(cx, Some(deadline), |inner| self.take(inner, &mut buf))).await;
        let result = result.map_err(|_| io::ErrorKind::ConnectionReset.into());
        (result, buf)
    }

    fn take(&self, inner: &mut Inner, buf: &mut Buffer) -> Option<Result<usize, Broken>> {
        let slot = inner.slot(self.at)?;
        let n = slot.inbound.move_into(buf);
        if n == 0 {
            return match (slot.broken, slot.ended) {
                (_, true) => Some(Ok(0)),
                (Some(broken), false) => Some(Err(broken)),
                (None, false) => None,
            };
        }
        Self::taken(inner, self.at, n);
        Some(Ok(n))
    }

    /// Bytes of the stream have been taken: the peer may send as many more.
    fn taken(inner: &mut Inner, at: usize, n: usize) {
        if let Some(id) = inner.slot(at).and_then(|slot| slot.id) {
            inner.h2.consumed(id, n, &mut inner.out);
            inner.wake_writer();
        }
    }

    /// Takes what has come of the body, if that is all of it and fits into `buf`; its length then.
    pub(crate) fn take_whole(&self, buf: &mut Buffer) -> Option<usize> {
        let mut inner = self.mux.inner.borrow_mut();
        let slot = inner.slot(self.at)?;
        if !slot.ended || !slot.trailers.is_empty() || slot.inbound.len() > buf.room() {
            return None;
        }
        let n = slot.inbound.copy_into(buf);
        if n > 0 {
            Self::taken(&mut inner, self.at, n);
        }
        Some(n)
    }

    /// All of its body has been taken and there is no more.
    pub(crate) fn is_over(&self) -> bool {
        self.with(|slot| slot.ended && slot.inbound.is_empty())
            .unwrap_or(true)
    }

    /// The trailer lines that came, `name: value` each.
    pub(crate) fn take_trailers(&self) -> Vec<u8> {
        self.with(|slot| std::mem::take(&mut slot.trailers))
            .unwrap_or_default()
    }

    /// Waits for the head of an answer, until the deadline has struck (an error then).
    pub(crate) async fn head_comes(&self, deadline: &Deadline) -> Result<(), Broken> {
        poll_fn(|cx| {
            self.poll(cx, Some(deadline), |inner| {
                let slot = inner.slot(self.at)?;
                match slot.broken {
                    _ if !slot.heads.is_empty() => Some(Ok(())),
                    Some(broken) => Some(Err(broken)),
                    None => None,
                }
            })
        })
        .await
    }

    /// Takes the head that has come; its text goes into `buf`. False: it does not fit.
    pub(crate) fn take_head(&self, head: &mut ResponseHead, buf: &mut Buffer) -> bool {
        let mut inner = self.mux.inner.borrow_mut();
        let came = inner.slot(self.at).and_then(|slot| slot.heads.pop_front());
        let Some((mut came, text)) = came else {
            return false;
        };
        std::mem::swap(head, &mut came);
        let fits = fill(buf, &text);
        inner.keep_head(came, text);
        fits
    }

    /// Why it can't go on, if so.
    pub(crate) fn broken_by(&self) -> Option<Broken> {
        self.with(|slot| slot.broken).unwrap_or(Some(Broken::Gone))
    }

    /// The peer has said that it did not touch the request.
    pub(crate) fn was_refused(&self) -> bool {
        self.with(|slot| slot.broken == Some(Broken::Refused))
            .unwrap_or(false)
    }

    /// Sends a head, composed as HTTP/1.1 text; that of a request opens the stream.
    pub(crate) fn send_head(&self, text: &[u8], end: bool) -> Result<(), Broken> {
        self.say(end, |inner, id| match id {
            Some(id) => Ok(inner.h2.send_response(id, text, end, &mut inner.out)?),
            None => {
                let token = self.at as u64 + 1;
                let opened =
                    inner
                        .h2
                        .send_request(text, self.mux.scheme(), token, end, &mut inner.out);
                // Nothing has been said: another connection may take it.
                let id = opened.map_err(|_| Broken::Refused)?;
                inner.bind(self.at, id);
                Ok(())
            }
        })
    }

    /// Sends the head of an interim answer.
    pub(crate) fn send_interim(&self, text: &[u8]) -> Result<(), Broken> {
        self.say(false, |inner, id| {
            let id = id.ok_or(Broken::Gone)?;
            Ok(inner.h2.send_interim(id, text, &mut inner.out)?)
        })
    }

    /// Sends trailers, lines of `name: value`, which end it.
    pub(crate) fn send_trailers(&self, lines: &[u8]) -> Result<(), Broken> {
        self.say(true, |inner, id| {
            let id = id.ok_or(Broken::Gone)?;
            Ok(inner.h2.send_trailers(id, lines, &mut inner.out)?)
        })
    }

    /// Sends as much of a body as the windows and the room allow.
    pub(crate) fn send_data(&self, bytes: &[u8], end: bool) -> Result<Sent, Broken> {
        let mut inner = self.mux.inner.borrow_mut();
        let inner = &mut *inner;
        let share = inner.share();
        let slot = inner.slot(self.at).ok_or(Broken::Gone)?;
        if let Some(broken) = slot.broken {
            return Err(broken);
        }
        if slot.said {
            return Ok(Sent {
                bytes: 0,
                all: true,
            });
        }
        if share == 0 && !bytes.is_empty() {
            return Ok(Sent {
                bytes: 0,
                all: false,
            });
        }
        let id = slot.id.ok_or(Broken::Gone)?;
        let part = bytes.get(..bytes.len().min(share)).unwrap_or_default();
        let last = end && part.len() == bytes.len();
        let sent = Self::frames(inner, id, part, last)?;
        let all = sent == bytes.len();
        if sent > 0 || all {
            inner.served(self.at);
        }
        if all
            && end
            && let Some(slot) = inner.slot(self.at)
        {
            slot.said = true;
        }
        inner.wake_writer();
        Ok(Sent { bytes: sent, all })
    }

    /// Gathers as much of `payload` as the windows allow, in frames that the peer takes: how many bytes.
    fn frames(inner: &mut Inner, id: StreamId, payload: &[u8], end: bool) -> Result<usize, Broken> {
        let mut rest = payload;
        loop {
            let n = inner.h2.begin_data(id, rest.len(), end, &mut inner.out)?;
            let (now, later) = rest.split_at(n.min(rest.len()));
            inner.gather(now);
            if n == 0 || later.is_empty() {
                return Ok(payload.len() - later.len());
            }
            rest = later;
        }
    }

    /// Waits until more of a body may be sent, or until the deadline has struck.
    pub(crate) async fn sendable(&self, deadline: &Deadline) -> Result<(), Broken> {
        let mut asked = false;
        poll_fn(|cx| {
            self.poll(cx, Some(deadline), |inner| {
                if let Some(broken) = inner.slot(self.at)?.broken {
                    return Some(Err(broken));
                }
                // Woken by something else it looks again: no harm.
                if std::mem::replace(&mut asked, true) {
                    return Some(Ok(()));
                }
                inner.wait(self.at);
                None
            })
        })
        .await
    }

    /// Ends when the stream can't go on.
    pub(crate) async fn broken(&self) {
        poll_fn(|cx| {
            self.poll(cx, None, |inner| {
                inner.slot(self.at)?.broken.map(|_| Ok(()))
            })
        })
        .await
        .ok();
    }

    /// Gives the stream up: the peer is told, what is pending on it ends.
    pub(crate) fn abandon(&self) {
        self.reset(ErrorCode::CANCEL);
    }

    /// Ends the stream with an error that the peer is told.
    pub(crate) fn reset(&self, code: ErrorCode) {
        let mut inner = self.mux.inner.borrow_mut();
        let inner = &mut *inner;
        let Some(slot) = inner.slot(self.at) else {
            return;
        };
        let open = slot.broken.is_none() && !(slot.ended && slot.said);
        if let Some(id) = slot.id.filter(|_| open) {
            inner.h2.reset(id, code, &mut inner.out);
            inner.wake_writer();
        }
        if let Some(slot) = inner.slot(self.at) {
            slot.broken.get_or_insert(Broken::Abandoned);
        }
    }

    fn say(
        &self,
        end: bool,
        write: impl FnOnce(&mut Inner, Option<StreamId>) -> Result<(), Broken>,
    ) -> Result<(), Broken> {
        let mut inner = self.mux.inner.borrow_mut();
        let slot = inner.slot(self.at).ok_or(Broken::Gone)?;
        if let Some(broken) = slot.broken {
            return Err(broken);
        }
        let id = slot.id;
        let written = write(&mut inner, id);
        match (written, inner.slot(self.at)) {
            (Ok(()), Some(slot)) => slot.said |= end,
            (Err(broken), Some(slot)) => slot.broken = Some(broken),
            _ => {}
        }
        inner.wake_writer();
        written
    }

    /// Looks whether there is what `look` wants; else the task is woken when something has happened to the stream, or the
    /// deadline has struck.
    fn poll<T>(
        &self,
        cx: &mut Context<'_>,
        deadline: Option<&Deadline>,
        look: impl FnOnce(&mut Inner) -> Option<Result<T, Broken>>,
    ) -> Poll<Result<T, Broken>> {
        let mut inner = self.mux.inner.borrow_mut();
        if let Some(found) = look(&mut inner) {
            return Poll::Ready(found);
        }
        match inner.slot(self.at) {
            None => return Poll::Ready(Err(Broken::Gone)),
            Some(slot) => match &slot.waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                _ => slot.waker = Some(cx.waker().clone()),
            },
        }
        drop(inner);
        match deadline.is_some_and(|deadline| deadline.poll_expired(cx).is_ready()) {
            true => Poll::Ready(Err(Broken::Abandoned)),
            false => Poll::Pending,
        }
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let server = self.mux.inner.borrow().h2.role() == Role::Server;
        let said = self.with(|slot| slot.said).unwrap_or(true);
        // An answer that is complete needs no more of the request (RFC 9113 section 8.1); one that is not was cut short.
        self.reset(match (server, said) {
            (true, true) => ErrorCode::NO_ERROR,
            (true, false) => ErrorCode::INTERNAL_ERROR,
            (false, _) => ErrorCode::CANCEL,
        });
        self.mux.inner.borrow_mut().let_go(self.at);
    }
}

//! One connection as an exchange sees it: bytes out and bytes in, at the same time.
//!
//! Invariant: while a request is on its way, and while the connection waits for one, a read is posted. So an answer that
//! comes before the whole request was sent is seen, and so is a server that closes a connection which nobody uses.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use engine_net::{Buffer, Conn, Deadline};

use crate::results::ErrorKind;

/// What a read gives.
pub(super) type Read = (io::Result<usize>, Buffer);

/// The receiving side: `reading` is a read that `post` made, again and again in the same place.
pub(super) struct Line<'a, R, P> {
    reading: Pin<&'a mut R>,
    post: P,
    /// What was received and not yet looked at; a stand-in while the read has the buffer.
    pub(super) inbox: Buffer,
    /// Whether the read has the buffer.
    posted: bool,
    deadline: &'a Deadline,
}

/// The sending side of one exchange.
pub(super) struct Sending<'a, S> {
    future: Pin<&'a mut S>,
    /// What the future gave, once all was sent or sending failed.
    pub(super) ended: Option<(io::Result<()>, Vec<u8>)>,
}

impl<'a, R, P> Line<'a, R, P>
where
    R: Future<Output = Read>,
    P: Fn(Buffer) -> R,
{
    /// `reading` must be a read of `post` that has not been polled.
    pub(super) fn new(reading: Pin<&'a mut R>, post: P, deadline: &'a Deadline) -> Self {
        Line {
            reading,
            post,
            inbox: Buffer::default(),
            posted: true,
            deadline,
        }
    }

    /// Waits for bytes behind those in the inbox, and sends meanwhile; 0 is the end of the stream.
    #[inline]
    pub(super) async fn more<S>(&mut self, sending: &mut Sending<'_, S>) -> Result<usize, ErrorKind>
    where
        S: Future<Output = (io::Result<()>, Vec<u8>)>,
    {
        self.post();
        let (read, inbox) = poll_fn(|cx| {
            sending.poll(cx);
            self.reading.as_mut().poll(cx)
        })
        .await;
        self.posted = false;
        self.inbox = inbox;
        read.map_err(|error| self.why(&error))
    }

    /// Waits for something else; none if the connection was closed meanwhile, or something came that nobody asked for.
    pub(super) async fn idle<T>(
        &mut self,
        mut wait: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Option<T> {
        self.post();
        poll_fn(|cx| {
            let waited = wait(cx);
            if self.reading.as_mut().poll(cx).is_ready() {
                return Poll::Ready(None);
            }
            waited.map(Some)
        })
        .await
    }

    fn post(&mut self) {
        if !self.posted {
            let buffer = std::mem::take(&mut self.inbox);
            self.reading.set((self.post)(buffer));
            self.posted = true;
        }
    }

    /// Why the stream has ended where it should not have.
    pub(super) fn why_ended(&self) -> ErrorKind {
        match self.deadline.struck() {
            true => ErrorKind::Timeout,
            false => ErrorKind::Closed,
        }
    }

    fn why(&self, error: &io::Error) -> ErrorKind {
        match error.kind() {
            _ if self.deadline.struck() => ErrorKind::Timeout,
            io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => ErrorKind::Reset,
            // Under TLS an end that was not announced.
            io::ErrorKind::UnexpectedEof => ErrorKind::Closed,
            _ => ErrorKind::Io,
        }
    }
}

impl<'a, S> Sending<'a, S>
where
    S: Future<Output = (io::Result<()>, Vec<u8>)>,
{
    pub(super) fn new(future: Pin<&'a mut S>) -> Self {
        Sending {
            future,
            ended: None,
        }
    }

    #[inline]
    fn poll(&mut self, cx: &mut Context<'_>) {
        if self.ended.is_none()
            && let Poll::Ready(ended) = self.future.as_mut().poll(cx)
        {
            self.ended = Some(ended);
        }
    }
}

/// A request up to this size fits any socket, so nobody need wait until it has been written.
const POSTED: usize = 4096;

/// Sends what the buffer holds, and then the rest, which is given back empty.
pub(super) async fn send(
    conn: &Conn,
    first: Buffer,
    mut rest: Vec<u8>,
) -> (io::Result<()>, Vec<u8>) {
    let first = match first.len() <= POSTED && rest.is_empty() {
        // Saves a turn of this task for each request; should it fail, the read will, too.
        true => match conn.post(first) {
            Ok(()) => return (Ok(()), rest),
            Err(first) => first,
        },
        false => first,
    };
    let (mut sent, mut buffer) = conn.write(first).await;
    if !rest.is_empty() {
        buffer = Buffer::large();
        for piece in rest.chunks(engine_net::buffer::LARGE) {
            if sent.is_err() {
                break;
            }
            buffer.extend(piece);
            (sent, buffer) = conn.write(buffer).await;
        }
        rest.clear();
    }
    drop(buffer);
    (sent, rest)
}

//! Sending: heads, bodies whole or in pieces, events, refusals.
//!
//! Everything goes through one buffer that is sent when it is full, when a piece is to arrive by itself, or when there is
//! nothing more to answer.

use std::time::Duration;

use engine_net::{Buffer, runtime};

use super::{Busy, End, Request};
use crate::origin::answer::{self, Connection, HEAD_ROOM, Head, Length, Source, TEXT};
use crate::origin::ask::{Reset, What};
use crate::origin::head::{Refusal, Version};

impl Busy<'_> {
    /// How a body is framed whose length is not told in front.
    pub(super) fn framing(&self, request: Request) -> Length {
        let pieces = request.ask.faults.chunks > 0 || matches!(request.ask.what, What::Events(_));
        match request.version {
            _ if !pieces => Length::None,
            Version::Http11 => Length::Chunked,
            Version::Http10 => Length::Close,
        }
    }

    /// Appends the head.
    async fn head(&mut self, request: Request, kind: &'static str, size: u64) -> Result<(), End> {
        let status = request.ask.faults.status;
        let length = match self.framing(request) {
            _ if answer::is_bodiless(status) => Length::None,
            Length::None => Length::Known(size),
            pieces => pieces,
        };
        let head = Head {
            status,
            kind,
            length,
            connection: match request.version {
                _ if !request.keep_alive || length == Length::Close => Connection::Close,
                Version::Http10 => Connection::KeepAlive,
                Version::Http11 => Connection::Stays,
            },
        };
        self.room(HEAD_ROOM).await?;
        self.worker.answers.borrow().head(head, &mut self.out);
        Ok(())
    }

    /// Sends an answer with a body of `size` bytes: whole, or in the pieces that were asked for.
    pub(super) async fn send(
        &mut self,
        request: Request,
        kind: &'static str,
        source: Source<'_>,
        size: u64,
    ) -> Result<(), End> {
        let faults = request.ask.faults;
        if size > self.out.room() as u64 && !self.out.is_large() {
            self.flush().await?;
            self.out = Buffer::large();
        }
        self.head(request, kind, size).await?;
        if request.head_only || answer::is_bodiless(faults.status) {
            return Ok(());
        }
        let framing = self.framing(request);
        let end = if faults.reset == Reset::Body {
            size / 2
        } else {
            size
        };
        if framing == Length::None {
            self.bytes(source, 0, end).await?;
        } else {
            let pieces = faults.chunks.min(size.max(1));
            for piece in 0..pieces {
                let border =
                    |n: u64| (u128::from(size) * u128::from(n) / u128::from(pieces)) as u64;
                let (from, to) = (border(piece), border(piece + 1).min(end));
                if to <= from {
                    break;
                }
                if piece > 0 && faults.every > 0 {
                    self.pause(faults.every).await?;
                }
                self.open_chunk(framing, to - from).await?;
                self.bytes(source, from, to).await?;
                self.close_chunk(framing).await?;
                // Each piece is to arrive by itself.
                self.flush().await?;
            }
        }
        if faults.reset == Reset::Body {
            self.flush().await?;
            return Err(End::Reset);
        }
        self.close_body(framing).await
    }

    /// Sends server-sent events.
    pub(super) async fn stream(&mut self, request: Request, events: u64) -> Result<(), End> {
        self.head(request, "text/event-stream", 0).await?;
        if request.head_only || answer::is_bodiless(request.ask.faults.status) {
            return Ok(());
        }
        let framing = self.framing(request);
        let end = match request.ask.faults.reset {
            Reset::Body => events / 2,
            Reset::Never | Reset::Head => events,
        };
        for event in 1..=end {
            let text = format!("id: {event}\ndata: {{\"event\":{event},\"of\":{events}}}\n\n");
            self.open_chunk(framing, text.len() as u64).await?;
            self.out.extend(text.as_bytes());
            self.close_chunk(framing).await?;
            if event < end {
                self.pause(request.ask.faults.every).await?;
                if self.worker.ending.get() {
                    return Err(End::Close);
                }
            }
        }
        if end < events {
            self.flush().await?;
            return Err(End::Reset);
        }
        self.close_body(framing).await
    }

    async fn open_chunk(&mut self, framing: Length, size: u64) -> Result<(), End> {
        if framing != Length::Chunked {
            return Ok(());
        }
        self.room(HEAD_ROOM).await?;
        let mut line = [b'0'; 18];
        let mut at = 16;
        line[16..].copy_from_slice(b"\r\n");
        let mut rest = size;
        while rest > 0 && at > 0 {
            at -= 1;
            line[at] = char::from_digit((rest % 16) as u32, 16).map_or(b'0', |it| it as u8);
            rest /= 16;
        }
        self.out.extend(&line[at..]);
        Ok(())
    }

    async fn close_chunk(&mut self, framing: Length) -> Result<(), End> {
        if framing == Length::Chunked {
            self.room(HEAD_ROOM).await?;
            self.out.extend(b"\r\n");
        }
        Ok(())
    }

    async fn close_body(&mut self, framing: Length) -> Result<(), End> {
        if framing == Length::Chunked {
            self.room(HEAD_ROOM).await?;
            self.out.extend(b"0\r\n\r\n");
        }
        Ok(())
    }

    /// Appends bytes of a body, and sends them whenever the buffer is full.
    pub(super) async fn bytes(
        &mut self,
        source: Source<'_>,
        from: u64,
        to: u64,
    ) -> Result<(), End> {
        let mut at = from;
        while at < to {
            if self.out.room() == 0 {
                self.flush().await?;
            }
            let max = usize::try_from(to - at).unwrap_or(usize::MAX);
            let piece = source.piece(at, max.min(self.out.room()));
            self.out.extend(piece);
            at += piece.len() as u64;
            if piece.is_empty() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Answers that a request is refused; the connection then ends.
    pub(super) async fn refuse(&mut self, refusal: Refusal, what: &str) -> End {
        let Refusal(status, why) = refusal;
        let text = match what {
            "" => format!("{why}\n"),
            _ => format!("{what}: must be {why}\n"),
        };
        let head = Head {
            status,
            kind: TEXT,
            length: Length::Known(text.len() as u64),
            connection: Connection::Close,
        };
        if self.room(HEAD_ROOM).await.is_err() {
            return End::Close;
        }
        self.worker.answers.borrow().head(head, &mut self.out);
        let sent = self
            .bytes(Source::Text(text.as_bytes()), 0, text.len() as u64)
            .await;
        match sent.and(self.flush().await) {
            Ok(()) => End::Linger,
            Err(end) => end,
        }
    }

    /// Sends what is ready, and waits.
    pub(super) async fn pause(&mut self, ns: u64) -> Result<(), End> {
        self.flush().await?;
        runtime::sleep(Duration::from_nanos(ns)).await;
        Ok(())
    }

    /// Makes room for so many bytes.
    pub(super) async fn room(&mut self, bytes: usize) -> Result<(), End> {
        if self.out.room() < bytes {
            self.flush().await?;
        }
        Ok(())
    }

    /// Sends what is ready.
    pub(super) async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let (sent, back) = self.conn.write(std::mem::take(&mut self.out)).await;
        self.out = back;
        sent.map_err(|_| End::Close)
    }
}

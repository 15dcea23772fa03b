//! A connection that has become a WebSocket: every message is sent back as it came, until one side closes.
//!
//! Pings are answered, Close is answered and ends it. What a message is, and what is wrong with one, is in `websocket`.

use engine_net::deadline::{self, Strike};

use super::{Busy, End, PATIENCE};
use crate::origin::answer::{HEAD_ROOM, Source};
use crate::origin::websocket::{Fault, Handshake, Kind, Messages, header};

impl Busy<'_> {
    /// Answers the handshake, then echoes.
    pub(super) async fn websocket(&mut self, handshake: &Handshake) -> Result<(), End> {
        self.room(HEAD_ROOM).await?;
        self.out.extend(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ");
        self.out.extend(handshake.accept.as_bytes());
        if let Some(protocol) = &handshake.protocol {
            self.out.extend(b"\r\nSec-WebSocket-Protocol: ");
            self.out.extend(protocol.as_bytes());
        }
        self.out.extend(b"\r\n\r\n");
        let mut messages = Messages::default();
        loop {
            let (used, whole) = match messages.take(self.inbound.filled()) {
                Ok(taken) => taken,
                Err(Fault(code)) => return Err(self.close(Some(code)).await),
            };
            self.inbound.consume(used);
            match whole {
                Some(Kind::Close) => {
                    let code = match messages.farewell() {
                        Ok(code) => code,
                        Err(Fault(code)) => Some(code),
                    };
                    return Err(self.close(code).await);
                }
                Some(Kind::Ping) => self.frame(Kind::Pong, messages.payload(Kind::Ping)).await?,
                Some(Kind::Pong) => {}
                Some(kind) => self.frame(kind, messages.payload(kind)).await?,
                None if used == 0 => self.frames_in().await?,
                None => {}
            }
        }
    }

    /// Says Close and lets it arrive.
    async fn close(&mut self, code: Option<u16>) -> End {
        let code = code.map(u16::to_be_bytes);
        let payload = code.as_ref().map_or(&[][..], |code| code);
        match self.frame(Kind::Close, payload).await {
            Ok(()) => match self.flush().await {
                Ok(()) => End::Linger,
                Err(end) => end,
            },
            Err(end) => end,
        }
    }

    async fn frame(&mut self, kind: Kind, payload: &[u8]) -> Result<(), End> {
        self.room(HEAD_ROOM).await?;
        let (head, len) = header(kind, payload.len());
        self.out.extend(head.get(..len).unwrap_or_default());
        self.bytes(Source::Text(payload), 0, payload.len() as u64)
            .await
    }

    /// Sends what is ready, then reads more.
    async fn frames_in(&mut self) -> Result<(), End> {
        self.flush().await?;
        self.inbound.compact();
        if self.worker.ending.get() {
            return Err(self.close(Some(1001)).await);
        }
        let at = deadline::now().saturating_add(PATIENCE);
        self.deadline.set(at, Strike::Rest);
        let inbound = std::mem::take(&mut self.inbound);
        let (read, back) = self.conn.read(inbound).await;
        self.inbound = back;
        self.deadline.clear();
        match read {
            Ok(1..) => Ok(()),
            _ => Err(End::Close),
        }
    }
}

//! Answers of the gateway's own: what is refused, and what a route says by itself.

use protocol::message::Method;

use super::finish::DRAIN_LIMIT;
use super::{End, Exchange};
use crate::forward;
use crate::record::Shown;
use crate::reply::{Fault, Reply};
use crate::scratch::Scratch;

/// Where an answer of the gateway's own is composed.
pub(super) struct Composed<'a> {
    pub(super) head: &'a mut Vec<u8>,
    body: &'a mut Vec<u8>,
}

impl Exchange<'_> {
    /// Answers with a problem document.
    pub(super) async fn refuse(&mut self, fault: &Fault) -> End {
        self.record.blame(fault);
        self.record.grpc = self.call.map(|_| fault.grpc_code());
        if let Some(timeout) = fault.client_timeout() {
            self.client.series.timeouts.inc(timeout);
        }
        if !self.note_refusal(fault).await || matches!(fault, Fault::ClientGone) {
            return End::Close;
        }
        if fault.breaks_framing() {
            self.keep_alive = false;
        }
        self.answer_self(|reply, out| reply.fault(fault, out.head, out.body))
            .await
    }

    /// Writes an answer of the gateway's own; `compose` puts head and body into the scratch head.
    pub(super) async fn answer_self(
        &mut self,
        compose: impl FnOnce(&Reply<'_>, &mut Composed<'_>),
    ) -> End {
        self.keep_alive &= !self.client.core.draining.get() && self.body_can_be_drained();
        let head_only = self.s.request.method == Method::Head;
        let Scratch {
            request,
            context,
            head,
            body,
            request_id,
            ..
        } = &mut *self.s;
        let reply = Reply {
            core: self.client.core,
            gateway: &self.live.snapshot.gateway,
            context,
            route: self
                .record
                .route
                .and_then(|id| self.live.snapshot.routes.get(id as usize)),
            request_id,
            path: request.path.of(self.inbound.filled()),
            client: request.version,
            grpc: self.call.map(|call| call.framing),
            head_only,
            keep_alive: self.keep_alive,
        };
        compose(&reply, &mut Composed { head, body });
        self.record.status = status_of(head);
        let bytes = std::mem::take(head);
        let result = forward::write_message(self.client_sink(self.client.deadline), &bytes).await;
        self.record.bytes_out += bytes.len() as u64;
        self.s.head = bytes;
        match (result, self.keep_alive) {
            (Err(_), _) => End::Close,
            (Ok(()), true) => End::KeepAlive,
            (Ok(()), false) => End::Linger,
        }
    }

    /// Whether the rest of the request body is small enough to be read and thrown away.
    pub(super) fn body_can_be_drained(&self) -> bool {
        let nothing_came = self.inbound.len() <= self.consumed;
        match self.body.remaining() {
            Some(0) => true,
            _ if !self.continued && nothing_came => false,
            Some(n) => n <= DRAIN_LIMIT,
            None => true,
        }
    }

    /// Counts a refusal by what refused it; those of credentials also go to the audit log. False:
    /// that log has no room, so the refusal may not be answered.
    async fn note_refusal(&self, fault: &Fault) -> bool {
        let Fault::Refused(refusal) = fault else {
            return true;
        };
        let route = self
            .record
            .route
            .and_then(|id| self.live.snapshot.routes.get(id as usize));
        let shown = Shown {
            request: self.s.request.view(self.inbound.filled()),
            context: &self.s.context,
            client: &self.s.client,
            request_id: &self.s.request_id,
            tls: self.client.link.tls(),
        };
        self.live.refusals.note(refusal, route, &shown).await
    }
}

/// The status in a head that this gateway wrote: "HTTP/1.1 NNN".
fn status_of(head: &[u8]) -> u16 {
    head.get(9..12)
        .unwrap_or_default()
        .iter()
        .fold(0, |n, b| n * 10 + u16::from(b.wrapping_sub(b'0')))
}

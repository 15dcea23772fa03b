//! The end of an exchange: its record, and where the connection's buffer stands for the next one.

use engine_net::{Peek, deadline};

use super::{End, Exchange};
use crate::forward::{Bounds, Outgoing, Pump};
use crate::record::Shown;
use crate::reply::Fault;

/// A refused request's unread body up to this is read and thrown away to keep the connection.
pub(super) const DRAIN_LIMIT: u64 = 64 * 1024;

impl Exchange<'_> {
    /// Writes the record, then leaves the connection's buffer at what follows this request.
    pub(super) async fn finish(mut self, end: End) -> End {
        self.record.bytes_in = self.s.request.len as u64 + self.body.payload;
        if self.record.was_left() && self.client.seat.is_cut() {
            self.record.blame(&Fault::ClientDistrusted);
        }
        let rest_is_due =
            end == End::KeepAlive && !self.body.is_done() && !self.client.link.is_stream();
        let drain_from = rest_is_due.then(|| self.client_source(self.client.deadline));
        let Exchange {
            client,
            s,
            inbound,
            record,
            mut body,
            consumed,
            leftover,
            ..
        } = self;
        let shown = Shown {
            request: s.request.view(inbound.filled()),
            context: &s.context,
            client: &s.client,
            request_id: &s.request_id,
            tls: client.link.tls(),
        };
        if !record.finish(&shown).await {
            return End::Close;
        }
        match leftover {
            Some(rest) => *inbound = rest,
            None => inbound.consume(consumed),
        }
        let Some(mut source) = drain_from else {
            // A client that has said it sends no more needs no lingering: nothing can come that would reset the answer.
            let silent = end == End::Linger && !s.request.keep_alive;
            let quiet = body.is_done() && inbound.is_empty();
            let over = |conn: &engine_net::Conn| conn.peek() != Peek::Data;
            return if silent && quiet && client.link.conn().is_some_and(over) {
                End::Close
            } else {
                end
            };
        };
        source.whole = deadline::now().saturating_add(source.timeout);
        let drain = Pump {
            source,
            sink: source,
            out: Outgoing::Discard,
            bounds: Bounds {
                max_bytes: body.payload.saturating_add(DRAIN_LIMIT),
                min_rate: 0,
            },
            lead: &[],
            strip: None,
            post: false,
            splice: false,
        };
        match drain.run(&mut body, inbound).await {
            Ok(()) => End::KeepAlive,
            Err(_) => End::Linger,
        }
    }
}

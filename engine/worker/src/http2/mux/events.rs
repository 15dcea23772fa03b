//! What came for streams, dealt out to them.

use protocol::http1::encode;
use protocol::http2::{By, ErrorCode, Event, StreamId};

use super::slot::HEADS;
use super::{Inner, wake};
use crate::http2::stream::Broken;

impl Inner {
    /// Puts what came where its stream finds it, and wakes who waits for that. `bytes`: those that the event came from.
    pub(super) fn deal_with(&mut self, event: Event, bytes: &[u8]) {
        match event {
            Event::Data {
                stream,
                token,
                payload,
                end,
            } => {
                let payload = bytes.get(payload).unwrap_or_default();
                match self.slot_of(stream, token) {
                    Some(slot) => {
                        slot.inbound.push(payload);
                        slot.ended |= end;
                        wake(slot.waker.take());
                    }
                    // Nobody holds it any more; the connection's window is still to be given back.
                    None => self.h2.consumed(stream, payload.len(), &mut self.out),
                }
            }
            Event::Head { stream, token, end } => self.answer_came(stream, token, end),
            Event::Interim { stream, token } => self.answer_came(stream, token, false),
            Event::Trailers { stream, token } => {
                let (mut fields, mut text) = (Vec::new(), Vec::new());
                self.h2.take_trailers(&mut fields, &mut text);
                let mut lines = Vec::with_capacity(text.len());
                for field in fields.iter().filter(|field| !field.hop_by_hop) {
                    encode::field(&mut lines, field.name.of(&text), field.value.of(&text));
                }
                if let Some(slot) = self.slot_of(stream, token) {
                    slot.trailers = lines;
                    slot.ended = true;
                    wake(slot.waker.take());
                }
            }
            Event::Reset {
                stream,
                token,
                code,
                by,
                cause,
            } => {
                let why = match by {
                    By::Goaway => Broken::Refused,
                    By::Peer if code == ErrorCode::REFUSED_STREAM => Broken::Refused,
                    By::Peer => Broken::Reset(code),
                    By::Us => Broken::Malformed(cause),
                };
                if let Some(slot) = self.slot_of(stream, token) {
                    slot.broken.get_or_insert(why);
                    wake(slot.waker.take());
                }
            }
            Event::Writable { stream, token } => {
                if let Some(slot) = self.slot_of(stream, token) {
                    wake(slot.waker.take());
                }
            }
            Event::WritableAll => self.wake_waiting(),
            Event::Settings => {
                self.wake_waiting();
                wake(self.greeted.take());
            }
            Event::Goaway { .. }
            | Event::Pong { .. }
            | Event::More
            | Event::Refused { .. }
            | Event::Rejected { .. } => {}
        }
    }

    fn answer_came(&mut self, id: StreamId, token: u64, end: bool) {
        let (mut head, mut text) = self.heads.pop().unwrap_or_default();
        self.h2.take_response(&mut head, &mut text);
        let Some(slot) = self.slot_of(id, token) else {
            return self.keep_head(head, text);
        };
        slot.heads.push_back((head, text));
        slot.ended |= end;
        wake(slot.waker.take());
        if slot.heads.len() > HEADS {
            slot.broken = Some(Broken::Malformed("too_many_interim_responses"));
            self.h2
                .reset(id, ErrorCode::ENHANCE_YOUR_CALM, &mut self.out);
        }
    }
}

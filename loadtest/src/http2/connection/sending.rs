//! Sending: HEADERS with what follows it, and bodies as far as windows let them.

use super::streams::Stream;
use super::{Connection, Request};
use crate::http2::frame::{self, Header, LONGEST};

/// Bodies wait while so much is to be written already.
const FULL: usize = 64 * 1024;

impl Connection {
    /// Begins a request and says at which place; there must be [`Connection::room`].
    #[inline]
    pub(crate) fn start(&mut self, request: &Request<'_>) -> usize {
        let window = self.peer.map_or(0, |peer| peer.initial_window);
        let place = self.streams.insert(Stream {
            window: i64::from(window),
            head: request.head,
            wants_headers: request.wants_headers,
            ..Stream::default()
        });
        let Some(stream) = self.streams.get(place) else {
            return place;
        };
        let id = stream.id;
        frame::block(id, request.block, request.body.is_empty(), &mut self.out);
        if request.body.is_empty() {
            return place;
        }
        // What can go out at once need not be kept.
        let now = data(
            id,
            request.body,
            stream.window.min(self.window),
            &mut self.out,
        );
        stream.window -= now as i64;
        self.window -= now as i64;
        let rest = request.body.get(now..).unwrap_or_default();
        if !rest.is_empty() {
            stream.unsent.extend_from_slice(rest);
            self.streams.sending += 1;
        }
        place
    }

    /// Sends of the bodies what may be sent.
    pub(super) fn pump(&mut self) {
        if self.streams.sending == 0 || self.window <= 0 {
            return;
        }
        let mut done = 0;
        for (_, stream) in self.streams.iter_mut() {
            if stream.unsent.is_empty() {
                continue;
            }
            if self.out.len() >= FULL {
                break;
            }
            let rest = stream.unsent.get(stream.sent..).unwrap_or_default();
            let now = data(
                stream.id,
                rest,
                stream.window.min(self.window),
                &mut self.out,
            );
            stream.window -= now as i64;
            self.window -= now as i64;
            stream.sent += now;
            if stream.sent == stream.unsent.len() {
                stream.unsent = Vec::new();
                done += 1;
            }
        }
        self.streams.sending -= done;
    }
}

/// Appends frames of a body, as far as the window and the output let it; says how much that was.
fn data(stream: u32, body: &[u8], window: i64, out: &mut Vec<u8>) -> usize {
    let window = usize::try_from(window).unwrap_or(0);
    let most = body
        .len()
        .min(window)
        .min(FULL.saturating_sub(out.len()).max(LONGEST));
    let (now, rest) = body.split_at(most);
    let mut pieces = now.chunks(LONGEST).peekable();
    while let Some(piece) = pieces.next() {
        let ends = pieces.peek().is_none() && rest.is_empty();
        Header {
            len: piece.len(),
            kind: frame::DATA,
            flags: if ends { frame::END_STREAM } else { 0 },
            stream,
        }
        .write(out);
        out.extend_from_slice(piece);
    }
    most
}

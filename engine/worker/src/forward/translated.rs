//! A body that is translated on its way: what a step brings becomes other bytes, in pieces that fit a buffer.

use engine_net::buffer::{Buffer, STANDARD};
use protocol::http1::{LAST_CHUNK, chunk_line};

use super::incoming::Step;
use super::{Incoming, Outgoing, Pump, PumpError, Side, frames, write_bytes};
use crate::link::Link;

/// So much goes out at a time; the rest of a buffer is for what is put around it.
const PIECE: usize = STANDARD - 1024;

impl Pump<'_> {
    /// Sends what `buf` holds as it is to be, and at the end what stands there.
    pub(super) async fn send_translated(
        &self,
        body: &mut Incoming,
        buf: &mut Buffer,
        lead: &[u8],
        step: &Step,
    ) -> Result<(), PumpError> {
        let mut text = Vec::new();
        if let Some(translation) = &mut body.translation {
            let trailers = std::mem::take(&mut body.trailers);
            let done = translation.pass(buf.filled(), &mut text);
            done.map_err(PumpError::SourceMalformed)?;
            if step.done {
                let ended = translation.end(&trailers, &mut text);
                ended.map_err(PumpError::SourceMalformed)?;
            }
        }
        let mut lead = lead;
        let mut rest = text.as_slice();
        loop {
            let (piece, later) = rest.split_at(rest.len().min(PIECE));
            rest = later;
            *buf = Buffer::standard();
            buf.extend(piece);
            let done = step.done && rest.is_empty();
            if done && self.out == Outgoing::Chunked {
                body.tail.extend_from_slice(LAST_CHUNK);
            }
            let part = Step {
                done,
                bare: self.out == Outgoing::Chunked,
                ..Step::more(0, 0)
            };
            self.send(body, buf, lead, &part).await?;
            lead = &[];
            if rest.is_empty() {
                return Ok(());
            }
        }
    }
}

/// Ends an answer to a browser's call whose source broke off, with these lines as its status. False: it can't be ended
/// so, or the client does not take it.
pub(crate) async fn break_off(
    sink: Side<'_>,
    out: Outgoing,
    body: &mut Incoming,
    status: &[u8],
) -> bool {
    let mut text = Vec::new();
    let Some(translation) = &mut body.translation else {
        return false;
    };
    if !translation.break_off(status, &mut text) {
        return false;
    }
    let sent = match sink.link {
        Link::Stream(stream) => frames::data(sink, stream, &text, true).await,
        Link::Conn(_) => write_bytes(sink, &framed(out, body.open_chunk, &text)).await,
    };
    sent.is_ok()
}

/// The last bytes of a body as they stand on an HTTP/1.1 connection.
fn framed(out: Outgoing, open_chunk: bool, text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 32);
    if out == Outgoing::Chunked {
        if open_chunk {
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(chunk_line(text.len(), &mut [0; 18]));
        bytes.extend_from_slice(text);
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(LAST_CHUNK);
    } else {
        bytes.extend_from_slice(text);
    }
    bytes
}

//! Towards a stream of HTTP/2: heads as HEADERS, bodies as DATA, the last frame marked; no framing of its own.
//!
//! Heads arrive here as the gateway composes all of them, as HTTP/1.1 text; the connection's encoder makes a header block
//! of it. A body waits for the windows and for room among what is yet to be written: memory is bounded so.

use engine_net::buffer::Buffer;
use engine_net::deadline::Strike;

use super::{PumpError, Side, write_bytes};
use crate::http2::Stream;
use crate::link::Link;

/// What goes out with the bytes of one step.
pub(super) struct Part<'a> {
    /// The head, before them.
    pub(super) lead: &'a [u8],
    /// Trailer lines, behind them.
    pub(super) tail: &'a [u8],
    /// The message ends with it.
    pub(super) ends: bool,
}

/// Sends one step of a message, all that `buf` holds of it.
pub(super) async fn send(
    sink: Side<'_>,
    stream: &Stream,
    buf: &mut Buffer,
    part: Part<'_>,
) -> Result<(), PumpError> {
    let Part { lead, tail, ends } = part;
    let ends_with_data = ends && tail.is_empty();
    let mut ended = false;
    if !lead.is_empty() {
        ended = ends_with_data && buf.is_empty();
        stream
            .send_head(lead, ended)
            .map_err(|_| PumpError::SinkClosed)?;
    }
    if !buf.is_empty() || (ends_with_data && !ended) {
        data(sink, stream, buf.filled(), ends_with_data).await?;
        buf.clear();
    }
    if ends && !tail.is_empty() {
        stream
            .send_trailers(tail)
            .map_err(|_| PumpError::SinkClosed)?;
    }
    Ok(())
}

/// Sends a whole message, head and body in one piece of text.
pub(crate) async fn write_message(sink: Side<'_>, bytes: &[u8]) -> Result<(), PumpError> {
    let Link::Stream(stream) = sink.link else {
        return write_bytes(sink, bytes).await;
    };
    let blank = bytes.windows(4).position(|four| four == b"\r\n\r\n");
    let end = blank.map_or(bytes.len(), |at| at + 4);
    let (head, body) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    stream
        .send_head(head, body.is_empty())
        .map_err(|_| PumpError::SinkClosed)?;
    match body {
        [] => Ok(()),
        body => data(sink, stream, body, true).await,
    }
}

/// Sends the head of an interim answer (1xx).
pub(crate) async fn write_interim(sink: Side<'_>, head: &[u8]) -> Result<(), PumpError> {
    match sink.link {
        Link::Conn(_) => write_bytes(sink, head).await,
        Link::Stream(stream) => stream.send_interim(head).map_err(|_| PumpError::SinkClosed),
    }
}

pub(super) async fn data(
    sink: Side<'_>,
    stream: &Stream,
    mut bytes: &[u8],
    ends: bool,
) -> Result<(), PumpError> {
    let mut armed = false;
    loop {
        let sent = stream
            .send_data(bytes, ends)
            .map_err(|_| PumpError::SinkClosed)?;
        bytes = bytes.get(sent.bytes..).unwrap_or_default();
        if sent.all {
            if armed {
                sink.deadline.clear();
            }
            return Ok(());
        }
        // Only what goes out counts as progress: being woken does not.
        if sent.bytes > 0 || !armed {
            sink.arm(Strike::Wake);
            armed = true;
        }
        let ready = stream.sendable(sink.deadline).await;
        if sink.deadline.struck() {
            return Err(PumpError::SinkTimeout);
        }
        ready.map_err(|_| PumpError::SinkClosed)?;
    }
}

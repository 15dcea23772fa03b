//! Towards a connection: bytes as they are, written in time, or posted where nobody has to wait for them.

use engine_net::buffer::{Buffer, STANDARD};
use engine_net::deadline::Strike;

use super::{PumpError, Side};
use crate::link::Link;

/// No more than this is posted without waiting for it.
const POSTED: usize = 16 * 1024;

/// Hands all of `buf` over to the driver without waiting; false, and nothing done, where that can't be.
pub(super) fn post(sink: Side<'_>, buf: &mut Buffer) -> bool {
    if buf.is_empty() || buf.len() > POSTED {
        return false;
    }
    let posted = match sink.link {
        Link::Conn(conn) => conn.post(std::mem::take(buf)),
        Link::Stream(_) => return false,
    };
    match posted {
        Ok(()) => true,
        Err(back) => {
            *buf = back;
            false
        }
    }
}

/// Writes all of `buf`, bounded by the side's write time-out.
pub(crate) async fn write(sink: Side<'_>, buf: &mut Buffer) -> Result<(), PumpError> {
    if buf.is_empty() {
        return Ok(());
    }
    let Link::Conn(conn) = sink.link else {
        debug_assert!(false, "a stream takes frames");
        return Err(PumpError::SinkClosed);
    };
    sink.arm(Strike::BothShut);
    let (result, back) = conn.write(std::mem::take(buf)).await;
    *buf = back;
    if sink.deadline.struck() {
        return Err(PumpError::SinkTimeout);
    }
    sink.deadline.clear();
    result.map_err(|_| PumpError::SinkClosed)
}

/// Writes bytes that stand in no pooled buffer yet.
pub(crate) async fn write_bytes(sink: Side<'_>, mut bytes: &[u8]) -> Result<(), PumpError> {
    while !bytes.is_empty() {
        let mut buf = if bytes.len() > STANDARD {
            Buffer::large()
        } else {
            Buffer::standard()
        };
        let (now, later) = bytes.split_at(bytes.len().min(buf.room()));
        buf.extend(now);
        write(sink, &mut buf).await?;
        bytes = later;
    }
    Ok(())
}

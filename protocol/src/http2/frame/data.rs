//! DATA (RFC 9113 section 6.1) and the padding that it shares with HEADERS.

use super::code::ErrorCode;
use super::{Fault, HEADER_LEN, Header, Kind, flag};

/// How the payload of a frame divides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Parts {
    /// Bytes from the start of the frame to its data: header, pad length, priority fields.
    pub(crate) start: usize,
    /// Bytes of data.
    pub(crate) data: u32,
    /// Bytes of padding after it.
    pub(crate) padding: u32,
}

/// Divides the DATA or HEADERS frame at the front of `bytes`. `None` until its fixed part is there (at most six bytes
/// after the header).
#[inline]
pub(crate) fn parts(header: Header, bytes: &[u8]) -> Result<Option<Parts>, Fault> {
    let padded = header.has(flag::PADDED);
    let priority = header.kind == Kind::Headers && header.has(flag::PRIORITY);
    let fixed = u32::from(padded) + if priority { 5 } else { 0 };
    if fixed > header.len {
        return Err((ErrorCode::FRAME_SIZE_ERROR, "frame_size"));
    }
    let start = HEADER_LEN + fixed as usize;
    if bytes.len() < start {
        return Ok(None);
    }
    let padding = match bytes.get(HEADER_LEN) {
        Some(length) if padded => u32::from(*length),
        _ => 0,
    };
    let Some(data) = (header.len - fixed).checked_sub(padding) else {
        return Err((ErrorCode::PROTOCOL_ERROR, "padding_too_long"));
    };
    Ok(Some(Parts {
        start,
        data,
        padding,
    }))
}

/// Appends the header of a DATA frame whose `len` bytes the caller writes next.
#[inline]
pub(crate) fn write_header(stream: u32, len: u32, end: bool, out: &mut Vec<u8>) {
    Header {
        len,
        kind: Kind::Data,
        flags: if end { flag::END_STREAM } else { 0 },
        stream,
    }
    .write(out);
}

//! The small frames of fixed size: PRIORITY, RST_STREAM, PING, GOAWAY, WINDOW_UPDATE (RFC 9113 sections 6.3, 6.4,
//! 6.7, 6.8, 6.9). Lengths were checked with the header.

use super::code::ErrorCode;
use super::{Header, Kind, flag, stream_of};

/// A 32-bit number at the front of a payload: an error code, or with [`stream_of`] a window increment or a stream.
#[inline]
pub(crate) fn number(payload: &[u8]) -> Option<[u8; 4]> {
    payload.first_chunk().copied()
}

/// Last stream and error code of a GOAWAY.
pub(crate) fn goaway(payload: &[u8]) -> Option<(u32, ErrorCode)> {
    let (last, rest) = payload.split_first_chunk::<4>()?;
    let code = rest.first_chunk::<4>()?;
    Some((stream_of(*last), ErrorCode(u32::from_be_bytes(*code))))
}

/// Appends an RST_STREAM.
pub(crate) fn write_reset(stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    frame(Kind::ResetStream, 0, stream, &code.0.to_be_bytes(), out);
}

/// Appends a WINDOW_UPDATE; `stream` 0 means the connection.
pub(crate) fn write_window_update(stream: u32, increment: u32, out: &mut Vec<u8>) {
    frame(Kind::WindowUpdate, 0, stream, &increment.to_be_bytes(), out);
}

/// Appends a PING or its answer.
pub(crate) fn write_ping(ack: bool, payload: [u8; 8], out: &mut Vec<u8>) {
    let flags = if ack { flag::ACK } else { 0 };
    frame(Kind::Ping, flags, 0, &payload, out);
}

/// Appends a GOAWAY with `debug` as its debug data.
pub(crate) fn write_goaway(last: u32, code: ErrorCode, debug: &[u8], out: &mut Vec<u8>) {
    Header {
        len: u32::try_from(8 + debug.len()).unwrap_or(u32::MAX),
        kind: Kind::Goaway,
        flags: 0,
        stream: 0,
    }
    .write(out);
    out.extend_from_slice(&last.to_be_bytes());
    out.extend_from_slice(&code.0.to_be_bytes());
    out.extend_from_slice(debug);
}

fn frame<const N: usize>(kind: Kind, flags: u8, stream: u32, payload: &[u8; N], out: &mut Vec<u8>) {
    Header {
        len: N as u32,
        kind,
        flags,
        stream,
    }
    .write(out);
    out.extend_from_slice(payload);
}

//! HEADERS and CONTINUATION (RFC 9113 sections 6.2 and 6.10): the stream that a block depends on, and a block written
//! as one frame or several.

use super::data::Parts;
use super::{HEADER_LEN, Header, Kind, flag, stream_of};

/// The stream that the HEADERS frame at the front of `bytes` says it depends on.
pub(crate) fn dependency(header: Header, bytes: &[u8], parts: Parts) -> Option<u32> {
    if !header.has(flag::PRIORITY) {
        return None;
    }
    let at = parts.start.checked_sub(5)?;
    let fields = bytes.get(at..)?;
    Some(stream_of(*fields.first_chunk()?))
}

/// Appends a block that `encode` writes, framed for `stream`: HEADERS, and CONTINUATION for what is more than
/// `max_frame_size`.
#[inline]
pub(crate) fn write_block(
    stream: u32,
    end_stream: bool,
    max_frame_size: u32,
    out: &mut Vec<u8>,
    encode: impl FnOnce(&mut Vec<u8>),
) {
    let start = out.len();
    out.extend_from_slice(&[0; HEADER_LEN]);
    encode(out);
    let len = out.len().saturating_sub(start + HEADER_LEN);
    let whole = len <= max_frame_size as usize;
    let end_stream = if end_stream { flag::END_STREAM } else { 0 };
    let end_headers = if whole { flag::END_HEADERS } else { 0 };
    let header = Header {
        len: if whole { len as u32 } else { max_frame_size },
        kind: Kind::Headers,
        flags: end_stream | end_headers,
        stream,
    };
    if let Some(place) = out.get_mut(start..start + HEADER_LEN) {
        place.copy_from_slice(&header.bytes());
    }
    if !whole {
        split(stream, max_frame_size as usize, start + HEADER_LEN, out);
    }
}

/// Puts CONTINUATION headers into the block that begins at `block` and ends with `out`. Rare, so it may copy.
#[cold]
fn split(stream: u32, max: usize, block: usize, out: &mut Vec<u8>) {
    let rest = out.split_off((block + max).min(out.len()));
    let mut left = rest.len();
    for piece in rest.chunks(max.max(1)) {
        left -= piece.len();
        Header {
            len: piece.len() as u32,
            kind: Kind::Continuation,
            flags: if left == 0 { flag::END_HEADERS } else { 0 },
            stream,
        }
        .write(out);
        out.extend_from_slice(piece);
    }
}

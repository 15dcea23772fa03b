//! Frames as they lie on the wire (RFC 9113 sections 4 and 6): headers, and the frames that are written whole.

/// Bytes of a frame's header.
pub(crate) const HEADER: usize = 9;
/// The longest payload that is taken, and sent: what every peer takes.
pub(crate) const LONGEST: usize = 16_384;
/// What a connection begins with (RFC 9113 section 3.4).
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const PRIORITY: u8 = 2;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PUSH_PROMISE: u8 = 5;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const WINDOW_UPDATE: u8 = 8;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const ACK: u8 = 1;
pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;
pub(crate) const PADDED: u8 = 8;
pub(crate) const WITH_PRIORITY: u8 = 0x20;

pub(crate) const HEADER_TABLE_SIZE: u16 = 1;
pub(crate) const ENABLE_PUSH: u16 = 2;
pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 3;
pub(crate) const INITIAL_WINDOW_SIZE: u16 = 4;
pub(crate) const MAX_FRAME_SIZE: u16 = 5;

/// A frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// Bytes of the payload.
    pub(crate) len: usize,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    /// 0 is the connection.
    pub(crate) stream: u32,
}

impl Header {
    /// Reads one from the front; none when it is not whole.
    #[inline]
    pub(crate) fn read(bytes: &[u8]) -> Option<Header> {
        let [a, b, c, kind, flags, d, e, f, g] = bytes.first_chunk::<HEADER>()?;
        Some(Header {
            len: u32::from_be_bytes([0, *a, *b, *c]) as usize,
            kind: *kind,
            flags: *flags,
            stream: u32::from_be_bytes([*d, *e, *f, *g]) & 0x7fff_ffff,
        })
    }

    /// Appends it.
    #[inline]
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let [_, a, b, c] = (self.len as u32).to_be_bytes();
        let [d, e, f, g] = self.stream.to_be_bytes();
        out.extend_from_slice(&[a, b, c, self.kind, self.flags, d, e, f, g]);
    }

    pub(crate) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// A frame whose payload is one number: RST_STREAM, WINDOW_UPDATE.
pub(crate) fn number(kind: u8, stream: u32, number: u32, out: &mut Vec<u8>) {
    Header {
        len: 4,
        kind,
        flags: 0,
        stream,
    }
    .write(out);
    out.extend_from_slice(&number.to_be_bytes());
}

/// SETTINGS.
pub(crate) fn settings(values: &[(u16, u32)], out: &mut Vec<u8>) {
    Header {
        len: values.len() * 6,
        kind: SETTINGS,
        flags: 0,
        stream: 0,
    }
    .write(out);
    for (setting, value) in values {
        out.extend_from_slice(&setting.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

/// GOAWAY: of what the peer has begun, streams up to `last` were taken.
pub(crate) fn goaway(last: u32, code: u32, out: &mut Vec<u8>) {
    Header {
        len: 8,
        kind: GOAWAY,
        flags: 0,
        stream: 0,
    }
    .write(out);
    out.extend_from_slice(&last.to_be_bytes());
    out.extend_from_slice(&code.to_be_bytes());
}

/// A header block: HEADERS, and CONTINUATION if it is long.
#[inline]
pub(crate) fn block(stream: u32, block: &[u8], ends: bool, out: &mut Vec<u8>) {
    let (first, more) = block.split_at(block.len().min(LONGEST));
    let flags = if ends { END_STREAM } else { 0 };
    fragment(HEADERS, flags, stream, first, more.is_empty(), out);
    let mut pieces = more.chunks(LONGEST).peekable();
    while let Some(piece) = pieces.next() {
        let last = pieces.peek().is_none();
        fragment(CONTINUATION, 0, stream, piece, last, out);
    }
}

/// A frame of a header block.
#[inline]
fn fragment(kind: u8, flags: u8, stream: u32, payload: &[u8], last: bool, out: &mut Vec<u8>) {
    let flags = match last {
        true => flags | END_HEADERS,
        false => flags,
    };
    Header {
        len: payload.len(),
        kind,
        flags,
        stream,
    }
    .write(out);
    out.extend_from_slice(payload);
}

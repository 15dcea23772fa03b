//! Frames on the wire (RFC 9113 sections 4 and 6): the nine bytes before each, which lengths and streams each type
//! allows, and in `frame/` one file per frame or pair of frames. What a frame does to a connection is not here.

pub(crate) mod code;
pub(crate) mod control;
pub(crate) mod data;
pub(crate) mod headers;
pub(crate) mod settings;

use code::ErrorCode;

/// Bytes of a frame's header (section 4.1).
pub(crate) const HEADER_LEN: usize = 9;

/// What a client sends first (section 3.4).
pub const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The flags that mean something to us (section 6).
pub(crate) mod flag {
    /// DATA, HEADERS: the stream's last in this direction.
    pub(crate) const END_STREAM: u8 = 0x1;
    /// SETTINGS, PING: an answer.
    pub(crate) const ACK: u8 = 0x1;
    /// HEADERS, CONTINUATION: the block ends here.
    pub(crate) const END_HEADERS: u8 = 0x4;
    /// DATA, HEADERS: a pad length comes first.
    pub(crate) const PADDED: u8 = 0x8;
    /// HEADERS: priority fields come before the block.
    pub(crate) const PRIORITY: u8 = 0x20;
}

/// Frame types. Numbers from the peer become [`Kind::Unknown`] when they are none of these.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(crate) enum Kind {
    Data = 0,
    Headers = 1,
    Priority = 2,
    ResetStream = 3,
    Settings = 4,
    PushPromise = 5,
    Ping = 6,
    Goaway = 7,
    WindowUpdate = 8,
    Continuation = 9,
    /// RFC 9218 section 7.1.
    PriorityUpdate = 16,
    Unknown = 255,
}

impl Kind {
    fn of(number: u8) -> Kind {
        match number {
            0 => Kind::Data,
            1 => Kind::Headers,
            2 => Kind::Priority,
            3 => Kind::ResetStream,
            4 => Kind::Settings,
            5 => Kind::PushPromise,
            6 => Kind::Ping,
            7 => Kind::Goaway,
            8 => Kind::WindowUpdate,
            9 => Kind::Continuation,
            16 => Kind::PriorityUpdate,
            _ => Kind::Unknown,
        }
    }
}

/// A frame's header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Header {
    /// Bytes of the payload, `len < 2^24`.
    pub(crate) len: u32,
    pub(crate) kind: Kind,
    pub(crate) flags: u8,
    /// The stream, without the reserved bit; 0 is the connection.
    pub(crate) stream: u32,
}

/// What is wrong with a header: a connection error (section 5.4.1) and its machine word.
pub(crate) type Fault = (ErrorCode, &'static str);

impl Header {
    /// The header at the front of `bytes`, once it is there whole.
    #[inline]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Header> {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *bytes.first_chunk::<HEADER_LEN>()?;
        Some(Header {
            len: u32::from_be_bytes([0, l0, l1, l2]),
            kind: Kind::of(kind),
            flags,
            stream: stream_of([s0, s1, s2, s3]),
        })
    }

    /// Appends it.
    #[inline]
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes());
    }

    /// As it stands on the wire.
    #[inline]
    pub(crate) fn bytes(self) -> [u8; HEADER_LEN] {
        let [_, l0, l1, l2] = self.len.to_be_bytes();
        let [s0, s1, s2, s3] = self.stream.to_be_bytes();
        [l0, l1, l2, self.kind as u8, self.flags, s0, s1, s2, s3]
    }

    #[inline]
    pub(crate) fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Holds length and stream against what sections 4.2 and 6 allow for the type. A wrong length is always a
    /// connection error here, though for DATA and PRIORITY a stream error would do (section 5.4.1 allows it).
    #[inline]
    pub(crate) fn check(self, max_frame_size: u32) -> Result<(), Fault> {
        if self.len > max_frame_size {
            return Err((ErrorCode::FRAME_SIZE_ERROR, "frame_too_large"));
        }
        let (sized, on_stream) = match self.kind {
            Kind::Data | Kind::Headers | Kind::Continuation => (true, Some(true)),
            Kind::Priority => (self.len == 5, Some(true)),
            Kind::ResetStream => (self.len == 4, Some(true)),
            Kind::Settings if self.has(flag::ACK) => (self.len == 0, Some(false)),
            Kind::Settings => (self.len.is_multiple_of(6), Some(false)),
            Kind::Ping => (self.len == 8, Some(false)),
            Kind::Goaway => (self.len >= 8, Some(false)),
            Kind::WindowUpdate => (self.len == 4, None),
            Kind::PriorityUpdate => (self.len >= 4, Some(false)),
            Kind::PushPromise => return Err((ErrorCode::PROTOCOL_ERROR, "push_promise")),
            Kind::Unknown => (true, None),
        };
        if on_stream.is_some_and(|on_stream| on_stream != (self.stream != 0)) {
            return Err((ErrorCode::PROTOCOL_ERROR, "frame_on_wrong_stream"));
        }
        if !sized {
            return Err((ErrorCode::FRAME_SIZE_ERROR, "frame_size"));
        }
        Ok(())
    }
}

/// A stream identifier or window increment: 31 bits, the one above them is ignored (section 4.1).
#[inline]
pub(crate) fn stream_of(bytes: [u8; 4]) -> u32 {
    u32::from_be_bytes(bytes) & 0x7fff_ffff
}

#[cfg(test)]
mod tests;

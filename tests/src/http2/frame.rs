//! Frames as they stand on the wire (RFC 9113 sections 4.1 and 6): any kind, flags, stream and payload.

/// The types of section 6.
pub mod kind {
    #![allow(missing_docs)] // The names are those of the RFC.
    pub const DATA: u8 = 0;
    pub const HEADERS: u8 = 1;
    pub const PRIORITY: u8 = 2;
    pub const RST_STREAM: u8 = 3;
    pub const SETTINGS: u8 = 4;
    pub const PUSH_PROMISE: u8 = 5;
    pub const PING: u8 = 6;
    pub const GOAWAY: u8 = 7;
    pub const WINDOW_UPDATE: u8 = 8;
    pub const CONTINUATION: u8 = 9;
    pub const PRIORITY_UPDATE: u8 = 16;
}

/// The flags of section 6.
pub mod flag {
    #![allow(missing_docs)] // The names are those of the RFC.
    pub const END_STREAM: u8 = 0x1;
    pub const ACK: u8 = 0x1;
    pub const END_HEADERS: u8 = 0x4;
    pub const PADDED: u8 = 0x8;
    pub const PRIORITY: u8 = 0x20;
}

/// The error codes of section 7.
pub mod code {
    #![allow(missing_docs)] // The names are those of the RFC.
    pub const NO_ERROR: u32 = 0;
    pub const PROTOCOL_ERROR: u32 = 1;
    pub const INTERNAL_ERROR: u32 = 2;
    pub const FLOW_CONTROL_ERROR: u32 = 3;
    pub const SETTINGS_TIMEOUT: u32 = 4;
    pub const STREAM_CLOSED: u32 = 5;
    pub const FRAME_SIZE_ERROR: u32 = 6;
    pub const REFUSED_STREAM: u32 = 7;
    pub const CANCEL: u32 = 8;
    pub const COMPRESSION_ERROR: u32 = 9;
    pub const CONNECT_ERROR: u32 = 10;
    pub const ENHANCE_YOUR_CALM: u32 = 11;
}

/// The parameters of SETTINGS.
pub mod setting {
    #![allow(missing_docs)] // The names are those of the RFC.
    pub const HEADER_TABLE_SIZE: u16 = 1;
    pub const ENABLE_PUSH: u16 = 2;
    pub const MAX_CONCURRENT_STREAMS: u16 = 3;
    pub const INITIAL_WINDOW_SIZE: u16 = 4;
    pub const MAX_FRAME_SIZE: u16 = 5;
    pub const MAX_HEADER_LIST_SIZE: u16 = 6;
}

/// How a client begins (section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// The largest payload that may be sent to who has not allowed more.
pub const USUAL_MOST: usize = 16_384;

/// One frame.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// Its type.
    pub kind: u8,
    /// Its flags.
    pub flags: u8,
    /// Its stream, with the reserved bit as highest.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// Any frame.
    pub fn new(kind: u8, flags: u8, stream: u32, payload: impl Into<Vec<u8>>) -> Frame {
        Frame {
            kind,
            flags,
            stream,
            payload: payload.into(),
        }
    }

    /// DATA.
    pub fn data(stream: u32, payload: impl Into<Vec<u8>>, end: bool) -> Frame {
        let flags = if end { flag::END_STREAM } else { 0 };
        Frame::new(kind::DATA, flags, stream, payload)
    }

    /// HEADERS with the whole block.
    pub fn headers(stream: u32, block: impl Into<Vec<u8>>, end: bool) -> Frame {
        let end = if end { flag::END_STREAM } else { 0 };
        Frame::new(kind::HEADERS, flag::END_HEADERS | end, stream, block)
    }

    /// CONTINUATION.
    pub fn continuation(stream: u32, block: impl Into<Vec<u8>>, last: bool) -> Frame {
        let flags = if last { flag::END_HEADERS } else { 0 };
        Frame::new(kind::CONTINUATION, flags, stream, block)
    }

    /// PRIORITY.
    pub fn priority(stream: u32, depends_on: u32) -> Frame {
        let mut payload = depends_on.to_be_bytes().to_vec();
        payload.push(15);
        Frame::new(kind::PRIORITY, 0, stream, payload)
    }

    /// RST_STREAM.
    pub fn reset(stream: u32, code: u32) -> Frame {
        Frame::new(kind::RST_STREAM, 0, stream, code.to_be_bytes())
    }

    /// SETTINGS.
    pub fn settings(entries: &[(u16, u32)]) -> Frame {
        let mut payload = Vec::new();
        for (name, value) in entries {
            payload.extend(name.to_be_bytes());
            payload.extend(value.to_be_bytes());
        }
        Frame::new(kind::SETTINGS, 0, 0, payload)
    }

    /// SETTINGS that acknowledges.
    pub fn settings_ack() -> Frame {
        Frame::new(kind::SETTINGS, flag::ACK, 0, [])
    }

    /// PING.
    pub fn ping(payload: [u8; 8]) -> Frame {
        Frame::new(kind::PING, 0, 0, payload)
    }

    /// GOAWAY.
    pub fn goaway(last: u32, code: u32) -> Frame {
        let payload = [last.to_be_bytes(), code.to_be_bytes()].concat();
        Frame::new(kind::GOAWAY, 0, 0, payload)
    }

    /// WINDOW_UPDATE.
    pub fn window_update(stream: u32, increment: u32) -> Frame {
        Frame::new(kind::WINDOW_UPDATE, 0, stream, increment.to_be_bytes())
    }

    /// Whether it has a flag.
    pub fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// A number of its payload.
    ///
    /// # Panics
    /// When it is shorter.
    pub fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().expect("four bytes"))
    }

    /// As it stands on the wire.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_claiming(self.payload.len())
    }

    /// The same with another length in its header than it has.
    pub fn bytes_claiming(&self, length: usize) -> Vec<u8> {
        let length = u32::try_from(length).expect("a frame's length");
        let mut bytes = length.to_be_bytes()[1..].to_vec();
        bytes.extend([self.kind, self.flags]);
        bytes.extend(self.stream.to_be_bytes());
        bytes.extend(&self.payload);
        bytes
    }
}

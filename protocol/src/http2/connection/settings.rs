//! Which side we are, what we ask of the peer, and what the peer asks of us.

use crate::http2::frame::code::ErrorCode;
use crate::http2::frame::settings::Parameter;
use crate::http2::frame::{Fault, PREFACE};
use crate::http2::head::MAX_TABLE_BYTES;
use crate::limits::{
    BlockLimits, HTTP2_CONNECTION_WINDOW, HTTP2_HEADER_TABLE_BYTES, HTTP2_MAX_FRAME_BYTES,
    HTTP2_MAX_STREAMS, HTTP2_STREAM_WINDOW, HTTP2_STREAMS_CEILING,
};

/// Windows begin at this until SETTINGS say otherwise, and the connection's can't begin lower (RFC 9113 6.9.2).
pub(super) const FIRST_WINDOW: u32 = 65_535;

/// Bounds of SETTINGS_MAX_FRAME_SIZE (section 6.5.2).
const FRAME_SIZES: std::ops::RangeInclusive<u32> = 16_384..=16_777_215;

/// Which side of the connection we are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// The peer sends requests.
    Server,
    /// We send requests.
    Client,
}

/// What we allow the peer. Values that RFC 9113 forbids are brought into range by [`Settings::sound`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Streams at once: those that a client may open, or (as a client) that we open even if the server allows more.
    pub max_concurrent_streams: u32,
    /// Bytes that may come on a stream before any is reported by `consumed`; a bound on what its owner must hold.
    pub initial_window: u32,
    /// The same for all streams together; at least 65,535.
    pub connection_window: u32,
    /// Largest payload of a frame, `16_384 <= max_frame_size < 2^24`.
    pub max_frame_size: u32,
    /// The table that the peer's encoder may fill, at most [`MAX_TABLE_BYTES`].
    pub header_table: u32,
    /// Bounds on one head. Its bytes are announced as SETTINGS_MAX_HEADER_LIST_SIZE, and a server that takes extended
    /// CONNECT (RFC 8441) says so.
    pub head: BlockLimits,
}

impl Settings {
    /// The defaults of [`crate::limits`].
    pub const DEFAULT: Settings = Settings {
        max_concurrent_streams: HTTP2_MAX_STREAMS,
        initial_window: HTTP2_STREAM_WINDOW,
        connection_window: HTTP2_CONNECTION_WINDOW,
        max_frame_size: HTTP2_MAX_FRAME_BYTES,
        header_table: HTTP2_HEADER_TABLE_BYTES,
        head: BlockLimits::DEFAULT,
    };

    /// With every value in its range.
    pub fn sound(self) -> Settings {
        Settings {
            max_concurrent_streams: self.max_concurrent_streams.min(HTTP2_STREAMS_CEILING),
            initial_window: self.initial_window.min(0x7fff_ffff),
            connection_window: self.connection_window.clamp(FIRST_WINDOW, 0x7fff_ffff),
            max_frame_size: self
                .max_frame_size
                .clamp(*FRAME_SIZES.start(), *FRAME_SIZES.end()),
            header_table: self.header_table.min(MAX_TABLE_BYTES as u32),
            ..self
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings::DEFAULT
    }
}

/// Whether `bytes` is how an HTTP/2 client begins (RFC 9113 section 3.4): `None` while it may still become so. For
/// listeners that speak HTTP/1.1 as well; no HTTP/1.1 request begins like it.
pub fn is_preface(bytes: &[u8]) -> Option<bool> {
    match bytes.get(..PREFACE.len()) {
        Some(start) => Some(start == PREFACE),
        None if PREFACE.starts_with(bytes) => None,
        None => Some(false),
    }
}

/// What the peer allows us.
#[derive(Debug)]
pub(super) struct Peer {
    /// Its first SETTINGS have come.
    pub(super) known: bool,
    pub(super) max_concurrent_streams: u32,
    pub(super) initial_window: u32,
    pub(super) max_frame_size: u32,
    pub(super) max_header_list: u32,
    pub(super) connect_protocol: bool,
}

/// What a changed parameter asks of the connection beyond remembering it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Change {
    None,
    HeaderTable(u32),
    /// All streams' send windows by so much.
    Windows(i64),
}

impl Peer {
    pub(super) fn new() -> Self {
        Peer {
            known: false,
            max_concurrent_streams: u32::MAX,
            initial_window: FIRST_WINDOW,
            max_frame_size: *FRAME_SIZES.start(),
            max_header_list: u32::MAX,
            connect_protocol: false,
        }
    }

    /// Takes one parameter (section 6.5.2, RFC 8441 section 3, RFC 9218 section 2.1).
    pub(super) fn set(
        &mut self,
        ours: Role,
        parameter: Parameter,
        value: u32,
    ) -> Result<Change, Fault> {
        let refused = |cause| Err((ErrorCode::PROTOCOL_ERROR, cause));
        match parameter {
            Parameter::HeaderTableSize => return Ok(Change::HeaderTable(value)),
            Parameter::EnablePush if value > 1 || (ours == Role::Client && value == 1) => {
                return refused("bad_enable_push");
            }
            Parameter::EnablePush => {}
            Parameter::MaxConcurrentStreams => self.max_concurrent_streams = value,
            Parameter::InitialWindowSize => {
                if value > 0x7fff_ffff {
                    return Err((ErrorCode::FLOW_CONTROL_ERROR, "bad_initial_window_size"));
                }
                let delta = i64::from(value) - i64::from(self.initial_window);
                self.initial_window = value;
                return Ok(Change::Windows(delta));
            }
            Parameter::MaxFrameSize if !FRAME_SIZES.contains(&value) => {
                return refused("bad_max_frame_size");
            }
            Parameter::MaxFrameSize => self.max_frame_size = value,
            Parameter::MaxHeaderListSize => self.max_header_list = value,
            Parameter::EnableConnectProtocol => match (self.connect_protocol, value) {
                (false, 0) => {}
                (_, 1) => self.connect_protocol = true,
                _ => return refused("bad_enable_connect_protocol"),
            },
            Parameter::NoRfc7540Priorities if value > 1 => {
                return refused("bad_no_rfc7540_priorities");
            }
            Parameter::NoRfc7540Priorities => {}
        }
        Ok(Change::None)
    }
}

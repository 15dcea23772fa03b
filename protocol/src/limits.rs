//! Every bound that a peer can push on while a message is being taken apart, with its default.
//!
//! Bounds that need a clock (time-outs, minimum rates) or memory of other requests are not here.

/// Most fields a head can ever have, whatever the limits say: the size of the parser's array on the stack.
pub const MAX_FIELDS: usize = 256;

/// Most fields that the Connection fields of one head may name beyond the well-known options.
pub const MAX_CONNECTION_OPTIONS: usize = 32;

/// Longest chunk-size line with its extension and line end. Requests are held to the digits alone.
pub const MAX_CHUNK_LINE_BYTES: usize = 256;

/// Longest host of an authority, without port.
pub const MAX_HOST_BYTES: usize = 255;

/// Bounds on one head (or one trailer section).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct HeadLimits {
    /// The whole head with its empty line, in bytes.
    pub max_head_bytes: usize,
    /// The request target, in bytes.
    pub max_target_bytes: usize,
    /// Number of field lines; more than [`MAX_FIELDS`] counts as that.
    pub max_fields: usize,
    /// Whether the answer 101 is expected: without an upgrade asked for, it is an error.
    pub switching_protocols: bool,
}

impl HeadLimits {
    /// The defaults: 16 KiB of head, 8 KiB of target, 100 fields, no 101.
    pub const DEFAULT: HeadLimits = HeadLimits {
        max_head_bytes: 16 * 1024,
        max_target_bytes: 8 * 1024,
        max_fields: 100,
        switching_protocols: false,
    };
}

impl Default for HeadLimits {
    fn default() -> Self {
        HeadLimits::DEFAULT
    }
}

/// A PROXY protocol line of version 1 with its end; the specification's own bound (section 2.1).
pub const MAX_PROXY_V1_BYTES: usize = 107;

/// A whole PROXY protocol header of version 2. The format could say 64 KiB; senders stay far below this.
pub const MAX_PROXY_V2_BYTES: usize = 4096;

/// A unique id in a PROXY protocol header (section 2.2.5).
pub const MAX_PROXY_UNIQUE_ID_BYTES: usize = 128;

/// A value in a PROXY protocol header that we write ourselves.
pub const MAX_PROXY_TLV_BYTES: usize = 512;

/// The trailers at the end of a gRPC-Web body.
pub const MAX_GRPC_WEB_TRAILER_BYTES: usize = 16 * 1024;

/// HTTP/2: streams that a client may have open at once (RFC 9113 section 5.1.2 recommends at least 100).
pub const HTTP2_MAX_STREAMS: u32 = 100;

/// HTTP/2: most streams at once that a connection can be told to allow.
pub const HTTP2_STREAMS_CEILING: u32 = 16_384;

/// HTTP/2: bytes that a peer may send on one stream before any were taken.
pub const HTTP2_STREAM_WINDOW: u32 = 256 * 1024;

/// HTTP/2: bytes that a peer may send on all streams together before any were taken.
pub const HTTP2_CONNECTION_WINDOW: u32 = 1024 * 1024;

/// HTTP/2: largest payload of a frame that a peer may send; the least that may be asked for.
pub const HTTP2_MAX_FRAME_BYTES: u32 = 16 * 1024;

/// HTTP/2: the table that a peer's encoder may fill.
pub const HTTP2_HEADER_TABLE_BYTES: u32 = 4096;

/// HTTP/2: a header block before it is decoded, over all its frames. Far above [`HeadLimits::max_head_bytes`], so
/// that a head which is merely too large is decoded to its end and answered by 431.
pub const HTTP2_BLOCK_BYTES: u32 = 128 * 1024;

/// HTTP/2: CONTINUATION frames of one header block.
pub const HTTP2_BLOCK_FRAMES: u32 = 32;

/// Bounds on one HTTP/2 header block, as it is after decoding.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BlockLimits {
    /// The list of fields, each counting its name, its value and 32 bytes (RFC 9113 section 6.5.2). A block that comes to
    /// [`BLOCK_BOUND`] times that is not even read to its end.
    pub max_list_bytes: usize,
    /// `:path`, in bytes.
    pub max_target_bytes: usize,
    /// Number of fields, pseudo-fields not counted.
    pub max_fields: usize,
    /// Whether we have offered extended CONNECT (RFC 8441).
    pub extended_connect: bool,
}

/// How many times the list of fields may be too large before the connection is given up.
pub const BLOCK_BOUND: usize = 8;

impl BlockLimits {
    /// The defaults: as [`HeadLimits::DEFAULT`], extended CONNECT offered.
    pub const DEFAULT: BlockLimits = BlockLimits {
        max_list_bytes: HeadLimits::DEFAULT.max_head_bytes,
        max_target_bytes: HeadLimits::DEFAULT.max_target_bytes,
        max_fields: HeadLimits::DEFAULT.max_fields,
        extended_connect: true,
    };
}

impl Default for BlockLimits {
    fn default() -> Self {
        BlockLimits::DEFAULT
    }
}

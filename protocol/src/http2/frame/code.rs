//! Error codes (RFC 9113 section 7).

use std::fmt;

/// Why a stream or a connection ends. A number, since a peer may send any and all of them are passed on.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorCode(pub u32);

#[allow(missing_docs)] // Section 7 says what each means.
impl ErrorCode {
    pub const NO_ERROR: ErrorCode = ErrorCode(0x0);
    pub const PROTOCOL_ERROR: ErrorCode = ErrorCode(0x1);
    pub const INTERNAL_ERROR: ErrorCode = ErrorCode(0x2);
    pub const FLOW_CONTROL_ERROR: ErrorCode = ErrorCode(0x3);
    pub const SETTINGS_TIMEOUT: ErrorCode = ErrorCode(0x4);
    pub const STREAM_CLOSED: ErrorCode = ErrorCode(0x5);
    pub const FRAME_SIZE_ERROR: ErrorCode = ErrorCode(0x6);
    pub const REFUSED_STREAM: ErrorCode = ErrorCode(0x7);
    pub const CANCEL: ErrorCode = ErrorCode(0x8);
    pub const COMPRESSION_ERROR: ErrorCode = ErrorCode(0x9);
    pub const CONNECT_ERROR: ErrorCode = ErrorCode(0xa);
    pub const ENHANCE_YOUR_CALM: ErrorCode = ErrorCode(0xb);
    pub const INADEQUATE_SECURITY: ErrorCode = ErrorCode(0xc);
    pub const HTTP_1_1_REQUIRED: ErrorCode = ErrorCode(0xd);

    /// Machine word for logs and metrics; one word for all codes that are not registered.
    pub fn as_str(self) -> &'static str {
        match self {
            ErrorCode::NO_ERROR => "no_error",
            ErrorCode::PROTOCOL_ERROR => "protocol_error",
            ErrorCode::INTERNAL_ERROR => "internal_error",
            ErrorCode::FLOW_CONTROL_ERROR => "flow_control_error",
            ErrorCode::SETTINGS_TIMEOUT => "settings_timeout",
            ErrorCode::STREAM_CLOSED => "stream_closed",
            ErrorCode::FRAME_SIZE_ERROR => "frame_size_error",
            ErrorCode::REFUSED_STREAM => "refused_stream",
            ErrorCode::CANCEL => "cancel",
            ErrorCode::COMPRESSION_ERROR => "compression_error",
            ErrorCode::CONNECT_ERROR => "connect_error",
            ErrorCode::ENHANCE_YOUR_CALM => "enhance_your_calm",
            ErrorCode::INADEQUATE_SECURITY => "inadequate_security",
            ErrorCode::HTTP_1_1_REQUIRED => "http_1_1_required",
            _ => "unknown_code",
        }
    }

    /// Whether a stream that we end with it says that the peer did wrong, or too much. Such resets cost the peer
    /// little and us a stream's work, so they are counted (CVE-2025-8671).
    pub(crate) fn blames_peer(self) -> bool {
        matches!(
            self,
            ErrorCode::PROTOCOL_ERROR
                | ErrorCode::FLOW_CONTROL_ERROR
                | ErrorCode::STREAM_CLOSED
                | ErrorCode::FRAME_SIZE_ERROR
                | ErrorCode::REFUSED_STREAM
                | ErrorCode::ENHANCE_YOUR_CALM
        )
    }
}

impl fmt::Debug for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:#x})", self.as_str(), self.0)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

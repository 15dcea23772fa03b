//! Status codes, and which of them stands for an HTTP status or an HTTP/2 reset.

/// How a call ended: the value of `grpc-status`.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
#[expect(missing_docs, reason = "each variant is the code of that name")]
pub enum Code {
    Ok = 0,
    Cancelled,
    Unknown,
    InvalidArgument,
    DeadlineExceeded,
    NotFound,
    AlreadyExists,
    PermissionDenied,
    ResourceExhausted,
    FailedPrecondition,
    Aborted,
    OutOfRange,
    Unimplemented,
    Internal,
    Unavailable,
    DataLoss,
    Unauthenticated,
}

/// All codes with their names as logs have them; `TABLE[n]` is the code `n`.
static TABLE: [(Code, &str); 17] = [
    (Code::Ok, "OK"),
    (Code::Cancelled, "CANCELLED"),
    (Code::Unknown, "UNKNOWN"),
    (Code::InvalidArgument, "INVALID_ARGUMENT"),
    (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
    (Code::NotFound, "NOT_FOUND"),
    (Code::AlreadyExists, "ALREADY_EXISTS"),
    (Code::PermissionDenied, "PERMISSION_DENIED"),
    (Code::ResourceExhausted, "RESOURCE_EXHAUSTED"),
    (Code::FailedPrecondition, "FAILED_PRECONDITION"),
    (Code::Aborted, "ABORTED"),
    (Code::OutOfRange, "OUT_OF_RANGE"),
    (Code::Unimplemented, "UNIMPLEMENTED"),
    (Code::Internal, "INTERNAL"),
    (Code::Unavailable, "UNAVAILABLE"),
    (Code::DataLoss, "DATA_LOSS"),
    (Code::Unauthenticated, "UNAUTHENTICATED"),
];

impl Code {
    /// Reads a `grpc-status`: a decimal number without leading zeros. Numbers that no code has yet are
    /// [`Code::Unknown`]; `None` if it is not a number.
    pub fn parse(value: &[u8]) -> Option<Code> {
        match value {
            [] | [b'0', _, ..] => return None,
            _ if !value.iter().all(u8::is_ascii_digit) => return None,
            _ => {}
        }
        let number = std::str::from_utf8(value).ok()?.parse::<usize>();
        let row = number.ok().and_then(|number| TABLE.get(number));
        Some(row.map_or(Code::Unknown, |(code, _)| *code))
    }

    /// The number, as `grpc-status` has it.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name, such as `NOT_FOUND`.
    pub fn as_str(self) -> &'static str {
        TABLE.get(usize::from(self.number())).map_or("", |it| it.1)
    }

    /// What an HTTP status means to a client of gRPC, be it an endpoint's or the gateway's own. Where the protocol's own
    /// table (http-grpc-status-mapping.md) names a status too, ours differs in three: too many requests is
    /// RESOURCE_EXHAUSTED, since a limit refused them, 413 is the same for a message, and 504 is a deadline.
    pub fn from_http(status: u16) -> Code {
        match status {
            400 | 500 => Code::Internal,
            401 => Code::Unauthenticated,
            403 => Code::PermissionDenied,
            404 | 501 => Code::Unimplemented,
            408 | 504 => Code::DeadlineExceeded,
            413 | 429 => Code::ResourceExhausted,
            499 => Code::Cancelled,
            502 | 503 => Code::Unavailable,
            _ => Code::Unknown,
        }
    }

    /// What it means that an endpoint reset the stream with this HTTP/2 error code (protocol, "Errors").
    pub fn from_reset(error: u32) -> Code {
        match error {
            // REFUSED_STREAM, CANCEL, ENHANCE_YOUR_CALM, INADEQUATE_SECURITY (RFC 9113 section 7).
            0x7 => Code::Unavailable,
            0x8 => Code::Cancelled,
            0xb => Code::ResourceExhausted,
            0xc => Code::PermissionDenied,
            0x0..=0xa => Code::Internal,
            _ => Code::Unknown,
        }
    }
}

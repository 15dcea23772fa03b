//! Why a head is refused: what it costs (the stream, the connection or only an answer), the machine word for logs and
//! the sentence for the client.

use std::fmt;

use crate::http2::hpack::CompressionError;

/// Why a header block yields no head. After all but [`Compression`](HeadError::Compression) and
/// [`Bomb`](HeadError::Bomb) the block was read to its end, and the connection goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HeadError {
    /// The block can't be read: a connection error of type COMPRESSION_ERROR.
    Compression(CompressionError),
    /// A small block stands for far more than is allowed: a connection error of type ENHANCE_YOUR_CALM.
    Bomb,
    /// Not a valid message: a stream error of type PROTOCOL_ERROR (RFC 9113 section 8.1.1). A server may answer it with
    /// its [`status`](HeadError::status) before that.
    Malformed(Malformed),
    /// A list of fields longer than allowed, or too many of them. The message may be valid.
    TooLarge,
    /// A `:path` longer than allowed.
    TargetTooLong,
    /// An expectation other than 100-continue.
    Expectation,
    /// CONNECT without `:protocol` is not served.
    Connect,
}

impl HeadError {
    /// Whether the connection can't be used after it.
    pub fn ends_connection(self) -> bool {
        matches!(self, HeadError::Compression(_) | HeadError::Bomb)
    }

    /// The status that answers a request with this fault.
    pub fn status(self) -> u16 {
        match self {
            HeadError::TooLarge | HeadError::Bomb => 431,
            HeadError::TargetTooLong => 414,
            HeadError::Expectation => 417,
            HeadError::Connect => 501,
            HeadError::Compression(_) | HeadError::Malformed(_) => 400,
        }
    }

    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            HeadError::Compression(error) => error.cause(),
            HeadError::Bomb => "hpack_bomb",
            HeadError::Malformed(fault) => fault.cause(),
            HeadError::TooLarge => "head_too_large",
            HeadError::TargetTooLong => "target_too_long",
            HeadError::Expectation => "unknown_expectation",
            HeadError::Connect => "connect_not_served",
        }
    }

    /// One sentence for the problem document.
    pub fn detail(self) -> &'static str {
        match self {
            HeadError::Compression(error) => error.detail(),
            HeadError::Bomb => "The header block stands for far more than is allowed.",
            HeadError::Malformed(fault) => fault.detail(),
            HeadError::TooLarge => "The header section is too large.",
            HeadError::TargetTooLong => "The request target is too long.",
            HeadError::Expectation => "The expectation is not understood.",
            HeadError::Connect => "CONNECT is not supported.",
        }
    }
}

impl From<CompressionError> for HeadError {
    fn from(error: CompressionError) -> Self {
        HeadError::Compression(error)
    }
}

impl From<Malformed> for HeadError {
    fn from(fault: Malformed) -> Self {
        HeadError::Malformed(fault)
    }
}

/// What makes a message malformed (RFC 9113 sections 8.1.1 to 8.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Malformed {
    /// A field name is not a token.
    FieldName,
    /// A field name in upper case (section 8.2.1).
    UppercaseName,
    /// A control byte in a field value.
    FieldValue,
    /// White space at either end of a field value (section 8.2.1).
    FieldValueBlank,
    /// A field that only HTTP/1.1 has a use for, such as Connection or Transfer-Encoding (section 8.2.2).
    ConnectionSpecific,
    /// TE says more than `trailers` (section 8.2.2).
    Te,
    /// `content_length` or `transfer_encoding`, which some origins read as the real thing.
    DisguisedFramingField,
    /// A name with a colon first that is not defined, or not offered (section 8.3).
    UnknownPseudoField,
    /// A pseudo-field of answers in a request, of requests in an answer, or any in trailers (section 8.3).
    MisplacedPseudoField,
    /// A pseudo-field behind a field (section 8.3).
    LatePseudoField,
    /// The same pseudo-field twice (section 8.3).
    RepeatedPseudoField,
    /// No `:method`, `:scheme`, `:path` or `:status` (sections 8.3.1 and 8.3.2).
    MissingPseudoField,
    /// The method is not a token.
    Method,
    /// A scheme other than http and https.
    Scheme,
    /// `:path` is empty, has neither origin form nor asterisk form, or contains a fragment or a byte outside of visible ASCII.
    Path,
    /// `:protocol` is no token, or stands without CONNECT (RFC 8441 section 4).
    Protocol,
    /// `:authority` or Host is no valid authority.
    Authority,
    /// Neither `:authority` nor Host.
    MissingAuthority,
    /// More than one Host.
    RepeatedHost,
    /// Host and `:authority` name different places (section 8.3.1).
    HostMismatch,
    /// Content-Length is not a decimal number below 2^63, or stands where no content can be.
    ContentLength,
    /// More than one Content-Length.
    RepeatedContentLength,
    /// The stream ends with the head although Content-Length announces content.
    LengthMismatch,
    /// `:status` is not three digits, the first not 0.
    Status,
    /// The status 101 (section 8.6).
    SwitchingProtocols,
    /// An interim answer that ends the stream (section 8.1).
    InterimEnd,
}

impl Malformed {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            Malformed::FieldName => "bad_field_name",
            Malformed::UppercaseName => "uppercase_field_name",
            Malformed::FieldValue => "bad_field_value",
            Malformed::FieldValueBlank => "blank_around_field_value",
            Malformed::ConnectionSpecific => "connection_specific_field",
            Malformed::Te => "bad_te",
            Malformed::DisguisedFramingField => "disguised_framing_field",
            Malformed::UnknownPseudoField => "unknown_pseudo_field",
            Malformed::MisplacedPseudoField => "misplaced_pseudo_field",
            Malformed::LatePseudoField => "late_pseudo_field",
            Malformed::RepeatedPseudoField => "repeated_pseudo_field",
            Malformed::MissingPseudoField => "missing_pseudo_field",
            Malformed::Method => "bad_method",
            Malformed::Scheme => "bad_scheme",
            Malformed::Path => "bad_target",
            Malformed::Protocol => "bad_protocol",
            Malformed::Authority => "bad_host",
            Malformed::MissingAuthority => "missing_host",
            Malformed::RepeatedHost => "repeated_host",
            Malformed::HostMismatch => "host_mismatch",
            Malformed::ContentLength => "bad_content_length",
            Malformed::RepeatedContentLength => "conflicting_content_length",
            Malformed::LengthMismatch => "content_length_mismatch",
            Malformed::Status => "bad_status",
            Malformed::SwitchingProtocols => "unexpected_101",
            Malformed::InterimEnd => "interim_end",
        }
    }

    /// One sentence for the problem document.
    pub fn detail(self) -> &'static str {
        match self {
            Malformed::FieldName => "A field name is not valid.",
            Malformed::UppercaseName => "A field name has upper-case letters.",
            Malformed::FieldValue => "A field value contains a control character.",
            Malformed::FieldValueBlank => "A field value begins or ends with white space.",
            Malformed::ConnectionSpecific => {
                "A field speaks of the connection, which HTTP/2 does not allow."
            }
            Malformed::Te => "TE is not `trailers`.",
            Malformed::DisguisedFramingField => {
                "A field name differs from a framing field only by an underscore."
            }
            Malformed::UnknownPseudoField => "A pseudo-field is not known.",
            Malformed::MisplacedPseudoField => "A pseudo-field stands where it does not belong.",
            Malformed::LatePseudoField => "A pseudo-field stands behind a field.",
            Malformed::RepeatedPseudoField => "A pseudo-field is given more than once.",
            Malformed::MissingPseudoField => "A pseudo-field is missing.",
            Malformed::Method => "The request method is not valid.",
            Malformed::Scheme => "The scheme is neither http nor https.",
            Malformed::Path => "The request target is not valid.",
            Malformed::Protocol => "The protocol to speak is not valid.",
            Malformed::Authority => "The request's host is not valid.",
            Malformed::MissingAuthority => "The request has no authority.",
            Malformed::RepeatedHost => "The request has more than one Host field.",
            Malformed::HostMismatch => "The Host field differs from the authority.",
            Malformed::ContentLength => "Content-Length is not a valid number.",
            Malformed::RepeatedContentLength => "Content-Length is given more than once.",
            Malformed::LengthMismatch => "Content-Length differs from the content.",
            Malformed::Status => "The status code is not valid.",
            Malformed::SwitchingProtocols => "Protocols can't be switched in HTTP/2.",
            Malformed::InterimEnd => "An interim answer ends the stream.",
        }
    }
}

impl fmt::Display for HeadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for HeadError {}
impl std::error::Error for Malformed {}

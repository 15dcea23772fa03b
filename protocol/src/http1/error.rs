//! Why a head is refused, with the machine word for logs and the sentence for the client.
//!
//! [`MessageError`] is what requests and answers have in common. Nothing here echoes bytes of the peer.

use std::fmt;

/// A fault that requests, answers and trailer sections can have.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MessageError {
    /// A line ends in LF without CR.
    BareLineFeed,
    /// A CR that is not followed by LF.
    BareCarriageReturn,
    /// A zero byte in the head.
    ZeroByte,
    /// A field line begins with white space.
    ObsoleteFold,
    /// A field name is not a token, or white space stands before the colon.
    FieldName,
    /// A control byte in a field value.
    FieldValue,
    /// `Content_Length` or `Transfer_Encoding`, which some origins read as the real thing.
    DisguisedFramingField,
    /// More field lines than allowed.
    TooManyFields,
    /// The head is longer than allowed.
    HeadTooLarge,
    /// Connection names more fields than allowed.
    TooManyConnectionOptions,
    /// Content-Length is not a decimal number below 2^63.
    ContentLength,
    /// More than one Content-Length, in lines or as a list.
    RepeatedContentLength,
    /// Transfer-Encoding together with Content-Length.
    TransferEncodingWithContentLength,
    /// Transfer-Encoding in an HTTP/1.0 message.
    TransferEncodingInHttp10,
    /// Transfer-Encoding is empty, not a list of tokens, or gives chunked a parameter.
    TransferEncoding,
    /// `chunked` is not the last coding, or stands there twice.
    ChunkedNotFinal,
    /// A transfer coding other than chunked.
    UnknownTransferCoding,
}

impl MessageError {
    /// Machine word for logs.
    pub fn cause(self) -> &'static str {
        match self {
            MessageError::BareLineFeed => "bare_line_feed",
            MessageError::BareCarriageReturn => "bare_carriage_return",
            MessageError::ZeroByte => "zero_byte",
            MessageError::ObsoleteFold => "obsolete_line_folding",
            MessageError::FieldName => "bad_field_name",
            MessageError::FieldValue => "bad_field_value",
            MessageError::DisguisedFramingField => "disguised_framing_field",
            MessageError::TooManyFields => "too_many_fields",
            MessageError::HeadTooLarge => "head_too_large",
            MessageError::TooManyConnectionOptions => "too_many_connection_options",
            MessageError::ContentLength => "bad_content_length",
            MessageError::RepeatedContentLength => "conflicting_content_length",
            MessageError::TransferEncodingWithContentLength => {
                "transfer_encoding_with_content_length"
            }
            MessageError::TransferEncodingInHttp10 => "transfer_encoding_in_http_1_0",
            MessageError::TransferEncoding => "bad_transfer_encoding",
            MessageError::ChunkedNotFinal => "chunked_not_final",
            MessageError::UnknownTransferCoding => "unknown_transfer_coding",
        }
    }

    /// One sentence for the problem document.
    pub fn detail(self) -> &'static str {
        match self {
            MessageError::BareLineFeed => "A line of the message ends without a carriage return.",
            MessageError::BareCarriageReturn => {
                "The message contains a carriage return that does not end a line."
            }
            MessageError::ZeroByte => "The message head contains a zero byte.",
            MessageError::ObsoleteFold => "A field line begins with white space.",
            MessageError::FieldName => "A field name is not valid.",
            MessageError::FieldValue => "A field value contains a control character.",
            MessageError::DisguisedFramingField => {
                "A field name differs from a framing field only by an underscore."
            }
            MessageError::TooManyFields => "The message has too many header fields.",
            MessageError::HeadTooLarge => "The header section is too large.",
            MessageError::TooManyConnectionOptions => "Connection lists too many options.",
            MessageError::ContentLength => "Content-Length is not a valid number.",
            MessageError::RepeatedContentLength => "Content-Length is given more than once.",
            MessageError::TransferEncodingWithContentLength => {
                "The message has both Transfer-Encoding and Content-Length."
            }
            MessageError::TransferEncodingInHttp10 => {
                "Transfer-Encoding is not allowed in HTTP/1.0."
            }
            MessageError::TransferEncoding => "Transfer-Encoding is not valid.",
            MessageError::ChunkedNotFinal => {
                "The chunked transfer coding must be the last one and stand there once."
            }
            MessageError::UnknownTransferCoding => "The transfer coding is not understood.",
        }
    }

    /// The status that answers a request with this fault.
    pub fn status(self) -> u16 {
        match self {
            MessageError::TooManyFields | MessageError::HeadTooLarge => 431,
            MessageError::UnknownTransferCoding => 501,
            _ => 400,
        }
    }
}

/// Why a request head is refused. The connection can't be used after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RequestError {
    /// A fault that any message can have.
    Message(MessageError),
    /// The request line is not method, target and version with one space between each.
    RequestLine,
    /// The method is not a token.
    Method,
    /// The target has none of the allowed forms, or contains a fragment or a byte outside of visible ASCII.
    Target,
    /// The target is longer than allowed.
    TargetTooLong,
    /// A well-formed version other than 1.0 and 1.1.
    Version,
    /// CONNECT is not served.
    Connect,
    /// An HTTP/1.1 request without Host.
    MissingHost,
    /// More than one Host.
    RepeatedHost,
    /// Host (or the target's authority) is empty, has user information, or is otherwise no valid authority.
    Host,
    /// The target's authority is not that of Host.
    HostMismatch,
    /// An expectation other than 100-continue.
    Expectation,
}

impl RequestError {
    /// The status that answers it.
    pub fn status(&self) -> u16 {
        match self {
            RequestError::Message(error) => error.status(),
            RequestError::TargetTooLong => 414,
            RequestError::Version => 505,
            RequestError::Connect => 501,
            RequestError::Expectation => 417,
            _ => 400,
        }
    }

    /// Machine word for logs.
    pub fn cause(&self) -> &'static str {
        match self {
            RequestError::Message(error) => error.cause(),
            RequestError::RequestLine => "bad_request_line",
            RequestError::Method => "bad_method",
            RequestError::Target => "bad_target",
            RequestError::TargetTooLong => "target_too_long",
            RequestError::Version => "unsupported_version",
            RequestError::Connect => "connect_not_served",
            RequestError::MissingHost => "missing_host",
            RequestError::RepeatedHost => "repeated_host",
            RequestError::Host => "bad_host",
            RequestError::HostMismatch => "host_mismatch",
            RequestError::Expectation => "unknown_expectation",
        }
    }

    /// One sentence for the problem document.
    pub fn detail(&self) -> &'static str {
        match self {
            RequestError::Message(error) => error.detail(),
            RequestError::RequestLine => "The request line is not valid.",
            RequestError::Method => "The request method is not valid.",
            RequestError::Target => "The request target is not valid.",
            RequestError::TargetTooLong => "The request target is too long.",
            RequestError::Version => "The HTTP version is not supported.",
            RequestError::Connect => "CONNECT is not supported.",
            RequestError::MissingHost => "The request has no Host field.",
            RequestError::RepeatedHost => "The request has more than one Host field.",
            RequestError::Host => "The request's host is not valid.",
            RequestError::HostMismatch => {
                "The Host field differs from the host in the request target."
            }
            RequestError::Expectation => "The expectation is not understood.",
        }
    }
}

/// Why an answer from an upstream is refused. The connection can't be used after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ResponseError {
    /// A fault that any message can have.
    Message(MessageError),
    /// The status line is not version, code and reason.
    StatusLine,
    /// A version other than 1.0 and 1.1, or not HTTP at all.
    Version,
    /// A status code below 100.
    Status,
    /// 101 although no upgrade was asked for.
    SwitchingProtocols,
}

impl ResponseError {
    /// Machine word for logs.
    pub fn cause(&self) -> &'static str {
        match self {
            ResponseError::Message(error) => error.cause(),
            ResponseError::StatusLine => "bad_status_line",
            ResponseError::Version => "unsupported_version",
            ResponseError::Status => "bad_status",
            ResponseError::SwitchingProtocols => "unexpected_101",
        }
    }

    /// One sentence for the operator.
    pub fn detail(&self) -> &'static str {
        match self {
            ResponseError::Message(error) => error.detail(),
            ResponseError::StatusLine => "The status line is not valid.",
            ResponseError::Version => "The answer is not HTTP/1.0 or HTTP/1.1.",
            ResponseError::Status => "The status code is not valid.",
            ResponseError::SwitchingProtocols => {
                "The upstream switched protocols without having been asked to."
            }
        }
    }
}

impl From<MessageError> for RequestError {
    fn from(error: MessageError) -> Self {
        RequestError::Message(error)
    }
}

impl From<MessageError> for ResponseError {
    fn from(error: MessageError) -> Self {
        ResponseError::Message(error)
    }
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl fmt::Display for ResponseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.detail())
    }
}

impl std::error::Error for MessageError {}
impl std::error::Error for RequestError {}
impl std::error::Error for ResponseError {}

//! Reading HTTP/1.1 answers, strictly and in place: heads over the bytes that were received, bodies as they come.
//!
//! No sockets, no requests (those are bytes from [`crate::scenario`]). It shares nothing with the gateway's decoder, so that
//! each can be tested by the other. What is not exactly HTTP/1.1 is an error: a load test that lets it pass would hide it.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic
    )
)]

use std::fmt;

mod body;
mod head;
#[cfg(test)]
mod tests;

pub use body::Body;
pub use head::{Asked, Head, LONGEST_HEAD, Length};

/// What makes an answer invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// The status line is not `HTTP/1.1 NNN text` (or 1.0).
    StatusLine,
    /// A status below 100, or one that was not asked for: 101.
    Status,
    /// A line ends in a bare line feed, or a carriage return stands alone.
    LineEnd,
    /// A header's name is not a token followed by a colon, or a line is folded.
    HeaderName,
    /// A header's value has control characters in it.
    HeaderValue,
    /// The head is longer than [`LONGEST_HEAD`].
    LongHead,
    /// `Content-Length` is not a number, or there are several.
    ContentLength,
    /// `Transfer-Encoding` is not `chunked`, or stands in an answer of HTTP/1.0.
    TransferEncoding,
    /// Both `Content-Length` and `Transfer-Encoding`.
    TwoLengths,
    /// A chunk does not begin with its size or does not end with a line end.
    Chunk,
    /// A line of the trailers is not a header.
    Trailer,
}

impl Malformed {
    /// The rule that was broken, in words.
    pub fn words(self) -> &'static str {
        match self {
            Malformed::StatusLine => "the status line is not one of HTTP/1.1",
            Malformed::Status => "the status is below 100, or 101",
            Malformed::LineEnd => "a line does not end in CR LF",
            Malformed::HeaderName => "a header's name is not a token followed by a colon",
            Malformed::HeaderValue => "a header's value has control characters",
            Malformed::LongHead => "the head is longer than 16 KiB",
            Malformed::ContentLength => "Content-Length is not one number",
            Malformed::TransferEncoding => "Transfer-Encoding is not chunked",
            Malformed::TwoLengths => "both Content-Length and Transfer-Encoding",
            Malformed::Chunk => "a chunk is not framed as it must be",
            Malformed::Trailer => "a trailer is not a header",
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.words())
    }
}

impl std::error::Error for Malformed {}

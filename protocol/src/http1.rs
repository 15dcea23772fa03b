//! HTTP/1.0 and HTTP/1.1 on the wire (RFC 9112): heads in, chunked bodies in and out, heads out.
//!
//! Decoders take the bytes that have arrived and say either what stands there, that more is needed, or why it is
//! refused; they hold no buffer. How long a body is gets decided in `framing` and nowhere else.

pub mod chunked;
mod decode;
pub mod encode;
mod error;
mod framing;

pub use chunked::{ChunkError, Chunked, LAST_CHUNK, Rules, Scanned, Unframed, chunk_line};
pub use decode::{Decoded, decode_request, decode_response, leading_crlf};
pub use error::{MessageError, RequestError, ResponseError};

#[cfg(test)]
mod tests;

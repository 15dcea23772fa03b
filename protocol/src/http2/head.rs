//! Heads over HTTP/2 (RFC 9113 section 8): header blocks to `message` heads, and HTTP/1.1 text to header blocks.
//!
//! A decoded head looks in memory as if it had come over HTTP/1.1: field lines `name: value` in an arena, and spans of
//! it. In the other direction the gateway composes one text for every protocol, and here it becomes a block. Budget:
//! no allocation once the buffers have grown, and for what repeats one copy and a few comparisons per field.

mod decode;
mod encode;
mod error;
mod request;
mod response;

pub use super::hpack::{CompressionError, MAX_TABLE_BYTES};
pub use decode::Decoder;
pub use encode::Encoder;
pub use error::{HeadError, Malformed};

#[cfg(test)]
mod tests;

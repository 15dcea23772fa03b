//! gRPC as far as a gateway needs it: content types, statuses, deadlines, message boundaries, gRPC-Web, health checks.
//!
//! What is in a message is not looked at, save in the two of the health checking protocol. Specifications: gRPC over
//! HTTP/2 (<https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md>) and gRPC-Web (PROTOCOL-WEB.md beside it),
//! called the protocol and the web protocol in this folder.

mod content_type;
pub mod health;
mod messages;
mod percent;
mod status;
mod text;
mod timeout;
mod web;

pub use content_type::{ContentType, Framing};
pub use messages::{Followed, MessageError, Messages, PREFIX_BYTES, push_message};
pub use percent::{decode_status_message, encode_status_message};
pub use status::Code;
pub use text::{TextDecoder, TextEncoder, TextError};
pub use timeout::{encode_timeout, parse_timeout};
pub use web::{TrailerError, decode_trailers, encode_trailers};

#[cfg(test)]
mod tests;

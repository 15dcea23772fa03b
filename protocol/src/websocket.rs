//! The WebSocket protocol (RFC 6455) as far as a gateway needs it: handshakes, where frames end, frames of our own.
//!
//! What is said through a tunnel is nobody's business here. [`Follower`] reads frame headers only, so that on drain a
//! Close can be written between two frames; payload is counted, never looked at, never kept.

mod follower;
mod frame;
mod handshake;
mod sha1;

pub use follower::{Extensions, Follower, FrameError, Sender};
pub use frame::{CloseCode, Opcode, close_frame, frame};
pub use handshake::{
    Accept, AnswerError, HandshakeError, Key, VERSION, accepted, asked, asked_by_connect,
};

#[cfg(test)]
mod tests;

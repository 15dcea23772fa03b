//! HTTP/2 on the wire (RFC 9113), sans-I/O, for both roles: frames, heads, streams, flow control, abuse budgets.
//!
//! [`Connection`] is what an owner drives; its module says how. Heads come out as `message` has them and go in as
//! HTTP/1.1 text, so that what stands behind need not know which protocol it was.

mod abuse;
mod connection;
mod frame;
pub mod head;
mod hpack;
mod streams;

pub use abuse::{Budget, Budgets, Rate};
pub use connection::{
    By, Connection, ConnectionError, Event, OpenError, Role, SendError, Settings, is_preface,
};
pub use frame::PREFACE;
pub use frame::code::ErrorCode;
pub use head::{HeadError, Malformed};
pub use streams::StreamId;

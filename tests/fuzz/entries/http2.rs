//! HTTP/2: header blocks, and connections of both roles with an owner that answers.

mod connection;
mod heads;

pub(super) use connection::{client, server};
pub(super) use heads::heads;

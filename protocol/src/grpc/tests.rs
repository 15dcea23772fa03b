//! Exact outcomes of each part of gRPC, and what must hold for all bytes.

mod heads;
mod healths;
mod message_ends;
mod properties;
mod texts;
mod trailers;

use super::*;

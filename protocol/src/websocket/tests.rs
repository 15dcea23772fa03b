//! Handshakes, frames as they are followed, and frames as they are written.

mod followed;
mod handshakes;
mod properties;
mod written;

use super::*;

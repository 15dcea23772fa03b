//! HTTP/2 as the tests know it: frames and HPACK written down a second time, and a peer of either role that can
//! misbehave. Nothing here keeps the RFC unless it is told to.

mod client;
pub mod frame;
pub mod hpack;
mod huffman;
mod origin;
mod peer;
mod stream;

pub use frame::Frame;
pub use origin::{Answering, Service};
pub use peer::{Goaway, Http2, Manners};
pub use stream::Coming;

/// A head's first fields: the pseudo-fields of a request to the host `a`.
pub fn request(method: &str, path: &str) -> Vec<(String, String)> {
    fields(&[
        (":method", method),
        (":scheme", "http"),
        (":path", path),
        (":authority", "a"),
    ])
}

/// Names and values as owned text.
pub fn fields(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

//! A request that has been parsed, as the subjects hand it to routes and policies.

use std::net::IpAddr;

use policy::context::View;
use protocol::http1::{Decoded, decode_request};
use protocol::limits::HeadLimits;
use protocol::message::{Request, RequestHead};

use crate::token;

/// A request that has been parsed.
pub struct Sample {
    bytes: Vec<u8>,
    head: RequestHead,
    /// When it was parsed: reading the clock costs as much as some of what is measured.
    unix: u64,
}

impl Sample {
    /// Parses the bytes of a request.
    ///
    /// # Panics
    /// When they are not a whole good head.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Sample {
        let (bytes, mut head) = (bytes.into(), RequestHead::new());
        let decoded = decode_request(&bytes, &mut head, &HeadLimits::default());
        assert!(matches!(decoded, Ok(Decoded::Complete)), "{decoded:?}");
        let unix = token::now();
        Sample { bytes, head, unix }
    }

    /// A GET with these further fields, each ended by CRLF.
    pub fn get(path: &str, fields: &str) -> Sample {
        Sample::new(format!(
            "GET {path} HTTP/1.1\r\nHost: api.example.com\r\n{fields}\r\n"
        ))
    }

    /// As policies and routes see it.
    pub fn request(&self) -> Request<'_> {
        self.head.view(&self.bytes)
    }

    /// The whole view of a policy, at this monotonic instant and from this client.
    pub fn view(&self, now: u64, client: IpAddr) -> View<'_> {
        let request = self.request();
        View {
            request,
            path: request.path(),
            client,
            certificate: None,
            chain: &[],
            route: "route",
            now,
            unix: self.unix,
            random: now.wrapping_mul(0x9E37_79B9_7F4A_7C15),
        }
    }
}

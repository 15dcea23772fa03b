//! What the tests of this crate share: a request from its text, and the view policies get.

use std::net::{IpAddr, Ipv4Addr};

use protocol::http1::{Decoded, decode_request};
use protocol::limits::HeadLimits;
use protocol::message::RequestHead;

use crate::context::View;

pub(crate) mod keys;

/// A request that has been parsed.
pub(crate) struct Sample {
    bytes: Vec<u8>,
    head: RequestHead,
    /// The client's address.
    pub(crate) client: IpAddr,
    /// The certificate of its connection.
    pub(crate) certificate: Option<Vec<u8>>,
    /// What was shown behind it.
    chain: Vec<Box<[u8]>>,
    /// Unix seconds.
    pub(crate) unix: u64,
    /// Monotonic nanoseconds.
    pub(crate) now: u64,
}

impl Sample {
    /// `GET` of a target with these header lines, such as `"X-A: 1"`.
    pub(crate) fn get(target: &str, lines: &[&str]) -> Sample {
        let mut text = format!("GET {target} HTTP/1.1\r\nHost: gateway.example\r\n");
        for line in lines {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        let mut head = RequestHead::new();
        let decoded = decode_request(text.as_bytes(), &mut head, &HeadLimits::DEFAULT);
        assert!(matches!(decoded, Ok(Decoded::Complete)), "{text}");
        Sample {
            bytes: text.into_bytes(),
            head,
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            certificate: None,
            chain: Vec::new(),
            unix: 1_700_000_000,
            now: 5_000_000_000,
        }
    }

    /// `GET /` over a connection that has shown this certificate.
    pub(crate) fn shown(certificate: &[u8]) -> Sample {
        let certificate = Some(certificate.to_vec());
        Sample {
            certificate,
            ..Sample::get("/", &[])
        }
    }

    /// The same with these certificates behind the first.
    pub(crate) fn behind(self, chain: &[&[u8]]) -> Sample {
        Sample {
            chain: chain.iter().map(|der| (*der).into()).collect(),
            ..self
        }
    }

    /// The same at another time, in Unix seconds.
    pub(crate) fn at(self, unix: u64) -> Sample {
        Sample { unix, ..self }
    }

    pub(crate) fn view(&self) -> View<'_> {
        let request = self.head.view(&self.bytes);
        View {
            request,
            path: request.path(),
            client: self.client,
            certificate: self.certificate.as_deref(),
            chain: &self.chain,
            route: "test",
            now: self.now,
            unix: self.unix,
            random: 0x5eed,
        }
    }
}

//! The same table for gRPC: a fault as a status, without an answer's body or, for browsers, in it.

use protocol::grpc::{Code, ContentType, Framing, TextEncoder, encode_trailers};

use super::{Fault, Reply};
use crate::grpc;

impl Fault {
    /// The status of a call that this ended (semantics page, "Status codes").
    pub(crate) fn grpc_code(&self) -> Code {
        match self {
            Fault::UpstreamReset(code) => Code::from_reset(code.0),
            fault => Code::from_http(fault.row().status),
        }
    }
}

impl Reply<'_> {
    /// Writes the answer to a fault for a client that speaks gRPC in this framing.
    pub(super) fn status(
        &self,
        framing: Framing,
        fault: &Fault,
        head: &mut Vec<u8>,
        body: &mut Vec<u8>,
    ) {
        let mut content_type = Vec::with_capacity(32);
        let plain = ContentType {
            framing,
            format: None,
        };
        plain.write_as(framing, &mut content_type);
        self.begin(200, head);
        self.explain(fault, head);
        body.clear();
        if framing == Framing::Grpc {
            // Such an answer is all head (protocol, "Trailers-Only"), and so it has no length.
            grpc::status_lines(fault, head);
            return self.end_with(&content_type, head, None);
        }
        let mut lines = Vec::with_capacity(128);
        grpc::status_lines(fault, &mut lines);
        match framing {
            Framing::WebText => {
                let mut frame = Vec::with_capacity(lines.len() + 8);
                encode_trailers(&lines, &mut frame);
                let mut text = TextEncoder::new();
                text.encode(&frame, body);
                text.flush(body);
            }
            _ => encode_trailers(&lines, body),
        }
        self.end_with(&content_type, head, Some(body));
    }
}

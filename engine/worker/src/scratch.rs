//! What only a request needs, lent to a connection while it is busy so that an idle one stays small.
//!
//! Every vector keeps its capacity between requests, which is what makes a keep-alive request free of
//! heap allocation; `shed` bounds what one large request can leave behind.

use policy::context::Context;
use policy::route::Captures;
use protocol::message::{RequestHead, ResponseHead};

/// Re-used room for one exchange at a time.
pub(crate) struct Scratch {
    pub(crate) request: RequestHead,
    pub(crate) response: ResponseHead,
    pub(crate) context: Context,
    pub(crate) captures: Captures,
    /// The canonical path, when it differs from the raw one.
    pub(crate) path: Vec<u8>,
    /// The path and query sent upstream.
    pub(crate) target: Vec<u8>,
    /// The head being written: towards the upstream, then towards the client.
    pub(crate) head: Vec<u8>,
    /// The body of an answer of our own.
    pub(crate) body: Vec<u8>,
    /// The address of the client as text.
    pub(crate) client: Vec<u8>,
    pub(crate) request_id: Vec<u8>,
}

/// No vector of a scratch area at rest is larger than this.
const KEPT: usize = 16 * 1024;

impl Default for Scratch {
    fn default() -> Scratch {
        Scratch {
            request: RequestHead::new(),
            response: ResponseHead::new(),
            context: Context::new(),
            captures: Captures::default(),
            path: Vec::new(),
            target: Vec::new(),
            head: Vec::with_capacity(1024),
            body: Vec::new(),
            client: Vec::with_capacity(64),
            request_id: Vec::with_capacity(36),
        }
    }
}

impl Scratch {
    /// Frees what was there for the answer and its way: only the record is still to be written, perhaps in a long time.
    pub(crate) fn forget_answer(&mut self) {
        self.response = ResponseHead::new();
        for bytes in [
            &mut self.path,
            &mut self.target,
            &mut self.head,
            &mut self.body,
        ] {
            *bytes = Vec::new();
        }
    }

    /// Frees what an unusually large request left behind.
    pub(crate) fn shed(&mut self) {
        for bytes in [
            &mut self.path,
            &mut self.target,
            &mut self.head,
            &mut self.body,
            &mut self.request_id,
            &mut self.client,
        ] {
            bytes.clear();
            if bytes.capacity() > KEPT {
                *bytes = Vec::new();
            }
        }
        self.context.clear();
    }
}

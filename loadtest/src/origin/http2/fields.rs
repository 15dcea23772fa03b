//! Header blocks of answers: the fields that are always the same enter the client's table, others are sent as they are.

use crate::http2::Server;
use crate::http2::hpack::{Cost, Indexed, index_of, write_integer};

/// A field that is always the same.
#[derive(Clone, Copy, Debug)]
pub(super) enum Constant {
    Text,
    Json,
    Events,
    Grpc,
    GrpcOk,
}

/// In the order of [`Constant`].
const CONSTANTS: [(&str, &str); Fields::COUNT] = [
    ("content-type", "text/plain"),
    ("content-type", "application/json"),
    ("content-type", "text/event-stream"),
    ("content-type", "application/grpc"),
    ("grpc-status", "0"),
];

/// Forms of literals (RFC 7541 section 6.2): one enters the table, the other does not.
const ENTERS: u8 = 0x40;
const PLAIN: u8 = 0;

/// Makes header blocks.
pub(super) struct Fields {
    /// Cost and the two forms of each constant.
    constants: Vec<(Cost, Vec<u8>, Vec<u8>)>,
    block: Vec<u8>,
}

impl Fields {
    pub(super) const COUNT: usize = 5;

    pub(super) fn new() -> Fields {
        let form = |(name, value): &(&str, &str)| {
            let (mut enters, mut plain) = (Vec::new(), Vec::new());
            literal(ENTERS, 6, name, value.as_bytes(), &mut enters);
            literal(PLAIN, 4, name, value.as_bytes(), &mut plain);
            let cost = Cost::of(name.as_bytes(), value.as_bytes());
            (cost, enters, plain)
        };
        Fields {
            constants: CONSTANTS.iter().map(form).collect(),
            block: Vec::new(),
        }
    }

    /// Begins the head of an answer.
    pub(super) fn head(&mut self, server: &mut Server, status: u16) -> &mut Fields {
        self.begin(&mut server.indexed);
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(status);
        match index_of(b":status", Some(digits.as_bytes())) {
            0 => literal(PLAIN, 4, ":status", digits.as_bytes(), &mut self.block),
            index => write_integer(0x80, 7, index, &mut self.block),
        }
        self
    }

    /// Begins trailers.
    pub(super) fn trailers(&mut self, server: &mut Server) -> &mut Fields {
        self.begin(&mut server.indexed);
        self
    }

    fn begin(&mut self, indexed: &mut Indexed) {
        self.block.clear();
        indexed.begin(&mut self.block);
    }

    pub(super) fn constant(&mut self, server: &mut Server, constant: Constant) -> &mut Fields {
        let at = constant as usize;
        if let Some((cost, enters, plain)) = self.constants.get(at) {
            let forms = (enters.as_slice(), plain.as_slice());
            server.indexed.write(at, *cost, forms, &mut self.block);
        }
        self
    }

    pub(super) fn field(&mut self, name: &str, value: &[u8]) -> &mut Fields {
        literal(PLAIN, 4, name, value, &mut self.block);
        self
    }

    pub(super) fn number(&mut self, name: &str, value: u64) -> &mut Fields {
        let mut digits = itoa::Buffer::new();
        self.field(name, digits.format(value).as_bytes())
    }

    /// The block, whole.
    pub(super) fn block(&self) -> &[u8] {
        &self.block
    }
}

/// Appends a literal, its name by the static table if it stands there; nothing is in the Huffman code.
fn literal(form: u8, bits: u32, name: &str, value: &[u8], out: &mut Vec<u8>) {
    let index = index_of(name.as_bytes(), None);
    write_integer(form, bits, index, out);
    if index == 0 {
        write_integer(0, 7, name.len(), out);
        out.extend_from_slice(name.as_bytes());
    }
    write_integer(0, 7, value.len(), out);
    out.extend_from_slice(value);
}

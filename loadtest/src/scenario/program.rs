//! A request in pieces that the generator strings together: the hot end of a template.

use super::body::Body;
use super::draw::Draw;
use super::pattern::Part;
use super::token::Tokens;
use std::ops::Range;

/// How the bytes of a request are made.
#[derive(Clone, Debug, Default)]
pub(super) struct Program {
    /// Everything that never changes, in one piece. Without draws it is the whole request.
    bytes: Vec<u8>,
    steps: Vec<Step>,
    pub draws: Vec<Draw>,
    /// Which steps are the body; counted only when its length differs from request to request.
    body: Option<Range<usize>>,
}

#[derive(Clone, Debug)]
enum Step {
    /// Bytes of the program.
    Literal(Range<usize>),
    /// A drawn value.
    Value(usize),
    /// The length of the body.
    Length,
}

impl Program {
    /// Appends a request with these drawn values.
    #[inline]
    pub(super) fn write(&self, drawn: &[u64], tokens: &Tokens, out: &mut Vec<u8>) {
        if self.steps.is_empty() {
            out.extend_from_slice(&self.bytes);
            return;
        }
        for step in &self.steps {
            match step {
                Step::Literal(range) => out.extend_from_slice(&self.bytes[range.clone()]),
                Step::Value(slot) => self.draws[*slot].write(drawn[*slot], tokens, out),
                Step::Length => {
                    let length = self.body_length(drawn, tokens);
                    out.extend_from_slice(itoa::Buffer::new().format(length).as_bytes());
                }
            }
        }
    }

    /// How many of its bytes never change.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Takes the values in; to be called at the end.
    pub(super) fn draw(&mut self, draws: Vec<Draw>) {
        if draws.is_empty() {
            // Nothing varies: the pieces lie in order, so that the whole is one copy.
            self.steps.clear();
        }
        self.draws = draws;
    }

    fn body_length(&self, drawn: &[u64], tokens: &Tokens) -> usize {
        let body = self.body.clone().unwrap_or_default();
        let lengths = self.steps[body].iter().map(|step| match step {
            Step::Literal(range) => range.len(),
            Step::Value(slot) => self.draws[*slot].len(drawn[*slot], tokens),
            Step::Length => 0,
        });
        lengths.sum()
    }

    /// Appends what never changes.
    pub(super) fn literal(&mut self, bytes: &[u8]) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        match self.steps.last_mut() {
            Some(Step::Literal(range)) => range.end = self.bytes.len(),
            _ => self.steps.push(Step::Literal(start..self.bytes.len())),
        }
    }

    /// Appends a text with values.
    pub(super) fn parts(&mut self, parts: &[Part]) {
        for part in parts {
            match part {
                Part::Literal(text) => self.literal(text.as_bytes()),
                Part::Value(slot) => self.steps.push(Step::Value(*slot)),
            }
        }
    }

    /// Ends the head with the body's length, and appends the body.
    pub(super) fn body(&mut self, body: &Body) {
        let varies = match body {
            Body::None => {
                self.literal(b"\r\n");
                return;
            }
            Body::Bytes(bytes) => {
                self.literal(format!("Content-Length: {}\r\n\r\n", bytes.len()).as_bytes());
                self.literal(bytes);
                return;
            }
            Body::Parts(parts) => parts,
        };
        self.literal(b"Content-Length: ");
        self.steps.push(Step::Length);
        // A step of its own, so that the body does not begin amid one.
        let start = self.bytes.len();
        self.bytes.extend_from_slice(b"\r\n\r\n");
        self.steps.push(Step::Literal(start..self.bytes.len()));
        let first = self.steps.len();
        for part in varies {
            match part {
                Part::Literal(text) => {
                    let start = self.bytes.len();
                    self.bytes.extend_from_slice(text.as_bytes());
                    self.steps.push(Step::Literal(start..self.bytes.len()));
                }
                Part::Value(slot) => self.steps.push(Step::Value(*slot)),
            }
        }
        self.body = Some(first..self.steps.len());
    }
}

//! What has come on one stream.

use crate::wire::{Field, Message};

/// Heads, body and end of one stream in one direction.
#[derive(Clone, Default, Debug)]
pub struct Coming {
    /// Interim heads, oldest first.
    pub interim: Vec<Vec<Field>>,
    /// The final head (of an answer), or the head (of a request).
    pub head: Option<Vec<Field>>,
    /// The body so far.
    pub body: Vec<u8>,
    /// DATA frames so far.
    pub frames: usize,
    /// The trailer fields.
    pub trailers: Vec<Field>,
    /// END_STREAM has come.
    pub ended: bool,
    /// RST_STREAM has come, with this code.
    pub reset: Option<u32>,
}

impl Coming {
    pub(super) fn block(&mut self, fields: Vec<Field>, end: bool) {
        self.ended |= end;
        let status = fields.iter().find(|(name, _)| name == ":status");
        if self.head.is_some() {
            self.trailers = fields;
        } else if status.is_some_and(|(_, status)| status.starts_with('1')) {
            self.interim.push(fields);
        } else {
            self.head = Some(fields);
        }
    }

    /// Nothing more will come.
    pub fn is_over(&self) -> bool {
        self.ended || self.reset.is_some()
    }

    /// As a message: its line is made up, its fields begin with the pseudo-fields.
    pub fn message(&self) -> Message {
        Coming::of(
            self.head.clone().unwrap_or_default(),
            self.body.clone(),
            self.trailers.clone(),
        )
    }

    pub(super) fn of(fields: Vec<Field>, body: Vec<u8>, trailers: Vec<Field>) -> Message {
        let pseudo = |wanted: &str| {
            let field = fields.iter().find(|(name, _)| name == wanted);
            field.map_or(String::new(), |(_, value)| value.clone())
        };
        let line = match pseudo(":status") {
            status if status.is_empty() => {
                format!("{} {} HTTP/2", pseudo(":method"), pseudo(":path"))
            }
            status => format!("HTTP/2 {status}"),
        };
        let lines = fields
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"));
        Message {
            head: lines.collect::<String>().into_bytes(),
            line,
            fields,
            body,
            trailers,
            chunks: Vec::new(),
        }
    }
}

//! A request as an origin received it.

use crate::wire::{Message, latin};

/// One request.
#[derive(Clone, Debug)]
pub struct Received {
    /// Which connection of the origin, counted from 0.
    pub connection: usize,
    /// The method.
    pub method: String,
    /// The target as it came.
    pub target: String,
    /// Head, body and trailers.
    pub message: Message,
}

impl Received {
    pub(crate) fn new(connection: usize, message: Message) -> Received {
        let parts: Vec<&str> = message.line.split(' ').collect();
        let [method, target, "HTTP/1.1" | "HTTP/2"] = parts[..] else {
            panic!("the gateway sent this request line: {:?}", message.line);
        };
        Received {
            connection,
            method: method.to_owned(),
            target: target.to_owned(),
            message,
        }
    }

    /// The value of a field; several lines are joined.
    pub fn field(&self, name: &str) -> Option<String> {
        self.message.value(name)
    }

    /// Fails unless a field has exactly this value.
    #[track_caller]
    pub fn has(&self, name: &str, value: &str) -> &Received {
        let found = self.field(name);
        assert_eq!(
            found.as_deref(),
            Some(value),
            "{name} of {}",
            latin(&self.message.head)
        );
        self
    }

    /// Fails if there is such a field.
    #[track_caller]
    pub fn lacks(&self, name: &str) -> &Received {
        assert_eq!(
            self.field(name),
            None,
            "{name} of {}",
            latin(&self.message.head)
        );
        self
    }
}

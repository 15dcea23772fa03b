//! An answer as a client got it, and what tests say about answers.

use serde_json::Value;

use crate::wire::{Message, latin};

/// An answer from the gateway.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// Head, body and trailers.
    pub message: Message,
}

impl Answer {
    /// From a message whose first line is a status line.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn new(message: Message) -> Answer {
        let line = &message.line;
        let status = line
            .strip_prefix("HTTP/1.1 ")
            .filter(|rest| rest.as_bytes().get(3) == Some(&b' '))
            .and_then(|rest| rest[..3].parse().ok());
        let Some(status) = status else {
            panic!("not a status line of HTTP/1.1: {line:?}");
        };
        Answer { status, message }
    }

    /// From what came on a stream of HTTP/2.
    ///
    /// # Panics
    /// When that has no status.
    #[track_caller]
    pub fn of_stream(message: Message) -> Answer {
        let status = message.value(":status").and_then(|it| it.parse().ok());
        Answer {
            status: status.unwrap_or_else(|| panic!("no status: {}", latin(&message.head))),
            message,
        }
    }

    /// The value of a field; several lines are joined.
    pub fn field(&self, name: &str) -> Option<String> {
        self.message.value(name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        latin(&self.message.body)
    }

    /// Fails unless the status is this one; shows the whole answer.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Answer {
        assert_eq!(
            self.status,
            status,
            "{}{}",
            latin(&self.message.head),
            self.text()
        );
        self
    }

    /// Fails unless a field has exactly this value.
    #[track_caller]
    pub fn has(&self, name: &str, value: &str) -> &Answer {
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
    pub fn lacks(&self, name: &str) -> &Answer {
        assert_eq!(
            self.field(name),
            None,
            "{name} of {}",
            latin(&self.message.head)
        );
        self
    }

    /// Fails unless the body is this one.
    #[track_caller]
    pub fn body_is(&self, body: impl AsRef<[u8]>) -> &Answer {
        let body = body.as_ref();
        if self.message.body != body {
            let (got, wanted) = (self.message.body.len(), body.len());
            let differ = self.message.body.iter().zip(body).position(|(a, b)| a != b);
            panic!(
                "a body of {got} bytes, not the one of {wanted}; first difference at {differ:?}:\n{}",
                latin(&self.message.body[..got.min(500)])
            );
        }
        self
    }

    /// The body as a problem document whose members agree with the head: type, title, status,
    /// detail, instance (`path`), the short text `error` and the request's id.
    #[track_caller]
    pub fn problem(&self, status: u16, path: &str, error: &str) -> Value {
        self.is(status)
            .has("content-type", "application/problem+json");
        let problem: Value = serde_json::from_slice(&self.message.body)
            .unwrap_or_else(|why| panic!("{why}: {}", self.text()));
        let text = |member: &str| problem[member].as_str().unwrap_or_default().to_owned();
        assert_eq!(problem["type"], "about:blank", "{problem}");
        match self.message.line.strip_prefix("HTTP/1.1 ") {
            Some(rest) => assert_eq!(text("title"), rest["400 ".len()..], "{problem}"),
            // HTTP/2 has no reason phrase to hold it against.
            None => assert!(!text("title").is_empty(), "{problem}"),
        }
        assert_eq!(problem["status"], status, "{problem}");
        assert!(!text("detail").is_empty(), "{problem}");
        assert_eq!(text("instance"), path, "{problem}");
        assert_eq!(text("error"), error, "{problem}");
        assert_eq!(
            Some(text("requestId")),
            self.field("x-request-id"),
            "{problem}"
        );
        problem
    }
}

//! What an answer must be like so as not to count as a failure.

/// What is expected of an answer.
#[derive(Clone, Debug, Default)]
pub struct Expect {}

/// What an answer did not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// The status is another one.
    Status(u16),
    /// A header is missing or has another value.
    Header,
    /// The body does not contain what it should.
    Body,
}

impl Expect {
    /// Whether only a status of 200 to 399 is expected.
    pub fn is_plain(&self) -> bool {
        true
    }

    /// Whether [`Expect::check`] needs the body's first 64 KiB.
    pub fn wants_body(&self) -> bool {
        false
    }

    /// Holds an answer against it. `headers` is the raw head, with or without its first line.
    ///
    /// # Errors
    /// The first thing that the answer does not meet.
    pub fn check(&self, status: u16, _headers: &[u8], _body: Option<&[u8]>) -> Result<(), Unmet> {
        match status {
            200..400 => Ok(()),
            other => Err(Unmet::Status(other)),
        }
    }
}

//! Plain lines for the people who run the gateway. Not the access log, not the audit log.
//! Invariant: one event, one line, unless what it quotes has several.

use std::io::Write;
use std::sync::Arc;

use crate::clock;

/// Where lines for people go. Cloning it shares it.
#[derive(Clone)]
pub struct Operator(Arc<dyn Fn(&str) + Send + Sync>);

impl Operator {
    /// Standard error, each line with its time.
    pub fn stderr() -> Operator {
        Operator::to(|line| {
            // Nobody is left to be told when standard error is gone.
            let _ = writeln!(std::io::stderr().lock(), "{} {line}", clock::timestamp());
        })
    }

    /// Somewhere else: tests, a program that shows the lines itself.
    pub fn to(write: impl Fn(&str) + Send + Sync + 'static) -> Operator {
        Operator(Arc::new(write))
    }

    /// Says one line.
    pub fn say(&self, line: impl AsRef<str>) {
        (self.0)(line.as_ref());
    }
}

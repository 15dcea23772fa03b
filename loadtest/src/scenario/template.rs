//! A request as the scenario describes it, compiled.

use super::Expect;

/// One kind of request of a scenario.
#[derive(Clone, Debug)]
pub struct Template {
    name: String,
    head: bool,
    expect: Expect,
    pub(super) bytes: Vec<u8>,
}

impl Template {
    pub(super) fn plain(path: &str, authority: &str) -> Template {
        Template {
            name: "request".to_owned(),
            head: false,
            expect: Expect::default(),
            bytes: format!("GET {path} HTTP/1.1\r\nHost: {authority}\r\n\r\n").into_bytes(),
        }
    }

    /// Its name in the scenario.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the answer to it has no body whatever its head says.
    pub fn method_is_head(&self) -> bool {
        self.head
    }

    /// What is expected of the answer.
    pub fn expect(&self) -> &Expect {
        &self.expect
    }
}

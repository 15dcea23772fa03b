//! A request as JSON.

use std::io::Write;

use super::ask;
use super::head::split_field;

/// Bytes of a request's body that are shown at most.
const MAX_TEXT: usize = 64 * 1024;

/// What `/echo` keeps of a request until its body is whole; reused from one to the next.
#[derive(Default)]
pub(super) struct Echo {
    json: Vec<u8>,
    body: Vec<u8>,
    /// Bytes of the body, kept or not.
    bytes: u64,
}

impl Echo {
    /// Takes what the head says; `fields` are lines.
    pub(super) fn begin(&mut self, method: &[u8], target: &[u8], version: &[u8], fields: &[u8]) {
        self.json.clear();
        self.body.clear();
        self.bytes = 0;
        let (path, query) = ask::split(target);
        self.json.extend_from_slice(b"{\"method\":");
        self.string(method);
        self.json.extend_from_slice(b",\"path\":");
        self.string(path);
        self.json.extend_from_slice(b",\"query\":");
        self.string(query);
        self.json.extend_from_slice(b",\"version\":");
        self.string(version);
        // Pairs in their order: a proxy's work shows in repeated and reordered fields.
        self.json.extend_from_slice(b",\"headers\":[");
        let lines = fields.split(|it| *it == b'\n');
        let fields = lines.filter_map(|line| split_field(line.trim_ascii_end()));
        for (at, (name, value)) in fields.enumerate() {
            self.json
                .extend_from_slice(if at == 0 { b"[" } else { b",[" });
            self.string(name);
            self.json.push(b',');
            self.string(value);
            self.json.push(b']');
        }
        self.json.push(b']');
    }

    /// Takes some of the body.
    pub(super) fn more(&mut self, data: &[u8]) {
        self.bytes += data.len() as u64;
        let room = MAX_TEXT - self.body.len().min(MAX_TEXT);
        self.body
            .extend_from_slice(data.get(..room).unwrap_or(data));
    }

    /// The whole.
    pub(super) fn finish(&mut self) -> &[u8] {
        self.json.extend_from_slice(b",\"body\":{\"bytes\":");
        // Writing to memory can't fail.
        let _ = write!(self.json, "{}", self.bytes);
        self.json.extend_from_slice(b",\"text\":");
        let body = std::mem::take(&mut self.body);
        self.string(&body);
        self.body = body;
        self.json.extend_from_slice(b"}}\n");
        &self.json
    }

    /// A JSON string; what is not UTF-8 is shown as such.
    fn string(&mut self, text: &[u8]) {
        let text = String::from_utf8_lossy(text);
        let _ = serde_json::to_writer(&mut self.json, &*text);
    }
}

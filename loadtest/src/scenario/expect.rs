//! What an answer must be like so as not to count as a failure.

use super::headers;
use super::problem::{Fault, Report};
use super::said::{Kind, Section, Value};
use super::values;
use memchr::memmem::Finder;

/// What is expected of an answer.
#[derive(Clone, Debug)]
pub struct Expect {
    /// A bit for each status from 100 to 611.
    statuses: [u64; 8],
    headers: Vec<Header>,
    bodies: Vec<Finder<'static>>,
}

/// A header that must be there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    /// In lower case.
    name: String,
    value: Wanted,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Wanted {
    /// `"*"`
    Any,
    /// `"text/*"`
    Begins(String),
    Exactly(String),
}

/// What an answer did not meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// The status is another one: this.
    Status(u16),
    /// A header is missing, or has another value.
    Header,
    /// The body does not contain what it should.
    Body,
}

impl std::fmt::Display for Unmet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unmet::Status(status) => write!(f, "unexpected status {status}"),
            Unmet::Header => f.write_str("a header is missing or has another value"),
            Unmet::Body => f.write_str("the body does not contain what it should"),
        }
    }
}

impl Default for Expect {
    fn default() -> Expect {
        Expect {
            statuses: PLAIN,
            headers: Vec::new(),
            bodies: Vec::new(),
        }
    }
}

impl Expect {
    /// Whether only a status of 200 to 399 is expected.
    pub fn is_plain(&self) -> bool {
        self.headers.is_empty() && self.bodies.is_empty() && self.statuses == PLAIN
    }

    /// Whether [`Expect::check`] needs the body's first 64 KiB.
    pub fn wants_body(&self) -> bool {
        !self.bodies.is_empty()
    }

    /// Holds an answer against it. `headers` is the raw head, with or without its first line. Allocates nothing.
    ///
    /// # Errors
    /// The first thing that the answer does not meet.
    pub fn check(&self, status: u16, headers: &[u8], body: Option<&[u8]>) -> Result<(), Unmet> {
        let bit = usize::from(status).wrapping_sub(100);
        let expected = self.statuses.get(bit / 64);
        if expected.is_none_or(|bits| bits >> (bit % 64) & 1 == 0) {
            return Err(Unmet::Status(status));
        }
        if !self.headers.iter().all(|wanted| wanted.is_in(headers)) {
            return Err(Unmet::Header);
        }
        let body = body.unwrap_or_default();
        match self.bodies.iter().all(|part| part.find(body).is_some()) {
            true => Ok(()),
            false => Err(Unmet::Body),
        }
    }

    /// What an answer is like that [`Expect::check`] does not let pass, in a few words: one line without controls.
    pub fn unmet(&self, status: u16, headers: &[u8], body: &[u8]) -> Option<String> {
        Some(match self.check(status, headers, Some(body)).err()? {
            Unmet::Status(status) => format!("status {status}"),
            Unmet::Header => {
                let wanted = self.headers.iter().find(|it| !it.is_in(headers))?;
                let name = &wanted.name;
                match values_of(headers, name).next() {
                    None => format!("no header `{name}`"),
                    Some(value) => format!(
                        "header `{name}` is `{}`, and not `{}`",
                        short(value),
                        short(wanted.value.text().as_bytes())
                    ),
                }
            }
            Unmet::Body => {
                let part = self.bodies.iter().find(|part| part.find(body).is_none())?;
                let part = short(part.needle());
                format!("`{part}` is not in a body that begins `{}`", short(body))
            }
        })
    }

    /// Takes what the command line says: `200,204,3xx`.
    pub(super) fn take_statuses(&mut self, value: &Value, report: &mut Report) {
        let Kind::Text(text) = &value.kind else {
            return;
        };
        self.statuses = [0; 8];
        for part in text.split(',') {
            let part = Value::text(part.trim(), value.place);
            if let Some((low, high)) = read_status(report, &part) {
                self.statuses(low, high);
            }
        }
    }

    fn statuses(&mut self, low: u16, high: u16) {
        let (low, high) = (usize::from(low), usize::from(high));
        self.statuses = with(self.statuses, low, high);
    }
}

/// A status of 200 to 399.
const PLAIN: [u64; 8] = with([0; 8], 200, 399);

/// These statuses, too.
const fn with(mut statuses: [u64; 8], low: usize, high: usize) -> [u64; 8] {
    let mut bit = low - 100;
    while bit <= high - 100 {
        statuses[bit / 64] |= 1 << (bit % 64);
        bit += 1;
    }
    statuses
}

impl Header {
    fn is_in(&self, head: &[u8]) -> bool {
        values_of(head, &self.name).any(|value| match &self.value {
            Wanted::Any => true,
            Wanted::Begins(with) => value.starts_with(with.as_bytes()),
            Wanted::Exactly(wanted) => value == wanted.as_bytes(),
        })
    }
}

impl Wanted {
    /// As it is written.
    fn text(&self) -> String {
        match self {
            Wanted::Any => "*".to_owned(),
            Wanted::Begins(with) => format!("{with}*"),
            Wanted::Exactly(wanted) => wanted.clone(),
        }
    }
}

/// The values of a header, from a raw head.
fn values_of<'a>(head: &'a [u8], name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    head.split(|b| *b == b'\n').filter_map(move |line| {
        let (found, value) = line.split_at(memchr::memchr(b':', line)?);
        let same = found.eq_ignore_ascii_case(name.as_bytes());
        same.then(|| value.get(1..).unwrap_or_default().trim_ascii())
    })
}

/// Of something that may be long and hold anything, the beginning, for a line.
fn short(bytes: &[u8]) -> String {
    const MOST: usize = 60;
    let (first, more) = bytes.split_at(bytes.len().min(MOST));
    let mut text: String = String::from_utf8_lossy(first)
        .chars()
        .map(|it| if it.is_control() { '\u{fffd}' } else { it })
        .collect();
    if !more.is_empty() {
        text.push('…');
    }
    text
}

/// Reads the keys of a request that begin with `expect_`.
pub(super) fn read(section: &mut Section<'_>, report: &mut Report) -> Expect {
    let mut expect = Expect::default();
    if let Some(value) = section.take("expect_status") {
        expect.statuses = [0; 8];
        each(value, &mut |item| {
            if let Some((low, high)) = read_status(report, item) {
                expect.statuses(low, high);
            }
        });
    }
    if let Some(value) = section.take("expect_headers") {
        for pair in headers::pairs(report, value) {
            if !headers::is_token(&pair.name) {
                let message = format!("{:?} is not a header's name", pair.name);
                report.add(Fault::at(pair.place, message));
                continue;
            }
            let value = match pair.text.strip_suffix('*') {
                Some("") => Wanted::Any,
                Some(with) => Wanted::Begins(with.to_owned()),
                None => Wanted::Exactly(pair.text),
            };
            let name = pair.name.to_ascii_lowercase();
            expect.headers.push(Header { name, value });
        }
    }
    if let Some(value) = section.take("expect_body") {
        each(value, &mut |item| match values::text(report, item) {
            Some(text) if text.is_empty() || text.len() > 4096 => {
                report.add(Fault::at(
                    item.place,
                    "a part of a body has 1 to 4096 bytes",
                ));
            }
            Some(text) => expect.bodies.push(Finder::new(text).into_owned()),
            None => {}
        });
    }
    expect
}

/// A value, or each of a list.
fn each(value: &Value, take: &mut dyn FnMut(&Value)) {
    match &value.kind {
        Kind::List(items) => items.iter().for_each(take),
        _ => take(value),
    }
}

/// `200`, `"2xx"`, `"200..299"`; of the command line also `"200,204,3xx"`.
fn read_status(report: &mut Report, value: &Value) -> Option<(u16, u16)> {
    let said = match &value.kind {
        Kind::Integer(status) => status.to_string(),
        Kind::Text(text) => text.clone(),
        _ => String::new(),
    };
    let status = |text: &str| {
        text.parse::<u16>()
            .ok()
            .filter(|it| (100..600).contains(it))
    };
    let range = match said.split_once("..") {
        Some((low, high)) => status(low).zip(status(high)),
        None => match said.strip_suffix("xx") {
            Some(class) => status(&format!("{class}00")).map(|low| (low, low + 99)),
            None => status(&said).map(|it| (it, it)),
        },
    };
    if range.is_none_or(|(low, high)| low > high) {
        values::mismatch(
            report,
            value,
            "a status such as 200, \"2xx\" or \"200..299\"",
        );
        return None;
    }
    range
}

#[cfg(test)]
mod tests;

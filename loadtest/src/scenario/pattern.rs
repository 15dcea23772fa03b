//! Texts with values in braces: `/items/{id:1..10000}`. What may stand in the braces is listed in docs/load-testing.md.
//!
//! `{{` is a brace, and so is one that no letter follows: JSON needs nothing. `${NAME}` is a variable of the
//! environment.

use super::draw::{Draw, List};
use super::headers::Spot;
use super::problem::{Fault, Place, Report};
use super::said::{self, Value};
use super::values;
use std::path::Path;
use std::sync::Arc;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Literal(String),
    /// The value of this index into [`Names::draws`].
    Value(usize),
}

/// The values that one request draws; a name that is said again means the same value.
pub(super) struct Names<'s> {
    pub draws: Vec<Draw>,
    named: Vec<String>,
    /// The sets of tokens; none where a token can't stand.
    pub tokens: &'s [String],
    /// What the files of lists are relative to.
    pub folder: &'s Path,
}

const KINDS: [&str; 3] = ["counter", "uuid", "text"];
const MOST_VALUES: usize = 64;
const MOST_TEXT: u64 = 65_536;
const MOST_FILE: u64 = 64 << 20;

impl<'s> Names<'s> {
    pub(super) fn new(tokens: &'s [String], folder: &'s Path) -> Names<'s> {
        Names {
            draws: Vec::new(),
            named: Vec::new(),
            tokens,
            folder,
        }
    }

    /// Takes a text apart. What is wrong is told of `value`, in which the text stands.
    pub(super) fn parse(
        &mut self,
        report: &mut Report,
        value: &Value,
        text: &str,
        spot: Spot,
    ) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, after) = (&rest[..at], &rest[at + 1..]);
            if let Some(further) = after.strip_prefix('{') {
                literal.push_str(before);
                literal.push('{');
                rest = further;
                continue;
            }
            let opens = after.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            let end = after.find('}').filter(|_| opens);
            let Some(end) = end else {
                literal.push_str(&rest[..=at]);
                rest = after;
                continue;
            };
            let (inner, further) = (&after[..end], &after[end + 1..]);
            rest = further;
            if let Some(before) = before.strip_suffix('$') {
                literal.push_str(before);
                literal.push_str(&variable(report, value, inner));
                continue;
            }
            literal.push_str(before);
            let Some(slot) = self.value(report, value, inner, spot) else {
                continue;
            };
            if !literal.is_empty() {
                parts.push(Part::Literal(std::mem::take(&mut literal)));
            }
            parts.push(Part::Value(slot));
        }
        literal.push_str(rest);
        if !literal.is_empty() {
            parts.push(Part::Literal(literal));
        }
        for part in &parts {
            if let Part::Literal(text) = part
                && let Some(c) = spot.foreign(text)
            {
                let fault = Fault::at(value.place, format!("{c:?} can't stand here"));
                report.add(fault.note(spot.advice(c)));
            }
        }
        parts
    }

    /// The value that braces mean: a new one, or one that has been named before.
    fn value(
        &mut self,
        report: &mut Report,
        value: &Value,
        inner: &str,
        spot: Spot,
    ) -> Option<usize> {
        let place = said::inside(report, value, &format!("{{{inner}}}"));
        let (head, spec) = match inner.split_once(':') {
            Some((head, spec)) => (head.trim(), Some(spec.trim())),
            None => (inner.trim(), None),
        };
        let before = self.named.iter().position(|name| name == head);
        if let (Some(slot), None) = (before, spec) {
            if let Draw::List(list) = &self.draws[slot] {
                check_list(report, value, list, spot);
            }
            return Some(slot);
        }
        if !is_name(head.strip_prefix("token.").unwrap_or(head)) {
            let fault = Fault::at(place, format!("`{head}` is not a name"));
            let names = "names are letters, digits, `_` and `-`; write `{{` for a brace itself";
            report.add(fault.note(names));
            return None;
        }
        if before.is_some() {
            let message = format!("`{head}` has been said before in this request");
            let note = format!("write `{{{head}}}` for the same value, or take another name");
            report.add(Fault::at(place, message).note(note));
            return None;
        }
        if self.draws.len() == MOST_VALUES {
            let message = format!("a request has at most {MOST_VALUES} values");
            report.add(Fault::at(place, message));
            return None;
        }
        let draw = self.draw(report, value, place, (head, spec))?;
        if let Draw::List(list) = &draw {
            check_list(report, value, list, spot);
        }
        self.draws.push(draw);
        self.named.push(head.to_owned());
        Some(self.draws.len() - 1)
    }

    /// Where a new value comes from.
    fn draw(
        &self,
        report: &mut Report,
        value: &Value,
        place: Place,
        said: (&str, Option<&str>),
    ) -> Option<Draw> {
        let made = match said {
            (head, None) if head.starts_with("token.") => return self.token(report, place, head),
            (head, None) if KINDS.contains(&head) => parse_draw(head),
            (head, Some(spec)) if KINDS.contains(&head) => parse_draw(&format!("{head}:{spec}")),
            (head, None) => {
                let fault = Fault::at(place, format!("there is no value `{head}`"));
                let known = self.named.iter().map(String::as_str).chain(KINDS);
                report.add(fault.meant(head, known).note(format!(
                    "say what it is, as in `{{{head}:1..10000}}` or `{{{head}:a|b|c}}`; write `{{{{` for a brace itself"
                )));
                return None;
            }
            (_, Some(spec)) => match spec.strip_prefix("file:") {
                Some(path) => return self.listed(report, value, place, path.trim()),
                None => parse_draw(spec),
            },
        };
        made.map_err(|why| report.add(Fault::at(place, why))).ok()
    }

    fn token(&self, report: &mut Report, place: Place, head: &str) -> Option<Draw> {
        let name = head.strip_prefix("token.").unwrap_or(head);
        if let Some(set) = self.tokens.iter().position(|token| token == name) {
            return Some(Draw::Token(set));
        }
        let fault = Fault::at(place, format!("there are no tokens `{name}`"));
        let fault = fault.meant(name, self.tokens.iter().map(String::as_str));
        report.add(fault.note(format!("tokens are described in [token.{name}]")));
        None
    }

    /// The lines of a file.
    fn listed(&self, report: &mut Report, value: &Value, place: Place, path: &str) -> Option<Draw> {
        let list = lines(&values::file(report, value, self.folder, path, MOST_FILE)?);
        if list.len() == 0 {
            let message = format!("`{path}` has no line that says anything");
            report.add(Fault::at(place, message));
            return None;
        }
        Some(Draw::List(Arc::new(list)))
    }
}

/// A variable of the environment; nothing when there is none, which is told.
fn variable(report: &mut Report, value: &Value, name: &str) -> String {
    values::environment(name).unwrap_or_else(|| {
        let place = said::inside(report, value, &format!("${{{name}}}"));
        let fault = Fault::at(place, format!("the environment has no variable `{name}`"));
        report.add(fault.note("write `${{` for the signs themselves"));
        String::new()
    })
}

/// Tells of a value that can't stand in this place.
fn check_list(report: &mut Report, value: &Value, list: &List, spot: Spot) {
    for item in list.iter() {
        let text = String::from_utf8_lossy(item);
        if let Some(c) = spot.foreign(&text) {
            let fault = Fault::at(value.place, format!("{c:?} in `{text}` can't stand here"));
            report.add(fault.note(spot.advice(c)));
            return;
        }
    }
}

/// The lines of a file that are not empty.
pub(super) fn lines(bytes: &[u8]) -> List {
    let mut list = List::default();
    for line in bytes.split(|b| *b == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.is_empty() {
            list.push(line);
        }
    }
    list
}

fn is_name(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || b == b'-';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(good)
}

/// What stands after the colon.
fn parse_draw(spec: &str) -> Result<Draw, String> {
    let (kind, of) = match spec.split_once(':') {
        Some((kind, of)) => (kind.trim(), Some(of.trim())),
        None => (spec, None),
    };
    let draw = match (kind, of) {
        ("uuid", None) => Draw::Uuid,
        ("text", Some(length)) => match length.parse::<u32>() {
            Ok(length) if (1..=MOST_TEXT).contains(&u64::from(length)) => Draw::Text(length),
            _ => return Err(format!("a text has 1 to {MOST_TEXT} characters")),
        },
        ("text", None) => return Err("say how long the text is, as in `{text:16}`".to_owned()),
        ("counter", None) => Draw::Counter {
            first: 0,
            cycle: u64::MAX,
            width: 0,
        },
        ("counter", Some(range)) => {
            let (first, last, width) = parse_range(range)?;
            Draw::Counter {
                first,
                cycle: match last {
                    Some(last) => (last - first).saturating_add(1),
                    None => u64::MAX,
                },
                width,
            }
        }
        _ if spec.contains('|') => {
            let mut list = List::default();
            spec.split('|').for_each(|item| list.push(item.as_bytes()));
            Draw::List(Arc::new(list))
        }
        _ if spec.contains("..") => match parse_range(spec)? {
            (low, Some(high), width) => Draw::Range {
                low,
                more: high - low,
                width,
            },
            (low, None, _) => {
                return Err(format!("say where the range ends, as in `{low}..10000`"));
            }
        },
        _ => {
            return Err(format!(
                "`{spec}` is neither a range (`1..100`), a list (`a|b|c`), `file:PATH`, `counter`, `uuid` nor `text:16`"
            ));
        }
    };
    Ok(draw)
}

/// `1..100`, `001..100` (with zeros in front), or `1000..`: first, last, least width.
fn parse_range(text: &str) -> Result<(u64, Option<u64>, u8), String> {
    let wrong = || format!("`{text}` is not a range such as `1..10000`");
    let number = |text: &str| {
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u64>()
            .ok()
            .filter(|it| digits && *it <= MOST_NUMBER)
    };
    let (low, high) = text.split_once("..").ok_or_else(wrong)?;
    let first = number(low).ok_or_else(wrong)?;
    let last = match high {
        "" => None,
        high => Some(number(high).ok_or_else(wrong)?),
    };
    if last.is_some_and(|last| last < first) {
        return Err(format!("the range `{text}` ends before it begins"));
    }
    let padded = low.len() > 1 && low.starts_with('0') && low.len() <= 20;
    let width = if padded { low.len() as u8 } else { 0 };
    Ok((first, last, width))
}

/// So that a counter never overflows.
const MOST_NUMBER: u64 = 1 << 62;

#[cfg(test)]
mod tests;

//! What is wrong with a scenario, and where: how problems are gathered and shown.
//!
//! Everything that checks adds to one [`Report`]; nothing stops at the first problem. Invariant: a literal secret is
//! never shown, even when the problem is on its line.

use std::fmt::Write as _;
use std::ops::Range;

/// One thing that is wrong with a scenario or a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or the flag; `None`: nowhere in particular.
    pub file: Option<String>,
    /// 1 is the first; 0 without a file.
    pub line: usize,
    /// In characters; 1 is the first; 0 without a file.
    pub column: usize,
    /// What is wrong, as a clause without a full stop.
    pub message: String,
    /// What was expected, what was perhaps meant, how to put it right: one line each.
    pub notes: Vec<String>,
    /// All of it as it is shown, with the source line underlined; ends with a newline.
    pub text: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.text.trim_end())
    }
}

impl std::error::Error for Problem {}

/// All problems as an operator reads them, with their count in the last line.
pub fn show(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        out.push_str(&problem.text);
        out.push('\n');
    }
    match problems.len() {
        1 => out.push_str("1 problem\n"),
        count => {
            let _ = writeln!(out, "{count} problems");
        }
    }
    out
}

/// Some bytes of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Index into the report's texts.
    pub text: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

/// A text that problems point into.
struct Text {
    /// As shown before the line number.
    name: String,
    text: String,
    /// The bytes that hold secrets.
    hidden: Vec<Range<usize>>,
}

/// A problem before it is shown.
#[derive(Debug)]
pub(super) struct Fault {
    /// `None`: nowhere in particular.
    pub place: Option<Place>,
    pub message: String,
    pub notes: Vec<String>,
}

impl Fault {
    /// A problem at a place.
    pub(super) fn at(place: Place, message: impl Into<String>) -> Fault {
        Fault {
            place: Some(place),
            message: message.into(),
            notes: Vec::new(),
        }
    }

    /// A problem of the whole.
    pub(super) fn nowhere(message: impl Into<String>) -> Fault {
        Fault {
            place: None,
            message: message.into(),
            notes: Vec::new(),
        }
    }

    /// Adds a note.
    #[must_use]
    pub(super) fn note(mut self, note: impl Into<String>) -> Fault {
        self.notes.push(note.into());
        self
    }

    /// Adds `did you mean` when one of the words is near.
    #[must_use]
    pub(super) fn meant<'w>(self, word: &str, words: impl IntoIterator<Item = &'w str>) -> Fault {
        match nearest(word, words) {
            Some(near) => self.note(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

/// The texts and everything that was found wrong in them.
#[derive(Default)]
pub(super) struct Report {
    texts: Vec<Text>,
    faults: Vec<Fault>,
}

impl Report {
    /// Takes a text in; gives the place of all of it.
    pub(super) fn text(&mut self, name: impl Into<String>, text: &str) -> Place {
        self.texts.push(Text {
            name: name.into(),
            text: text.to_owned(),
            hidden: Vec::new(),
        });
        Place {
            text: self.texts.len() - 1,
            start: 0,
            end: text.len(),
        }
    }

    /// Takes note of a problem.
    pub(super) fn add(&mut self, fault: Fault) {
        self.faults.push(fault);
    }

    /// From now on nothing shows these bytes.
    pub(super) fn hide(&mut self, place: Place) {
        self.texts[place.text].hidden.push(place.start..place.end);
    }

    /// The bytes of a place.
    pub(super) fn source(&self, place: Place) -> &str {
        let text = &self.texts[place.text].text;
        text.get(place.start..place.end).unwrap_or_default()
    }

    /// How many problems there are.
    pub(super) fn len(&self) -> usize {
        self.faults.len()
    }

    /// The problems in the order of the texts.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.faults
            .sort_by_key(|fault| (fault.place.is_none(), fault.place));
        // What all requests share is told by each of them.
        self.faults
            .dedup_by(|a, b| a.place == b.place && a.message == b.message);
        self.faults.iter().map(|it| self.shown(it)).collect()
    }

    fn shown(&self, fault: &Fault) -> Problem {
        let mut problem = Problem {
            file: None,
            line: 0,
            column: 0,
            message: fault.message.clone(),
            notes: fault.notes.clone(),
            text: String::new(),
        };
        let out = &mut problem.text;
        let Some(place) = fault.place else {
            let _ = writeln!(out, "error: {}", fault.message);
            for note in &fault.notes {
                let _ = writeln!(out, "  = {note}");
            }
            return problem;
        };
        let text = &self.texts[place.text];
        let at = locate(&text.text, place.start);
        let line = visible(text, at.start..at.end);
        let marked = text.text.get(place.start..place.end.min(at.end));
        let carets = "^".repeat(marked.unwrap_or_default().chars().count().max(1));
        let gutter = " ".repeat(at.line.to_string().len());
        let indent = " ".repeat(at.column - 1);
        let (number, column, name) = (at.line, at.column, &text.name);
        let _ = writeln!(out, "{name}:{number}:{column}: error: {}", fault.message);
        let _ = writeln!(
            out,
            "{gutter} |\n{number} | {line}\n{gutter} | {indent}{carets}"
        );
        for note in &fault.notes {
            let _ = writeln!(out, "{gutter} = {note}");
        }
        problem.file = Some(name.clone());
        (problem.line, problem.column) = (number, column);
        problem
    }
}

/// Where a byte lies.
struct Location {
    /// 1 is the first.
    line: usize,
    /// In characters; 1 is the first.
    column: usize,
    /// The bytes of the line, without its end.
    start: usize,
    end: usize,
}

fn locate(text: &str, byte: usize) -> Location {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    let start = text[..byte].rfind('\n').map_or(0, |newline| newline + 1);
    let end = text[byte..]
        .find('\n')
        .map_or(text.len(), |newline| byte + newline);
    Location {
        line: text[..start].matches('\n').count() + 1,
        column: text[start..byte].chars().count() + 1,
        start,
        end,
    }
}

/// The line as it may be shown: secrets starred out, tabs as single spaces so that carets line up.
fn visible(text: &Text, line: Range<usize>) -> String {
    let bytes = text.text.get(line.clone()).unwrap_or_default();
    let shown = bytes.char_indices().map(|(offset, c)| {
        let byte = line.start + offset;
        match c {
            _ if text.hidden.iter().any(|range| range.contains(&byte)) => '*',
            c if c.is_control() => ' ',
            c => c,
        }
    });
    shown.collect::<String>().trim_end().to_owned()
}

/// The word that is most like the given one, if one is like it at all.
pub(super) fn nearest<'w>(word: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let lower = word.to_ascii_lowercase();
    let bound = (lower.chars().count() / 3).clamp(1, 3);
    let near = words.into_iter().filter(|it| *it != word).map(|it| {
        let apart = strsim::osa_distance(&lower, &it.to_ascii_lowercase());
        // A part of a word, such as `status` of `expect_status`, counts as the farthest that is near.
        let part = lower.len() >= 3 && it.contains(&lower);
        (if part { apart.min(bound) } else { apart }, it)
    });
    near.filter(|(apart, _)| *apart <= bound)
        .min_by_key(|(apart, _)| *apart)
        .map(|(_, it)| it)
}

#[cfg(test)]
mod tests;

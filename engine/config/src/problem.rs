//! What is wrong with a configuration, and where: places, problems, and how they are shown.
//!
//! Everything that checks adds to one [`Report`]; nothing stops at the first problem. Invariant:
//! what is rendered never shows the value of a secret key, even when the problem is on its line.

use std::fmt::Write as _;
use std::ops::Range;
use std::path::PathBuf;

/// Some bytes of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// Index into the report's texts.
    pub text: usize,
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Place {
    /// The part of it that the range, counted from its start, covers.
    pub(crate) fn part(self, range: &Range<usize>) -> Place {
        Place {
            start: (self.start + range.start).min(self.end),
            end: (self.start + range.end).min(self.end),
            ..self
        }
    }
}

/// A text that problems point into: a file, a `--set`, or an environment variable.
pub(crate) struct Text {
    /// As shown before the line number.
    pub name: String,
    /// All of it.
    pub text: String,
    /// What relative paths in it start from.
    pub folder: PathBuf,
    /// The bytes that hold secrets.
    pub hidden: Vec<Range<usize>>,
}

/// One thing that is wrong.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// Where; `None`: nowhere in particular.
    pub place: Option<Place>,
    /// What, as a clause without a full stop.
    pub message: String,
    /// What was expected, what was perhaps meant, how to put it right: one line each.
    pub notes: Vec<String>,
}

impl Problem {
    /// A problem at a place.
    pub(crate) fn at(place: Place, message: impl Into<String>) -> Problem {
        Problem {
            place: Some(place),
            message: message.into(),
            notes: Vec::new(),
        }
    }

    /// A problem of the whole.
    pub(crate) fn nowhere(message: impl Into<String>) -> Problem {
        Problem {
            place: None,
            message: message.into(),
            notes: Vec::new(),
        }
    }

    /// Adds a note.
    #[must_use]
    pub(crate) fn note(mut self, note: impl Into<String>) -> Problem {
        self.notes.push(note.into());
        self
    }

    /// Adds `did you mean` when one of the words is near.
    #[must_use]
    pub(crate) fn meant<'w>(self, word: &str, words: impl IntoIterator<Item = &'w str>) -> Problem {
        match nearest(word, words) {
            Some(near) => self.note(format!("did you mean `{near}`?")),
            None => self,
        }
    }
}

/// The texts and everything that was found wrong in them.
#[derive(Default)]
pub(crate) struct Report {
    /// What places point into.
    pub texts: Vec<Text>,
    /// What must be put right.
    pub errors: Vec<Problem>,
    /// What is right but looks like a mistake.
    pub warnings: Vec<Problem>,
}

impl Report {
    /// Takes note of an error.
    pub(crate) fn error(&mut self, problem: Problem) {
        self.errors.push(problem);
    }

    /// Takes note of a warning.
    pub(crate) fn warn(&mut self, problem: Problem) {
        self.warnings.push(problem);
    }

    /// `file:line` of a place, for notes that point elsewhere.
    pub(crate) fn line_of(&self, place: Place) -> String {
        let text = &self.texts[place.text];
        format!("{}:{}", text.name, locate(&text.text, place.start).line)
    }

    /// The errors as the caller gets them, in the order of the texts.
    pub(crate) fn into_problems(mut self) -> Problems {
        self.errors.sort_by_key(order);
        let list = self
            .errors
            .iter()
            .map(|p| self.render(p, "error"))
            .collect();
        Problems { list }
    }

    /// The warnings as text, in the order of the texts.
    pub(crate) fn rendered_warnings(&mut self) -> Vec<String> {
        self.warnings.sort_by_key(order);
        let shown = self.warnings.iter().map(|p| self.render(p, "warning").text);
        shown.collect()
    }

    fn render(&self, problem: &Problem, severity: &'static str) -> Shown {
        let mut shown = Shown {
            file: None,
            line: 0,
            column: 0,
            message: problem.message.clone(),
            notes: problem.notes.clone(),
            text: String::new(),
        };
        let out = &mut shown.text;
        let Some(place) = problem.place else {
            let _ = writeln!(out, "{severity}: {}", problem.message);
            for note in &problem.notes {
                let _ = writeln!(out, "  = {note}");
            }
            return shown;
        };
        let text = &self.texts[place.text];
        let at = locate(&text.text, place.start);
        let line = visible(text, &at);
        let width = text
            .text
            .get(place.start..place.end.min(at.end))
            .unwrap_or_default();
        let carets = "^".repeat(width.chars().count().max(1));
        let gutter = " ".repeat(at.line.to_string().len());
        let indent = " ".repeat(at.column - 1);
        let _ = writeln!(
            out,
            "{}:{}:{}: {severity}: {}",
            text.name, at.line, at.column, problem.message
        );
        let _ = writeln!(
            out,
            "{gutter} |\n{} | {line}\n{gutter} | {indent}{carets}",
            at.line
        );
        for note in &problem.notes {
            let _ = writeln!(out, "{gutter} = {note}");
        }
        (shown.file, shown.line, shown.column) = (Some(text.name.clone()), at.line, at.column);
        shown
    }
}

fn order(problem: &Problem) -> (bool, Option<Place>) {
    (problem.place.is_none(), problem.place)
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
fn visible(text: &Text, at: &Location) -> String {
    let line = text.text.get(at.start..at.end).unwrap_or_default();
    let shown = line.char_indices().map(|(offset, c)| {
        let byte = at.start + offset;
        match c {
            _ if text.hidden.iter().any(|range| range.contains(&byte)) => '*',
            c if c.is_control() => ' ',
            c => c,
        }
    });
    shown.collect::<String>().trim_end().to_owned()
}

/// Everything that is wrong with a configuration. Its `Display` is what an operator reads.
#[derive(Debug, Clone)]
pub struct Problems {
    list: Vec<Shown>,
}

/// One problem, ready to be shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The file; `None`: the problem is nowhere in particular.
    pub file: Option<String>,
    /// 1 is the first; 0 without a file.
    pub line: usize,
    /// In characters; 1 is the first; 0 without a file.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What was expected, what was perhaps meant, how to put it right.
    pub notes: Vec<String>,
    /// All of it, with the source line underlined.
    pub text: String,
}

impl Problems {
    /// Each of them, in the order of the files.
    pub fn iter(&self) -> impl Iterator<Item = &Shown> {
        self.list.iter()
    }

    /// How many; at least 1.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none, which a failed load never gives.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// For programs: a JSON list of `{file, line, column, message, notes}`.
    pub fn to_json(&self) -> String {
        let list = self.list.iter().map(|shown| {
            serde_json::json!({
                "file": shown.file, "line": shown.line, "column": shown.column,
                "message": shown.message, "notes": shown.notes,
            })
        });
        serde_json::Value::Array(list.collect()).to_string()
    }
}

impl std::fmt::Display for Problems {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for shown in &self.list {
            writeln!(f, "{}", shown.text)?;
        }
        match self.list.len() {
            1 => f.write_str("1 problem"),
            count => write!(f, "{count} problems"),
        }
    }
}

impl std::error::Error for Problems {}

/// The word that is most like the given one, if one is like it at all.
pub(crate) fn nearest<'w>(word: &str, words: impl IntoIterator<Item = &'w str>) -> Option<&'w str> {
    let lower = word.to_ascii_lowercase();
    let bound = (word.chars().count() / 3).clamp(1, 3);
    let words: Vec<&str> = words.into_iter().collect();
    let longer = |candidate: &&&str| lower.len() >= 3 && candidate.contains(&lower);
    words
        .iter()
        .copied()
        .map(|candidate| {
            (
                strsim::osa_distance(&lower, &candidate.to_ascii_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| *distance <= bound && *candidate != word)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
        .or_else(|| words.iter().find(longer).copied())
}

#[cfg(test)]
mod tests;

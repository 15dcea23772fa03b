//! One TOML text, taken apart into flat sections with the place of every key and value.
//!
//! The tokens and the recovery from errors are toml_parser's, so that one pass finds every error of
//! syntax. What the words mean lives in `said.rs`. Invariant: what is not flat (arrays of tables,
//! nested or inline tables, dotted keys) never leaves this file, except as a problem.

use crate::problem::{Place, Problem, Report};
use policy_keys::Raw;
use std::ops::Range;
use toml_parser::decoder::ScalarKind;
use toml_parser::parser::{Event, EventKind, ValidateWhitespace, parse_document};
use toml_parser::{ParseError, Source, Span};

mod lists;
mod syntax;
mod twins;

use lists::{blank, unclosed_list};
use syntax::unquoted;
pub(crate) use twins::refuse_twins;

/// A word and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub text: String,
    pub place: Place,
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Given {
    /// `None`: it was so wrong that its problem has been told.
    pub raw: Option<Raw>,
    /// The whole value.
    pub place: Place,
    /// Each item, when it is a list.
    pub items: Vec<Place>,
}

/// `key = value`.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub key: Word,
    pub value: Given,
}

/// `[kind.name]` and what stands below it.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// One or two words.
    pub header: Vec<Word>,
    pub place: Place,
    pub entries: Vec<Entry>,
}

/// Takes a text of the report apart; problems go to the report.
pub(crate) fn tables(report: &mut Report, text: usize) -> Vec<Table> {
    let mut input = report.texts[text].text.clone();
    let mut broken = Vec::new();
    // A list that is never closed swallows what follows it: it is told, taken out, and the rest
    // is looked at again. Each round takes at least one bracket out.
    while let Some(list) = unclosed_list(&input) {
        let place = Place {
            text,
            start: list.start,
            end: list.start + 1,
        };
        report.error(Problem::at(place, "this list is not closed").note("expected `]`"));
        blank(&mut input, &list);
        broken.push(list.start);
    }
    let source = Source::new(&input);
    let (events, errors) = parsed(source);
    let mut reader = Reader {
        source,
        events: &events,
        at: 0,
        text,
        report,
        tables: Vec::new(),
        skipping: false,
        broken,
    };
    for error in &errors {
        reader.syntax(error);
    }
    reader.document();
    reader.tables
}

fn parsed(source: Source<'_>) -> (Vec<Event>, Vec<ParseError>) {
    let tokens = source.lex().into_vec();
    let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
    let mut errors: Vec<ParseError> = Vec::new();
    parse_document(
        &tokens,
        &mut ValidateWhitespace::new(&mut events, source),
        &mut errors,
    );
    events.retain(|event| {
        !matches!(
            event.kind(),
            EventKind::Whitespace | EventKind::Comment | EventKind::Newline
        )
    });
    errors.dedup();
    (events, errors)
}

struct Reader<'e, 's> {
    source: Source<'s>,
    events: &'e [Event],
    at: usize,
    text: usize,
    report: &'e mut Report,
    tables: Vec<Table>,
    /// Below a header that was refused: its entries are read and forgotten.
    skipping: bool,
    /// Where values begin whose problem has been told already.
    broken: Vec<usize>,
}

impl Reader<'_, '_> {
    fn document(&mut self) {
        while let Some(event) = self.events.get(self.at) {
            match event.kind() {
                EventKind::StdTableOpen => self.header(EventKind::StdTableClose),
                EventKind::ArrayTableOpen => self.header(EventKind::ArrayTableClose),
                EventKind::SimpleKey => self.entry(),
                _ => self.at += 1,
            }
        }
    }

    fn place(&self, span: Range<usize>) -> Place {
        Place {
            text: self.text,
            start: span.start,
            end: span.end,
        }
    }

    fn next(&mut self, kind: EventKind) -> Option<Event> {
        let event = *self
            .events
            .get(self.at)
            .filter(|event| event.kind() == kind)?;
        self.at += 1;
        Some(event)
    }

    /// Dotted words, as in headers and before `=`.
    fn words(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        while let Some(event) = self.next(EventKind::SimpleKey) {
            let mut text = std::borrow::Cow::Borrowed("");
            let mut errors: Vec<ParseError> = Vec::new();
            if let Some(raw) = self.source.get(event) {
                raw.decode_key(&mut text, &mut errors);
            }
            errors.iter().for_each(|error| self.syntax(error));
            let span = event.span();
            words.push(Word {
                text: text.into_owned(),
                place: self.place(span.start()..span.end()),
            });
            if self.next(EventKind::KeySep).is_none() {
                break;
            }
        }
        words
    }

    /// `[kind.name]`, or `[[…]]`, which is refused.
    fn header(&mut self, close: EventKind) {
        let start = self.events[self.at].span().start();
        self.at += 1;
        let header = self.words();
        let end = match self.next(close) {
            Some(event) => event.span().end(),
            None => header.last().map_or(start + 1, |word| word.place.end),
        };
        let place = self.place(start..end);
        self.skipping = true;
        if close == EventKind::ArrayTableClose {
            let name: Vec<&str> = header.iter().map(|word| word.text.as_str()).collect();
            let note = format!("write [{}]", name.join("."));
            self.report
                .error(Problem::at(place, "there are no arrays of tables here").note(note));
            return;
        }
        if header.is_empty() {
            return;
        }
        self.skipping = false;
        self.tables.push(Table {
            header,
            place,
            entries: Vec::new(),
        });
    }

    /// `key = value`.
    fn entry(&mut self) {
        let mut words = self.words();
        if self.next(EventKind::KeyValSep).is_none() {
            return;
        }
        let value = self.value();
        let Some(key) = words.pop() else { return };
        if let Some(first) = words.first() {
            let place = Place {
                end: key.place.end,
                ..first.place
            };
            self.report.error(
                Problem::at(place, "keys have no dots here")
                    .note("write the section as [kind.name] and the key below it"),
            );
            return;
        }
        if self.skipping {
            return;
        }
        match self.tables.last_mut() {
            Some(table) => table.entries.push(Entry { key, value }),
            None => self.report.error(
                Problem::at(
                    key.place,
                    format!("`{}` stands before the first section", key.text),
                )
                .note("sections begin with [kind.name], or [gateway] or [admin]"),
            ),
        }
    }

    fn value(&mut self) -> Given {
        let here = match self.events.get(self.at) {
            Some(event) => event.span(),
            None => Span::new_unchecked(self.source.input().len(), self.source.input().len()),
        };
        let place = self.place(here.start()..here.end());
        let broken = Given {
            raw: None,
            place,
            items: Vec::new(),
        };
        match self.events.get(self.at).map(Event::kind) {
            Some(EventKind::Scalar | EventKind::ArrayOpen)
                if self.broken.contains(&place.start) =>
            {
                self.skip_nested();
                broken
            }
            Some(EventKind::Scalar) => {
                let event = self.events[self.at];
                self.at += 1;
                Given {
                    raw: self.scalar(event, place),
                    ..broken
                }
            }
            Some(EventKind::ArrayOpen) => self.list(place),
            Some(EventKind::InlineTableOpen) => {
                let end = self.skip_nested();
                let place = Place { end, ..place };
                self.report.error(
                    Problem::at(place, "there are no nested tables here")
                        .note("values are strings, numbers, booleans and lists of strings"),
                );
                Given { place, ..broken }
            }
            _ => broken,
        }
    }

    fn list(&mut self, open: Place) -> Given {
        self.at += 1;
        let mut raw = Some(Vec::new());
        let (mut items, mut end) = (Vec::new(), open.end);
        while let Some(event) = self.events.get(self.at).copied() {
            let span = event.span();
            let place = self.place(span.start()..span.end());
            match event.kind() {
                EventKind::ArrayClose => {
                    self.at += 1;
                    end = span.end();
                    break;
                }
                EventKind::Scalar => {
                    self.at += 1;
                    items.push(place);
                    let item = self.scalar(event, place);
                    raw = raw.zip(item).map(|(mut list, item)| {
                        list.push(item);
                        list
                    });
                    end = span.end();
                }
                EventKind::ArrayOpen | EventKind::InlineTableOpen => {
                    end = self.skip_nested();
                    raw = None;
                    self.report.error(Problem::at(
                        Place { end, ..place },
                        "lists hold only strings here",
                    ));
                }
                EventKind::ValueSep => self.at += 1,
                // The list was never closed, or holds what is no value; its problem has been told.
                EventKind::Error => {
                    self.at += 1;
                    raw = None;
                }
                _ => {
                    raw = None;
                    break;
                }
            }
        }
        Given {
            raw: raw.map(Raw::List),
            place: Place { end, ..open },
            items,
        }
    }

    /// Steps over a nested list or table; gives its end.
    fn skip_nested(&mut self) -> usize {
        let (mut depth, mut end) = (0usize, 0);
        while let Some(event) = self.events.get(self.at) {
            self.at += 1;
            end = event.span().end();
            match event.kind() {
                EventKind::ArrayOpen | EventKind::InlineTableOpen => depth += 1,
                EventKind::ArrayClose | EventKind::InlineTableClose => {
                    depth = depth.saturating_sub(1)
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
        end
    }

    fn scalar(&mut self, event: Event, place: Place) -> Option<Raw> {
        let raw = self.source.get(event)?;
        let mut text = std::borrow::Cow::Borrowed("");
        let mut errors: Vec<ParseError> = Vec::new();
        let kind = raw.decode_scalar(&mut text, &mut errors);
        let quoted = raw.as_str().starts_with(['"', '\'']);
        if !errors.is_empty() {
            match quoted {
                true => errors.iter().for_each(|error| self.syntax(error)),
                false => self.report.error(unquoted(place, raw.as_str())),
            }
            return None;
        }
        let wide = || Problem::at(place, format!("`{}` is too large a number", raw.as_str()));
        match kind {
            ScalarKind::String => Some(Raw::Text(text.into_owned())),
            ScalarKind::Boolean(value) => Some(Raw::Boolean(value)),
            ScalarKind::Integer(radix) => match i64::from_str_radix(&text, radix.value()) {
                Ok(value) => Some(Raw::Integer(value)),
                Err(_) => {
                    self.report.error(wide());
                    None
                }
            },
            ScalarKind::Float => text.parse().ok().map(Raw::Number),
            ScalarKind::DateTime => {
                self.report.error(unquoted(place, raw.as_str()));
                None
            }
        }
    }
}

/// Reads one TOML list, for overlays; `None` when it is none.
pub(crate) fn list(text: &str) -> Option<Raw> {
    let mut report = Report::default();
    report.texts.push(crate::problem::Text {
        name: String::new(),
        text: format!("[a]\nb = {text}"),
        folder: Default::default(),
        hidden: Vec::new(),
    });
    let mut tables = tables(&mut report, 0);
    let entry = tables.pop()?.entries.pop()?;
    entry
        .value
        .raw
        .filter(|raw| report.errors.is_empty() && matches!(raw, Raw::List(_)))
}

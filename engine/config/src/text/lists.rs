//! Lists that are never closed: found and taken out, so that the rest of a text can be looked at.
//!
//! toml_parser goes on inside such a list to the end of the text, and complains about every line of
//! it. Invariant: taking a list out moves no other byte, so that places stay right.

use super::parsed;
use std::ops::Range;
use toml_parser::parser::EventKind;
use toml_parser::{Source, Span};

/// The first list that runs into the next `key =` or into the end of the text: from its bracket to
/// the end of the line before, or of its own line.
pub(super) fn unclosed_list(input: &str) -> Option<Range<usize>> {
    let (events, errors) = parsed(Source::new(input));
    let error = errors.iter().find(|error| {
        matches!(
            error.description(),
            "unexpected `=` in array" | "unclosed array"
        )
    })?;
    let stop = error.unexpected().map_or(input.len(), |span| span.start());
    let before = events.iter().filter(|event| event.span().start() < stop);
    let mut open: Vec<Span> = Vec::new();
    for event in before {
        match event.kind() {
            EventKind::ArrayOpen => open.push(event.span()),
            EventKind::ArrayClose => {
                open.pop();
            }
            _ => {}
        }
    }
    let start = open.first()?.start();
    let line = input[..stop].rfind('\n').map_or(0, |newline| newline + 1);
    let end = match line > start {
        true => line,
        false => input[stop..]
            .find('\n')
            .map_or(input.len(), |newline| stop + newline),
    };
    Some(start..end)
}

/// Puts an empty list and blanks in the place of some bytes, all other bytes staying where they are.
pub(super) fn blank(input: &mut String, range: &Range<usize>) {
    let blanks: String = input[range.clone()]
        .bytes()
        .map(|byte| if byte == b'\n' { '\n' } else { ' ' })
        .collect();
    let filled = match blanks.strip_prefix("  ") {
        Some(rest) => format!("[]{rest}"),
        None => format!("0{}", &blanks[1..]),
    };
    input.replace_range(range.clone(), &filled);
}

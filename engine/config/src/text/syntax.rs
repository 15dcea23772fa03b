//! Errors of syntax in our words, where the parser's own would not tell an operator what to write.

use super::Reader;
use crate::problem::{Place, Problem};
use toml_parser::{Expected, ParseError};

impl Reader<'_, '_> {
    /// Tells an error of the parser.
    pub(super) fn syntax(&mut self, error: &ParseError) {
        let end = self.source.input().len();
        let span = error.unexpected().or(error.context());
        let span = span.map_or(end..end, |span| span.start()..span.end());
        let message = match error.description() {
            "invalid basic string" | "invalid literal string"
                if error.expected().is_some_and(closes_a_string) =>
            {
                "this string is not closed"
            }
            other => other,
        };
        let mut problem = Problem::at(self.place(span), message);
        let expected: Vec<String> = error
            .expected()
            .unwrap_or_default()
            .iter()
            .map(expectation)
            .collect();
        if !expected.is_empty() {
            problem = problem.note(format!("expected {}", expected.join(", ")));
        }
        self.report.error(problem);
    }
}

/// A value that needs quotes, or is not there.
pub(super) fn unquoted(place: Place, text: &str) -> Problem {
    if text.is_empty() {
        return Problem::at(place, "here a value is missing");
    }
    Problem::at(place, "a string needs quotes").note(format!("write \"{text}\""))
}

fn closes_a_string(expected: &[Expected]) -> bool {
    matches!(expected, [Expected::Literal("\"" | "'")])
}

fn expectation(expected: &Expected) -> String {
    match expected {
        Expected::Literal("\n") => "the end of the line".to_owned(),
        Expected::Literal(literal) => format!("`{literal}`"),
        Expected::Description(words) => (*words).to_owned(),
        _ => String::new(),
    }
}

//! What a value is before and after it is understood: [`Raw`] as the text gives it, a [`Value`] as
//! the key means it, and a [`Mismatch`] when the one is not the other.
//!
//! The types themselves live in `value/`, one file each, with their parse errors.

use std::ops::Range;

pub(crate) mod address;
pub(crate) mod choice;
pub(crate) mod cidr;
pub(crate) mod duration;
pub(crate) mod name;
pub(crate) mod plain;
pub(crate) mod rate;
pub(crate) mod secret;
pub(crate) mod size;
pub(crate) mod subject;

/// A value as the text gives it, before any key says what it should be.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// A string.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction or an exponent.
    Number(f64),
    /// `true` or `false`.
    Boolean(bool),
    /// A list.
    List(Vec<Raw>),
}

impl Raw {
    /// What kind of value this is, with its article, for "expected …, found …".
    pub fn kind(&self) -> &'static str {
        match self {
            Raw::Text(_) => "a string",
            Raw::Integer(_) => "an integer",
            Raw::Number(_) => "a number",
            Raw::Boolean(_) => "a boolean",
            Raw::List(_) => "a list",
        }
    }
}

/// The TOML form a value takes; also its type in the JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A string.
    Text,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// A list of strings.
    List,
    /// A whole number, or a string with a unit.
    IntegerOrText,
}

/// What a value type looks like from outside: for the reference, the schema and error messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// The TOML form.
    pub form: Form,
    /// One or two words for the type column of the reference: `duration`.
    pub what: &'static str,
    /// With article and example, for messages: `a duration such as "250ms", "5s" or "1m"`.
    pub expected: &'static str,
    /// A regular expression (ECMA dialect) that every right text matches; empty: none.
    pub pattern: &'static str,
    /// The right words, when the value is one of a few; empty otherwise.
    pub choices: &'static [&'static str],
    /// Whether `${ENV}` and `file:path` are expanded, and the value is never shown.
    pub secret: bool,
}

impl Shape {
    /// A string of the given description.
    pub const fn text(what: &'static str, expected: &'static str, pattern: &'static str) -> Shape {
        Shape {
            form: Form::Text,
            what,
            expected,
            pattern,
            choices: &[],
            secret: false,
        }
    }
}

/// Why a raw value is not what its key wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Mismatch {
    /// What is wrong, as a whole clause: `"5x" is not a duration`.
    pub what: String,
    /// What was expected; empty when `what` already says it.
    pub expected: String,
    /// How to put it right, when that is clear: `write "5s"`.
    pub hint: Option<String>,
    /// Which item of a list.
    pub item: Option<u32>,
    /// Which bytes of the text, when only a part of it is wrong.
    pub at: Option<Range<usize>>,
    /// What the misspelt text (of the item, or its part `at`) might have been: the reader picks the
    /// nearest. Empty: nothing in particular.
    pub candidates: &'static [&'static str],
}

impl Mismatch {
    /// A mismatch that says what is wrong.
    pub fn new(what: impl Into<String>) -> Mismatch {
        Mismatch {
            what: what.into(),
            ..Mismatch::default()
        }
    }

    /// The value has another form than the one expected.
    pub fn form(shape: &Shape, found: &Raw) -> Mismatch {
        Mismatch::new(format!(
            "expected {}, found {}",
            shape.expected,
            found.kind()
        ))
    }

    /// A text of the right form that does not say what the shape wants.
    pub fn text(shape: &Shape, text: &str) -> Mismatch {
        Mismatch {
            what: format!("`{text}` is not a valid {}", shape.what),
            expected: shape.expected.to_owned(),
            ..Mismatch::default()
        }
    }

    /// Adds what was expected.
    #[must_use]
    pub fn expected(mut self, expected: impl Into<String>) -> Mismatch {
        self.expected = expected.into();
        self
    }

    /// Adds how to put it right.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Mismatch {
        self.hint = Some(hint.into());
        self
    }

    /// Narrows the complaint to some bytes of the text.
    #[must_use]
    pub fn at(mut self, at: Range<usize>) -> Mismatch {
        self.at = Some(at);
        self
    }

    /// Puts the complaint on one item of a list.
    #[must_use]
    pub fn item(mut self, item: usize) -> Mismatch {
        self.item = u32::try_from(item).ok();
        self
    }
}

/// A type that a key can have.
pub trait Value: Sized {
    /// How the value looks from outside.
    const SHAPE: Shape;

    /// Understands a raw value.
    fn read(raw: &Raw) -> Result<Self, Mismatch>;

    /// Understands a raw value and tells every mismatch; lists have one per wrong item.
    fn read_all(raw: &Raw, tell: &mut dyn FnMut(Mismatch)) -> Option<Self> {
        Self::read(raw).map_err(tell).ok()
    }

    /// Whether the value lies in `low..=high`, both written as in a file. Types without an order
    /// accept everything.
    fn within(&self, _low: &str, _high: &str) -> bool {
        true
    }
}

/// The text of a raw value, or the mismatch of form.
pub(crate) fn text<'r>(shape: &Shape, raw: &'r Raw) -> Result<&'r str, Mismatch> {
    match raw {
        Raw::Text(text) => Ok(text),
        other => Err(Mismatch::form(shape, other)),
    }
}

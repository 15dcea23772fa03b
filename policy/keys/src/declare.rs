//! [`keys!`]: one declaration per key, from which everything else about the key is derived.
//!
//! What the macro makes is plain: a struct with one documented field per key, its [`Scope`] as data,
//! and a `read` that takes every key from a [`Section`] and hands each problem back to it.

use crate::value::{Mismatch, Raw, Shape, Value};

/// When a changed value takes effect on a reload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Apply {
    /// With the next request.
    Request,
    /// With the next connection.
    Connection,
    /// Only when the process starts.
    Start,
}

/// Whether a key must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Its absence is an error.
    Required,
    /// Its absence means something of its own (no bound, none, the doc comment says).
    Optional,
    /// Its absence means this value, written as in a file.
    Default(&'static str),
}

/// All there is to know about one key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// As it stands in a file.
    pub name: &'static str,
    /// What it does: the doc comment.
    pub doc: &'static str,
    /// What its value looks like.
    pub shape: Shape,
    /// Whether it must be there.
    pub need: Need,
    /// Least and greatest value, written as in a file; an empty greatest value is no bound.
    pub range: Option<(&'static str, &'static str)>,
    /// When a change takes effect.
    pub apply: Apply,
}

/// All there is to know about one kind of section.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The word before the dot: `listener`.
    pub kind: &'static str,
    /// The value of `kind =` that selects this scope among several of one kind; empty: the only one.
    pub variant: &'static str,
    /// Whether sections of this kind bear names.
    pub named: bool,
    /// What the section is: the doc comment.
    pub doc: &'static str,
    /// Its keys, in the order of the reference.
    pub keys: &'static [Key],
    /// Keys that are known words and not built yet.
    pub later: &'static [&'static str],
}

/// Where a scope's values come from and its problems go: one section of a configuration.
pub trait Section {
    /// The value of a key as the text gives it, secrets already expanded; `None` when it is absent
    /// (or so wrong that its problem has been told already).
    fn value(&mut self, key: &'static Key) -> Option<Raw>;

    /// Takes note that a key's value is wrong.
    fn mismatch(&mut self, key: &'static Key, mismatch: Mismatch);

    /// Takes note that a required key is absent. Not called for one that is there but wrong.
    fn missing(&mut self, key: &'static Key);

    /// Whether the key is there at all, right or wrong.
    fn has(&self, key: &'static Key) -> bool;
}

/// Reads a key that may be absent. A wrong value is told to the section and counts as absent.
pub fn optional<T: Value>(section: &mut dyn Section, key: &'static Key) -> Option<T> {
    let raw = section.value(key)?;
    let value = T::read_all(&raw, &mut |mismatch| section.mismatch(key, mismatch))?;
    match key.range {
        Some((low, high)) if !value.within(low, high) => {
            section.mismatch(key, out_of_range(&raw, low, high));
            None
        }
        _ => Some(value),
    }
}

/// Reads a key that must be there. Absent or wrong, it is told to the section, and `None`.
pub fn required<T: Value>(section: &mut dyn Section, key: &'static Key) -> Option<T> {
    if !section.has(key) {
        section.missing(key);
    }
    optional(section, key)
}

/// Reads a key that has a default. A wrong value is told to the section and the default stands in.
pub fn or_default<T: Value>(section: &mut dyn Section, key: &'static Key) -> Option<T> {
    optional(section, key).or_else(|| match key.need {
        Need::Default(text) => T::read(&default_raw(&key.shape, text)).ok(),
        _ => None,
    })
}

/// A default, written as in a file but for its outer quotes, as the raw value it stands for.
fn default_raw(shape: &Shape, text: &str) -> Raw {
    use crate::value::Form;
    match shape.form {
        Form::List => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Raw::List(items.map(|item| Raw::Text(item.to_owned())).collect())
        }
        Form::Boolean => Raw::Boolean(text == "true"),
        Form::Integer | Form::IntegerOrText if text.parse::<i64>().is_ok() => {
            Raw::Integer(text.parse().unwrap_or(0))
        }
        Form::Number if text.parse::<f64>().is_ok() => Raw::Number(text.parse().unwrap_or(0.0)),
        _ => Raw::Text(text.to_owned()),
    }
}

fn out_of_range(raw: &Raw, low: &str, high: &str) -> Mismatch {
    let value = match raw {
        Raw::Text(text) => format!("`{text}`"),
        Raw::Integer(value) => value.to_string(),
        Raw::Number(value) => value.to_string(),
        other => other.kind().to_owned(),
    };
    let expected = match high {
        "" => format!("at least {low}"),
        high => format!("{low} to {high}"),
    };
    Mismatch::new(format!("{value} is out of range")).expected(expected)
}

/// Declares a scope of keys.
///
/// ```
/// policy_keys::keys! {
///     /// A place to listen.
///     pub struct Listener = "listener", named {
///         /// Where to listen.
///         address: required policy_keys::Address,
///         /// The most connections at a time.
///         max_connections: optional u64 where "1", "",
///         /// How long a head may take.
///         header_timeout: default policy_keys::Duration = "10s" where "1ms", "1h",
///     }
///     later { proxy_protocol }
/// }
/// assert_eq!(Listener::SCOPE.keys[2].name, "header_timeout");
/// ```
///
/// Before the struct's brace stand the kind, then `named`, `single` or `named kind "jwt"` (a scope
/// chosen by the key `kind`). A field is `required`, `optional` (both an `Option`: see `read`) or `default`. `@start`
/// and `@connection` before a field's name say when a change takes effect, if not with the next request.
#[macro_export]
macro_rules! keys {
    (
        $(#[doc = $about:literal])+
        $visibility:vis struct $name:ident = $kind:literal, $form:ident $(kind $variant:literal)? {
            $(
                $(#[doc = $doc:literal])+
                $(@$apply:ident)? $field:ident : $need:ident $type:ty
                $(= $default:literal)? $(where $low:literal, $high:literal)?
            ),* $(,)?
        }
        $(later { $($later:ident),* $(,)? })?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        $visibility struct $name {
            $( $(#[doc = $doc])+ $visibility $field: $crate::keys!(@type $need $type), )*
        }

        impl $name {
            /// The declaration as data.
            $visibility const SCOPE: $crate::Scope = $crate::Scope {
                kind: $kind,
                variant: concat!($($variant)?),
                named: $crate::keys!(@named $form),
                doc: concat!($($about, "\n"),+),
                keys: &[$( $crate::Key {
                    name: stringify!($field),
                    doc: concat!($($doc, "\n"),+),
                    shape: <$type as $crate::Value>::SHAPE,
                    need: $crate::keys!(@need $need $($default)?),
                    range: $crate::keys!(@range $($low, $high)?),
                    apply: $crate::keys!(@apply $($apply)?),
                } ),*],
                later: &[$($( stringify!($later) ),*)?],
            };

            /// Reads every key and tells every problem to the section. A required key that is absent
            /// or wrong is `None`, so that the others can still be looked at. `None` as a whole only
            /// when a declared default is no value of its type.
            #[allow(unused_mut, unused_variables, clippy::redundant_closure_call)]
            $visibility fn read(section: &mut dyn $crate::Section) -> Option<Self> {
                const SCOPE: &$crate::Scope = &$name::SCOPE;
                let mut keys = SCOPE.keys.iter();
                $( let $field = $crate::keys!(@read $need)(section, keys.next()?); )*
                Some(Self { $( $field: $crate::keys!(@take $need $field) ),* })
            }
        }
    };
    (@type default $type:ty) => { $type };
    (@type $need:ident $type:ty) => { Option<$type> };
    (@named single) => { false };
    (@named named) => { true };
    (@need required) => { $crate::Need::Required };
    (@need optional) => { $crate::Need::Optional };
    (@need default $default:literal) => { $crate::Need::Default($default) };
    (@range) => { None };
    (@range $low:literal, $high:literal) => { Some(($low, $high)) };
    (@apply) => { $crate::Apply::Request };
    (@apply connection) => { $crate::Apply::Connection };
    (@apply start) => { $crate::Apply::Start };
    (@read required) => { $crate::required };
    (@read optional) => { $crate::optional };
    (@read default) => { $crate::or_default };
    (@take default $field:ident) => { $field? };
    (@take $need:ident $field:ident) => { $field };
}

#[cfg(test)]
mod tests;

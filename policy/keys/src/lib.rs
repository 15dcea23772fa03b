//! How a configuration key is declared, and the types of the values that keys hold.
//!
//! A scope of keys (`[listener.NAME]`) is one [`keys!`] declaration: each key's name, type, default,
//! range, reload class and doc comment stand there once; parser, defaults, reference and schema all
//! read them. What lives elsewhere: files, spans, diagnostics and overlays (`engine-config`).
//! Invariant: this crate is a leaf, does no I/O, and reads no clock or environment.

mod declare;
mod value;

pub use declare::{Apply, Key, Need, Scope, Section, optional, or_default, required};
pub use value::address::Address;
pub use value::choice::one_of;
pub use value::cidr::Cidr;
pub use value::duration::{duration_text, parse_duration};
pub use value::name::Name;
pub use value::rate::Rate;
pub use value::secret::Secret;
pub use value::size::Size;
pub use value::subject::{Subject, SubjectField};
pub use value::{Form, Mismatch, Raw, Shape, Value};

pub use std::time::Duration;

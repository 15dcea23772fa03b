//! The report of a run, and the comparison of several, as one page each.
//!
//! A page needs nothing beside itself: no network, no script; styles and charts are inline, and it follows the reader's
//! light or dark mode. Everything that comes from outside (names, targets, command lines) goes through `escape`.

mod axis;
mod chart;
mod comparison;
mod data;
mod page;
mod report;
mod table;
#[cfg(test)]
mod tests;

pub use comparison::comparison;
pub use report::report;

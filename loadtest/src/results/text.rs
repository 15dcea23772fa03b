//! The final table of a run, for a terminal.

use super::Results;

/// The table.
pub fn text(results: &Results) -> String {
    let _ = results;
    String::new()
}

//! Everything that is measured, by room. A subject's name is its room's, then what it does.
//!
//! The benches in `benches/` each time one list of these; `instructions` counts all of them.

use crate::Subject;

pub mod answers;
pub mod bodies;
pub mod chain;
pub mod edits;
pub mod heads;
pub mod limits;
pub mod paths;
pub mod record;
pub mod routes;

/// All of them.
pub fn all() -> Vec<Subject> {
    let rooms: [fn() -> Vec<Subject>; 9] = [
        heads::all,
        edits::all,
        bodies::all,
        paths::all,
        routes::all,
        chain::all,
        limits::all,
        record::all,
        answers::all,
    ];
    rooms.into_iter().flat_map(|room| room()).collect()
}

//! Routes: which rule a request falls under. A `Table` is compiled once per
//! configuration; a look-up allocates nothing and costs the same with ten rules as
//! with ten thousand (a hash per host and per path segment).
//!
//! Not here: what a route does (engine/config), and how a path becomes canonical
//! (`protocol::message::path`).
//!
//! Invariant: precedence is one total order over (rule, host) pairs, fixed when the
//! table is compiled; whatever the request, the first of that order that fits wins.

mod captures;
mod condition;
mod conflict;
mod host;
mod index;
mod methods;
mod pattern;
mod precedence;
mod rewrite;
mod table;
mod tree;

#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

pub use captures::Captures;
pub use condition::Condition;
pub use conflict::{Conflict, ConflictKind};
pub use host::Host;
pub use methods::AllowedMethods;
pub use pattern::{Pattern, PatternError};
pub use rewrite::{Rewrite, strip_prefix};
pub use table::Table;

use protocol::message::Request;
use std::sync::Arc;

/// What a request must look like to fall under a route: the matching half of a route.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The route's name in the configuration, for messages only.
    pub name: Arc<str>,
    /// Ids of the listeners on which the rule exists; empty means all.
    pub listeners: Vec<u16>,
    /// Hosts of which one must fit; empty means any host, or none.
    pub hosts: Vec<Host>,
    /// The path.
    pub path: Pattern,
    /// Methods of which one must fit, as the request line spells them; `GET`
    /// includes `HEAD`. Empty means all.
    pub methods: Vec<String>,
    /// Header fields, all of which must fit.
    pub headers: Vec<Condition>,
    /// Query parameters, all of which must fit.
    pub query: Vec<Condition>,
    /// A higher priority goes first, whatever else the rules say. The default is 0.
    pub priority: i32,
}

/// What is known of a request when its route is looked up.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// The id of the listener that the connection came in on.
    pub listener: u16,
    /// The request's head: method, fields and query are read from it.
    pub request: Request<'a>,
    /// The host without its port, in any case; empty when the request names none.
    pub host: &'a [u8],
    /// The canonical path, or `*` for the asterisk form.
    pub path: &'a [u8],
}

/// The answer to a look-up.
#[derive(Debug)]
pub enum Found<'t> {
    /// The position of the rule in the slice that the table was compiled from.
    Route(u32),
    /// Nothing fits, but some rule would have with another method.
    MethodNotAllowed {
        /// The methods of all such rules.
        allow: AllowedMethods<'t>,
    },
    /// Nothing fits.
    NotFound,
}

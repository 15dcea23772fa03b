//! How much is sent, and when.

use std::time::Duration;

/// How much is sent, and when.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Closed loop: each connection sends its next request when the last one has been answered.
    Closed {
        /// How many connections; at least 1.
        connections: usize,
        /// Ends after so many requests, over all connections. At least one of this and `duration` is there; what comes
        /// first ends the run.
        requests: Option<u64>,
        /// Ends after so long.
        duration: Option<Duration>,
        /// The pause between an answer and the next request, where it is the same for all templates:
        /// [`super::Generator::think`] says it for one request.
        think: Option<Duration>,
    },
    /// Open loop: requests are sent when they are due, whether others have been answered or not.
    Open {
        /// One after the other; at least one.
        stages: Vec<Stage>,
        /// The most connections that may be opened; at least 1.
        connections: usize,
    },
}

/// A stretch of an open loop, in which the rate changes evenly.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stage {
    /// How long; above zero.
    pub duration: Duration,
    /// Requests per second at its beginning; at least 0.
    pub from_rate: f64,
    /// Requests per second at its end; at least 0, and not zero at both ends.
    pub to_rate: f64,
}

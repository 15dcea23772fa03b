//! Whether the generator was the limit, so that the figures say less about the server than about it.

use crate::results::{Mode, Results, units};

/// A worker this busy has no time left: it can't send faster, and sees answers late.
const BUSY: f64 = 0.95;
/// The same when other programs had its core meanwhile.
const CROWDED: f64 = 0.10;
/// Requests of an open loop that went out this late make latencies of their own, when those are of that size, too.
const LATE_NS: u64 = 1_000_000;

/// Sets whether the generator was the limit, and why. `waited` is the largest share of its time that a worker could have
/// run and did not get its core.
pub(super) fn judge(results: &mut Results, waited: f64) {
    let busiest = results
        .generator
        .workers
        .iter()
        .copied()
        .fold(0.0, f64::max);
    let lag = results.generator.lag.quantile(0.99);
    let latency = results.latency.quantile(0.99);
    let open = results.about.mode != Mode::Closed;
    let why = if busiest >= BUSY {
        Some(format!(
            "a worker was busy for {} of the time: give it more cores",
            units::share(busiest)
        ))
    } else if waited >= CROWDED && busiest + waited >= BUSY {
        Some(format!(
            "a worker was kept from its core for {} of the time: other programs share it",
            units::share(waited)
        ))
    } else if open && lag >= LATE_NS && lag >= latency / 10 {
        Some(format!(
            "1 % of the requests went out {} or more after they could have",
            units::time(lag as f64)
        ))
    } else {
        None
    };
    results.generator.limited = why.is_some();
    results.generator.why = why;
}

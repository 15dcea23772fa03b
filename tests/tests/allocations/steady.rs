//! Counting in steady state: rounds of requests, those left out that the machine disturbed.

use std::time::Duration;

use engine_net::runtime::Driver;
use engine_net::testing::Tally;

/// Requests that make every buffer, pool and table as large as it will be.
const WARM_UP: usize = 600;
/// Requests of a round.
const ROUND: usize = 200;
/// A round during which a connection was quiet for this long was disturbed.
const UNSTEADY: Duration = Duration::from_millis(10);
/// Disturbed rounds after which the machine is too busy to tell.
const DISTURBED: usize = 2_000;

/// Asserts that so many requests in undisturbed rounds allocate no more often than `most`, behind a round that warms up.
/// `round` sends as many requests as it is told and says how long a connection was quiet at most.
#[track_caller]
pub(crate) fn check(
    requests: usize,
    most: u64,
    driver: Driver,
    tally: &'static Tally,
    round: &mut dyn FnMut(usize) -> Duration,
) {
    round(WARM_UP);
    let (mut measured, mut disturbed, mut allocated, mut traces) = (0, 0, 0, Vec::new());
    while measured < requests {
        tally.trace(true);
        let before = tally.allocations();
        let quiet = round(ROUND);
        let after = tally.allocations();
        tally.trace(false);
        if quiet < UNSTEADY {
            measured += ROUND;
            allocated += after - before;
            traces.append(&mut tally.traces());
            continue;
        }
        // What a disturbed round has allocated is of no interest.
        drop(tally.traces());
        disturbed += 1;
        assert!(disturbed < DISTURBED, "the machine is too busy to tell");
        round(ROUND);
    }
    traces.sort_unstable();
    traces.dedup();
    assert!(
        allocated <= most,
        "{allocated} allocations in {requests} requests on {driver}, at most {most} are allowed:\n{}",
        traces.join("\n")
    );
}

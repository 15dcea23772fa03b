//! When the requests of an open loop are due: the stages' rates, integrated.
//!
//! Pure arithmetic. Over a stage the rate changes evenly, so that after `t` seconds `from·t + (to − from)·t²/(2·length)`
//! requests of it are due; the n-th is due when that reaches n. Workers take turns: worker w of W sends requests w, w + W,
//! w + 2W, …, so that all of them together keep the rate evenly.

use crate::scenario::Stage;

/// The requests of one worker, in their order.
#[derive(Debug)]
pub(super) struct Schedule {
    legs: Vec<Leg>,
    /// The leg that `next` falls into.
    leg: usize,
    /// The number of this worker's next request among those of all workers.
    next: u64,
    workers: u64,
    /// When it is due; none when there is no more.
    due: Option<u64>,
    length_ns: u64,
}

/// One stage, laid out.
#[derive(Debug)]
struct Leg {
    /// Since the schedule's beginning.
    start_ns: u64,
    length: f64,
    rate: f64,
    /// Per second and second.
    slope: f64,
    /// Requests due before it and until its end.
    before: f64,
    until: f64,
}

impl Schedule {
    pub(super) fn new(stages: &[Stage], worker: usize, workers: usize) -> Schedule {
        let mut legs = Vec::with_capacity(stages.len());
        let (mut start_ns, mut before) = (0, 0.0);
        for stage in stages {
            let length = stage.duration.as_secs_f64();
            let until = before + (stage.from_rate + stage.to_rate) / 2.0 * length;
            legs.push(Leg {
                start_ns,
                length,
                rate: stage.from_rate,
                slope: (stage.to_rate - stage.from_rate) / length,
                before,
                until,
            });
            start_ns += stage.duration.as_nanos() as u64;
            before = until;
        }
        let mut schedule = Schedule {
            legs,
            leg: 0,
            next: worker as u64,
            workers: workers.max(1) as u64,
            due: None,
            length_ns: start_ns,
        };
        schedule.due = schedule.find();
        schedule
    }

    /// When the next request is due, in nanoseconds since the beginning; none when there is no more.
    #[inline]
    pub(super) fn due(&self) -> Option<u64> {
        self.due
    }

    /// On to the one after it.
    pub(super) fn advance(&mut self) {
        self.next += self.workers;
        self.due = self.find();
    }

    /// How long it is in all.
    pub(super) fn length_ns(&self) -> u64 {
        self.length_ns
    }

    /// How many requests of this worker are due by a time and have not been passed by [`Schedule::advance`].
    pub(super) fn waiting(&self, at_ns: u64) -> u64 {
        let leg = self.legs.iter().rev().find(|leg| leg.start_ns <= at_ns);
        // One more than the whole part, since the first of all is due at once.
        let due = leg.map_or(0, |leg| leg.count(at_ns).floor() as u64 + 1);
        let last = self.legs.last().map_or(0, |leg| leg.until.ceil() as u64);
        due.min(last)
            .saturating_sub(self.next)
            .div_ceil(self.workers)
    }

    /// When the request is due that comes so many after the next one.
    pub(super) fn due_after(&self, more: u64) -> Option<u64> {
        let number = self.next.saturating_add(more.saturating_mul(self.workers));
        let legs = self.legs.get(self.leg..)?;
        legs.iter().find_map(|leg| leg.due(number))
    }

    fn find(&mut self) -> Option<u64> {
        loop {
            let leg = self.legs.get(self.leg)?;
            match leg.due(self.next) {
                None => self.leg += 1,
                due => return due,
            }
        }
    }
}

impl Leg {
    /// When a request is due, if that is in this stage or has been before it.
    fn due(&self, number: u64) -> Option<u64> {
        let number = number as f64;
        let within = number < self.until;
        within.then(|| self.start_ns + self.after_ns(number - self.before))
    }

    /// How long after its start so many requests of it are due.
    fn after_ns(&self, count: f64) -> u64 {
        if count <= 0.0 {
            return 0;
        }
        // The root of the quadratic in the form that does not subtract: exact also for a slope of zero, and where the
        // rate begins at zero. Rounding may take what is under the root a little below zero at the end of a descent.
        let root = (self.rate * self.rate + 2.0 * self.slope * count).max(0.0);
        let seconds = 2.0 * count / (self.rate + root.sqrt());
        (seconds.min(self.length) * 1e9) as u64
    }

    /// How many requests of the whole schedule are due by a time within it (or after it).
    fn count(&self, at_ns: u64) -> f64 {
        let t = (at_ns.saturating_sub(self.start_ns) as f64 / 1e9).min(self.length);
        self.before + self.rate * t + self.slope * t * t / 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn stage(seconds: u64, from_rate: f64, to_rate: f64) -> Stage {
        Stage {
            duration: Duration::from_secs(seconds),
            from_rate,
            to_rate,
        }
    }

    fn all(mut schedule: Schedule) -> Vec<u64> {
        let mut due = Vec::new();
        while let Some(at) = schedule.due() {
            due.push(at);
            schedule.advance();
        }
        due
    }

    #[test]
    fn a_constant_rate_is_evenly_spaced() {
        let due = all(Schedule::new(&[stage(2, 5.0, 5.0)], 0, 1));
        let expected: Vec<u64> = (0..10).map(|n| n * 200_000_000).collect();
        assert_eq!(due, expected);
    }

    #[test]
    fn workers_take_turns() {
        let stages = [stage(3, 10.0, 100.0), stage(1, 100.0, 0.0)];
        let whole = all(Schedule::new(&stages, 0, 1));
        let mut shares: Vec<u64> = (0..3)
            .flat_map(|worker| all(Schedule::new(&stages, worker, 3)))
            .collect();
        shares.sort_unstable();
        assert_eq!(shares, whole);
        assert_eq!(whole.len(), 165 + 50);
    }

    #[test]
    fn a_ramp_is_the_integral_of_its_rate() {
        let check = |from: f64, to: f64, seconds: u64| {
            let due = all(Schedule::new(&[stage(seconds, from, to)], 0, 1));
            assert_eq!(due.len() as f64, (from + to) / 2.0 * seconds as f64);
            for (number, at) in due.iter().enumerate() {
                let t = *at as f64 / 1e9;
                let reached = from * t + (to - from) / seconds as f64 * t * t / 2.0;
                assert!(
                    (reached - number as f64).abs() < 0.01,
                    "{number}: {reached}"
                );
            }
            assert!(due.is_sorted());
        };
        check(0.0, 100.0, 10);
        check(100.0, 0.0, 10);
        check(1000.0, 3000.0, 5);
        check(7.0, 7.0, 4);
    }

    #[test]
    fn what_is_due_and_not_taken_is_counted() {
        let stages = [stage(1, 10.0, 10.0), stage(1, 0.0, 20.0)];
        for workers in 1..4 {
            for worker in 0..workers {
                let mut schedule = Schedule::new(&stages, worker, workers);
                let due = all(Schedule::new(&stages, worker, workers));
                for at in (0..2_100_000_000).step_by(7_000_001) {
                    let expected = due.iter().filter(|due| **due <= at).count() as u64;
                    let waiting = schedule.waiting(at);
                    assert!(
                        waiting.abs_diff(expected) <= 1,
                        "{at}: {waiting} {expected}"
                    );
                }
                let end = schedule.length_ns();
                assert_eq!(schedule.waiting(end), due.len() as u64);
                schedule.advance();
                assert_eq!(schedule.waiting(end), due.len() as u64 - 1);
            }
        }
    }

    #[test]
    fn what_comes_later_can_be_looked_up() {
        let stages = [stage(1, 10.0, 10.0), stage(2, 0.0, 20.0)];
        let mut schedule = Schedule::new(&stages, 1, 3);
        let due = all(Schedule::new(&stages, 1, 3));
        for first in 0..due.len() {
            for more in 0..12 {
                assert_eq!(
                    schedule.due_after(more as u64),
                    due.get(first + more).copied()
                );
            }
            schedule.advance();
        }
    }

    #[test]
    fn stages_follow_each_other() {
        let due = all(Schedule::new(
            &[stage(1, 2.0, 2.0), stage(1, 4.0, 4.0)],
            0,
            1,
        ));
        let expected: Vec<u64> = [0, 500, 1000, 1250, 1500, 1750]
            .iter()
            .map(|ms| ms * 1_000_000)
            .collect();
        assert_eq!(due, expected);
    }
}

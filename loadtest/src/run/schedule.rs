//! When the requests of an open loop are due: the stages' rates, integrated.
//!
//! Pure arithmetic. Over a stage the rate changes evenly, so that after `t` seconds `from·t + (to − from)·t²/(2·length)`
//! requests of it are due; the n-th is due when that reaches n. Workers take turns: worker w of W sends requests w, w + W,
//! w + 2W, …, so that all of them together keep the rate evenly. Arrivals at random are numbers too, those at which a
//! Poisson process of rate 1/W is: laid over the same integral it has the stages' rates, and those of all workers together
//! are one of rate 1.

use std::collections::VecDeque;

use crate::scenario::{Arrivals, Random, Stage};

/// The requests of one worker, in their order.
#[derive(Debug)]
pub(super) struct Schedule {
    legs: Vec<Leg>,
    /// The leg that `next` falls into.
    leg: usize,
    numbers: Numbers,
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

/// The numbers of a worker's requests among those of all workers.
#[derive(Debug)]
enum Numbers {
    Even {
        next: u64,
        workers: u64,
    },
    Random {
        /// From the next one on, as far as somebody has asked.
        ahead: VecDeque<f64>,
        last: f64,
        /// The mean gap.
        workers: f64,
        random: Random,
    },
}

impl Numbers {
    fn new(arrivals: Arrivals, seed: u64, worker: usize, workers: usize) -> Numbers {
        let workers = workers.max(1) as u64;
        match arrivals {
            Arrivals::Even => Numbers::Even {
                next: worker as u64,
                workers,
            },
            Arrivals::Poisson => Numbers::Random {
                ahead: VecDeque::new(),
                last: 0.0,
                workers: workers as f64,
                // Not the stream that values are drawn from.
                random: Random::new(!seed ^ (worker as u64).rotate_right(16)),
            },
        }
    }

    /// The one that comes so many after the next one.
    fn after(&mut self, more: u64) -> f64 {
        match self {
            Numbers::Even { next, workers } => {
                next.saturating_add(more.saturating_mul(*workers)) as f64
            }
            Numbers::Random { .. } => loop {
                match self.drawn().get(more as usize) {
                    Some(number) => return *number,
                    None => self.draw(),
                }
            },
        }
    }

    /// How many there are up to this one, and below the end.
    fn until(&mut self, due: f64, end: f64) -> u64 {
        match self {
            Numbers::Even { next, workers } => {
                // One more than the whole part, since the first of all is due at once.
                let due = (due.floor() + 1.0).min(end.ceil()).max(0.0) as u64;
                due.saturating_sub(*next).div_ceil(*workers)
            }
            Numbers::Random { .. } => {
                while self.drawn().back().is_none_or(|last| *last <= due) {
                    self.draw();
                }
                let counts = |number: &f64| *number <= due && *number < end;
                self.drawn().partition_point(counts) as u64
            }
        }
    }

    fn drawn(&self) -> &VecDeque<f64> {
        static NONE: VecDeque<f64> = VecDeque::new();
        match self {
            Numbers::Even { .. } => &NONE,
            Numbers::Random { ahead, .. } => ahead,
        }
    }

    /// Draws one more: the gap before it is distributed exponentially.
    fn draw(&mut self) {
        if let Numbers::Random {
            ahead,
            last,
            workers,
            random,
        } = self
        {
            // Above 0, at most 1.
            let share = ((random.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
            *last -= share.ln() * *workers;
            ahead.push_back(*last);
        }
    }

    fn advance(&mut self) {
        match self {
            Numbers::Even { next, workers } => *next += *workers,
            Numbers::Random { ahead, .. } => drop(ahead.pop_front()),
        }
    }
}

impl Schedule {
    /// This worker's share; random arrivals follow from the seed.
    pub(super) fn new(
        stages: &[Stage],
        arrivals: Arrivals,
        seed: u64,
        worker: usize,
        workers: usize,
    ) -> Schedule {
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
            numbers: Numbers::new(arrivals, seed, worker, workers),
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
        self.numbers.advance();
        self.due = self.find();
    }

    /// How long it is in all.
    pub(super) fn length_ns(&self) -> u64 {
        self.length_ns
    }

    /// How many requests of this worker are due by a time and have not been passed by [`Schedule::advance`].
    pub(super) fn waiting(&mut self, at_ns: u64) -> u64 {
        let leg = self.legs.iter().rev().find(|leg| leg.start_ns <= at_ns);
        let due = leg.map_or(-1.0, |leg| leg.count(at_ns));
        let until = self.legs.last().map_or(0.0, |leg| leg.until);
        self.numbers.until(due, until)
    }

    /// When the request is due that comes so many after the next one.
    pub(super) fn due_after(&mut self, more: u64) -> Option<u64> {
        let number = self.numbers.after(more);
        let legs = self.legs.get(self.leg..)?;
        legs.iter().find_map(|leg| leg.due(number))
    }

    fn find(&mut self) -> Option<u64> {
        let next = self.numbers.after(0);
        loop {
            let leg = self.legs.get(self.leg)?;
            match leg.due(next) {
                None => self.leg += 1,
                due => return due,
            }
        }
    }
}

impl Leg {
    /// When a request is due, if that is in this stage or has been before it.
    fn due(&self, number: f64) -> Option<u64> {
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
mod tests;

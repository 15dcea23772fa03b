//! Several workers on one board, in one thread, in any order, against a plain count of what they hold.
//!
//! Steps are acquires, releases, ticks, reloads that reach the workers one after the other, and workers that end. Checked
//! after every step: nothing is acquired beyond the greatest cap that any worker has gone by since the last tick of the one
//! that acquires, what is out is what is held and the surplus, and nobody is refused while more is free than the published
//! bound. A failure prints the seed.

use std::rc::Rc;

use proptest::prelude::*;

use super::*;

struct Worker {
    shares: Shares,
    share: Rc<Share>,
    held: Vec<Held>,
    cap: u64,
    /// The greatest that any worker has gone by since this one's tick.
    greatest: u64,
}

/// Whether the cap changes meanwhile.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Scope {
    Steady,
    Reloads,
}

struct World {
    dice: Dice,
    scope: Scope,
    board: Arc<Board>,
    total: Arc<Total>,
    workers: Vec<Worker>,
    /// Held by tasks of workers that have ended.
    left: Vec<Held>,
    /// The cap of the last reload.
    cap: u64,
    /// How many steps of a hundred acquire: more for a while, then fewer, so that the cap is reached and left.
    lean: u64,
}

impl World {
    fn new(seed: u64, scope: Scope) -> World {
        let mut dice = Dice(seed);
        let cap = cap(&mut dice);
        let board = Arc::new(Board::new(1 + dice.below(5) as usize));
        let workers = (0..board.workers)
            .map(|_| Worker::new(&board, cap))
            .collect();
        World {
            dice,
            scope,
            total: board.total(&(Subject::UpstreamInFlight, "a".into())),
            board,
            workers,
            left: Vec::new(),
            cap,
            lean: 50,
        }
    }

    fn run(&mut self, steps: usize) {
        for step in 0..steps {
            if step % 200 == 0 {
                self.lean = 20 + self.dice.below(61);
            }
            let at = self.dice.below(self.workers.len() as u64) as usize;
            match self.dice.below(1_000) {
                0..60 => self.tick(at),
                60..63 if self.scope == Scope::Reloads => self.reload(),
                63..65 => self.end(at),
                _ if self.dice.below(100) < self.lean => self.acquire(at),
                _ => self.release(at),
            }
            self.check();
        }
        self.settle();
    }

    /// One, or many at once.
    fn acquire(&mut self, at: usize) {
        let times = 1 + self.dice.below(2) * self.dice.below(1 + self.cap.min(400) / 4);
        for _ in 0..times {
            let (held, count) = (self.held(), self.board.workers);
            let worker = &mut self.workers[at];
            let had = worker.share.surplus();
            let Some(one) = worker.share.acquire(worker.cap) else {
                self.judge_refusal(at, held);
                return;
            };
            worker.held.push(one);
            assert!(held < worker.greatest, "acquired {held} and one more");
            if worker.share.surplus() > had {
                let left = worker.cap - self.total.held();
                assert!(
                    left >= most(worker.cap, count) * count,
                    "a surplus of the last"
                );
            }
        }
    }

    fn judge_refusal(&mut self, at: usize, held: u64) {
        let (cap, count) = (self.workers[at].cap, self.board.workers);
        if self.workers.iter().any(|worker| worker.cap != cap) {
            return;
        }
        let most = most(cap, count);
        let free = cap.saturating_sub(held);
        assert!(free <= most * (count - 1), "refused with {free} free");
        assert!(cap == 0 || free * 16 < cap);
        if free > 0 {
            self.obtain(at, free);
        }
    }

    /// A worker has been refused while others have a surplus. Whatever those do, if at least one is left free and each of
    /// them ticks once, it gets it.
    fn obtain(&mut self, at: usize, free: u64) {
        let mut free = free;
        let first = self.dice.below(self.workers.len() as u64) as usize;
        for turn in 0..self.workers.len() {
            let other = (first + turn) % self.workers.len();
            if other == at {
                continue;
            }
            for _ in 0..self.dice.below(6) {
                let other = &mut self.workers[other];
                if free > 1 && self.dice.below(2) == 0 {
                    let more = other.share.acquire(other.cap);
                    free -= u64::from(more.is_some());
                    other.held.extend(more);
                } else if free <= self.board.workers {
                    free += u64::from(other.held.pop().is_some());
                }
            }
            self.workers[other].shares.tick();
        }
        let worker = &mut self.workers[at];
        let one = worker.share.acquire(worker.cap);
        assert!(one.is_some(), "{free} are free, and all have ticked");
        worker.held.extend(one);
    }

    fn release(&mut self, at: usize) {
        let times = 1 + self.dice.below(2) * self.dice.below(100);
        for _ in 0..times {
            let held = match self.dice.below(10) {
                0 => &mut self.left,
                _ => &mut self.workers[at].held,
            };
            if !held.is_empty() {
                let which = self.dice.below(held.len() as u64) as usize;
                drop(held.swap_remove(which));
            }
        }
    }

    /// A worker follows a reload on its tick and not otherwise.
    fn tick(&mut self, at: usize) {
        let latest = self.cap;
        let follows = self.dice.below(2) == 0;
        let worker = &mut self.workers[at];
        if follows {
            worker.cap = latest;
        }
        worker.shares.tick();
        assert_eq!(worker.share.surplus(), 0);
        worker.greatest = 0;
        self.follow_caps();
    }

    fn follow_caps(&mut self) {
        let caps = self.workers.iter().map(|worker| worker.cap);
        let greatest = caps.max().unwrap_or(0);
        for worker in &mut self.workers {
            worker.greatest = worker.greatest.max(greatest);
        }
    }

    /// Every worker has followed the last reload; then there is another.
    fn reload(&mut self) {
        let latest = self.cap;
        for worker in &mut self.workers {
            worker.cap = latest;
            worker.greatest = latest;
            worker.shares.tick();
        }
        self.cap = cap(&mut self.dice);
    }

    /// A worker ends with tasks that hold on; another begins in its place.
    fn end(&mut self, at: usize) {
        let new = Worker::new(&self.board, self.workers[at].cap);
        let old = std::mem::replace(&mut self.workers[at], new);
        self.follow_caps();
        if self.dice.below(2) == 0 {
            old.shares.finish();
        }
        self.left.extend(old.held);
    }

    fn held(&self) -> u64 {
        let held = self.workers.iter().map(|worker| worker.held.len());
        (held.sum::<usize>() + self.left.len()) as u64
    }

    fn check(&self) {
        let surplus = self.workers.iter().map(|worker| worker.share.surplus());
        assert_eq!(self.total.held(), self.held() + surplus.sum::<u64>());
    }

    /// All go by the last cap and tick; then exactly what is free can be had, by any, and all comes back.
    fn settle(&mut self) {
        let latest = self.cap;
        for worker in &mut self.workers {
            worker.cap = latest;
            worker.shares.tick();
        }
        assert_eq!(self.total.held(), self.held());
        let free = latest.saturating_sub(self.held()).min(2_000);
        let at = self.dice.below(self.workers.len() as u64) as usize;
        for _ in 0..free {
            let one = self.workers[at].share.acquire(latest);
            assert!(one.is_some());
            self.workers[at].held.extend(one);
        }
        if self.held() >= latest {
            assert!(self.workers[at].share.acquire(latest).is_none());
        }
        self.left.clear();
        self.workers.clear();
        assert_eq!(self.total.held(), 0);
    }
}

impl Worker {
    fn new(board: &Arc<Board>, cap: u64) -> Worker {
        let shares = Shares::new(board);
        Worker {
            share: shares.in_flight("a"),
            shares,
            held: Vec::new(),
            cap,
            greatest: cap,
        }
    }
}

/// The published bound of a worker's surplus.
fn most(cap: u64, workers: u64) -> u64 {
    (cap / 16 / workers).min(64)
}

fn cap(dice: &mut Dice) -> u64 {
    match dice.below(6) {
        0 => 1 + dice.below(3),
        1 => 1 + dice.below(40),
        2 => 40 + dice.below(200),
        3 => 1_000,
        4 => 200 + dice.below(3_000),
        _ => u64::MAX,
    }
}

/// A small generator, so that a seed means the same everywhere.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_cap_is_never_passed_and_hardly_any_of_it_held_back(seed: u64) {
        World::new(seed, Scope::Steady).run(2_000);
    }

    #[test]
    fn reloads_let_nobody_pass_a_cap(seed: u64) {
        World::new(seed, Scope::Reloads).run(2_000);
    }
}

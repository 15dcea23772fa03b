//! The debts of keys that no table has room for: a count-min sketch of 4 rows whose cells
//! decay at the limit's rate.
//!
//! A cell holds the instant at which a debt will be paid off, so it decays by itself, for every
//! tier at its own rate. An update raises each row to the key's own instant and no further
//! (debts of different keys are not added up, the larger one stands). With n live debts in
//! rows of w cells, a key without debt is taken for a debtor with probability
//! (1 - e^(-n/w))^4: 0.2 % at n = w/4, 16 % at n = w. Invariant: what is read for a key is
//! never earlier than what was written for it, so a collision can only refuse.

use super::digest::Digest;

const ROWS: u64 = 4;

/// Debts by key.
#[derive(Clone, Debug)]
pub struct Sketch {
    /// Row after row, `mask + 1` cells each.
    cells: Box<[u64]>,
    mask: u64,
}

impl Sketch {
    /// A sketch whose rows have at least `keys` cells; all paid off.
    pub fn new(keys: usize) -> Sketch {
        let width = keys.next_power_of_two().clamp(64, 1 << 24);
        Sketch {
            cells: vec![0; width * ROWS as usize].into(),
            mask: width as u64 - 1,
        }
    }

    /// No earlier than the instant at which the key's debt is paid off.
    pub fn paid_at(&self, key: Digest) -> u64 {
        let cells = self.places(key).filter_map(|place| self.cells.get(place));
        cells.copied().min().unwrap_or(u64::MAX)
    }

    /// The key's debt is paid off at `at`, or later if that is what was known.
    pub fn raise(&mut self, key: Digest, at: u64) {
        for place in self.places(key) {
            if let Some(cell) = self.cells.get_mut(place) {
                *cell = at.max(*cell);
            }
        }
    }

    /// Makes debts last longer, since they are paid off more slowly from `now` on: `longer`
    /// turns the time left into the new one. Visits every cell.
    pub fn stretch(&mut self, now: u64, longer: impl Fn(u64) -> u64) {
        for cell in self.cells.iter_mut().filter(|cell| **cell > now) {
            let left = *cell - now;
            *cell = now.saturating_add(longer(left).max(left));
        }
    }

    /// Cells that stand for a debt at `now`, of how many.
    pub fn load(&self, now: u64) -> (usize, usize) {
        let live = self.cells.iter().filter(|paid| **paid > now).count();
        (live, self.cells.len())
    }

    fn places(&self, key: Digest) -> impl Iterator<Item = usize> + use<> {
        let mask = self.mask;
        let step = key.high() | 1;
        (0..ROWS).map(move |row| {
            let place = key.low().wrapping_add(step.wrapping_mul(row));
            // The upper bits, since tables and shards go by the lower ones.
            let column = (place ^ (place >> 29)).wrapping_mul(SPREAD) >> 40;
            (row * (mask + 1) + (column & mask)) as usize
        })
    }
}

/// 2^64 over the golden ratio, odd.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::super::digest::{DigestBuilder, Seed};
    use super::*;

    fn key(number: u64) -> Digest {
        let seed = Seed::new([11, 12]);
        let mut builder = DigestBuilder::new(&seed, 1, 0);
        builder.part(&number.to_be_bytes());
        builder.finish()
    }

    #[test]
    fn a_debt_is_never_read_smaller_than_it_was_written() {
        let mut sketch = Sketch::new(64);
        let debt = |n: u64| 1_000 + n * 37 % 1_009;
        for n in 0..10_000 {
            sketch.raise(key(n), debt(n));
        }
        for n in 0..10_000 {
            assert!(sketch.paid_at(key(n)) >= debt(n), "{n}");
        }
    }

    #[test]
    fn the_error_is_what_the_module_says() {
        for (live, most) in [(1_024, 25), (4_096, 800)] {
            let mut sketch = Sketch::new(4_096);
            for n in 0..live {
                sketch.raise(key(n), 5);
            }
            let wrong = (0..4_096)
                .filter(|n| sketch.paid_at(key(1 << 40 | n)) > 0)
                .count();
            assert!(wrong < most, "{wrong} of 4096 with {live} debts");
        }
    }

    #[test]
    fn stretching_lengthens_what_is_not_paid_off_and_nothing_else() {
        let mut sketch = Sketch::new(4_096);
        sketch.raise(key(1), 50);
        sketch.raise(key(2), 200);
        sketch.stretch(100, |left| left * 10);
        assert_eq!(
            (sketch.paid_at(key(1)), sketch.paid_at(key(2))),
            (50, 1_100)
        );
        sketch.stretch(100, |left| left / 10);
        assert_eq!(sketch.paid_at(key(2)), 1_100);
        sketch.stretch(100, |_| u64::MAX);
        assert_eq!(sketch.paid_at(key(2)), u64::MAX);
    }

    #[test]
    fn load_counts_the_cells_that_are_not_paid_off() {
        let mut sketch = Sketch::new(1);
        assert_eq!(sketch.load(0), (0, 256));
        sketch.raise(key(1), 10);
        assert_eq!(sketch.load(9), (4, 256));
        assert_eq!(sketch.load(10), (0, 256));
    }
}

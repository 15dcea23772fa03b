//! Changes to bytes, at random but by a seed.

/// Longest input that is made.
const MOST_BYTES: usize = 1500;

/// A source of changed inputs.
pub(crate) struct Mutation {
    state: u64,
    words: &'static [&'static [u8]],
}

impl Mutation {
    /// `words` are put in as they are, besides random bytes.
    pub(crate) fn new(seed: u64, words: &'static [&'static [u8]]) -> Self {
        Mutation {
            // Zero would stay zero.
            state: seed | 1,
            words,
        }
    }

    /// One of the pool, changed in a few places; the pool is not empty.
    pub(crate) fn next(&mut self, pool: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = pool[self.below(pool.len())].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes, pool);
        }
        bytes.truncate(MOST_BYTES);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, pool: &[Vec<u8>]) {
        let at = self.below(bytes.len() + 1);
        let range = at..at + self.below((bytes.len() - at).min(40) + 1);
        match self.below(10) {
            0 | 1 if at < bytes.len() => bytes[at] ^= 1 << self.below(8),
            2 if at < bytes.len() => bytes[at] = self.below(256) as u8,
            3 if at < bytes.len() => {
                bytes[at] = bytes[at]
                    .wrapping_add(1)
                    .wrapping_sub(2 * self.below(2) as u8)
            }
            4 => drop(bytes.drain(range)),
            5 => {
                let copy = bytes[range].to_vec();
                bytes.splice(at..at, copy);
            }
            6 => {
                let other = &pool[self.below(pool.len())];
                let from = self.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            7 => bytes.insert(at, self.below(256) as u8),
            8 => {
                let word = self.word();
                let end = (at + word.len()).min(bytes.len());
                bytes.splice(at..end, word.iter().copied());
            }
            _ => {
                // Lines that are put in whole need to stand between two.
                let line = bytes[at..].iter().position(|byte| *byte == b'\n');
                let at = match line {
                    Some(end) if self.below(2) == 0 => at + end + 1,
                    _ => at,
                };
                let word = self.word();
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }

    fn word(&mut self) -> &'static [u8] {
        self.words[self.below(self.words.len())]
    }

    /// A number below this one, which is not zero. The bias towards small ones is no harm.
    fn below(&mut self, bound: usize) -> usize {
        // Marsaglia's xorshift64.
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 11) as usize % bound
    }
}

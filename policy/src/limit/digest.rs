//! What a key is known by: 128 bits of a keyed hash over the limit's name, the tier and the
//! parts of the key, so that tables have entries of one size whatever clients send.
//!
//! The seed is the process's secret and the same on every worker. Two keys of one digest share
//! a bucket: they could only be refused more. Budget: two multiplications per lane and 16
//! bytes; no allocation.

use crate::words;

/// The secret of a process's digests.
#[derive(Clone, Copy)]
pub struct Seed {
    lanes: [u64; 4],
}

impl Seed {
    /// A seed from 128 random bits.
    pub fn new(random: [u64; 2]) -> Seed {
        let [a, b] = random;
        let first = fold(a ^ PATTERN, b ^ PATTERN.rotate_left(19));
        let second = fold(b ^ first, a ^ PATTERN.rotate_left(37));
        Seed {
            lanes: [a ^ second, b ^ first, first ^ b.rotate_left(29), second],
        }
    }
}

/// A key of a limit. The default is no key's.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct Digest {
    /// Never 0 in a key's digest.
    low: u64,
    high: u64,
}

impl Digest {
    pub(super) fn of_halves(low: u64, high: u64) -> Digest {
        Digest { low, high }
    }

    /// The half that tables index by; not 0.
    pub fn low(self) -> u64 {
        self.low
    }

    /// The half that shards are chosen by.
    pub fn high(self) -> u64 {
        self.high
    }
}

/// Takes in the parts of a key, one after the other.
pub struct DigestBuilder<'s> {
    seed: &'s Seed,
    first: u64,
    second: u64,
}

impl<'s> DigestBuilder<'s> {
    /// Begins a key of the limit and tier with these numbers.
    pub fn new(seed: &'s Seed, limit: u64, tier: u64) -> DigestBuilder<'s> {
        let [a, b, ..] = seed.lanes;
        let mut builder = DigestBuilder {
            seed,
            first: a,
            second: b,
        };
        builder.mix(limit, tier);
        builder
    }

    /// A part of the key. Where it ends is part of the digest, so that `a` and `bc` is another
    /// key than `ab` and `c`.
    #[inline]
    pub fn part(&mut self, bytes: &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<16>();
        for block in blocks {
            let wide = u128::from_le_bytes(*block);
            self.mix(wide as u64, (wide >> 64) as u64);
        }
        match (rest.first_chunk(), rest.last_chunk()) {
            // The two overlap; the length tells which texts they are of.
            (Some(start), Some(end)) => {
                self.mix(u64::from_le_bytes(*start), u64::from_le_bytes(*end));
            }
            _ if rest.is_empty() => {}
            _ => self.mix(words::short(rest, 0), 0),
        }
        self.mix(bytes.len() as u64, PRESENT);
    }

    /// A part that the request lacks: another key than an empty part.
    #[inline]
    pub fn absent(&mut self) {
        self.mix(0, ABSENT);
    }

    /// The digest of the parts so far.
    #[inline]
    pub fn finish(self) -> Digest {
        let [a, b, c, d] = self.seed.lanes;
        let low = fold(self.first ^ c, self.second.rotate_left(32) ^ a);
        let high = fold(self.second ^ d, self.first.rotate_left(17) ^ b);
        Digest {
            low: low.max(1),
            high,
        }
    }

    fn mix(&mut self, x: u64, y: u64) {
        let [_, _, c, d] = self.seed.lanes;
        self.first = fold(self.first ^ x, c ^ y);
        self.second = fold(self.second.rotate_left(23) ^ y, d ^ x);
    }
}

/// The two halves of a product, laid over each other.
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ ((product >> 64) as u64)
}

/// A stable number for a name, the same in every process: limits and tiers are known by it
/// across reloads. Not keyed: names come from the configuration.
pub(crate) fn number_of(name: &str) -> u64 {
    let mut number = PATTERN;
    for byte in name.bytes() {
        number = fold(number ^ u64::from(byte), PATTERN.rotate_left(31) | 1);
    }
    fold(number ^ name.len() as u64, PATTERN | 1)
}

/// The first 64 bits of the fraction of pi, as good as any.
const PATTERN: u64 = 0x243f_6a88_85a3_08d3;
const PRESENT: u64 = 1 << 63;
const ABSENT: u64 = 1 << 62;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn digest(seed: &Seed, parts: &[Option<&str>]) -> Digest {
        let mut builder = DigestBuilder::new(seed, 7, 0);
        for part in parts {
            match part {
                Some(text) => builder.part(text.as_bytes()),
                None => builder.absent(),
            }
        }
        builder.finish()
    }

    #[test]
    fn keys_that_differ_have_digests_that_differ() {
        let seed = Seed::new([1, 2]);
        let long = "x".repeat(16);
        let longer = "x".repeat(17);
        let keys: &[&[Option<&str>]] = &[
            &[],
            &[None],
            &[Some("")],
            &[Some("a")],
            &[Some("a\0")],
            &[Some("a"), Some("bc")],
            &[Some("ab"), Some("c")],
            &[Some("abc")],
            &[Some("abc"), Some("")],
            &[Some("abc"), None],
            &[Some(&long)],
            &[Some(&longer)],
            &[None, Some("a")],
        ];
        let distinct: HashSet<_> = keys.iter().map(|key| digest(&seed, key)).collect();
        assert_eq!(distinct.len(), keys.len());
        assert_eq!(digest(&seed, keys[5]), digest(&seed, keys[5]));
        assert_ne!(digest(&seed, keys[5]), digest(&Seed::new([1, 3]), keys[5]));
    }

    #[test]
    fn every_bit_of_a_counter_key_reaches_both_halves() {
        let seed = Seed::new([0x1234, 0x5678]);
        let mut low = HashSet::new();
        let mut high = HashSet::new();
        let mut buckets = [0u32; 256];
        for n in 0..65_536u32 {
            let mut builder = DigestBuilder::new(&seed, 7, 0);
            builder.part(&n.to_be_bytes());
            let digest = builder.finish();
            low.insert(digest.low());
            high.insert(digest.high());
            buckets[(digest.low() & 255) as usize] += 1;
        }
        assert_eq!((low.len(), high.len()), (65_536, 65_536));
        let (least, most) = (buckets.iter().min(), buckets.iter().max());
        assert!(
            least > Some(&180) && most < Some(&340),
            "{least:?} {most:?}"
        );
    }

    #[test]
    fn names_and_tiers_have_numbers_of_their_own() {
        let names = ["", "a", "b", "ab", "ba", "per_user", "per_ip"];
        let numbers: HashSet<_> = names.iter().map(|name| number_of(name)).collect();
        assert_eq!(numbers.len(), names.len());
    }
}

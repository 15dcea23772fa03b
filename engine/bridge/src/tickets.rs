//! The key material of TLS session tickets: one for all workers, so that a session made on one is resumed on any, and not
//! part of a snapshot, so that a reload keeps it. Making keys and when to do so is control's; what a ticket looks like and
//! what else it is bound to is `engine-net`'s.
//! Invariants: keys are stored before the Release bump of the generation; secrets are wiped when the last holder drops
//! them, and have no `Debug`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use zeroize::Zeroizing;

/// The keys of the moment, for whoever makes and reads tickets.
#[derive(Default)]
pub struct Tickets {
    keys: ArcSwapOption<Keys>,
    /// Counts rotations; 0 while there are no keys.
    generation: AtomicU64,
}

/// What tickets are made and read with (RFC 8446 section 4.6.1, RFC 5077).
#[derive(Debug)]
pub struct Keys {
    /// Makes tickets, and reads them.
    pub newest: Key,
    /// Reads tickets only; `None` until the first rotation.
    pub previous: Option<Key>,
    /// What clients are told a ticket lasts. Every ticket can be read at least that long: its key stays for one rotation
    /// after the one that replaces it.
    pub lifetime: Duration,
}

/// One generation of key material.
#[derive(Clone)]
pub struct Key {
    /// Names it in tickets; random, no secret.
    pub id: [u8; 8],
    /// 32 random bytes.
    pub secret: Secret,
}

/// 32 bytes that are wiped when dropped and never shown.
#[derive(Clone)]
pub struct Secret(Zeroizing<[u8; 32]>);

impl Tickets {
    /// How often the keys have been replaced; 0: there are none yet. One Acquire load: fit for every tick.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// The keys of the moment; `None` until control has made the first.
    pub fn keys(&self) -> Option<Arc<Keys>> {
        self.keys.load_full()
    }

    /// Makes `newest` the key that new tickets are made with, and keeps the one before it for reading. Control alone calls
    /// this: two at once would lose one of the keys.
    pub fn rotate(&self, newest: Key, lifetime: Duration) {
        let previous = self.keys.load().as_ref().map(|keys| keys.newest.clone());
        self.keys.store(Some(Arc::new(Keys {
            newest,
            previous,
            lifetime,
        })));
        self.generation.fetch_add(1, Ordering::Release);
    }
}

impl Key {
    /// Key material, random in both parts.
    pub fn new(id: [u8; 8], secret: [u8; 32]) -> Key {
        Key {
            id,
            secret: Secret(Zeroizing::new(secret)),
        }
    }
}

impl Secret {
    /// The bytes, for the one place that uses them.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key {:02x?}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    fn key(n: u8) -> Key {
        Key::new([n; 8], [n; 32])
    }

    #[test]
    fn a_key_reads_for_one_rotation_after_its_own() {
        let tickets = Tickets::default();
        assert_eq!(tickets.generation(), 0);
        assert!(tickets.keys().is_none());
        let mut seen = Vec::new();
        for n in 1..=3 {
            tickets.rotate(key(n), HOUR);
            let keys = tickets.keys().expect("they have just been made");
            assert_eq!(tickets.generation(), u64::from(n));
            assert_eq!(keys.lifetime, HOUR);
            assert_eq!(keys.newest.secret.expose(), &[n; 32]);
            seen.push((keys.newest.id[0], keys.previous.as_ref().map(|it| it.id[0])));
        }
        assert_eq!(seen, [(1, None), (2, Some(1)), (3, Some(2))]);
    }

    #[test]
    fn what_was_taken_stays_as_it_was() {
        let tickets = Tickets::default();
        tickets.rotate(key(1), HOUR);
        let taken = tickets.keys().expect("they have just been made");
        tickets.rotate(key(2), HOUR);
        assert_eq!(taken.newest.id, [1; 8]);
        assert!(taken.previous.is_none());
    }

    /// Whoever sees a generation finds its keys, or later ones.
    #[test]
    fn keys_are_there_when_their_generation_is() {
        let tickets = Tickets::default();
        std::thread::scope(|scope| {
            let control = scope.spawn(|| {
                for n in 1..=200 {
                    tickets.rotate(key(n), HOUR);
                }
            });
            while !control.is_finished() {
                let generation = tickets.generation();
                let newest = tickets.keys().map_or(0, |keys| keys.newest.id[0]);
                assert!(u64::from(newest) >= generation);
            }
        });
        assert_eq!(tickets.generation(), 200);
    }

    #[test]
    fn secrets_are_not_shown() {
        let tickets = Tickets::default();
        tickets.rotate(Key::new([1; 8], [0xab; 32]), HOUR);
        let shown = format!("{:?}", tickets.keys());
        assert!(shown.contains("Key [01"), "{shown}");
        assert!(!shown.contains("ab") && !shown.contains("171"), "{shown}");
    }
}

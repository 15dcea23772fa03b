//! New keys for TLS session tickets, twice a day. Where they are kept and who uses them: `engine_bridge::tickets`.
//! Invariant: a ticket can be read for at least `EVERY` and less than twice that, by which time its key is forgotten:
//! whoever gets at the memory later can't open what was recorded earlier.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine_bridge::tickets::{Key, Tickets};

use crate::shared::Shared;

/// Fills with random bytes.
type Random = fn(&mut [u8]) -> io::Result<()>;

/// Makes the first key. Called before any worker starts, so that all begin with the same one.
///
/// # Errors
/// When the system gives no random bytes.
pub(crate) fn begin(tickets: &Tickets) -> io::Result<()> {
    renew(tickets, system).map_err(|why| io::Error::new(why.kind(), lacking(&why)))
}

/// Replaces the keys when it is time.
pub(crate) struct Rotation {
    shared: Arc<Shared>,
    due: Instant,
    random: Random,
}

impl Rotation {
    /// After `begin`.
    pub(crate) fn new(shared: Arc<Shared>, now: Instant) -> Rotation {
        Rotation {
            shared,
            due: now + EVERY,
            random: system,
        }
    }

    /// Looks at the clock, and makes new keys if they are due.
    pub(crate) fn turn(&mut self, now: Instant) {
        if now < self.due {
            return;
        }
        match renew(&self.shared.bridge.tickets, self.random) {
            Ok(()) => self.due = now + EVERY,
            Err(why) => {
                self.due = now + AGAIN;
                let stay = format!("{}; those of before stay", lacking(&why));
                self.shared.operator.say(stay);
            }
        }
    }
}

fn renew(tickets: &Tickets, random: Random) -> io::Result<()> {
    let (mut id, mut secret) = ([0; 8], [0; 32]);
    random(&mut id)?;
    random(&mut secret)?;
    tickets.rotate(Key::new(id, secret), EVERY);
    Ok(())
}

/// From the kernel. Never waits: a system that starts gateways has long had its randomness.
fn system(bytes: &mut [u8]) -> io::Result<()> {
    File::open("/dev/urandom")?.read_exact(bytes)
}

fn lacking(why: &io::Error) -> String {
    format!("no new keys for TLS session tickets: /dev/urandom: {why}")
}

/// How long a key makes tickets; then, for as long again, it reads them.
const EVERY: Duration = Duration::from_hours(12);
/// When the next attempt is made after one that failed.
const AGAIN: Duration = Duration::from_mins(1);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{BASE, Scene};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_key_makes_tickets_for_half_a_day_and_reads_them_for_another() {
        let scene = Scene::new(1, BASE);
        let tickets = &scene.bridge.tickets;
        begin(tickets).unwrap();
        let keys = || tickets.keys().expect("there are keys from the beginning");
        let first = keys();
        assert_eq!((tickets.generation(), first.lifetime), (1, EVERY));
        assert!(first.previous.is_none());

        let start = Instant::now();
        let mut rotation = Rotation::new(scene.shared(), start);
        rotation.turn(start + EVERY - SECOND);
        assert_eq!(tickets.generation(), 1);
        rotation.turn(start + EVERY);
        rotation.turn(start + EVERY + SECOND);
        let second = keys();
        assert_eq!(tickets.generation(), 2);
        assert_eq!(
            second.previous.as_ref().map(|it| it.id),
            Some(first.newest.id)
        );
        rotation.turn(start + EVERY * 2);
        let third = keys();
        assert_eq!(
            third.previous.as_ref().map(|it| it.id),
            Some(second.newest.id)
        );

        let all = [&first, &second, &third].map(|keys| &keys.newest);
        for (at, key) in all.iter().enumerate() {
            assert_ne!(key.secret.expose(), &[0; 32]);
            for other in all.iter().take(at) {
                assert_ne!(key.id, other.id);
                assert_ne!(key.secret.expose(), other.secret.expose());
            }
        }
    }

    #[test]
    fn without_randomness_the_keys_stay_and_it_is_tried_again() {
        let scene = Scene::new(1, BASE);
        let tickets = &scene.bridge.tickets;
        begin(tickets).unwrap();
        let start = Instant::now();
        let mut rotation = Rotation::new(scene.shared(), start);
        rotation.random = |_| Err(io::ErrorKind::NotFound.into());
        let due = start + EVERY;
        rotation.turn(due);
        rotation.turn(due + SECOND);
        assert_eq!(tickets.generation(), 1);
        let lines = scene.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            lines[0].starts_with("no new keys for TLS session tickets: /dev/urandom: "),
            "{lines:?}"
        );
        rotation.random = system;
        rotation.turn(due + AGAIN);
        assert_eq!(tickets.generation(), 2);
    }
}

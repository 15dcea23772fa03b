//! What keeps an open loop on time: gives requests that are due to connections that wait, and opens more when there are
//! too few.
//!
//! A connection that has just received an answer takes what is due by itself; this is for the times between.

use std::rc::Rc;

use engine_net::{clock, runtime};

use super::connection::{client, newcomer};
use super::link::Link;
use super::timer::Timer;
use super::world::{Open, Pace, World};

/// The least time between two looks: at rates that would need more of them, a look serves several requests.
const LEAST: u64 = 50_000;
/// While requests wait for connections; these take them when they are free, so nothing is missed.
const BUSY: u64 = 1_000_000;
/// The most, so that the end is seen.
const MOST: u64 = 50_000_000;
/// Connections opened at one look: a server that stalls is not stormed all at once.
const NEWCOMERS: u64 = 64;

/// Paces the run from its beginning to its end; counts as one of the connections until then.
pub(super) async fn pacer(world: Rc<World>) {
    if let Pace::Open(open) = &world.pace {
        let timer = match Timer::new() {
            Ok(timer) => Some(timer),
            Err(error) => {
                world.reasons.borrow_mut().refused = Some(format!("no timer: {error}"));
                None
            }
        };
        if let Some(timer) = timer {
            pace(&world, open, &timer).await;
        }
        let unsent = open.waiting(world.end.get().saturating_sub(1));
        world.part.borrow_mut().unsent(unsent);
        world.end_by(clock::now());
    }
    world.leave();
}

async fn pace(world: &Rc<World>, open: &Open, timer: &Timer) {
    loop {
        let now = clock::now();
        let end = world.end.get();
        // What is due shortly before the end is sent, though this look comes after it.
        let (waiting, next) = open.dispatch(now.min(end.saturating_sub(1)));
        if now >= world.cut.get() || (now >= end && waiting == 0) {
            return;
        }
        let allowed = grow(world, open, waiting);
        let look = match (waiting, next) {
            // All connections there may be are busy, and will take what is due as they become free.
            (1.., _) if allowed == 0 => now + BUSY,
            (1.., None) => now + BUSY,
            (1.., Some(due)) => due.clamp(now + LEAST, now + BUSY),
            (0, Some(due)) => due.clamp(now + LEAST, now + MOST),
            (0, None) => end.min(now + MOST),
        };
        let look = match now < end {
            true => look.min(end),
            false => look,
        };
        if timer.until(look).await.is_err() {
            return;
        }
    }
}

/// Opens a connection for each request that waits without one, up to the bound; gives how many were allowed.
fn grow(world: &Rc<World>, open: &Open, waiting: u64) -> u64 {
    let opening = open.opening.get();
    let allowed = open.most.saturating_sub(open.connections(world)) as u64;
    // In HTTP/2 each of them takes several.
    let wanted = waiting
        .div_ceil(world.scenario.streams as u64)
        .saturating_sub(opening as u64);
    let newcomers = wanted.min(allowed).min(NEWCOMERS) as usize;
    open.opening.set(opening + newcomers);
    for _ in 0..newcomers {
        world.live.set(world.live.get() + 1);
        runtime::spawn(newcomer(world.clone()));
    }
    allowed
}

/// Starts the task of a connection that was opened at this place, or is to be.
pub(super) fn start(world: &Rc<World>, place: usize, link: Option<Link>) {
    world.live.set(world.live.get() + 1);
    runtime::spawn(client(world.clone(), place, link));
}

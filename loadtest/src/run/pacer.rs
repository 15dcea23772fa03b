//! What keeps an open loop on time: gives requests that are due to connections that wait, and opens more when there are
//! too few.
//!
//! A connection that has just received an answer takes what is due by itself; this is for the times between.

use std::rc::Rc;

use engine_net::{clock, runtime};

use super::connection::{client, newcomer};
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
        let end = world.end.get();
        let unsent = open.waiting(end.saturating_sub(1));
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
        let (due, waiting) = open.dispatch(now.min(end.saturating_sub(1)));
        if now >= end {
            return;
        }
        grow(world, open, waiting);
        let look = match (due, waiting) {
            (None, _) => now + MOST,
            (Some(_), 1..) => now + BUSY,
            (Some(due), 0) => due.max(now + LEAST).min(now + MOST),
        };
        if timer.until(look.min(end)).await.is_err() {
            return;
        }
    }
}

/// Opens a connection for each request that waits without one, up to the bound.
fn grow(world: &Rc<World>, open: &Open, waiting: u64) {
    let opening = open.opening.get();
    let allowed = open.most.saturating_sub(open.connections(world)) as u64;
    let wanted = waiting.saturating_sub(opening as u64);
    let newcomers = wanted.min(allowed).min(NEWCOMERS) as usize;
    open.opening.set(opening + newcomers);
    for _ in 0..newcomers {
        world.live.set(world.live.get() + 1);
        runtime::spawn(newcomer(world.clone()));
    }
}

/// Starts a connection's task.
pub(super) fn start(world: &Rc<World>, conn: Option<engine_net::Conn>) {
    world.live.set(world.live.get() + 1);
    runtime::spawn(client(world.clone(), conn));
}

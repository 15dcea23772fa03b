//! Which endpoint of an upstream takes the next request. Not here: what makes an
//! endpoint unavailable, and the counts of requests in flight (the worker's board).
//!
//! Invariant: an endpoint that is unavailable, or weighs 0, is never picked.

#[cfg(test)]
mod tests;

/// How endpoints are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Kind {
    /// In turn, by weight, spread evenly (smooth weighted round robin).
    #[default]
    RoundRobin,
    /// The less loaded, for its weight, of two endpoints drawn by weight.
    LeastRequests,
    /// Drawn by weight.
    Random,
}

/// One endpoint, as it stands at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its share relative to the others; 0 takes it out.
    pub weight: u32,
    /// The requests that it is working on.
    pub in_flight: u32,
    /// False if it is unhealthy, or was already tried for this request.
    pub available: bool,
}

/// Where round robin stands: one per worker and upstream.
#[derive(Clone, Debug, Default)]
pub struct Cursor {
    /// For each endpoint, how much of its share it is owed. They sum up to 0 over every
    /// full turn.
    owed: Vec<i64>,
    /// The endpoint that wins ties: workers differ in it, so that they don't all begin
    /// with the same one.
    start: usize,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 3] = [Kind::RoundRobin, Kind::LeastRequests, Kind::Random];

    /// The word of the configuration for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::RoundRobin => "round_robin",
            Kind::LeastRequests => "least_requests",
            Kind::Random => "random",
        }
    }

    /// The kind of this word.
    pub fn parse(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

impl Cursor {
    /// A cursor before its first pick.
    pub fn new() -> Cursor {
        Cursor::default()
    }
}

/// Picks one of the endpoints `0..count`, or `None` when all are unavailable.
/// `candidates` is asked several times about the same endpoint and may change its mind
/// in between. `random` is uniform over all of `u64`. Allocates only when `count`
/// changes.
pub fn pick(
    kind: Kind,
    candidates: impl Fn(usize) -> Candidate,
    count: usize,
    cursor: &mut Cursor,
    random: u64,
) -> Option<usize> {
    if count <= 1 {
        return (count == 1 && usable(candidates(0)).is_some()).then_some(0);
    }
    match kind {
        Kind::RoundRobin => in_turn(candidates, count, cursor, random),
        Kind::LeastRequests => less_loaded(candidates, count, random),
        Kind::Random => draw(&candidates, count, None, random),
    }
}

/// Each available endpoint is owed its weight more; the one that is owed most wins and
/// pays the sum of what was given out.
fn in_turn(
    candidates: impl Fn(usize) -> Candidate,
    count: usize,
    cursor: &mut Cursor,
    random: u64,
) -> Option<usize> {
    if cursor.owed.len() != count {
        cursor.owed.clear();
        cursor.owed.resize(count, 0);
        cursor.start = below(random, count as u64) as usize;
    }
    let mut given = 0;
    let mut winner: Option<(usize, i64)> = None;
    let (before, after) = cursor.owed.split_at_mut_checked(cursor.start)?;
    let after = after.iter_mut().zip(cursor.start..);
    for (owed, index) in after.chain(before.iter_mut().zip(0..)) {
        let Some(weight) = usable(candidates(index)) else {
            continue;
        };
        let weight = i64::from(weight);
        *owed = owed.saturating_add(weight);
        given += weight;
        if winner.is_none_or(|(_, most)| *owed > most) {
            winner = Some((index, *owed));
        }
    }
    let (index, _) = winner?;
    if let Some(owed) = cursor.owed.get_mut(index) {
        *owed = owed.saturating_sub(given);
    }
    Some(index)
}

/// Power of two choices. The first draw also wins ties, so that idle endpoints get their
/// shares too.
fn less_loaded(
    candidates: impl Fn(usize) -> Candidate,
    count: usize,
    random: u64,
) -> Option<usize> {
    let first = draw(&candidates, count, None, random)?;
    let Some(second) = draw(&candidates, count, Some(first), mix(random)) else {
        return Some(first);
    };
    let (one, other) = (candidates(first), candidates(second));
    // in_flight / weight, without dividing.
    let load_of_one = u64::from(one.in_flight) * u64::from(other.weight);
    let load_of_other = u64::from(other.in_flight) * u64::from(one.weight);
    match load_of_one <= load_of_other {
        true => Some(first),
        false => Some(second),
    }
}

/// Draws by weight, leaving `but` out.
fn draw(
    candidates: &impl Fn(usize) -> Candidate,
    count: usize,
    but: Option<usize>,
    random: u64,
) -> Option<usize> {
    let weight = |index: usize| {
        let weight = usable(candidates(index)).filter(|_| Some(index) != but);
        u64::from(weight.unwrap_or(0))
    };
    let total: u64 = (0..count).map(weight).sum();
    let mut left = below(random, total);
    let mut last = None;
    for index in 0..count {
        let weight = weight(index);
        if weight == 0 {
            continue;
        }
        if left < weight {
            return Some(index);
        }
        left -= weight;
        last = Some(index);
    }
    // Weights shrank since they were summed up.
    last
}

fn usable(candidate: Candidate) -> Option<u32> {
    (candidate.available && candidate.weight > 0).then_some(candidate.weight)
}

/// A number below `bound`, or 0 if there is none: the upper half of a product, which
/// needs no division.
fn below(random: u64, bound: u64) -> u64 {
    ((u128::from(random) * u128::from(bound)) >> 64) as u64
}

/// Another random number from one: the finalizer of SplitMix64.
fn mix(random: u64) -> u64 {
    let mut z = random.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

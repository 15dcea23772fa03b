//! Requests by method and status: a small table that grows once, since a route rarely sees more than a handful.
//! What goes beyond the first few pairs is a block of its own, which may share its first and last cache line.
//! Invariant: one writer; bounded, whatever upstreams answer: a pair that finds no place is counted as `other`.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use protocol::message::Method;

use super::cell::Counter;

/// Counts by (method, status). A status is at most three digits.
#[derive(Default)]
pub(super) struct Statuses {
    few: [Place; FEW],
    /// Made when `few` is full: the one allocation in the life of a table.
    more: OnceLock<Box<[Place]>>,
    other: Counter,
}

#[derive(Default)]
struct Place {
    /// 0 while the place is free; else 1 + method * 1000 + status.
    key: AtomicU32,
    count: Counter,
}

impl Statuses {
    #[inline]
    pub(super) fn inc(&self, method: Method, status: u16) {
        let key = 1 + method.index() as u32 * 1000 + u32::from(status.min(999));
        if !take(&self.few, key) {
            self.inc_rare(key);
        }
    }

    #[cold]
    fn inc_rare(&self, key: u32) {
        let more = self
            .more
            .get_or_init(|| (0..MORE).map(|_| Place::default()).collect());
        if !take(more, key) {
            self.other.inc();
        }
    }

    /// Every pair counted so far: method and status as labels, and the count. `add` may see a pair once per worker.
    pub(super) fn each(&self, mut visit: impl FnMut((&'static str, Option<u16>), u64)) {
        let more = self.more.get().map_or(&[][..], |more| &more[..]);
        for place in self.few.iter().chain(more) {
            let Some(key) = place.key.load(Ordering::Acquire).checked_sub(1) else {
                break;
            };
            visit(
                (method_at(key / 1000), Some((key % 1000) as u16)),
                place.count.value(),
            );
        }
        if self.other.value() > 0 {
            visit(("other", None), self.other.value());
        }
    }
}

/// Counts into the place of this key, or into the first free one; false if there is neither.
#[inline]
fn take(places: &[Place], key: u32) -> bool {
    for place in places {
        let found = place.key.load(Ordering::Relaxed);
        if found == key {
            place.count.inc();
            return true;
        }
        if found == 0 {
            place.count.inc();
            place.key.store(key, Ordering::Release);
            return true;
        }
    }
    false
}

fn method_at(index: u32) -> &'static str {
    METHODS
        .iter()
        .find(|method| method.index() as u32 == index)
        .map_or("other", |method| method.as_str())
}

const METHODS: [Method; 10] = [
    Method::Get,
    Method::Head,
    Method::Post,
    Method::Put,
    Method::Delete,
    Method::Patch,
    Method::Options,
    Method::Trace,
    Method::Connect,
    Method::Other,
];

const FEW: usize = 8;
const MORE: usize = 120;

//! Whose client certificates a listener trusts, over its reloads: who was let in before the last change, and until when
//! what they have under way may go on.
//!
//! An era lasts from one change to the next. Connections of HTTP/2 ask on their own tick whether theirs has been cut
//! (`downstream/http2`); those of HTTP/1.1 are watched here while they are at work, since none of them has a tick.

use std::cell::{Cell, RefCell};

use engine_config::snapshot::Digest;
use engine_net::deadline::{self, Deadline, Strike};

/// The eras of one listener.
pub(super) struct Trust {
    digest: Cell<Option<Digest>>,
    /// When each era that is over ended.
    ends: RefCell<Vec<u64>>,
    /// The connections of eras before this one have been cut.
    cut: Cell<u32>,
    watched: RefCell<Vec<Option<Entry>>>,
    /// Places of `watched` that are free.
    free: RefCell<Vec<usize>>,
}

/// A connection at work.
struct Entry {
    era: u32,
    /// Strikes when it is cut.
    deadline: Deadline,
}

/// Watches a connection until dropped.
pub(crate) struct Watched<'l> {
    trust: &'l Trust,
    at: usize,
}

impl Trust {
    pub(super) fn new(digest: Option<Digest>) -> Trust {
        Trust {
            digest: Cell::new(digest),
            ends: RefCell::default(),
            cut: Cell::new(0),
            watched: RefCell::default(),
            free: RefCell::default(),
        }
    }

    /// A reload has come: perhaps an era ends, then true.
    pub(super) fn renew(&self, digest: Option<Digest>, now: u64) -> bool {
        let ends = self.digest.replace(digest) != digest;
        if ends {
            self.ends.borrow_mut().push(now);
        }
        ends
    }

    /// The present one.
    pub(super) fn era(&self) -> u32 {
        u32::try_from(self.ends.borrow().len()).unwrap_or(u32::MAX)
    }

    pub(super) fn is_cut(&self, era: u32) -> bool {
        era < self.cut.get()
    }

    /// Cuts the connections of eras that ended longer ago than `grace`.
    pub(super) fn cut(&self, grace: u64, now: u64) {
        let before = self.cut.get();
        let mut cut = before;
        let ends = self.ends.borrow();
        while let Some(end) = ends.get(cut as usize)
            && now >= end.saturating_add(grace)
        {
            cut += 1;
        }
        if cut == before {
            return;
        }
        self.cut.set(cut);
        for entry in self.watched.borrow().iter().flatten() {
            if entry.era < cut {
                entry.deadline.set(deadline::now(), Strike::BothShut);
            }
        }
    }

    pub(super) fn watch(&self, era: u32, deadline: Deadline) -> Watched<'_> {
        let mut watched = self.watched.borrow_mut();
        let at = self.free.borrow_mut().pop().unwrap_or_else(|| {
            watched.push(None);
            watched.len() - 1
        });
        if let Some(place) = watched.get_mut(at) {
            *place = Some(Entry { era, deadline });
        }
        Watched { trust: self, at }
    }
}

impl Drop for Watched<'_> {
    fn drop(&mut self) {
        let entry = match self.trust.watched.borrow_mut().get_mut(self.at) {
            Some(place) => place.take(),
            None => None,
        };
        // Outside the borrow: a deadline may be the last that holds something.
        drop(entry);
        self.trust.free.borrow_mut().push(self.at);
    }
}

//! A worker's own copies of the consumers, so that naming one on a request counts no
//! reference that cores share.

use std::rc::Rc;

use super::Verifier;
use crate::identity::consumer::Member;
use crate::policies::slots::Slots;

/// The copies of one worker.
pub struct Caches(Slots<Vec<Option<Rc<Member>>>>);

impl Default for Caches {
    fn default() -> Caches {
        Caches::new()
    }
}

impl Caches {
    /// None yet.
    pub fn new() -> Caches {
        Caches(Slots::new())
    }

    /// This worker's copy of the verifier's consumer number `at`.
    pub(super) fn member(
        &mut self,
        verifier: &Verifier,
        at: usize,
        member: &Member,
        now: u64,
    ) -> Rc<Member> {
        let copies = self.0.of(&verifier.fingerprint, &verifier.name, now, || {
            vec![None; verifier.members.len()]
        });
        match copies.and_then(|copies| copies.get_mut(at)) {
            Some(copy) => Rc::clone(copy.get_or_insert_with(|| Rc::new(member.clone()))),
            None => Rc::new(member.clone()),
        }
    }

    /// Gives back the memory of verifiers that are gone.
    pub fn tick(&mut self, now: u64) {
        self.0.tick(now);
    }
}

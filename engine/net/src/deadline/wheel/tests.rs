//! The wheel under made-up time, against a model.

use std::collections::HashMap;

use super::*;

const GRAIN: u64 = 1 << SHIFT;

/// Every link, bit and count, walked through.
fn check_invariants(wheel: &Wheel) {
    let mut linked = 0;
    for (slot, &head) in wheel.heads.iter().enumerate() {
        let bit = wheel.occupied[slot / 64] >> (slot % 64) & 1;
        assert_eq!(bit == 1, head != NIL, "slot {slot}");
        let (mut id, mut prev) = (head, NIL);
        while id != NIL {
            let entry = &wheel.entries[id as usize];
            assert_eq!((entry.slot as usize, entry.prev), (slot, prev));
            if entry.at != NEVER {
                let armed_for = wheel.tick_of_slot(slot as u16);
                assert!(armed_for <= tick_of(entry.at).max(wheel.turned + 1));
            }
            linked += 1;
            (prev, id) = (id, entry.next);
        }
    }
    assert_eq!(linked, wheel.armed);
}

struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// What the model knows of an entry: when it is to strike, and the tick at which it must have.
type Model = HashMap<u32, Option<(u64, u64)>>;

fn expire(wheel: &mut Wheel, now: u64, model: &mut Model) {
    let mut fired = Vec::new();
    wheel.expire(now, &mut fired);
    check_invariants(wheel);
    let mut count = 0;
    for (&id, set) in model.iter_mut() {
        let struck = wheel.struck(Id(id));
        match *set {
            Some((at, _)) if struck => {
                assert!(at <= now, "{id} struck {} too early", at - now);
                *set = None;
                wheel.entries[id as usize].struck = false;
                count += 1;
            }
            Some((_, by)) => assert!(now >> SHIFT < by, "{id} did not strike"),
            None => assert!(!struck, "{id} struck though it was not set"),
        }
    }
    assert_eq!(fired.len(), count);
}

#[test]
fn any_sequence_agrees_with_a_model() {
    for seed in 0..40 {
        let mut random = Random(seed);
        let mut wheel = Wheel::new();
        let mut model = Model::new();
        let mut now = clock::coarse() + 3_600_000_000_000;
        for step in 0..1500 {
            let ids: Vec<u32> = model.keys().copied().collect();
            let some = ids.get(random.next(ids.len().max(1) as u64) as usize);
            match (random.next(10), some) {
                (0 | 1, _) | (_, None) => {
                    let id = wheel.insert(None);
                    assert_eq!(model.insert(id.0, None), None, "an id was given twice");
                }
                (2, Some(&id)) => {
                    wheel.remove(Id(id));
                    model.remove(&id);
                }
                (3, Some(&id)) => {
                    wheel.clear(Id(id));
                    model.insert(id, None);
                }
                (4..=7, Some(&id)) => {
                    let far = [GRAIN, 50 * GRAIN, 5000 * GRAIN, 40_000 * GRAIN];
                    let far = far[random.next(4) as usize];
                    let at = now - GRAIN + random.next(far);
                    wheel.set(Id(id), at, Strike::Wake);
                    let by = tick_of(at).max((now >> SHIFT) + 1);
                    model.insert(id, Some((at, by)));
                }
                _ => {
                    let far = [GRAIN / 3, 3 * GRAIN, 500 * GRAIN, 9000 * GRAIN];
                    let far = far[random.next(4) as usize];
                    now += random.next(far);
                    expire(&mut wheel, now, &mut model);
                }
            }
            if step % 16 == 0 {
                check_invariants(&wheel);
            }
        }
        // Left alone, everything strikes, and the driving task never rests past what is due.
        while let Some(next) = model.values().flatten().map(|(_, by)| by << SHIFT).min() {
            let rest = wheel.rest().expect("something is set");
            assert!(rest <= next, "rests {} too long", rest - next);
            now = now.max(rest);
            expire(&mut wheel, now, &mut model);
        }
    }
}

#[test]
fn a_later_time_is_a_plain_store() {
    let mut wheel = Wheel::new();
    let id = wheel.insert(None);
    let now = clock::coarse();
    wheel.set(id, now + 10 * GRAIN, Strike::Wake);
    let slot = wheel.entries[0].slot;
    for later in 11..1000 {
        assert!(wheel.set(id, now + later * GRAIN, Strike::Wake).is_none());
        assert_eq!(wheel.entries[0].slot, slot);
    }
    // Back, but not before its slot: still a store.
    wheel.set(id, now + 12 * GRAIN, Strike::Wake);
    assert_eq!(wheel.entries[0].slot, slot);
    wheel.set(id, now + 5 * GRAIN, Strike::Wake);
    assert_ne!(wheel.entries[0].slot, slot);
    assert_eq!(wheel.armed(), 1);
}

#[test]
fn only_something_earlier_wakes_the_driver() {
    let mut wheel = Wheel::new();
    let mut cx = Context::from_waker(Waker::noop());
    let now = clock::coarse();
    let (a, b) = (wheel.insert(None), wheel.insert(None));
    wheel.set(a, now + 100 * GRAIN, Strike::Wake);
    assert!(wheel.rest().is_some());
    assert!(wheel.poll_disturbed(&mut cx).is_pending());
    assert!(wheel.set(b, now + 200 * GRAIN, Strike::Wake).is_none());
    assert!(wheel.set(b, now + 50 * GRAIN, Strike::Wake).is_some());
    assert!(wheel.poll_disturbed(&mut cx).is_ready());
}

#[test]
fn entries_are_small_and_used_again() {
    assert!(size_of::<Entry>() <= 48, "{}", size_of::<Entry>());
    let mut wheel = Wheel::new();
    let ids: Vec<Id> = (0..10).map(|_| wheel.insert(None)).collect();
    for id in &ids {
        wheel.set(*id, clock::coarse() + GRAIN, Strike::Wake);
        wheel.remove(*id);
    }
    assert_eq!(wheel.armed(), 0);
    for _ in 0..10 {
        wheel.insert(None);
    }
    assert_eq!(wheel.entries.len(), 10);
}

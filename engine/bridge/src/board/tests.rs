//! The board by hand: caps, surplus, names, addresses, and real threads.

use std::rc::Rc;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// A node's board, and what each of so many workers has of it.
fn node<const WORKERS: usize>() -> (Arc<Board>, [Shares; WORKERS]) {
    let board = Arc::new(Board::new(WORKERS));
    let shares = std::array::from_fn(|_| Shares::new(&board));
    (board, shares)
}

fn many(share: &Rc<Share>, count: usize, cap: u64) -> Vec<Held> {
    let held: Vec<Held> = (0..count).map_while(|_| share.acquire(cap)).collect();
    assert_eq!(held.len(), count);
    held
}

#[test]
fn a_total_counted_one_by_one_stops_at_its_cap_and_counts_back() {
    let total = Board::new(2).pending("backend");
    let first = Total::acquire(&total, 2);
    let second = Total::acquire(&total, 2);
    assert!(first.is_some() && second.is_some());
    assert!(Total::acquire(&total, 2).is_none());
    drop(first);
    assert_eq!(total.held(), 1);
    assert!(Total::acquire(&total, 2).is_some());
    drop(second);
    assert_eq!(total.held(), 0);
}

#[test]
fn no_two_totals_share_a_cache_line_and_no_two_parts_of_one() {
    let board = Board::new(2);
    let totals = ["a", "b", "c"].map(|name| board.pending(name));
    let (outs, tights): (Vec<_>, Vec<_>) = totals.iter().map(|total| total.lines()).unzip();
    let place = |at: &dyn Fn(usize) -> usize| (0..3).map(at).collect::<Vec<_>>();
    crate::lines::assert_apart(outs.iter().copied());
    crate::lines::assert_apart(tights.iter().copied());
    let outs = place(&|at| std::ptr::from_ref(outs[at]).addr());
    let tights = place(&|at| std::ptr::from_ref(tights[at]).addr());
    assert!(outs.iter().all(|at| !tights.contains(at)));
}

#[test]
fn far_from_the_cap_a_worker_goes_to_the_node_once_a_tick() {
    let (_, [one, two]) = node();
    let share = one.in_flight("a");
    for tick in 0..3 {
        let mut seen = None;
        for _ in 0..1_000 {
            let held = share.acquire(1_000);
            assert!(held.is_some());
            let out = share.total().held();
            assert_eq!(*seen.get_or_insert(out), out, "in tick {tick}");
        }
        assert!(share.surplus() > 0);
        one.tick();
        assert_eq!(share.total().held(), 0, "after tick {tick}");
    }
    drop(two);
}

#[test]
fn small_caps_are_exact_without_a_tick() {
    for cap in [1, 2, 3, 31] {
        let (_, [one, two]) = node();
        let (a, b) = (one.in_flight("a"), two.in_flight("a"));
        for _ in 0..3 {
            let mut held = many(&a, cap as usize - 1, cap);
            held.extend(b.acquire(cap));
            assert_eq!(held.len(), cap as usize);
            assert!(a.acquire(cap).is_none() && b.acquire(cap).is_none());
            drop(held.remove(0));
            assert!(b.acquire(cap).is_some() && a.acquire(cap).is_some());
        }
        assert_eq!(a.total().held(), 0);
    }
}

#[test]
fn who_is_refused_finds_the_surplus_of_others_after_their_next_operation() {
    let (_, [one, two]) = node();
    let (a, b) = (one.connections("up"), two.connections("up"));
    let mut of_b = many(&b, 10, 1_000);
    let surplus = b.surplus();
    assert!((1..=1_000 / 32).contains(&surplus));
    let mut of_a = many(&a, 1_000 - 10 - surplus as usize, 1_000);
    assert!(a.acquire(1_000).is_none(), "the rest is in a surplus");
    of_b.pop();
    assert_eq!(b.surplus(), 0);
    of_a.extend(many(&a, surplus as usize + 1, 1_000));
    assert!(a.acquire(1_000).is_none() && b.acquire(1_000).is_none());
    assert_eq!(of_a.len() + of_b.len(), 1_000);
}

#[test]
fn near_the_cap_who_takes_gives_the_rest_back_too() {
    let (_, [one, two]) = node();
    let (a, b) = (one.connections("up"), two.connections("up"));
    let mut of_b = many(&b, 10, 1_000);
    let surplus = b.surplus();
    assert!(surplus > 1);
    let _of_a = many(&a, 1_000 - 10 - surplus as usize, 1_000);
    of_b.extend(b.acquire(1_000));
    assert_eq!((of_b.len(), b.surplus()), (11, 0));
    assert_eq!(b.total().held(), 1_000 - surplus + 1);
}

#[test]
fn a_quiet_worker_keeps_what_it_had_to_its_tick_and_no_longer() {
    let (_, [one, two]) = node();
    let (a, b) = (one.connections("up"), two.connections("up"));
    let of_b = many(&b, 10, 1_000);
    let _of_a = many(&a, 990 - b.surplus() as usize, 1_000);
    assert!(a.acquire(1_000).is_none());
    two.tick();
    assert!(a.acquire(1_000).is_some());
    drop(of_b);
}

#[test]
fn a_surplus_is_bounded_however_much_comes_back_at_once() {
    for (cap, most) in [(1_000, 31), (100, 3), (1 << 20, 64), (u64::MAX, 64)] {
        let (_, [one, _two]) = node();
        let share = one.listener("public");
        let mut held = many(&share, 80, cap);
        while held.pop().is_some() {
            assert!(share.surplus() <= most);
            assert_eq!(share.total().held(), held.len() as u64 + share.surplus());
        }
        assert!(share.surplus() > 0);
    }
}

#[test]
fn a_surplus_is_not_used_under_another_cap() {
    let (_, [one, two]) = node();
    let (a, b) = (one.in_flight("a"), two.in_flight("a"));
    let _of_a = many(&a, 10, 1_000);
    let _of_b = many(&b, 10, 1_000);
    assert!(a.surplus() > 0);
    // A reload that this worker alone has heard of: what is held is held, and no more comes.
    assert!(a.acquire(20).is_none());
    assert_eq!(a.surplus(), 0);
    // What the other has kept counts as held until it hears of it too.
    assert!(b.surplus() > 0 && a.acquire(21).is_none());
    two.tick();
    assert!(a.acquire(21).is_some());
}

#[test]
fn above_a_lowered_cap_what_comes_back_is_nobodys_to_use_again() {
    let (_, [one, two]) = node();
    let (a, b) = (one.in_flight("a"), two.in_flight("a"));
    let mut of_a = many(&a, 50, 1_000);
    let mut of_b = many(&b, 100, 1_000);
    one.tick();
    two.tick();
    assert!(a.acquire(76).is_none());
    // The other has not heard, and finds the cap far away.
    of_b.extend(b.acquire(1_000));
    assert!(!a.total().is_tight());
    of_a.pop();
    assert!(a.acquire(76).is_none());
    assert_eq!(of_a.len() + of_b.len(), 150);
}

#[test]
fn a_cap_that_is_set_later_counts_what_is_there() {
    let (_, [one, two]) = node();
    let (a, b) = (one.all_connections(), two.all_connections());
    let (_of_a, of_b) = (many(&a, 5, u64::MAX), many(&b, 5, u64::MAX));
    one.tick();
    two.tick();
    assert!(a.acquire(10).is_none());
    drop(of_b);
    two.tick();
    let more = many(&a, 5, 10);
    assert!(b.acquire(10).is_none());
    drop(more);
}

#[test]
fn a_worker_that_ends_leaves_nothing_but_what_its_tasks_hold() {
    let (board, [one, two]) = node();
    let (a, b) = (one.connections("up"), two.connections("up"));
    let mut held = many(&a, 3, 1_000);
    one.finish();
    drop(a);
    assert_eq!(b.total().held(), 3);
    held.pop();
    assert_eq!(b.total().held(), 2);
    let late = one.connections("up").acquire(1_000);
    assert!(late.is_some());
    assert_eq!(b.total().held(), 3);
    drop(late);
    assert_eq!(b.total().held(), 2);
    drop(one);
    held.pop();
    assert_eq!(b.total().held(), 1);
    let late = Shares::new(&board);
    drop(late.connections("up").acquire(1_000));
    drop(late);
    drop(held);
    assert_eq!(b.total().held(), 0);
}

#[test]
fn the_cap_holds_over_threads() {
    for (cap, held_by_each) in [(3, 2), (64, 40), (600, 400)] {
        let board = Arc::new(Board::new(4));
        let (in_use, barrier) = (AtomicU64::new(0), Barrier::new(4));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let shares = Shares::new(&board);
                    let share = shares.in_flight("a");
                    let mut held = Vec::new();
                    barrier.wait();
                    for step in 0..20_000 {
                        if held.len() == held_by_each || step % 3 == 2 {
                            // Counted down before it is given back, and up after it was taken: never too many.
                            if let Some(one) = held.pop() {
                                in_use.fetch_sub(1, Ordering::SeqCst);
                                drop(one);
                            }
                        } else if let Some(one) = share.acquire(cap) {
                            assert!(in_use.fetch_add(1, Ordering::SeqCst) < cap);
                            held.push(one);
                        }
                        if step % 100 == 0 {
                            shares.tick();
                        }
                    }
                    in_use.fetch_sub(held.len() as u64, Ordering::SeqCst);
                });
            }
        });
        assert_eq!(Shares::new(&board).in_flight("a").total().held(), 0);
    }
}

#[test]
fn totals_are_one_per_name_and_go_when_nobody_holds_them() {
    let (board, [one, two]) = node();
    let held = one.connections("a").acquire(9);
    assert_eq!(two.connections("a").total().held(), 1);
    assert_eq!(two.connections("b").total().held(), 0);
    assert_eq!(two.in_flight("a").total().held(), 0);
    for _ in 0..share::FORGET_EVERY {
        one.tick();
        two.tick();
    }
    board.sweep();
    assert_eq!(board.lock().len(), 1);
    assert_eq!(
        two.connections("a").total().held(),
        1,
        "the held place keeps its total"
    );
    drop(held);
    for _ in 0..share::FORGET_EVERY {
        one.tick();
        two.tick();
    }
    board.sweep();
    assert_eq!(board.lock().len(), 0);
}

#[test]
fn a_tick_touches_only_what_was_used() {
    let (_, [one]) = node();
    let shares: Vec<_> = (0..100).map(|n| one.in_flight(&n.to_string())).collect();
    let room = one.busy().borrow().capacity();
    for _ in 0..3 {
        for share in shares.iter().step_by(10) {
            // Twice, and refused in between: listed once.
            assert!(share.acquire(1_000).is_some() && share.acquire(0).is_none());
            assert!(share.acquire(1_000).is_some());
        }
        assert_eq!(one.busy().borrow().len(), 10);
        one.tick();
        assert_eq!(one.busy().borrow().len(), 0);
    }
    for share in &shares {
        assert!(share.acquire(1_000).is_some());
    }
    assert_eq!(
        one.busy().borrow().capacity(),
        room,
        "a tick's list never grows"
    );
}

#[test]
fn a_client_has_its_own_cap_and_is_forgotten() {
    let board = Board::new(1);
    let listener: Arc<str> = "public".into();
    let at = |text: &str| Some(text.parse().unwrap());
    let hold = |peer, cap| board.per_address(&listener, peer, cap);
    let held = hold(at("127.0.0.1:5000"), Some(1));
    assert!(held.is_some());
    assert!(
        hold(at("[::ffff:127.0.0.1]:5001"), Some(1)).is_none(),
        "the same client over IPv6"
    );
    assert!(
        board
            .per_address(&"other".into(), at("127.0.0.1:5002"), Some(1))
            .is_some()
    );
    assert!(hold(at("127.0.0.2:5003"), Some(1)).is_some());
    assert!(hold(at("127.0.0.2:5004"), Some(0)).is_none());
    assert!(hold(at("127.0.0.1:5005"), None).is_some() && hold(None, Some(0)).is_some());
    drop(held);
    assert!(board.addresses.is_empty());
}

#[test]
fn the_word_on_an_endpoint_is_one_for_all_and_lasts_while_it_is_held() {
    let board = Board::new(2);
    let (control, worker) = (board.health("a", "1"), board.health("a", "1"));
    let other = board.health("b", "1");
    assert!(worker.is_healthy(), "what is new is healthy");
    control.set(false);
    assert!(!worker.is_healthy() && other.is_healthy());
    drop(control);
    board.sweep();
    assert!(!board.health("a", "1").is_healthy(), "a worker holds it");
    drop(worker);
    board.sweep();
    assert!(board.health("a", "1").is_healthy(), "it was forgotten");
}

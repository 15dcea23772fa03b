//! The slab, what it remembers of closed streams, halves, and windows.

use proptest::collection::vec;
use proptest::prelude::*;

use super::state::UNBOUNDED;
use super::window::{MAX_WINDOW, Overflow};
use super::*;
use crate::message::BodyLength;

fn stream(number: u32) -> Stream {
    Stream::new(number, 10, 10)
}

#[test]
fn streams_are_found_by_number_until_they_close() {
    let mut streams = Streams::new();
    let one = streams.insert(stream(1));
    let three = streams.insert(stream(3));
    assert_eq!(streams.find(1), Some(one));
    assert_eq!(streams.find(3), Some(three));
    assert_eq!(streams.find(5), None);
    assert!(streams.remove(one, How::Ended).is_some());
    assert_eq!((streams.find(1), streams.active()), (None, 1));
    // Its slot is used again, but the old name does not reach the new stream.
    let five = streams.insert(stream(5));
    assert_eq!(five.slot(), one.slot());
    assert!(streams.get(one).is_none());
    assert!(streams.get_mut(one).is_none());
    assert!(streams.remove(one, How::ByUs).is_none());
    assert_eq!(streams.get(five).unwrap().number, 5);
    assert_eq!(streams.closed.how(1), How::Ended);
}

#[test]
fn an_old_stream_is_found_after_thousands_of_new_ones() {
    let mut streams = Streams::new();
    let old = streams.insert(stream(1));
    for number in (3..20_001).step_by(2) {
        let new = streams.insert(stream(number));
        assert_eq!(streams.find(number), Some(new));
        assert!(streams.remove(new, How::Ended).is_some());
    }
    assert_eq!(streams.find(1), Some(old));
    assert_eq!(streams.find(1), Some(old));
    assert_eq!(streams.slots.len(), 2);
}

proptest! {
    /// The slab against a plain list.
    #[test]
    fn the_slab_is_a_map(steps in vec((0..3_u8, any::<prop::sample::Index>()), 0..400)) {
        let mut streams = Streams::new();
        let mut model: Vec<StreamId> = Vec::new();
        let mut next = 1;
        for (step, index) in steps {
            if step > 0 && !model.is_empty() {
                let id = model[index.index(model.len())];
                prop_assert_eq!(streams.find(id.number()), Some(id));
                if step == 1 {
                    prop_assert_eq!(streams.remove(id, How::Ended).unwrap().number, id.number());
                    model.retain(|other| *other != id);
                }
            } else {
                model.push(streams.insert(stream(next)));
                next += 2;
            }
            prop_assert_eq!(streams.active(), model.len());
            streams.check_invariants();
        }
        for number in (1..next).step_by(2) {
            let expected = model.iter().find(|id| id.number() == number).copied();
            prop_assert_eq!(streams.find(number), expected);
        }
        let mut slots: Vec<usize> = model.iter().map(|id| id.slot()).collect();
        slots.sort_unstable();
        slots.dedup();
        prop_assert_eq!(slots.len(), model.len());
    }
}

#[test]
fn how_streams_closed_is_remembered_for_a_while() {
    let mut closed = Closed::default();
    closed.push(1, How::Ended);
    closed.push(7, How::ByUs);
    closed.push(5, How::ByPeer);
    let how = |closed: &Closed| [1, 3, 5, 7, 9].map(|number| closed.how(number));
    let known = [
        How::Ended,
        How::Skipped,
        How::ByPeer,
        How::ByUs,
        How::Skipped,
    ];
    assert_eq!(how(&closed), known);
    // Below the highest that was forgotten nothing is sure any more, but what is still remembered is.
    for number in 10..41 {
        closed.push(number, How::Ended);
    }
    let forgotten = [How::Forgotten, How::Forgotten, How::ByPeer, How::Forgotten];
    assert_eq!([1, 3, 5, 7].map(|number| closed.how(number)), forgotten);
    assert_eq!(closed.how(39), How::Ended);
    assert_eq!(closed.how(41), How::Skipped);
}

#[test]
fn a_body_is_held_against_its_content_length() {
    let check = |body, pieces: &[(u32, bool)]| {
        let mut stream = stream(1);
        stream.receive_head(body, false);
        pieces
            .iter()
            .map(|(len, end)| stream.expect(*len, *end))
            .collect::<Vec<bool>>()
    };
    assert_eq!(
        check(BodyLength::Exact(5), &[(2, false), (3, true)]),
        [true, true]
    );
    assert_eq!(
        check(BodyLength::Exact(5), &[(5, false), (0, true)]),
        [true, true]
    );
    assert_eq!(check(BodyLength::Exact(5), &[(4, true)]), [false]);
    assert_eq!(check(BodyLength::Exact(5), &[(6, false)]), [false]);
    assert_eq!(
        check(BodyLength::None, &[(0, false), (0, true)]),
        [true, true]
    );
    assert_eq!(check(BodyLength::None, &[(1, false)]), [false]);
    assert_eq!(
        check(BodyLength::Frames, &[(u32::MAX, false), (7, true)]),
        [true, true]
    );
    assert_eq!(stream(1).expected, UNBOUNDED);
}

#[test]
fn a_stream_is_closed_when_both_halves_are() {
    for (sent, received) in [
        (Half::Head, Half::Head),
        (Half::Body, Half::Done),
        (Half::Done, Half::Head),
        (Half::Done, Half::Body),
    ] {
        let state = Stream {
            sent,
            received,
            ..stream(1)
        };
        assert!(!state.is_closed());
    }
    assert!(Stream::VACANT.is_closed());
}

#[test]
fn send_windows_may_be_negative_but_not_above_31_bits() {
    let mut window = SendWindow::new(100);
    window.take(60);
    assert_eq!(window.available(), 40);
    assert_eq!(window.add(-100), Ok(()));
    assert_eq!(window.available(), 0);
    assert_eq!(window.add(60), Ok(()));
    assert_eq!(window.available(), 0);
    assert_eq!(window.add(1), Ok(()));
    assert_eq!(window.available(), 1);
    assert_eq!(window.add(MAX_WINDOW - 1), Ok(()));
    assert_eq!(window.add(1), Err(Overflow));
    assert_eq!(window.available() as i64, MAX_WINDOW);
}

#[test]
fn receive_windows_give_back_in_halves() {
    let mut window = ReceiveWindow::new(100);
    assert_eq!(window.take(100), Ok(()));
    assert_eq!(window.take(1), Err(Overflow));
    assert_eq!(window.take(0), Ok(()));
    assert_eq!(window.release(49), None);
    assert_eq!(window.available(), 0);
    assert_eq!(window.release(1), Some(50));
    assert_eq!(window.available(), 50);
    assert_eq!(window.release(50), Some(50));
    assert_eq!(window.release(0), None);
    assert_eq!(window.take(101), Err(Overflow));
    // A smaller size than what is under way: negative until that has been taken.
    assert_eq!(window.take(80), Ok(()));
    window.resize(40);
    assert_eq!(window.available(), 0);
    assert_eq!(window.take(1), Err(Overflow));
    assert_eq!(window.release(80), Some(80));
    assert_eq!(window.available(), 40);
}

proptest! {
    /// Whatever is taken and released, in any order: what is available, held and credited is the size, and a peer that
    /// is owed half a window has been told.
    #[test]
    fn receive_windows_add_up(size in 1..200_u32, steps in vec((any::<bool>(), 0..200_u32), 0..100)) {
        let mut window = ReceiveWindow::new(size);
        let (mut allowed, mut held) = (i64::from(size), 0_i64);
        for (take, len) in steps {
            if take {
                let fits = i64::from(len) <= allowed;
                prop_assert_eq!(window.take(len).is_ok(), fits);
                if fits {
                    allowed -= i64::from(len);
                    held += i64::from(len);
                }
            } else {
                let len = i64::from(len).min(held);
                held -= len;
                allowed += i64::from(window.release(len as u32).unwrap_or(0));
            }
            prop_assert_eq!(i64::from(window.available()), allowed);
            prop_assert!(allowed + held <= i64::from(size));
            prop_assert!(allowed + held > i64::from(size) - i64::from((size / 2).max(1)));
        }
    }
}

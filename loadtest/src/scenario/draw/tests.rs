//! Tests of values: what is counted is what is written.

use super::*;
use proptest::prelude::*;

fn written(draw: &Draw, value: u64) -> String {
    let (tokens, mut out) = (Tokens::default(), Vec::new());
    draw.write(value, &tokens, &mut out);
    assert_eq!(draw.len(value, &tokens), out.len(), "{draw:?} {value}");
    String::from_utf8(out).expect("text")
}

fn range(low: u64, high: u64, width: u8) -> Draw {
    Draw::Range {
        low,
        more: high - low,
        width,
    }
}

fn list(items: &[&str]) -> Draw {
    let mut list = List::default();
    items.iter().for_each(|item| list.push(item.as_bytes()));
    Draw::List(Arc::new(list))
}

#[test]
fn values_are_written_as_they_are_counted() {
    assert_eq!(written(&range(0, 9999, 4), 7), "0007");
    assert_eq!(written(&range(0, 9999, 0), 0), "0");
    assert_eq!(written(&range(0, 9999, 2), 1234), "1234");
    assert_eq!(written(&list(&["a", "", "ccc"]), 1), "");
    assert_eq!(written(&list(&["a", "", "ccc"]), 2), "ccc");
    assert_eq!(written(&list(&["a"]), 9), "");
    let uuid = written(&Draw::Uuid, 1);
    let shape: Vec<usize> = uuid.split('-').map(str::len).collect();
    assert_eq!(shape, [8, 4, 4, 4, 12]);
    assert_eq!(uuid.as_bytes()[14], b'4');
    assert!(matches!(uuid.as_bytes()[19], b'8' | b'9' | b'a' | b'b'));
    for length in [1, 9, 10, 11, 100] {
        let text = written(&Draw::Text(length), 5);
        assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
    }
}

#[test]
fn all_values_of_a_range_come_about_equally_often() {
    let (draw, mut random) = (range(5, 14, 0), Random::new(1));
    let mut seen = [0; 10];
    for _ in 0..10_000 {
        let value = draw.draw(&mut random, 0, &Tokens::default());
        seen[usize::try_from(value - 5).expect("small")] += 1;
    }
    assert!(seen.iter().all(|it| (850..1150).contains(it)), "{seen:?}");
}

#[test]
fn counters_begin_again_after_their_last() {
    let draw = Draw::Counter {
        first: 3,
        cycle: 2,
        width: 0,
    };
    let value = |number| draw.draw(&mut Random::new(0), number, &Tokens::default());
    assert_eq!([0, 1, 2, 3].map(value), [3, 4, 3, 4]);
}

proptest! {
    #[test]
    fn lengths_are_right(value: u64, width in 0_u8..25, length in 1_u32..200) {
        written(&range(0, 1, width), value);
        written(&Draw::Text(length), value);
        written(&Draw::Uuid, value);
    }

    #[test]
    fn ranges_are_kept(low in 0..1_u64 << 62, more in 0..1_u64 << 62, seed: u64) {
        let value = range(low, low + more, 0).draw(&mut Random::new(seed), 0, &Tokens::default());
        prop_assert!((low..=low + more).contains(&value));
    }
}

//! Buffer arithmetic against a model, and the pool.

use super::*;
use crate::testing::count;

/// A small generator (splitmix64): the property test needs variety, not quality.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % below as u64) as usize
    }
}

#[test]
fn any_sequence_agrees_with_a_model() {
    for seed in 0..200 {
        let mut random = Random(seed);
        let mut buffer = if seed % 8 == 0 {
            Buffer::large()
        } else {
            Buffer::standard()
        };
        let total = buffer.headroom() + buffer.room();
        let mut model: Vec<u8> = Vec::new();
        let mut stamp = 0u8;
        for step in 0..300 {
            stamp = stamp.wrapping_add(1);
            match random.next(9) {
                0 | 1 => {
                    let bytes = vec![stamp; random.next(6000)];
                    let fits = bytes.len() <= buffer.room();
                    assert_eq!(buffer.extend(&bytes), fits, "seed {seed} step {step}");
                    if fits {
                        model.extend_from_slice(&bytes);
                    }
                }
                2 => {
                    let bytes = vec![stamp; random.next(700)];
                    let fits = bytes.len() <= buffer.headroom();
                    assert_eq!(buffer.prepend(&bytes), fits, "seed {seed} step {step}");
                    if fits {
                        model.splice(0..0, bytes);
                    }
                }
                3 | 4 => {
                    let n = random.next(model.len() + 1);
                    buffer.consume(n);
                    model.drain(..n);
                    if model.is_empty() {
                        assert_eq!(buffer.headroom(), HEADROOM);
                    }
                }
                5 => {
                    let len = random.next(model.len() + 100);
                    buffer.truncate(len);
                    model.truncate(len);
                }
                6 => {
                    let room = buffer.room();
                    buffer.compact();
                    assert!(buffer.room() >= room);
                    assert!(buffer.headroom() <= HEADROOM);
                }
                7 => {
                    // A read of `n` bytes, as the driver makes it.
                    use monoio::buf::IoBufMut;
                    let n = random.next(buffer.room().min(5000) + 1);
                    assert_eq!(buffer.bytes_total(), buffer.room());
                    let place = buffer.write_ptr();
                    // SAFETY: `n <= room()`, as asserted of `bytes_total` above.
                    unsafe { std::ptr::write_bytes(place, stamp, n) };
                    // SAFETY: the bytes were just written.
                    unsafe { buffer.set_init(n) };
                    model.resize(model.len() + n, stamp);
                }
                _ => {
                    if random.next(20) == 0 {
                        buffer.clear();
                        model.clear();
                    }
                }
            }
            assert_eq!(buffer.filled(), model, "seed {seed} step {step}");
            assert_eq!(buffer.filled_mut(), model);
            assert_eq!(buffer.len(), model.len());
            assert_eq!(buffer.is_empty(), model.is_empty());
            assert_eq!(buffer.headroom() + buffer.len() + buffer.room(), total);
        }
    }
}

#[test]
fn sizes_and_debug() {
    let standard = Buffer::standard();
    assert_eq!(
        (standard.room(), standard.headroom(), standard.is_large()),
        (STANDARD, HEADROOM, false)
    );
    let mut large = Buffer::large();
    assert_eq!((large.room(), large.is_large()), (LARGE, true));
    assert!(large.extend(b"secret"));
    assert!(!format!("{large:?}").contains("secret"));
    assert_eq!(std::mem::size_of::<Buffer>(), 24);
    assert_eq!(std::mem::size_of::<Option<Buffer>>(), 24);
}

#[test]
fn the_stand_in_holds_nothing_whatever_is_done_to_it() {
    in_fresh_thread(|| {
        let mut buffer = Buffer::default();
        for _ in 0..2 {
            assert_eq!((buffer.len(), buffer.room(), buffer.headroom()), (0, 0, 0));
            assert!(!buffer.extend(b"x") && !buffer.prepend(b"x"));
            assert!(buffer.extend(b"") && buffer.prepend(b""));
            buffer.clear();
            buffer.consume(0);
            buffer.compact();
            buffer.truncate(0);
        }
        drop(buffer);
        assert_eq!(stats(), Stats::default());
    });
}

/// The pool is the thread's: a fresh thread makes a fresh one.
fn in_fresh_thread(test: impl FnOnce() + Send + 'static) {
    std::thread::spawn(test).join().expect("the test passes");
}

#[test]
fn the_pool_gives_blocks_again_without_allocating() {
    in_fresh_thread(|| {
        drop((Buffer::standard(), Buffer::standard(), Buffer::large()));
        let before = stats();
        assert_eq!((before.in_use, before.pooled), (0, 3));
        let ((), counts) = count(|| {
            for _ in 0..100 {
                let pair = (Buffer::standard(), Buffer::large());
                assert_eq!(stats().in_use, 2);
                drop(pair);
            }
        });
        assert_eq!((counts.allocations, counts.frees), (0, 0));
        assert_eq!(stats(), before);
        assert_eq!(
            before.bytes,
            2 * Kind::Standard.bytes() + Kind::Large.bytes()
        );
    });
}

#[test]
fn the_pool_is_bounded() {
    in_fresh_thread(|| {
        let many: Vec<Buffer> = (0..100).map(|_| Buffer::large()).collect();
        assert_eq!(stats().in_use, 100);
        drop(many);
        assert_eq!((stats().in_use, stats().pooled), (0, 64));
    });
}

#[test]
fn trimming_frees_what_was_not_used() {
    in_fresh_thread(|| {
        let second = 1_000_000_000;
        pool::trim_at(second);
        drop((0..40).map(|_| Buffer::standard()).collect::<Vec<_>>());
        // The window that ends now saw the pool empty: nothing is known to be surplus.
        pool::trim_at(2 * second);
        assert_eq!(stats().pooled, 40);
        // In the next one 10 blocks are used at a time: 30 go, 16 by 16.
        drop((0..10).map(|_| Buffer::standard()).collect::<Vec<_>>());
        pool::trim_at(2 * second + 1);
        assert_eq!(stats().pooled, 40);
        pool::trim_at(3 * second);
        assert_eq!(stats().pooled, 24);
        pool::trim_at(3 * second + 1);
        assert_eq!(stats().pooled, 10);
        pool::trim_at(3 * second + 2);
        assert_eq!(stats().pooled, 10);
    });
}

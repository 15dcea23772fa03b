//! What must hold for all bytes: one answer however they arrive, and frames of our own are followed to their ends.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Bytes that lie close to frames.
fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let words: [&[u8]; 14] = [
        b"\x81\x01x",
        b"\x01\x00",
        b"\x80\x00",
        b"\x00\x02ab",
        b"\x89\x00",
        b"\x88\x02\x03\xe8",
        b"\xc1\x01x",
        b"\x82\x7e\x00\x7e",
        b"\x82\x7f\0\0\0\0\0\x01\0\0",
        b"\x82\x7f\xff",
        b"\x81\x81\x01\x02\x03\x04x",
        b"\x80\x80\x01\x02\x03\x04",
        b"\x89\x80\x01\x02\x03\x04",
        b"\x88\x80\x01\x02\x03\x04",
    ];
    let word = prop_oneof![
        12 => proptest::sample::select(words.to_vec()).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 1..3),
    ];
    vec(word, 0..20).prop_map(|words| words.concat())
}

fn follower() -> impl Strategy<Value = Follower> {
    let sender = prop_oneof![Just(Sender::Client), Just(Sender::Server)];
    let extensions = prop_oneof![
        2 => Just(Extensions::None),
        1 => Just(Extensions::Deflate),
        1 => Just(Extensions::Other),
    ];
    (sender, extensions).prop_map(|(sender, extensions)| Follower::new(sender, extensions))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    /// However bytes are cut, the same is known after them, and boundaries lie where they lie.
    #[test]
    fn what_is_known_does_not_depend_on_arrival(
        start in follower(),
        bytes in prop_oneof![4 => hostile(), 1 => vec(any::<u8>(), 0..60)],
        sizes in vec(1..20usize, 1..8),
    ) {
        let mut at_once = start;
        let whole = at_once.follow(&bytes);
        let mut in_pieces = start;
        let mut rest = bytes.as_slice();
        for size in sizes.iter().cycle() {
            let (piece, after) = rest.split_at((*size).min(rest.len()));
            let got = in_pieces.follow(piece);
            prop_assert!(got.is_ok() || got == whole);
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
        prop_assert_eq!(in_pieces, at_once);
        // Boundary by boundary: each is the first one since the last.
        let (mut stepping, mut at, mut ends) = (start, 0, 0);
        while at < bytes.len() {
            let mut single = stepping;
            let Ok(taken) = stepping.follow_to_boundary(&bytes[at..]) else {
                prop_assert!(whole.is_err());
                break;
            };
            prop_assert!(taken > 0 && at + taken <= bytes.len());
            for offset in 0..taken {
                prop_assert_eq!(single.follow(&bytes[at + offset..at + offset + 1]), Ok(()));
                prop_assert_eq!(single.is_between_frames(), offset + 1 == taken && stepping.is_between_frames());
            }
            at += taken;
            ends += u64::from(stepping.is_between_frames());
            prop_assert_eq!(stepping.frames(), ends);
        }
        if whole.is_ok() {
            prop_assert_eq!(stepping, at_once);
        }
    }

    /// Frames that are written are followed, whatever is in them, and a Close ends them.
    #[test]
    fn frames_of_our_own_are_followed(
        frames in vec((0..4usize, vec(any::<u8>(), 0..300), any::<[u8; 4]>()), 0..8),
        is_client in any::<bool>(),
        reason in ".{0,80}",
    ) {
        let sender = if is_client { Sender::Client } else { Sender::Server };
        let mut follower = Follower::new(sender, Extensions::None);
        for (kind, mut payload, mask) in frames {
            let opcode = [Opcode::Text, Opcode::Binary, Opcode::Ping, Opcode::Pong][kind];
            if kind >= 2 {
                payload.truncate(125);
            }
            let mut out = Vec::new();
            frame(opcode, &payload, is_client.then_some(mask), &mut out);
            let before = follower.frames();
            prop_assert_eq!(follower.follow_to_boundary(&out), Ok(out.len()));
            prop_assert!(follower.may_close());
            prop_assert_eq!(follower.frames(), before + 1);
        }
        let mut out = Vec::new();
        close_frame(CloseCode::GoingAway, &reason, is_client.then_some([9, 8, 7, 6]), &mut out);
        prop_assert_eq!(follower.follow(&out), Ok(()));
        prop_assert!(follower.has_closed() && !follower.may_close());
    }

    /// A key of our own is a valid one, and no other key has its proof.
    #[test]
    fn keys(random in any::<[u8; 16]>(), bit in 0..128usize) {
        let key = Key::from_random(random);
        prop_assert_eq!(Key::of(key.as_bytes()), Some(key));
        let mut other = random;
        other[bit / 8] ^= 1 << (bit % 8);
        prop_assert_ne!(Key::from_random(other).accept(), key.accept());
    }
}

//! WebSocket frames as they are followed.

use protocol::websocket::{CloseCode, Extensions, Follower, Sender, close_frame};

use super::arrival::{WAYS, pieces};
use super::outcome;

/// The same is known after the bytes however they come, and a Close that may be written ends the frames.
pub(super) fn frames(bytes: &[u8]) -> u64 {
    let mut outcomes = Vec::new();
    for sender in [Sender::Client, Sender::Server] {
        for extensions in [Extensions::None, Extensions::Deflate, Extensions::Other] {
            let mut whole = Follower::new(sender, extensions);
            let result = whole.follow(bytes);
            for way in WAYS {
                let mut follower = Follower::new(sender, extensions);
                let results = pieces(bytes, way).map(|piece| follower.follow(piece));
                let last = results.last().unwrap_or(Ok(()));
                assert_eq!((last, follower), (result, whole));
            }
            by_boundaries(Follower::new(sender, extensions), bytes, whole);
            if whole.may_close() {
                let mask = (sender == Sender::Client).then_some([1, 2, 3, 4]);
                let mut close = Vec::new();
                close_frame(CloseCode::GoingAway, "bye", mask, &mut close);
                let mut closed = whole;
                assert_eq!(closed.follow_to_boundary(&close), Ok(close.len()));
                assert!(closed.has_closed() && !closed.may_close());
                assert_eq!(closed.frames(), whole.frames() + 1);
            }
            let state = (whole.is_between_frames(), whole.has_closed());
            let cause = result.map_err(|error| error.cause());
            outcomes.push((cause, state, whole.frames().min(9)));
        }
    }
    outcome(outcomes)
}

/// From one end of a frame to the next leads to the same.
fn by_boundaries(mut follower: Follower, bytes: &[u8], whole: Follower) {
    let (mut at, mut ends) = (0, 0);
    while at < bytes.len() {
        let Ok(taken) = follower.follow_to_boundary(&bytes[at..]) else {
            break;
        };
        assert!(taken > 0 && at + taken <= bytes.len());
        at += taken;
        ends += u64::from(follower.is_between_frames());
        assert_eq!(follower.frames(), ends);
        assert!(follower.is_between_frames() || at == bytes.len());
    }
    assert_eq!(follower, whole);
}

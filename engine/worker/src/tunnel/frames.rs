//! What one direction of a tunnel carries, as far as its end is concerned: where a Close of our own may stand.
//!
//! Bytes are followed, never kept. Invariant: behind a Close of our own nothing more is passed on.

use protocol::websocket::{CloseCode, Extensions, Follower, Sender, close_frame};

/// One direction.
#[derive(Clone, Copy)]
pub(super) struct Frames {
    /// None: nobody knows what it carries.
    follower: Option<Follower>,
    /// What a frame in this direction is masked with.
    mask: Option<[u8; 4]>,
    ours: Ours,
}

/// Our own Close.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Ours {
    Not,
    /// It goes out next.
    Due,
    Said,
}

impl Frames {
    /// Bytes that mean nothing here.
    pub(super) const UNKNOWN: Frames = Frames {
        follower: None,
        mask: None,
        ours: Ours::Not,
    };

    /// Frames of a WebSocket; `mask` for those that we make in the sender's name.
    pub(super) fn new(sender: Sender, extensions: Extensions, mask: Option<[u8; 4]>) -> Frames {
        Frames {
            follower: Some(Follower::new(sender, extensions)),
            mask,
            ours: Ours::Not,
        }
    }

    /// Takes note of bytes that have come: how many of them, from the front, are to be passed on. When the tunnel is to
    /// end that is no more than up to the end of a frame.
    pub(super) fn take(&mut self, bytes: &[u8], ending: bool) -> usize {
        let Some(follower) = &mut self.follower else {
            return bytes.len();
        };
        let mut passed = 0;
        while ending && self.ours == Ours::Not && passed < bytes.len() {
            let rest = bytes.get(passed..).unwrap_or_default();
            if follower.may_close() {
                self.ours = Ours::Due;
                break;
            }
            match follower.follow_to_boundary(rest) {
                Ok(taken) if taken > 0 => passed += taken,
                // It can't be followed: it passes as it is, and no Close will stand in it.
                _ => return bytes.len(),
            }
        }
        // A fault is the two ends' business. Behind our Close all that matters is whether the sender has said Close too.
        let _ = follower.follow(bytes.get(passed..).unwrap_or_default());
        match self.ours {
            Ours::Not => bytes.len(),
            Ours::Due | Ours::Said => passed,
        }
    }

    /// The Close that may stand here, if it has not been said; it counts as said from now on.
    pub(super) fn close(&mut self) -> Option<Vec<u8>> {
        let may = self.follower.is_some_and(|follower| follower.may_close());
        match self.ours {
            Ours::Due => {}
            Ours::Not if may => {}
            Ours::Not | Ours::Said => return None,
        }
        self.ours = Ours::Said;
        let mut close = Vec::new();
        close_frame(CloseCode::GoingAway, "", self.mask, &mut close);
        Some(close)
    }

    /// No Close can ever stand towards the client: what the upstream sends can't be followed.
    pub(super) fn is_unfollowed(&self) -> bool {
        let lost = |mut follower: Follower| follower.follow(&[]).is_err();
        self.mask.is_none() && self.ours == Ours::Not && self.follower.is_some_and(lost)
    }

    /// The sender has said Close, whole.
    pub(super) fn has_closed(&self) -> bool {
        self.follower
            .is_some_and(|it| it.has_closed() && it.is_between_frames())
    }

    /// Both have said Close in this direction: the sender, and we in its name.
    pub(super) fn is_over(&self) -> bool {
        self.ours == Ours::Said && self.has_closed()
    }
}

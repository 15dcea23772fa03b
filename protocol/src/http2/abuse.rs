//! What a peer may do that costs it little and us much, and how much of it: budgets, on by default. Going over one
//! ends the connection with GOAWAY and ENHANCE_YOUR_CALM.
//!
//! Each is a token bucket in the nanoseconds that `Connection::receive` is given. What an honest peer does in
//! proportion to its traffic (a PING for each round trip, two WINDOW_UPDATEs for each DATA frame, some requests
//! cancelled among many that are not) is earned back by that traffic, so rates can be low without punishing load.

use crate::limits::{HTTP2_BLOCK_BYTES, HTTP2_BLOCK_FRAMES};

/// What is counted. The name is a metric's label.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Budget {
    /// RST_STREAM from the peer: rapid reset (CVE-2023-44487). One is earned back by each stream that both sides
    /// ended properly.
    Resets,
    /// Streams that we had to reset or refuse because of what the peer sent (CVE-2025-8671).
    ForcedResets,
    /// PING. Earned back by work.
    Pings,
    /// SETTINGS.
    Settings,
    /// PRIORITY, PRIORITY_UPDATE and frames of types that we don't know: all that is read and ignored. Earned back by
    /// work.
    Ignored,
    /// WINDOW_UPDATE. Earned back by work, of which each DATA frame that we send is one.
    WindowUpdates,
    /// DATA that carries nothing and ends nothing. Earned back by work.
    EmptyData,
    /// Frames for streams that ended before. Those that the peer may send in good faith, because our reset was still
    /// on its way, are earned back by that reset.
    LateFrames,
    /// CONTINUATION frames of one header block.
    BlockFrames,
    /// Bytes of one header block.
    BlockBytes,
    /// A header block that stands for far more than its size.
    Bombs,
}

impl Budget {
    /// Number of variants, for tables by [`Budget::index`].
    pub const COUNT: usize = 11;

    /// Machine word for logs and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Budget::Resets => "rapid_reset",
            Budget::ForcedResets => "forced_reset",
            Budget::Pings => "ping_flood",
            Budget::Settings => "settings_flood",
            Budget::Ignored => "priority_flood",
            Budget::WindowUpdates => "window_update_flood",
            Budget::EmptyData => "empty_data_flood",
            Budget::LateFrames => "late_frame_flood",
            Budget::BlockFrames => "continuation_flood",
            Budget::BlockBytes => "header_block_too_large",
            Budget::Bombs => "hpack_bomb",
        }
    }

    /// `0 <= index < COUNT`, distinct for each variant.
    pub fn index(self) -> usize {
        self as usize
    }
}

/// A token bucket: so many at once, so many a second after that.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Most at once.
    pub burst: u32,
    /// How many a second come back; 0 for none.
    pub per_second: u32,
}

impl Rate {
    /// Never exceeded.
    pub const UNLIMITED: Rate = Rate {
        burst: u32::MAX,
        per_second: u32::MAX,
    };
}

/// How much of each a peer may do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Each is the variant of `Budget` of this name.
pub struct Budgets {
    pub resets: Rate,
    pub forced_resets: Rate,
    pub pings: Rate,
    pub settings: Rate,
    pub ignored: Rate,
    pub window_updates: Rate,
    pub empty_data: Rate,
    pub late_frames: Rate,
    pub block_frames: u32,
    pub block_bytes: u32,
}

impl Budgets {
    /// For clients: nobody knows who they are.
    pub const CLIENTS: Budgets = Budgets {
        resets: Rate {
            burst: 200,
            per_second: 20,
        },
        forced_resets: Rate {
            burst: 100,
            per_second: 10,
        },
        pings: Rate {
            burst: 100,
            per_second: 10,
        },
        settings: Rate {
            burst: 32,
            per_second: 2,
        },
        ignored: Rate {
            burst: 500,
            per_second: 50,
        },
        window_updates: Rate {
            burst: 1000,
            per_second: 100,
        },
        empty_data: Rate {
            burst: 100,
            per_second: 10,
        },
        late_frames: Rate {
            burst: 500,
            per_second: 50,
        },
        block_frames: HTTP2_BLOCK_FRAMES,
        block_bytes: HTTP2_BLOCK_BYTES,
    };

    /// For clients that may do more, or less, than usual: `most_resets` at once (a tenth of it comes back each second, and
    /// half of both is for those that they force on us), and `factor` times the rest. Bounds on one header block stay.
    pub fn clients(most_resets: u32, factor: u32) -> Budgets {
        let usual = Budgets::CLIENTS;
        let resets = |burst: u32| Rate {
            burst,
            per_second: burst / 10,
        };
        let more = |rate: Rate| Rate {
            burst: rate.burst.saturating_mul(factor),
            per_second: rate.per_second.saturating_mul(factor),
        };
        Budgets {
            resets: resets(most_resets),
            forced_resets: resets(most_resets / 2),
            pings: more(usual.pings),
            settings: more(usual.settings),
            ignored: more(usual.ignored),
            window_updates: more(usual.window_updates),
            empty_data: more(usual.empty_data),
            late_frames: more(usual.late_frames),
            ..usual
        }
    }

    /// For services behind us: they may refuse and abort as many requests as they must.
    pub const SERVICES: Budgets = Budgets {
        resets: Rate::UNLIMITED,
        forced_resets: Rate::UNLIMITED,
        ..Budgets::CLIENTS
    };
}

impl Default for Budgets {
    fn default() -> Self {
        Budgets::CLIENTS
    }
}

/// One bucket: the time at which it would be full again, and how much work it has been credited with.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// Nanoseconds for one token to come back; 0 when nothing is counted.
    interval: u64,
    /// How far `full_at` may lie ahead of the clock.
    depth: u64,
    full_at: u64,
    /// The counter of earned tokens when we last looked at it.
    seen: u32,
}

/// As slow as a bucket gets: one token in an hour.
const SLOWEST: u64 = 3_600_000_000_000;

impl Bucket {
    fn new(rate: Rate) -> Self {
        let interval = if rate == Rate::UNLIMITED {
            0
        } else {
            1_000_000_000_u64
                .checked_div(rate.per_second.into())
                .unwrap_or(SLOWEST)
        };
        Bucket {
            interval,
            depth: interval.saturating_mul(rate.burst.into()),
            full_at: 0,
            seen: 0,
        }
    }

    /// Takes a token after giving `each` back for all that was `earned` since the last time. False when there is none.
    fn take(&mut self, earned: u32, each: u32, now: u64) -> bool {
        let back = u64::from(earned.wrapping_sub(self.seen)) * u64::from(each);
        self.seen = earned;
        let full_at = self
            .full_at
            .saturating_sub(back.saturating_mul(self.interval))
            .max(now);
        self.full_at = full_at.saturating_add(self.interval);
        self.full_at - now <= self.depth
    }
}

/// The budgets of one connection as they stand.
#[derive(Debug)]
pub(crate) struct Abuse {
    budgets: Budgets,
    buckets: [Bucket; 8],
    /// HEADERS that opened something, DATA with content received or sent.
    work: u32,
    /// Streams that both sides ended.
    ended: u32,
    /// Streams that we reset while the peer could still send on them.
    cut: u32,
    /// What `charge_later` found overdrawn.
    overdrawn: Option<Budget>,
}

impl Abuse {
    pub(crate) fn new(budgets: Budgets) -> Self {
        Abuse {
            budgets,
            buckets: [
                budgets.resets,
                budgets.forced_resets,
                budgets.pings,
                budgets.settings,
                budgets.ignored,
                budgets.window_updates,
                budgets.empty_data,
                budgets.late_frames,
            ]
            .map(Bucket::new),
            work: 0,
            ended: 0,
            cut: 0,
            overdrawn: None,
        }
    }

    /// One more of it.
    #[inline]
    pub(crate) fn charge(&mut self, budget: Budget, now: u64) -> Result<(), Budget> {
        let (earned, each) = match budget {
            Budget::Resets => (self.ended, 1),
            Budget::Pings | Budget::Ignored | Budget::EmptyData => (self.work, 1),
            Budget::WindowUpdates => (self.work, 16),
            Budget::LateFrames => (self.cut, 8),
            _ => (0, 0),
        };
        let bucket = self.buckets.get_mut(budget.index());
        if bucket.is_some_and(|bucket| bucket.take(earned, each, now)) {
            return Ok(());
        }
        Err(budget)
    }

    /// The same where no error can be returned: `overdrawn` tells it later.
    pub(crate) fn charge_later(&mut self, budget: Budget, now: u64) {
        if let Err(budget) = self.charge(budget, now) {
            self.overdrawn = Some(budget);
        }
    }

    /// What was found overdrawn since.
    #[inline]
    pub(crate) fn overdrawn(&self) -> Option<Budget> {
        self.overdrawn
    }

    /// Holds a header block of so many CONTINUATION frames and bytes against its bounds.
    pub(crate) fn block(&self, frames: u32, bytes: usize) -> Result<(), Budget> {
        if frames > self.budgets.block_frames {
            return Err(Budget::BlockFrames);
        }
        if bytes > self.budgets.block_bytes as usize {
            return Err(Budget::BlockBytes);
        }
        Ok(())
    }

    /// A frame that did honest work.
    #[inline]
    pub(crate) fn work(&mut self) {
        self.work = self.work.wrapping_add(1);
    }

    /// A stream that both sides ended.
    #[inline]
    pub(crate) fn ended(&mut self) {
        self.ended = self.ended.wrapping_add(1);
    }

    /// A stream that we reset while the peer could still send on it.
    pub(crate) fn cut(&mut self) {
        self.cut = self.cut.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests;

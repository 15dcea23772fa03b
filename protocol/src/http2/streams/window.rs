//! Flow control (RFC 9113 sections 5.2 and 6.9): how much we may send, how much the peer may, and when to let it
//! send more. The same for a stream and for the connection.

/// A window would become larger than 2^31 - 1, or was not kept to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Overflow;

/// Largest window (section 6.9.1).
pub(crate) const MAX_WINDOW: i64 = 0x7fff_ffff;

/// What we may send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SendWindow {
    /// May be negative, when the peer has made its initial window smaller (section 6.9.2).
    available: i64,
}

impl SendWindow {
    pub(crate) const fn new(size: u32) -> Self {
        SendWindow {
            available: size as i64,
        }
    }

    #[inline]
    pub(crate) fn available(self) -> usize {
        usize::try_from(self.available).unwrap_or(0)
    }

    /// Counts `len` bytes that are sent, at most `available()`.
    #[inline]
    pub(crate) fn take(&mut self, len: u32) {
        debug_assert!(i64::from(len) <= self.available.max(0));
        self.available -= i64::from(len);
    }

    /// The peer allows `increment` more, or (initial window changed) fewer.
    #[inline]
    pub(crate) fn add(&mut self, increment: i64) -> Result<(), Overflow> {
        let available = self.available + increment;
        if available > MAX_WINDOW {
            return Err(Overflow);
        }
        self.available = available;
        Ok(())
    }
}

/// What the peer may send.
///
/// `available + held + credit == size`: bytes are first available, then held by us, then (taken by whoever they were
/// for) credit, which becomes available again by a WINDOW_UPDATE. The last is put off until it is worth a frame.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReceiveWindow {
    size: u32,
    /// May be negative, between our smaller initial window and the peer's knowing of it.
    available: i64,
    credit: u32,
}

impl ReceiveWindow {
    pub(crate) const fn new(size: u32) -> Self {
        ReceiveWindow {
            size,
            available: size as i64,
            credit: 0,
        }
    }

    /// How much the peer may send now.
    #[inline]
    pub(crate) fn available(self) -> u32 {
        u32::try_from(self.available).unwrap_or(0)
    }

    /// Counts `len` bytes that have come.
    #[inline]
    pub(crate) fn take(&mut self, len: u32) -> Result<(), Overflow> {
        let available = self.available - i64::from(len);
        if available < 0 && len > 0 {
            return Err(Overflow);
        }
        self.available = available;
        Ok(())
    }

    /// Counts `len` bytes that are held no longer. Once that is half the window, what the peer is to be allowed by a
    /// WINDOW_UPDATE, which the caller must send.
    #[inline]
    pub(crate) fn release(&mut self, len: u32) -> Option<u32> {
        debug_assert!(i64::from(len) <= self.held(), "released more than came");
        let len = i64::from(len).min(self.held());
        self.credit += len as u32;
        if self.credit == 0 || self.credit < self.size / 2 {
            return None;
        }
        self.available += i64::from(self.credit);
        Some(std::mem::take(&mut self.credit))
    }

    /// Changes the size, and what is available by the difference.
    pub(crate) fn resize(&mut self, size: u32) {
        self.available += i64::from(size) - i64::from(self.size);
        self.size = size;
    }

    /// Bytes that have come and were not released.
    #[inline]
    pub(crate) fn held(self) -> i64 {
        i64::from(self.size) - self.available - i64::from(self.credit)
    }

    #[cfg(debug_assertions)]
    pub(crate) fn check_invariants(&self) {
        debug_assert!(self.held() >= 0, "{self:?}");
        debug_assert!(self.available <= i64::from(self.size), "{self:?}");
    }
}

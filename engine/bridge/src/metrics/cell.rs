//! The two smallest things that are counted: a counter and a gauge.
//! Invariant: one writer each. Adding is a relaxed load and a relaxed store, so no locked instruction; readers may lag
//! by one event, never see a torn value.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Only ever grows.
#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// `count` more.
    #[inline]
    pub fn add(&self, count: u64) {
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before.wrapping_add(count), Ordering::Relaxed);
    }

    /// The count so far.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Goes up and down. May be below 0 on one worker as long as the sum over the workers is right.
#[derive(Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// One more.
    #[inline]
    pub fn inc(&self) {
        self.add(1);
    }

    /// One less.
    #[inline]
    pub fn dec(&self) {
        self.add(-1);
    }

    /// `count` more, or less if it is negative.
    #[inline]
    pub fn add(&self, count: i64) {
        let before = self.0.load(Ordering::Relaxed);
        self.0.store(before.wrapping_add(count), Ordering::Relaxed);
    }

    /// `count` less.
    #[inline]
    pub fn sub(&self, count: i64) {
        self.add(-count);
    }

    /// Exactly this many.
    #[inline]
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// How many now.
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

//! What a connection of HTTP/2 has to do, and has under way: how the next request is made, and when there is nothing left.

use std::collections::VecDeque;

use super::under_way::UnderWay;
use super::{Order, Pace, World};
use crate::http2::{Connection, Request};

/// Requests that a connection has identifiers for, and some to spare.
const LAST: u64 = 1 << 30;

/// A connection as far as requests are concerned.
pub(super) struct State {
    pub(super) http2: Connection,
    pub(super) under_way: UnderWay,
    /// Requests that the connection may still be used for.
    pub(super) left: u64,
    /// Requests that it may have under way.
    pub(super) streams: usize,
    /// Streams that pause between two requests.
    pub(super) resting: usize,
    /// Nothing will be due any more.
    pub(super) over: bool,
    /// Requests that have been taken and not been sent.
    pub(super) taken: VecDeque<Order>,
    /// The request that is being made.
    head: Vec<u8>,
    body: Vec<u8>,
}

impl State {
    pub(super) fn new(world: &World, http2: Connection, taken: VecDeque<Order>) -> State {
        State {
            http2,
            under_way: UnderWay::default(),
            left: world.scenario.requests_per_connection.unwrap_or(LAST),
            streams: world.scenario.streams,
            resting: 0,
            over: false,
            taken,
            head: Vec::new(),
            body: Vec::new(),
        }
    }

    /// How many more requests may begin.
    #[inline]
    pub(super) fn room(&self) -> usize {
        let busy = self.http2.under_way() + self.resting;
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        self.streams
            .saturating_sub(busy)
            .min(self.http2.room())
            .min(left)
    }

    /// Makes a request and begins it.
    #[inline]
    pub(super) fn send(&mut self, world: &World, order: Order, now: u64) {
        self.head.clear();
        self.body.clear();
        let indexed = &mut self.http2.indexed;
        let mut generator = world.generator.borrow_mut();
        let index = generator.next_http2(indexed, &mut self.head, &mut self.body);
        let Some(template) = world.scenario.templates.get(index) else {
            return;
        };
        let place = self.http2.start(&Request {
            block: &self.head,
            body: &self.body,
            head: template.method_is_head(),
            wants_headers: !template.expect().is_plain(),
        });
        self.under_way.begin(place, order, index, now);
        self.left -= 1;
        if world.counts(order) {
            let bytes = (self.head.len() + self.body.len()) as u64;
            let mut part = world.part.borrow_mut();
            match order.again {
                true => part.resent(bytes),
                false => part.sent(bytes),
            }
            if matches!(world.pace, Pace::Open(_)) {
                part.lagged(now.saturating_sub(order.due.max(order.free)));
            }
        }
    }

    /// Whether the server lets no request begin, and none is under way.
    pub(super) fn is_stuck(&self) -> bool {
        let wants = self.left > 0 && !self.http2.is_leaving();
        wants && self.http2.under_way() == 0 && self.http2.room() == 0
    }

    /// Whether there is nothing more to do on the connection.
    pub(super) fn is_done(&self) -> bool {
        self.http2.under_way() == 0
            && (self.left == 0 || self.http2.is_leaving() || (self.over && self.taken.is_empty()))
    }
}

//! The requests that a connection has under way, each at the place that `http2` has given it, and what is known of their
//! answers.

use super::super::reasons::unexpected;
use super::{Answer, ErrorKind, Order, Seen, World};

/// Requests by their places.
#[derive(Default)]
pub(super) struct UnderWay {
    places: Vec<One>,
}

/// A request, or what is left of the last one at its place.
#[derive(Default)]
pub(super) struct One {
    /// None: there is no request here.
    order: Option<Order>,
    pub(super) template: usize,
    sent: u64,
    first_byte: u64,
    bytes: u64,
    status: u16,
    seen: Seen,
}

impl UnderWay {
    #[inline]
    pub(super) fn begin(&mut self, place: usize, order: Order, template: usize, now: u64) {
        while self.places.len() <= place {
            self.places.push(One::default());
        }
        if let Some(one) = self.places.get_mut(place) {
            one.order = Some(order);
            one.template = template;
            one.sent = now;
            (one.first_byte, one.bytes, one.status) = (0, 0, 0);
            one.seen.clear();
        }
    }

    #[inline]
    pub(super) fn get(&mut self, place: usize) -> Option<&mut One> {
        self.places.get_mut(place).filter(|it| it.order.is_some())
    }

    /// When the oldest was sent.
    pub(super) fn oldest(&self) -> Option<u64> {
        let sent = self.places.iter().filter(|it| it.order.is_some());
        sent.map(|it| it.sent).min()
    }

    /// Goes through those that were sent at this time or before.
    pub(super) fn older_than(&mut self, time: u64, mut with: impl FnMut(usize, &mut One)) {
        for (place, one) in self.places.iter_mut().enumerate() {
            if one.order.is_some() && one.sent <= time {
                with(place, one);
            }
        }
    }
}

impl One {
    #[inline]
    pub(super) fn head(&mut self, status: u16, bytes: usize, headers: &[u8], now: u64) {
        if self.first_byte == 0 {
            self.first_byte = now;
        }
        self.status = status;
        self.bytes += bytes as u64;
        self.seen.head(headers);
    }

    #[inline]
    pub(super) fn data(&mut self, bytes: &[u8], wanted: bool) {
        self.bytes += bytes.len() as u64;
        if wanted {
            self.seen.body(bytes);
        }
    }

    #[inline]
    pub(super) fn answered(&mut self, world: &World, grpc: Option<u8>, now: u64) {
        let (Some(order), Some(template)) = (
            self.order.take(),
            world.scenario.templates.get(self.template),
        ) else {
            return;
        };
        // A call that says nothing of its outcome has an unknown one (2), as gRPC's clients take it.
        let grpc = template.is_grpc().then(|| grpc.unwrap_or(2));
        let failed = grpc.is_some_and(|status| status != 0);
        let unmet = self.seen.unmet(template, self.status);
        if let Some(kind) = unmet {
            unexpected(world, order, self.template, self.status, &self.seen, kind);
        }
        world.answered(
            order,
            Answer {
                template: self.template,
                status: self.status,
                grpc,
                bytes: self.bytes,
                due: order.due,
                sent: self.sent,
                first_byte: self.first_byte,
                done: now,
                unmet: unmet.or(failed.then_some(ErrorKind::Grpc)),
            },
        );
    }

    pub(super) fn failed(&mut self, world: &World, kind: ErrorKind, now: u64) {
        if let Some(order) = self.order.take() {
            world.failed(order, self.template, kind, self.bytes, now);
        }
    }

    /// The order, to be carried out once more; none when that has been tried.
    pub(super) fn again(&mut self) -> Option<Order> {
        let order = self.order.filter(|order| !order.again)?;
        self.order = None;
        Some(Order {
            again: true,
            ..order
        })
    }
}

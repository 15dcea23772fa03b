//! The requests of a connection, each at the place that the server has given it, and whose turn it is.

use super::call::{Call, Turn};
use super::fields::Fields;
use crate::http2::{Asked, Broken, Server};
use crate::origin::worker::Worker;

/// A connection's requests.
pub(super) struct State {
    pub(super) server: Server,
    calls: Vec<Call>,
    fields: Fields,
    /// Where the next round begins, so that long answers share what may be sent.
    first: usize,
    /// The earliest time that an answer waits for; `u64::MAX`: none does.
    pub(super) next_wake: u64,
}

impl State {
    pub(super) fn new() -> State {
        State {
            server: Server::new(Fields::COUNT),
            calls: Vec::new(),
            fields: Fields::new(),
            first: 0,
            next_wake: u64::MAX,
        }
    }

    /// Takes received bytes; says how many.
    pub(super) fn receive(&mut self, bytes: &[u8], worker: &Worker) -> Result<usize, Broken> {
        let calls = &mut self.calls;
        let mut fed = false;
        let received = self.server.receive(bytes, &mut |asked| match asked {
            Asked::Head { place, request } => {
                while calls.len() <= place {
                    calls.push(Call::default());
                }
                if let Some(call) = calls.get_mut(place) {
                    call.begin(&request, worker);
                }
            }
            Asked::Data { place, bytes } => {
                fed = true;
                if let Some(call) = calls.get_mut(place) {
                    call.more(bytes);
                }
            }
            Asked::End { place } => {
                if let Some(call) = calls.get_mut(place) {
                    call.whole();
                }
            }
            Asked::Gone { place } => {
                if let Some(call) = calls.get_mut(place) {
                    call.over();
                }
            }
        });
        if fed {
            self.credit();
        }
        received
    }

    /// Lets clients go on whose bytes have been taken.
    fn credit(&mut self) {
        for (place, call) in self.calls.iter().enumerate() {
            if call.takes_more() {
                self.server.credit(place);
            }
        }
    }

    /// Answers in turn, a frame of each body at a time, until nobody can go on.
    pub(super) fn pump(&mut self, now: u64, worker: &Worker) {
        loop {
            let mut more = false;
            let count = self.calls.len();
            for at in 0..count {
                let place = (self.first + at) % count;
                if !self.server.has_room() {
                    self.first = place;
                    return;
                }
                let Some(call) = self.calls.get_mut(place) else {
                    continue;
                };
                match call.advance(place, now, &mut self.server, &mut self.fields, worker) {
                    Turn::More => more = true,
                    Turn::Taken => {
                        more = true;
                        if call.takes_more() {
                            self.server.credit(place);
                        }
                    }
                    Turn::At(wake) => self.next_wake = self.next_wake.min(wake),
                    Turn::Done => {}
                }
            }
            if !more {
                return;
            }
        }
    }
}

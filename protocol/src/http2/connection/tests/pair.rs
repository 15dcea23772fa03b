//! Both roles back to back over a pipe that delivers as it likes: requests, bodies, cancellations and drains at
//! random, small windows, and owners that take their time. What one says the other must hear, exactly; a sender only
//! goes on when it was told that it may, so that a forgotten wake-up shows; at the end all windows are whole again.

mod hearing;

use proptest::prelude::*;

use super::*;

/// Numbers as they come; the seed is proptest's.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % bound.max(1)
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// What one side has to send on a stream.
#[derive(Clone, Debug)]
struct Sending {
    stream: Option<StreamId>,
    length: usize,
    sent: usize,
    trailers: bool,
    done: bool,
    /// Sending was cut short, and nobody has said that it may go on.
    waits: bool,
}

/// What one side has received on a stream.
#[derive(Clone, Default, Debug)]
struct Received {
    head: bool,
    length: usize,
    trailers: bool,
    end: bool,
    /// Not yet reported as consumed.
    held: usize,
    stream: Option<StreamId>,
}

/// One request and its answer.
#[derive(Clone, Debug)]
struct Exchange {
    up: Sending,
    down: Sending,
    at_server: Received,
    at_client: Received,
    /// Cancelled by one side, or refused by a drain.
    cut: bool,
    refused: bool,
}

struct Pair {
    random: Random,
    client: Side,
    server: Side,
    /// Bytes on their way.
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    exchanges: Vec<Exchange>,
    next: usize,
    going: bool,
}

/// The byte at `at` of the body of the exchange `token` in one direction.
fn byte(token: usize, up: bool, at: usize) -> u8 {
    (token * 31 + at * 7 + at / 256 + usize::from(up)) as u8
}

fn body(token: usize, up: bool, from: usize, len: usize) -> Vec<u8> {
    (from..from + len).map(|at| byte(token, up, at)).collect()
}

impl Pair {
    fn new(seed: u64) -> Pair {
        let mut random = Random(seed | 1);
        let mut settings = |requests: u32| Settings {
            initial_window: match random.below(4) {
                0 => 1 + random.below(20) as u32,
                _ => 1 + random.below(20_000) as u32,
            },
            max_concurrent_streams: requests,
            ..Settings {
                connection_window: 65_535,
                ..Settings::DEFAULT
            }
        };
        let (ours, theirs) = (settings(100), settings(5));
        let client = Side::new(Role::Client, ours, Budgets::SERVICES);
        let server = Side::new(Role::Server, theirs, Budgets::CLIENTS);
        // Not more than some windows full, or it takes for ever.
        let most = 200 * ours.initial_window.min(theirs.initial_window) as usize;
        let sending = |random: &mut Random| Sending {
            stream: None,
            length: match random.below(4) {
                0 => 0,
                1 => random.below(most.min(100)),
                _ => random.below(most.min(60_000)),
            },
            sent: 0,
            trailers: random.one_in(3),
            done: false,
            waits: false,
        };
        let exchanges = (0..1 + random.below(16))
            .map(|_| Exchange {
                up: sending(&mut random),
                down: sending(&mut random),
                at_server: Received::default(),
                at_client: Received::default(),
                cut: false,
                refused: false,
            })
            .collect();
        Pair {
            random,
            client,
            server,
            to_server: Vec::new(),
            to_client: Vec::new(),
            exchanges,
            next: 0,
            going: false,
        }
    }

    /// One thing that may happen.
    fn step(&mut self) {
        match self.random.below(10) {
            0 | 1 => self.open(),
            2 | 3 => self.send(true),
            4 | 5 => self.send(false),
            6 => self.deliver(true),
            7 => self.deliver(false),
            8 => self.consume(),
            _ if self.random.one_in(60) => self.cancel(),
            _ if self.random.one_in(400) => self.drain(),
            _ => {}
        }
    }

    fn open(&mut self) {
        let Some(exchange) = self.exchanges.get_mut(self.next) else {
            return;
        };
        let c = &mut self.client.connection;
        match c.room() {
            Ok(_) => {}
            Err(OpenError::Full) => return,
            Err(error) => {
                assert!(self.going, "{error}");
                exchange.refused = true;
                self.next += 1;
                return;
            }
        }
        let up = &mut exchange.up;
        let end = up.length == 0 && !up.trailers;
        // With a content-length or without.
        let length = match self.random.one_in(2) {
            true => format!("Content-Length: {}\r\n", up.length),
            false => String::new(),
        };
        let text = format!("POST /{} HTTP/1.1\r\nHost: a\r\n{length}\r\n", self.next);
        let token = self.next as u64;
        let stream = c.send_request(text.as_bytes(), b"http", token, end, &mut self.client.out);
        up.stream = Some(stream.expect("there is room"));
        exchange.at_client.stream = up.stream;
        up.done = end;
        self.next += 1;
    }

    /// A piece of some body, or what comes after it.
    fn send(&mut self, up: bool) {
        let token = self.random.below(self.next);
        let Some(exchange) = self.exchanges.get_mut(token) else {
            return;
        };
        let (side, sending) = match up {
            true => (&mut self.client, &mut exchange.up),
            false => (&mut self.server, &mut exchange.down),
        };
        let Some(stream) = sending.stream else { return };
        if exchange.cut || sending.done || sending.waits {
            return;
        }
        let left = sending.length - sending.sent;
        let len = match self.random.one_in(2) {
            true => left,
            false => left.min(self.random.below(5_000)),
        };
        let end = len == left && !sending.trailers;
        let payload = body(token, up, sending.sent, len);
        let c = &mut side.connection;
        let taken = c
            .send_data(stream, &payload, end, &mut side.out)
            .expect("open");
        sending.sent += taken;
        sending.waits = taken < len;
        if !sending.waits && len == left {
            sending.done = true;
            if sending.trailers {
                let sent = c.send_trailers(stream, b"a: b\r\n", &mut side.out);
                assert_eq!(sent, Ok(()));
            }
        }
    }

    /// Some bytes arrive.
    fn deliver(&mut self, up: bool) {
        let (from, pipe, to) = match up {
            true => (&mut self.client, &mut self.to_server, &mut self.server),
            false => (&mut self.server, &mut self.to_client, &mut self.client),
        };
        pipe.append(&mut from.out);
        let len = match self.random.one_in(3) {
            true => pipe.len(),
            false => self.random.below(3_000).min(pipe.len()),
        };
        to.shown.extend(pipe.drain(..len));
        to.now += 1;
        loop {
            let side = match up {
                true => &mut self.server,
                false => &mut self.client,
            };
            let next = side
                .connection
                .receive(&side.shown, side.now, &mut side.out);
            let (used, event) = next.unwrap_or_else(|error| panic!("{error}"));
            let payload: Vec<u8> = match &event {
                Event::Data { payload, .. } => side.shown[payload.clone()].to_vec(),
                _ => Vec::new(),
            };
            side.shown.drain(..used);
            match event {
                Event::More => return,
                _ if up => self.at_server(event, &payload),
                _ => self.at_client(event, &payload),
            }
        }
    }

    /// An owner is done with some of what it holds.
    fn consume(&mut self) {
        let token = self.random.below(self.exchanges.len());
        let exchange = &mut self.exchanges[token];
        let (side, received) = match self.random.one_in(2) {
            true => (&mut self.client, &mut exchange.at_client),
            false => (&mut self.server, &mut exchange.at_server),
        };
        let Some(stream) = received.stream else {
            return;
        };
        let len = match self.random.one_in(2) {
            true => received.held,
            false => self.random.below(received.held + 1),
        };
        received.held -= len;
        side.connection.consumed(stream, len, &mut side.out);
    }

    fn cancel(&mut self) {
        let token = self.random.below(self.next);
        let Some(exchange) = self.exchanges.get_mut(token) else {
            return;
        };
        let (side, stream) = match self.random.one_in(2) {
            true => (&mut self.client, exchange.up.stream),
            false => (&mut self.server, exchange.down.stream),
        };
        if let Some(stream) = stream.filter(|stream| side.connection.is_open(*stream)) {
            side.connection
                .reset(stream, ErrorCode::CANCEL, &mut side.out);
            exchange.cut = true;
        }
    }

    fn drain(&mut self) {
        self.going = true;
        self.server.connection.drain(&mut self.server.out);
    }

    /// Everything that can happen without more cancellations, until nothing is left.
    fn finish(&mut self) {
        for round in 0.. {
            assert!(round < 200_000, "stuck: {:#?}", self.exchanges);
            match self.random.below(9) {
                0 => self.open(),
                1 | 2 => self.send(true),
                3 | 4 => self.send(false),
                5 => self.deliver(true),
                6 => self.deliver(false),
                _ => self.consume(),
            }
            let quiet = self.client.out.is_empty()
                && self.server.out.is_empty()
                && self.to_server.is_empty()
                && self.to_client.is_empty();
            if quiet && self.next == self.exchanges.len() && self.exchanges.iter().all(is_over) {
                return;
            }
        }
    }

    fn check(&self) {
        for exchange in &self.exchanges {
            let Exchange {
                up,
                down,
                at_server,
                at_client,
                cut,
                refused,
            } = exchange;
            if *refused {
                assert!(!at_server.head);
            }
            if *cut || *refused {
                continue;
            }
            let expected = |sending: &Sending| (sending.length, sending.trailers, true);
            let got = |received: &Received| (received.length, received.trailers, received.end);
            assert_eq!(got(at_server), expected(up));
            assert_eq!(got(at_client), expected(down));
        }
        let (client, server) = (&self.client.connection, &self.server.connection);
        assert_eq!((client.active_streams(), server.active_streams()), (0, 0));
        // Nothing is under way or held: both ends of a window say the same.
        for (sender, receiver) in [(client, server), (server, client)] {
            let available = receiver.receive_window.available();
            assert_eq!(sender.send_window.available(), available as usize);
            assert_eq!(receiver.receive_window.held(), 0);
        }
        if self.going {
            assert!(client.is_drained() && server.is_drained());
        }
    }
}

/// Both bodies have gone and come, or it was cut; and all of it is reported.
fn is_over(exchange: &Exchange) -> bool {
    let whole =
        exchange.cut || exchange.refused || (exchange.at_server.end && exchange.at_client.end);
    whole && exchange.at_server.held == 0 && exchange.at_client.held == 0
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_one_says_the_other_hears(seed in any::<u64>(), steps in 0..3_000_usize) {
        let mut pair = Pair::new(seed);
        for _ in 0..steps {
            pair.step();
        }
        pair.finish();
        pair.check();
    }
}

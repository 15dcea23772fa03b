//! What the attacks do to others: each is mounted at a fixed rate of frames, again and again, while a well-behaved client
//! of the same worker asks at a fixed rate. Its slowest answers are compared with those under as many harmless frames of
//! the same size: DATA of an upload.
//!
//! Attack and harmless frames take turns, so that whatever else the machine does hits both alike, and the medians of many
//! turns are compared. Turns go on until the bound holds or there were [`MOST`] of them: on a busy machine a few turns tell
//! nothing, but an effect of the attack stays. `PORTCULLIS_TEST_TURN=2000` makes each turn as long (milliseconds) and plays
//! all of them; the figures are printed.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tests::Setup;
use tests::http2::frame::PREFACE;

use super::*;

mod attacks;

use attacks::{ATTACKS, Ends, Paced};

/// How long a turn is, and how many each side has at least and at most.
const TURN: Duration = Duration::from_millis(200);
const LEAST: usize = 3;
const MOST: usize = 25;
/// How often frames are sent, and the well-behaved client asks.
const BEAT: Duration = Duration::from_millis(1);
/// The client's slowest answer of a hundred may take so many times as long under the attack.
const SLOWER: f64 = 2.0;

/// One that attacks.
struct Sender {
    address: SocketAddr,
    /// Connections; the last one is in use. The others are kept open as long as the gateway does.
    connections: Vec<TcpStream>,
    /// Steps on the one in use.
    steps: u32,
    /// Steps after which the gateway had ended a connection.
    ended: Vec<u32>,
    sent: usize,
}

/// Connections that an attacker has open at a time.
const KEPT: usize = 10;
/// Connections that the origin holds at a time.
const HELD: usize = 4000;

impl Sender {
    fn new(address: SocketAddr) -> Sender {
        Sender {
            address,
            connections: Vec::new(),
            steps: 0,
            ended: Vec::new(),
            sent: 0,
        }
    }

    fn connect(&mut self, settings: &[(u16, u32)]) {
        let mut stream = TcpStream::connect(self.address).expect("the gateway listens");
        stream.set_nodelay(true).expect("TCP");
        let begin = [PREFACE, &Frame::settings(settings).bytes()].concat();
        stream
            .write_all(&begin)
            .expect("a new connection takes bytes");
        stream.set_nonblocking(true).expect("TCP");
        self.connections.push(stream);
        if self.connections.len() > KEPT {
            self.connections.remove(0);
        }
        self.steps = 0;
    }

    /// Sends the steps of one beat.
    fn attack(&mut self, attack: &Paced) {
        let leaves = matches!(attack.ends, Ends::Leaves(after) if self.steps >= after);
        if self.connections.is_empty() || leaves {
            self.connect(attack.settings);
        }
        let steps = self.steps..self.steps + attack.rate;
        let frames: Vec<Vec<u8>> = steps.flat_map(attack.step).map(|it| it.bytes()).collect();
        self.sent += frames.len();
        self.steps += attack.rate;
        if !self.say(&frames.concat()) {
            self.ended.push(self.steps);
            self.connections.pop();
            self.connect(attack.settings);
        }
    }

    /// Whether the connection still stood. Nothing is said while the gateway takes nothing, or the pace were none.
    fn say(&mut self, mut bytes: &[u8]) -> bool {
        let Some(stream) = self.connections.last_mut() else {
            return false;
        };
        let mut some = [0; 16 << 10];
        while !bytes.is_empty() {
            match stream.read(&mut some) {
                Ok(0) => return false,
                Err(error) if error.kind() != ErrorKind::WouldBlock => return false,
                _ => {}
            }
            match stream.write(bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
                Err(_) => return false,
            }
        }
        true
    }
}

/// One upload, as its windows allow.
struct Upload(Http2);

impl Upload {
    fn new(gateway: &Gateway) -> Upload {
        let mut http2 = gateway.http2();
        let head = hpack::block(&request("POST", "/upload"));
        let sent = http2.send(&Frame::headers(1, head, false));
        sent.expect("the gateway takes bytes");
        Upload(http2)
    }

    /// Sends as many frames of that size.
    fn go_on(&mut self, frames: usize, size: usize) {
        for _ in 0..frames {
            let sent = self.0.body(1, &vec![b'x'; size], false);
            sent.expect("an honest client is heard");
        }
    }
}

/// The slowest of a hundred answers to a client that asks at each beat of a turn, while `disturb` is called at each beat.
fn turn(http2: &mut Http2, stream: &mut u32, disturb: &mut (impl FnMut() + Send)) -> Duration {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = &over;
        scope.spawn(move || {
            let mut next = Instant::now();
            while !over.load(Ordering::Relaxed) {
                disturb();
                next = (next + BEAT).max(Instant::now());
                std::thread::sleep(next.saturating_duration_since(Instant::now()));
            }
        });
        let (begun, mut took) = (Instant::now(), Vec::new());
        while begun.elapsed() < length() {
            let asked = Instant::now();
            http2.get(*stream, "/").is(200);
            took.push(asked.elapsed());
            http2.forget(*stream);
            *stream += 2;
            std::thread::sleep(BEAT.saturating_sub(asked.elapsed()));
        }
        over.store(true, Ordering::Relaxed);
        took.sort_unstable();
        took[took.len() * 99 / 100]
    })
}

fn length() -> Duration {
    let told = std::env::var("PORTCULLIS_TEST_TURN").ok();
    let told = told.map(|it| it.parse().expect("milliseconds"));
    told.map_or(TURN, Duration::from_millis)
}

fn median(mut of: Vec<Duration>) -> Duration {
    of.sort_unstable();
    of[of.len() / 2]
}

/// The gateway before one origin that swallows uploads, and one that holds what it is asked and costs next to nothing: it
/// shares this machine.
fn swallowing() -> Gateway {
    let origin = Origin::start(|link| {
        loop {
            let some = link.wire.fill()?;
            if some == 0 {
                return Ok(());
            }
            link.wire.take(some)?;
        }
    });
    let holding = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let held = holding.local_addr().expect("it is bound");
    std::thread::spawn(move || {
        let mut held = VecDeque::new();
        for stream in holding.incoming() {
            held.push_back(stream);
            // The oldest are long given up.
            if held.len() > HELD {
                held.pop_front();
            }
        }
    });
    let route = |name: &str, address: SocketAddr| {
        format!(
            "[upstream.{name}]\nendpoints = [\"{address}\"]\nread_timeout = \"1h\"\n\
             [route.{name}]\npath = \"/{name}\"\nupstream = \"{name}\"\nauth = \"none\"\ntimeout = \"1h\"\n\
             max_body_bytes = \"64GiB\"\n"
        )
    };
    let own = "[route.own]\npath = \"/\"\nauth = \"none\"\nrespond = \"200 served\"\n";
    Setup::new(route("upload", origin.address) + &route("held", held) + own).start()
}

#[test]
fn attacks_at_a_fixed_rate_do_not_slow_others_down() {
    for attack in &ATTACKS {
        suffer(attack);
    }
}

fn suffer(attack: &Paced) {
    let gateway = swallowing();
    let address = gateway.address("public");
    let (mut good, mut stream) = (gateway.http2(), 1);
    let (mut evil, mut harmless) = (Sender::new(address), Upload::new(&gateway));
    // As many frames, and bytes, as the attack has on average.
    let steps: Vec<Frame> = (1..=attack.rate).flat_map(attack.step).collect();
    let size = steps.iter().map(|it| it.payload.len()).sum::<usize>() / steps.len();
    let frames = steps.len();
    // The first turn of each only warms up.
    let mut against = |good: &mut Http2, stream: &mut u32| {
        (
            turn(good, stream, &mut || evil.attack(attack)),
            turn(good, stream, &mut || harmless.go_on(frames, size.max(1))),
        )
    };
    against(&mut good, &mut stream);
    let before = resident(&gateway);
    let (mut attacked, mut usual, mut ratio) = (Vec::new(), Vec::new(), f64::MAX);
    let all = std::env::var_os("PORTCULLIS_TEST_TURN").is_some();
    while attacked.len() < LEAST || ((all || ratio > SLOWER) && attacked.len() < MOST) {
        let (bad, fine) = against(&mut good, &mut stream);
        attacked.push(bad);
        usual.push(fine);
        ratio = median(attacked.clone()).as_secs_f64() / median(usual.clone()).as_secs_f64();
    }
    let grown = resident(&gateway).saturating_sub(before);
    let soonest = evil.ended.iter().min().copied();
    println!(
        "{}: p99 {:?} attacked, {:?} else: {ratio:.2} times in {} turns; {} frames, {} connections ended, the first after \
         {soonest:?} steps; {} KiB more",
        attack.name,
        median(attacked.clone()),
        median(usual.clone()),
        attacked.len(),
        evil.sent,
        evil.ended.len(),
        grown >> 10,
    );
    assert!(
        ratio <= SLOWER,
        "{}: {ratio:.2} times as slow: {attacked:?}, else {usual:?}",
        attack.name
    );
    assert!(grown < GROWTH, "{}: {grown} bytes", attack.name);
    if let Ends::After(ends) = attack.ends {
        // Frames went on until the end was noticed: those of some beats are on top. The other tests count to the frame.
        let soonest = soonest.unwrap_or(u32::MAX);
        assert!(
            soonest <= ends + 20 * attack.rate,
            "{}: no connection ended within {ends} steps, the first after {soonest}",
            attack.name
        );
    }
}

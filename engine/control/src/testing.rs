//! What the tests of this room share: a scene with fake workers, a configuration on disk, and a plain HTTP client.
//! Nothing here sleeps for a fixed time: tests wait for what they expect, up to a bound.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine_bridge::life::Phase;
use engine_bridge::slot::Outcome;
use engine_bridge::{Bridge, Snapshot};
use engine_config::snapshot::Address;

use crate::shared::Shared;
use crate::{Load, Operator, Options};

/// A bridge, a folder with a configuration, and what the operator was told.
pub(crate) struct Scene {
    pub(crate) bridge: Arc<Bridge>,
    pub(crate) folder: tempfile::TempDir,
    lines: Arc<Mutex<Vec<String>>>,
}

/// The least configuration with an admin listener; more may follow it.
pub(crate) const BASE: &str =
    "[listener.public]\naddress = \"127.0.0.1:8080\"\n[admin]\naddress = \"127.0.0.1:0\"\n";

impl Scene {
    /// A scene whose configuration is live.
    pub(crate) fn new(workers: usize, config: &str) -> Scene {
        let scene = Scene {
            bridge: Bridge::new(workers),
            folder: tempfile::tempdir().unwrap(),
            lines: Arc::default(),
        };
        fs::write(scene.config(), config).unwrap();
        scene
            .bridge
            .slot
            .publish(Arc::new(load(&scene.config()).unwrap()));
        scene
    }

    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("gateway.toml")
    }

    pub(crate) fn operator(&self) -> Operator {
        let lines = Arc::clone(&self.lines);
        Operator::to(move |line| lines.lock().unwrap().push(line.to_string()))
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Shared::new(Arc::clone(&self.bridge), self.operator())
    }

    pub(crate) fn loader(&self) -> Load {
        let path = self.config();
        Arc::new(move || load(&path))
    }

    pub(crate) fn options(&self) -> Options {
        Options {
            bridge: Arc::clone(&self.bridge),
            load: self.loader(),
            watch: None,
            signals: false,
            operator: self.operator(),
        }
    }

    /// What the operator was told so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub(crate) fn wait_for_line(&self, part: &str) {
        wait_for(part, || self.lines().iter().any(|line| line.contains(part)));
    }

    /// The value of a metric, as `/metrics` would show it.
    pub(crate) fn metric(&self, sample: &str) -> Option<u64> {
        use engine_bridge::metrics::{Format, Page};
        let mut page = Page::new(Format::Prometheus);
        self.bridge.scrape(&mut page);
        let text = page.finish();
        let line = text.lines().find_map(|line| line.strip_prefix(sample))?;
        line.trim().parse().ok()
    }

    pub(crate) fn live_hash(&self) -> String {
        self.bridge.slot.load().1.hash.clone()
    }
}

/// Reads a configuration file as the gateway would.
pub(crate) fn load(path: &Path) -> Result<Snapshot, String> {
    let text = fs::read_to_string(path).map_err(|why| format!("{}: {why}", path.display()))?;
    let files = |path: &Path| fs::read(path);
    let source = engine_config::Source::new(path, text);
    engine_config::load(&[source], &BTreeMap::new(), &[], &files)
        .map_err(|problems| problems.to_string())
}

/// Waits until it is so; fails the test if that takes unreasonably long.
pub(crate) fn wait_for(what: &str, mut so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !so() {
        assert!(Instant::now() < end, "waited in vain for: {what}");
        thread::sleep(Duration::from_millis(2));
    }
}

/// How a fake worker answers a candidate.
#[derive(Clone)]
pub(crate) enum Answer {
    Yes,
    No(String),
    Never,
}

/// Threads that do towards the bridge what workers do.
pub(crate) struct Workers {
    threads: Vec<JoinHandle<()>>,
    /// What each is doing for clients; a draining worker waits for it to become 0.
    pub(crate) in_flight: Arc<AtomicU64>,
    /// Set: their loops stand still.
    pub(crate) stuck: Arc<AtomicBool>,
    /// Reloads that they have taken over, all together.
    pub(crate) swaps: Arc<AtomicU64>,
}

impl Workers {
    /// One per answer.
    pub(crate) fn start(bridge: &Arc<Bridge>, answers: &[Answer]) -> Workers {
        let mut workers = Workers {
            threads: Vec::new(),
            in_flight: Arc::default(),
            stuck: Arc::default(),
            swaps: Arc::default(),
        };
        for (index, answer) in answers.iter().enumerate() {
            let worker = Worker {
                bridge: Arc::clone(bridge),
                index,
                answer: answer.clone(),
                in_flight: Arc::clone(&workers.in_flight),
                stuck: Arc::clone(&workers.stuck),
                swaps: Arc::clone(&workers.swaps),
            };
            workers.threads.push(thread::spawn(move || worker.run()));
        }
        workers
    }

    pub(crate) fn join(self) {
        self.threads
            .into_iter()
            .for_each(|thread| thread.join().unwrap());
    }
}

struct Worker {
    bridge: Arc<Bridge>,
    index: usize,
    answer: Answer,
    in_flight: Arc<AtomicU64>,
    stuck: Arc<AtomicBool>,
    swaps: Arc<AtomicU64>,
}

impl Worker {
    fn run(self) {
        let Bridge { slot, life, .. } = &*self.bridge;
        let _guard = life.guard(self.index);
        let mut prepared = None;
        let (mut generation, mut held) = slot.load();
        life.ready(self.index);
        for now in 1.. {
            thread::sleep(Duration::from_millis(1));
            if self.stuck.load(Ordering::Relaxed) {
                continue;
            }
            life.beat(self.index, now);
            if let Some(id) = prepared {
                match slot.outcome(id) {
                    Outcome::Pending => {}
                    Outcome::Discarded => prepared = None,
                    Outcome::Committed(committed) => {
                        prepared = None;
                        (generation, held) = slot.load();
                        assert!(generation >= committed);
                        self.swaps.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
            if let Some((id, candidate)) = slot.candidate()
                && prepared != Some(id)
            {
                assert!(!candidate.hash.is_empty());
                match &self.answer {
                    Answer::Yes => slot.answer(self.index, id, Ok(())),
                    Answer::No(why) => slot.answer(self.index, id, Err(why.clone())),
                    Answer::Never => {}
                }
                prepared = Some(id);
            }
            let in_flight = self.in_flight.load(Ordering::Relaxed);
            life.in_flight(self.index, in_flight);
            match life.phase() {
                Phase::Running => {}
                Phase::Draining { .. } if in_flight > 0 => {}
                _ => {
                    life.drained(self.index, in_flight);
                    break;
                }
            }
        }
        assert!(generation > 0 && !held.hash.is_empty());
    }
}

/// An answer to a plain HTTP/1.1 request.
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// GETs a page over a connection of its own.
pub(crate) fn get(address: &Address, path: &str, header: &str) -> Answered {
    let text = match address {
        Address::Tcp(address) => exchange(TcpStream::connect(address).unwrap(), path, header),
        Address::Unix(name) => exchange(UnixStream::connect(name).unwrap(), path, header),
    };
    let text = text.unwrap();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    Answered {
        status: head[9..12].parse().unwrap(),
        head: head.to_ascii_lowercase(),
        body: body.to_string(),
    }
}

fn exchange(mut stream: impl Read + Write, path: &str, header: &str) -> io::Result<String> {
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: admin\r\nConnection: close\r\n{header}\r\n"
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

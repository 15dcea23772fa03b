//! A gateway of one worker inside the test's process, so that its allocations can be counted: as
//! `portcullis run` puts it together, without the control thread.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use engine_bridge::Bridge;
use engine_bridge::logs::Log;
use engine_config::Source;
use engine_net::Listener;
use engine_net::runtime::Driver;
use engine_net::testing::Tally;
use engine_worker::Bound;

/// A gateway at work; it ends when dropped.
pub(crate) struct Gateway {
    pub(crate) address: SocketAddr,
    bridge: Arc<Bridge>,
    worker: Option<JoinHandle<()>>,
    /// Lines that have come out of the access logs.
    lines: Arc<AtomicUsize>,
    writer: Option<JoinHandle<()>>,
    over: Arc<AtomicBool>,
}

impl Gateway {
    /// Starts a worker whose thread counts into `tally`. `files` are those that the configuration names.
    pub(crate) fn start(
        text: &str,
        files: &[(&str, &[u8])],
        driver: Driver,
        tally: &'static Tally,
    ) -> Gateway {
        let files = |path: &Path| {
            let file = files.iter().find(|(name, _)| path.ends_with(name));
            let bytes = file.map(|(_, bytes)| bytes.to_vec());
            bytes.ok_or_else(|| io::ErrorKind::NotFound.into())
        };
        let source = [Source::new("gateway.toml", text)];
        let snapshot = engine_config::load(&source, &Default::default(), &[], &files);
        let snapshot = Arc::new(snapshot.unwrap_or_else(|problems| panic!("{problems}")));
        let bridge = Bridge::new(1);
        bridge.slot.publish(Arc::clone(&snapshot));
        bridge.adopt_live();
        let settings = &snapshot.listeners[0];
        let socket = Listener::bind(&engine_worker::address(&settings.address), 64);
        let socket = socket.expect("a free port");
        let engine_net::Address::Tcp(address) = socket.local() else {
            panic!("the listener is on TCP");
        };
        let options = engine_worker::Options {
            index: 0,
            core: None,
            driver,
            bridge: Arc::clone(&bridge),
            listeners: vec![Bound {
                name: Arc::clone(&settings.name),
                socket,
            }],
            seed: 1,
        };
        let worker = std::thread::spawn(move || {
            tally.join();
            engine_worker::run(options).expect("the driver works");
        });
        let (lines, over) = (Arc::default(), Arc::default());
        let writer = write_logs(Arc::clone(&bridge), Arc::clone(&lines), Arc::clone(&over));
        Gateway {
            address,
            bridge,
            worker: Some(worker),
            lines,
            writer: Some(writer),
            over,
        }
    }

    /// Ends the worker; how many lines it has logged.
    pub(crate) fn end(mut self) -> usize {
        self.stop();
        self.lines.load(Ordering::Relaxed)
    }

    fn stop(&mut self) {
        self.bridge.life.stop();
        let worker = self.worker.take().map(JoinHandle::join);
        self.over.store(true, Ordering::Release);
        let writer = self.writer.take().map(JoinHandle::join);
        if !std::thread::panicking() {
            assert!(!matches!(worker, Some(Err(_))), "the worker panicked");
            assert!(!matches!(writer, Some(Err(_))), "the writer panicked");
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Plays the log writers: takes batches and gives them back, until told to stop and all is taken.
fn write_logs(
    bridge: Arc<Bridge>,
    lines: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut provided = Vec::new();
        loop {
            let last = over.load(Ordering::Acquire);
            for log in bridge.logs.all() {
                if !provided.iter().any(|it| Arc::ptr_eq(it, &log)) {
                    provide(&log);
                    provided.push(Arc::clone(&log));
                }
                while let Some(batch) = log.take() {
                    let count = batch.iter().filter(|byte| **byte == b'\n').count();
                    lines.fetch_add(count, Ordering::Relaxed);
                    log.give_back(batch);
                }
            }
            if last {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    })
}

/// Gives a log all the batches that a slow writer would in time have made it allocate: bounded, but
/// how many depends on the machine.
fn provide(log: &Log) {
    const MOST: usize = 4 << 20;
    let batch = log.settings().batch;
    for _ in 0..=MOST / batch + 2 {
        log.give_back(Vec::with_capacity(batch + (8 << 10)));
    }
}

//! Ctrl-C: the first ends the run with what it has, the second does not wait for answers either.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};

/// How often the user has asked for the end.
#[derive(Clone, Debug, Default)]
pub struct Signals {
    count: Arc<AtomicUsize>,
}

impl Signals {
    /// Takes SIGINT and SIGTERM over, for the rest of the process's life.
    ///
    /// # Errors
    /// When they can't be taken over.
    pub fn take_over() -> io::Result<Signals> {
        let signals = Signals::default();
        let (waiting, signalled) = std::os::unix::net::UnixStream::pair()?;
        for signal in [SIGINT, SIGTERM] {
            signal_hook::low_level::pipe::register(signal, signalled.try_clone()?)?;
        }
        let count = signals.count.clone();
        // It lives as long as the process: there is always another signal that may come.
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                let mut waiting = waiting;
                let mut byte = [0];
                while io::Read::read_exact(&mut waiting, &mut byte).is_ok() {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            })?;
        Ok(signals)
    }

    /// As if the user had pressed Ctrl-C.
    pub fn raise(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// How often so far.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

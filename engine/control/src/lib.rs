//! The control thread: admin listener, signals, file watch, reload, drain, log writers, keys of session tickets, the
//! dates of certificates, health checks of endpoints. It decides what the bridge then shows to the workers; no request ever waits for it. What listens
//! for clients, and who joins the workers' threads, is elsewhere. Invariant: nothing here blocks the thread's runtime; what
//! may block runs on threads of its own.

mod admin;
mod certificates;
mod clock;
mod drain;
mod health;
mod logs;
mod operator;
mod process;
mod reload;
mod round;
mod run;
mod shared;
mod signals;
#[cfg(test)]
mod testing;
mod tickets;
mod watch;

use std::path::PathBuf;
use std::sync::Arc;

use engine_bridge::{Bridge, Snapshot};

pub use certificates::{dated, listed};
pub use drain::Exit;
pub use operator::Operator;
pub use reload::Reloaded;
pub use run::{Handle, start};

/// Reads the whole configuration anew: a snapshot, or every problem as text for people.
pub type Load = Arc<dyn Fn() -> Result<Snapshot, String> + Send + Sync>;

/// What control is started with.
pub struct Options {
    /// What it shares with the workers. The first snapshot is published before `start`.
    pub bridge: Arc<Bridge>,
    /// How a reload reads the configuration.
    pub load: Load,
    /// Files and folders that the command line named, watched beside `Snapshot::watched`. `None`: nothing is watched.
    pub watch: Option<Vec<PathBuf>>,
    /// Whether SIGTERM, SIGINT and SIGHUP are for this control. At most one of a process may say so.
    pub signals: bool,
    /// Where its lines for people go.
    pub operator: Operator,
}

//! What to send and what to expect: scenario files, the command line laid over them, and the requests made from both.
//!
//! Pure but for the files that a scenario names: no sockets, no clock (the time is passed in), no randomness but a
//! generator seeded by the scenario, so that a run can be repeated. Everything is checked when a scenario is read;
//! [`Generator::next`] can't fail and allocates nothing once its caller's buffer has grown.

mod expect;
mod generator;
mod load;
mod problem;
mod random;
mod template;
mod threshold;

pub use expect::{Expect, Unmet};
pub use generator::Generator;
pub use load::{Load, Stage};
pub use problem::{Problem, show};
pub use template::Template;
pub use threshold::{Comparison, Limit, Metric, Series, Threshold};

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// A checked scenario. Cheap to clone and shared by all workers.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Where all requests go.
    pub target: Target,
    /// What is sent: at least one template. [`Generator::next`] gives indices into it.
    pub templates: Arc<[Template]>,
    /// How much is sent, and when.
    pub load: Load,
    /// What must hold at the end.
    pub thresholds: Vec<Threshold>,
    /// How long an answer may take, from sending the request to its last byte.
    pub timeout: Duration,
    /// How long the run warms up before anything is counted; zero: not at all.
    pub warmup: Duration,
    /// After how many requests a connection is closed and made anew; `None`: never.
    pub requests_per_connection: Option<u64>,
    /// What random values follow from.
    pub seed: u64,
}

/// The server that is measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The URL as it was said.
    pub url: String,
    /// A name or an address, without brackets.
    pub host: String,
    /// The port, also when the URL left it out.
    pub port: u16,
    /// `Host` as it is sent: the port is left out when it is 80.
    pub authority: String,
}

/// What the command line says beside a scenario's file; all as it was typed, since it is checked and told of together
/// with the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--url`: another target.
    pub url: Option<String>,
    /// `--connections`.
    pub connections: Option<String>,
    /// `--requests`.
    pub requests: Option<String>,
    /// `--duration`.
    pub duration: Option<String>,
    /// `--rate`: an open loop.
    pub rate: Option<String>,
    /// `--stages`: an open loop in stages.
    pub stages: Option<String>,
    /// `--think`.
    pub think: Option<String>,
    /// `--timeout`.
    pub timeout: Option<String>,
    /// `--warmup`.
    pub warmup: Option<String>,
    /// `--requests-per-connection`.
    pub requests_per_connection: Option<String>,
    /// `--seed`.
    pub seed: Option<String>,
    /// `--method`, of every request.
    pub method: Option<String>,
    /// `--header "Name: value"`, each replacing the header of this name in every request.
    pub headers: Vec<String>,
    /// `--body`, of every request.
    pub body: Option<String>,
    /// `--body-file`, of every request.
    pub body_file: Option<String>,
    /// `--body-size`, of every request.
    pub body_size: Option<String>,
    /// `--expect-status`, of every request, such as `200,204,3xx`.
    pub expect_status: Option<String>,
    /// `--threshold "p99 < 2ms"`, beside those of the file.
    pub thresholds: Vec<String>,
}

impl Scenario {
    /// Reads a scenario's text; `file` is its name in problems, relative paths in it start from `folder`.
    ///
    /// # Errors
    /// Every problem of the text, in one pass.
    pub fn parse(text: &str, file: &str, folder: &Path) -> Result<Scenario, Vec<Problem>> {
        Scenario::with(text, file, folder, &Overrides::default())
    }

    /// Reads a scenario's text with the command line laid over it.
    ///
    /// # Errors
    /// Every problem of both.
    pub fn with(
        _text: &str,
        _file: &str,
        _folder: &Path,
        _over: &Overrides,
    ) -> Result<Scenario, Vec<Problem>> {
        Err(vec![Problem::nowhere("scenario files are not read yet")])
    }

    /// The scenario of one URL, with what the command line says beside it.
    ///
    /// # Errors
    /// Every problem of the command line.
    pub fn single(url: &str, _over: &Overrides) -> Result<Scenario, Vec<Problem>> {
        let rest = url
            .strip_prefix("http://")
            .ok_or_else(|| vec![Problem::nowhere(format!("`{url}` is not an http:// URL"))])?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = authority.rsplit_once(':').unwrap_or((authority, "80"));
        let port = port
            .parse()
            .map_err(|_| vec![Problem::nowhere(format!("`{port}` is not a port"))])?;
        let path = if path.is_empty() { "/" } else { path };
        let template = Template::plain(path, authority);
        Ok(Scenario {
            target: Target {
                url: url.to_owned(),
                host: host.to_owned(),
                port,
                authority: authority.to_owned(),
            },
            templates: Arc::new([template]),
            load: Load::Closed {
                connections: 64,
                requests: None,
                duration: Some(Duration::from_secs(10)),
                think: None,
            },
            thresholds: Vec::new(),
            timeout: Duration::from_secs(10),
            warmup: Duration::ZERO,
            requests_per_connection: None,
            seed: 0,
        })
    }

    /// Makes the tokens that the requests will carry, which takes about a millisecond for each RS256 one: before the
    /// workers start, so that it doesn't fall into the run. The first generator does it otherwise.
    pub fn mint(&self, _unix_now: u64) {}

    /// Makes tokens anew that will expire soon; to be called about once a second, on a thread that has time. Whether
    /// there are new ones, which generators take at their next [`Generator::refresh`].
    pub fn renew(&self, _unix_now: u64) -> bool {
        false
    }

    /// The generator of one worker.
    pub fn generator(&self, worker: usize, _workers: usize, unix_now: u64) -> Generator {
        self.mint(unix_now);
        Generator::new(self.templates.clone(), self.seed, worker)
    }
}

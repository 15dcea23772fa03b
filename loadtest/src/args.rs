//! The command line: what may be said, and what `--help` says about it.
//!
//! Values that a scenario's file may hold, too, are taken as they were typed: the scenario checks them, with the file, and
//! tells of them in the same way.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::origin;
use crate::scenario::Overrides;

const EXAMPLES: &str = "\
Examples:
  portcullis-load http://127.0.0.1:8080/
      ten seconds, 64 connections, each sending its next request when the last one is answered
  portcullis-load --connections 256 --requests 1000000 http://127.0.0.1:8080/items/{id:1..10000}
      a million requests to random items
  portcullis-load --rate 20000/s --duration 30s --warmup 2s http://127.0.0.1:8080/
      20,000 a second whether answers come or not; latency runs from when a request was due
  portcullis-load --stages 10s@1k,30s@20k,10s@1k --html report.html http://127.0.0.1:8080/
  portcullis-load --sweep --until p99=5ms,errors=0.1% http://127.0.0.1:8080/
      the highest rate that keeps the promise, and the curve up to it
  portcullis-load --threshold 'p99 < 2ms' --threshold 'errors == 0' checkout.toml
      a scenario from a file; exits with 1 when a threshold is not kept, so that CI fails
  portcullis-load --header 'Authorization: Bearer abc' --method POST --body '{\"n\":1}' http://[::1]:8080/items
  portcullis-load --connect-per-request --tls-resume off --cacert site.pem https://127.0.0.1:8443/
      a TLS handshake for each request
  portcullis-load --http2 -c 8 -m 8 https://example.com/
      eight connections of HTTP/2, each with eight requests under way
  portcullis-load --grpc /pkg.Service/Method --body-size 100 -c 8 -m 8 http://127.0.0.1:50051
      unary calls of gRPC
  portcullis-load compare before.json after.json

Exit status: 0 when the run ended and every threshold was kept, 1 when one was not or nothing was answered, 2 when it
could not begin or its results could not be written.";

/// Load an HTTP service and measure how it bears it.
#[derive(Debug, Parser)]
#[command(
    name = "portcullis-load",
    version,
    after_long_help = EXAMPLES,
    after_help = "--help says more, with examples.",
    args_conflicts_with_subcommands = true,
    arg_required_else_help = true,
    max_term_width = 100
)]
pub struct Cli {
    #[command(subcommand)]
    /// What to do; a run if nothing is said.
    pub command: Option<Command>,
    #[command(flatten)]
    /// The short form: a run.
    pub run: Run,
}

/// What the program can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario or load one URL (the same as without a command)
    Run(Box<Run>),
    /// Serve as a test origin: a fast server that answers as it is asked to
    ///
    /// HTTP/1.1, HTTP/2 (with prior knowledge, and by ALPN over TLS) and gRPC, on one port. GET / tells what can be asked of
    /// it: sizes, delays, statuses, resets, events, an echo. Any POST of application/grpc is a call, whose messages are sent
    /// back as they come; a header `x-answer: status=14&count=3&once=1&size=4k&delay=50ms&every=10ms&reset=1&rate=0.1`, or
    /// the same as query behind the method, asks for another answer.
    Origin(origin::Options),
    /// Compare saved runs with each other
    Compare(Compare),
    /// Make the report of a saved run
    Report(Report),
    /// Print the public keys of a scenario's tokens as a JWK set, for the server to verify them with
    Jwks(Jwks),
}

/// A run.
#[derive(Args, Clone, Debug)]
pub struct Run {
    /// A URL (http[s]://HOST[:PORT]/PATH), or the path of a scenario file
    ///
    /// The URL's path may have values in braces, as in a scenario file: {id:1..10000}, {name:a|b|c}, {counter}, {uuid}.
    #[arg(value_name = "URL|FILE")]
    pub what: Option<String>,

    /// How much and when.
    #[command(flatten)]
    pub load: LoadArgs,
    /// What is spoken.
    #[command(flatten)]
    pub protocol: ProtocolArgs,
    /// What is sent.
    #[command(flatten)]
    pub request: RequestArgs,
    /// The search for a rate.
    #[command(flatten)]
    pub sweep: SweepArgs,
    /// The generator itself.
    #[command(flatten)]
    pub generator: GeneratorArgs,
    /// What comes of it.
    #[command(flatten)]
    pub output: OutputArgs,
}

/// How much is sent, and when.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Load")]
pub struct LoadArgs {
    /// Connections; with --rate or --stages the most that may be opened [default: 64, or 1024 with a rate]
    #[arg(short, long, value_name = "N")]
    pub connections: Option<String>,
    /// HTTP/2: requests that each connection has under way at once, at most [default: 1]
    #[arg(short = 'm', long, value_name = "N")]
    pub streams: Option<String>,
    /// How long requests are sent, such as 30s or 2m [default: 10s]
    #[arg(short, long, value_name = "TIME")]
    pub duration: Option<String>,
    /// End after so many requests
    #[arg(short = 'n', long, value_name = "N")]
    pub requests: Option<String>,
    /// Open loop: so many requests a second, such as 500/s or 20k/s
    ///
    /// Requests are sent when they are due, whether others were answered or not. One that finds no free connection opens
    /// another, up to --connections, or waits; latency counts from when it was due, so that a server that stalls cannot
    /// hide it.
    #[arg(short, long, value_name = "RATE", conflicts_with = "stages")]
    pub rate: Option<String>,
    /// Open loop in stages, such as 10s@1k,30s@20k,10s@1k
    #[arg(long, value_name = "STAGES")]
    pub stages: Option<String>,
    /// Open loop: how requests lie within their rate, even or poisson [default: even]
    ///
    /// poisson leaves gaps as between users who know nothing of each other: some arrive together, and must wait for one
    /// another where evenly spaced ones would not.
    #[arg(long, value_name = "HOW")]
    pub arrivals: Option<String>,
    /// Requests at the beginning that are not counted last so long, such as 1s
    #[arg(long, value_name = "TIME")]
    pub warmup: Option<String>,
    /// Closed loop: how long a connection pauses after an answer
    #[arg(long, value_name = "TIME")]
    pub think: Option<String>,
    /// How long an answer may take, and a connection to open
    #[arg(long, value_name = "TIME")]
    pub timeout: Option<String>,
    /// Open a new connection for each request
    ///
    /// Measures connecting, and with https:// handshakes.
    #[arg(
        long,
        alias = "new-connection",
        conflicts_with = "requests_per_connection"
    )]
    pub connect_per_request: bool,
    /// Open a new connection after so many requests
    #[arg(long, value_name = "N")]
    pub requests_per_connection: Option<String>,
    /// Closed loop: requests that are sent together before their answers are read
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1024),
          conflicts_with_all = ["rate", "stages", "sweep", "http2"])]
    pub pipeline: usize,
}

/// What is spoken.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Protocol")]
pub struct ProtocolArgs {
    /// Speak HTTP/2: by ALPN with https://, with prior knowledge with http://
    #[arg(long)]
    pub http2: bool,
    /// Who speaks HTTP/2: own, or crate for the h2 crate
    ///
    /// The h2 crate shares no code with the generator, so that what only one of them finds wrong can be told apart. It runs
    /// closed loops over http:// alone (no TLS), and costs the generator several times as much for each request.
    #[arg(long, value_name = "CLIENT", default_value = "own", value_parser = ["own", "crate"])]
    pub h2_client: String,
    /// Certificates (PEM) that the server's must lead to, instead of those that the system trusts
    ///
    /// Servers are always verified. For one with a certificate of its own making, name that certificate here.
    #[arg(long, value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// The name that the certificate must be for [default: the URL's host]
    #[arg(long, value_name = "NAME")]
    pub tls_name: Option<String>,
    /// Whether TLS sessions are resumed, on or off [default: on]
    #[arg(long, value_name = "WHETHER")]
    pub tls_resume: Option<String>,
    /// Groups for the key exchange, the preferred one first, such as X25519,P-256 [default: all]
    #[arg(long, value_name = "LIST")]
    pub tls_groups: Option<String>,
}

/// What is sent, and what is expected.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Requests")]
pub struct RequestArgs {
    /// The method of every request [default: GET, or POST with a body]
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub method: Option<String>,
    /// A header of every request, as 'Name: value'; may be given several times
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub headers: Vec<String>,
    /// The body of every request
    #[arg(short = 'b', long, value_name = "TEXT", conflicts_with_all = ["body_file", "body_size"])]
    pub body: Option<String>,
    /// A file that holds the body of every request
    #[arg(long, value_name = "FILE", conflicts_with = "body_size")]
    pub body_file: Option<String>,
    /// A body of this size for every request, such as 2KiB
    #[arg(long, value_name = "SIZE")]
    pub body_size: Option<String>,
    /// Call a method of gRPC, such as /package.Service/Method, with the body as its message
    ///
    /// Implies --http2. Calls are unary: one message goes out, in bytes (--body, --body-file, --body-size). A call whose
    /// grpc-status is not 0 has failed.
    #[arg(long, value_name = "METHOD", conflicts_with = "method")]
    pub grpc: Option<String>,
    /// Statuses that are not failures, such as 200,204,3xx [default: 2xx and 3xx]
    #[arg(long, value_name = "LIST")]
    pub expect_status: Option<String>,
    /// What must hold, such as 'p99 < 2ms', 'errors == 0', 'rate >= 50k/s'; may be given several times
    #[arg(short = 't', long = "threshold", value_name = "THRESHOLD")]
    pub thresholds: Vec<String>,
    /// Another target for a scenario file
    #[arg(long, value_name = "URL")]
    pub url: Option<String>,
    /// What random values follow from: the same seed sends the same requests
    #[arg(long, value_name = "N")]
    pub seed: Option<String>,
}

/// The search for the highest rate.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Search")]
pub struct SweepArgs {
    /// Search for the highest rate that keeps a promise, from --rate upwards
    ///
    /// Each rate is kept for --duration (5 s if nothing is said) on connections of its own. From the first rate (1,000/s,
    /// or --rate) the search doubles while the promise is kept, then narrows the gap.
    #[arg(long, conflicts_with_all = ["stages", "requests", "think"])]
    pub sweep: bool,
    /// The promise: figures and their most, such as p99=5ms,errors=0.1%
    #[arg(
        long,
        value_name = "PROMISE",
        default_value = "p99=5ms,errors=0.1%",
        requires = "sweep"
    )]
    pub until: String,
    /// End the search when the gap is smaller than this share of the rate
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 5.0,
        requires = "sweep"
    )]
    pub precision: f64,
}

/// The generator itself.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Generator")]
pub struct GeneratorArgs {
    /// Worker threads [default: one for each core, and no more than connections]
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// The cores that they stay on, in turn, such as 0,2-3 [default: those this process may use]
    #[arg(long, value_name = "LIST")]
    pub cores: Option<String>,
    /// How workers wait for sockets: auto, io_uring or epoll
    #[arg(long, value_name = "DRIVER", default_value = "auto", value_parser = ["auto", "io_uring", "epoll"])]
    pub driver: String,
}

/// What comes of a run.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Results")]
pub struct OutputArgs {
    /// Save the results as JSON, for `compare` and `report`; - is standard output, instead of the table
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write a report with charts: one page that needs no network
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// What the run is called in tables and reports [default: the file's name or the URL]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// No progress line
    #[arg(short, long)]
    pub quiet: bool,
}

/// A comparison.
#[derive(Args, Clone, Debug)]
pub struct Compare {
    /// Two or more runs as --json saved them; the first is what the others are compared with
    #[arg(value_name = "RUN.json", required = true, num_args = 2..)]
    pub runs: Vec<PathBuf>,
    /// Write the comparison as a page with charts, too
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// A report.
#[derive(Args, Clone, Debug)]
pub struct Report {
    /// The run, as --json saved it
    #[arg(value_name = "RUN.json")]
    pub run: PathBuf,
    /// Write the page here; without it the table is printed
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// A scenario's keys.
#[derive(Args, Clone, Debug)]
pub struct Jwks {
    /// The scenario file
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

impl Run {
    /// What is to be laid over the scenario.
    pub(crate) fn overrides(&self) -> Overrides {
        let (load, request, protocol) = (&self.load, &self.request, &self.protocol);
        Overrides {
            url: request.url.clone(),
            http2: (protocol.http2 || request.grpc.is_some()).then(|| "on".to_owned()),
            arrivals: load.arrivals.clone(),
            grpc: request.grpc.clone(),
            // Named where the command is given, not where the scenario lies.
            cacert: protocol.cacert.as_ref().map(|path| {
                let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
                path.to_string_lossy().into_owned()
            }),
            tls_name: protocol.tls_name.clone(),
            tls_resume: protocol.tls_resume.clone(),
            tls_groups: protocol.tls_groups.clone(),
            streams: load.streams.clone(),
            connections: load.connections.clone(),
            requests: load.requests.clone(),
            duration: load.duration.clone(),
            rate: load.rate.clone(),
            stages: load.stages.clone(),
            think: load.think.clone(),
            timeout: load.timeout.clone(),
            warmup: load.warmup.clone(),
            requests_per_connection: match load.connect_per_request {
                true => Some("1".to_owned()),
                false => load.requests_per_connection.clone(),
            },
            seed: request.seed.clone(),
            method: request.method.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            body_file: request.body_file.clone(),
            body_size: request.body_size.clone(),
            expect_status: request.expect_status.clone(),
            thresholds: request.thresholds.clone(),
        }
    }
}

/// Reads a list of cores such as `0,2-3`.
pub(crate) fn cores(list: &str) -> Result<Vec<usize>, String> {
    let mut cores = Vec::new();
    for part in list.split(',').map(str::trim) {
        let number = |text: &str| {
            text.trim()
                .parse::<usize>()
                .ok()
                .filter(|core| *core < 4096)
                .ok_or_else(|| format!("`{part}` in --cores is not a core or a range such as 2-3"))
        };
        match part.split_once('-') {
            None => cores.push(number(part)?),
            Some((first, last)) => cores.extend(number(first)?..=number(last)?),
        }
    }
    match cores.is_empty() {
        true => Err(format!("--cores {list} names none")),
        false => Ok(cores),
    }
}

#[cfg(test)]
mod tests;

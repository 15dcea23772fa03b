//! The `portcullis` binary: reads the command line and calls the crate that does the work.
//!
//! No logic lives here beyond starting, printing and exit codes: 0 for success, 1 for a drain that had
//! to cut something (or a command that found a difference), 78 (EX_CONFIG) for a configuration that
//! can't be used, 70 (EX_SOFTWARE) for a fault of our own.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

mod check;
mod demo;
mod explain;
mod keys;
mod listeners;
mod reload;
mod serve;
mod source;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Exit status of a configuration that can't be used (sysexits.h).
const EX_CONFIG: u8 = 78;
/// Exit status of a fault of our own (sysexits.h).
const EX_SOFTWARE: u8 = 70;

/// A thread-per-core API gateway: one binary, one flat config file, one admin page.
#[derive(Parser)]
#[command(
    name = "portcullis",
    version,
    about,
    after_help = "\
Try it without any configuration:   portcullis demo
Then write a file of your own:      portcullis config reference | less
Check it before it goes live:       portcullis check --config portcullis.toml
Ask what would happen:              portcullis explain --config portcullis.toml GET https://host/path -H 'X-Beta: 1'
Run it:                             portcullis run --config portcullis.toml
While it runs: SIGHUP or a changed file reloads it, SIGTERM drains it."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the gateway until SIGTERM or SIGINT.
    Run(Configured),
    /// Check a configuration and print every problem in it; exit status 78 when there is one.
    Check {
        #[command(flatten)]
        configured: Configured,
        /// Print the problems as JSON, for editors and CI.
        #[arg(long)]
        json: bool,
    },
    /// Tell what would happen to a request: which route, which policies, which upstream, what is sent.
    Explain {
        #[command(flatten)]
        configured: Configured,
        /// The request's method.
        method: String,
        /// Its URL, such as https://api.example/orders/7?full=1, or a path alone.
        #[arg(value_parser = explain::url)]
        url: String,
        /// A header of the request; may be given again.
        #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
        headers: Vec<String>,
        /// The address that the client connects from.
        #[arg(long, default_value = "127.0.0.1")]
        from: std::net::IpAddr,
        /// The listener that it comes in on; when absent the one that fits the URL's port, else its scheme, else the first.
        #[arg(long)]
        listener: Option<String>,
        /// The certificates that the client shows (PEM), its own first.
        #[arg(long, value_name = "FILE")]
        client_cert: Option<std::path::PathBuf>,
    },
    /// Show a gateway at work: demo services and a gateway in front of them, nothing to configure.
    Demo {
        /// Where the gateway listens.
        #[arg(long, default_value = "127.0.0.1:8080")]
        address: std::net::SocketAddr,
        /// Where its admin listener (metrics, health) listens.
        #[arg(long, default_value = "127.0.0.1:9900")]
        admin: std::net::SocketAddr,
    },
    /// The configuration language itself.
    Config {
        #[command(subcommand)]
        about: About,
    },
    /// API keys: make one, or hash one that exists.
    Keys {
        #[command(subcommand)]
        action: keys::Action,
    },
}

#[derive(Subcommand)]
enum About {
    /// Every key with its type, default and meaning, as Markdown.
    Reference,
    /// A JSON Schema of the configuration, for editors.
    Schema,
}

/// Where the configuration comes from.
#[derive(Args, Clone)]
struct Configured {
    /// A file, or a folder whose *.toml are read in name order; later ones win, key by key.
    #[arg(short = 'c', long = "config", value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    /// One key, over all files: route.products.timeout=2s
    #[arg(long = "set", value_name = "KIND.NAME.KEY=VALUE")]
    sets: Vec<String>,
}

/// A gateway's memory is many small things: huge pages would more than double what it holds at rest, and made no
/// request cheaper where that was measured. Who wants them says so to the allocator (docs/tuning.md).
fn keep_pages_small() {
    if std::env::var_os("MIMALLOC_ALLOW_THP").is_none() {
        // Where the kernel can't be asked only memory is lost.
        let _ = engine_net::runtime::keep_pages_small();
    }
}

fn main() -> ExitCode {
    keep_pages_small();
    let result = match Cli::parse().command {
        Command::Run(configured) => serve::run(&configured),
        Command::Check { configured, json } => check::check(&configured, json),
        Command::Explain {
            configured,
            method,
            url,
            headers,
            from,
            listener,
            client_cert,
        } => explain::explain(
            &configured,
            &method,
            &url,
            &headers,
            from,
            listener.as_deref(),
            client_cert.as_deref(),
        ),
        Command::Demo { address, admin } => demo::run(address, admin),
        Command::Config {
            about: About::Reference,
        } => print(&engine_config::reference()),
        Command::Config {
            about: About::Schema,
        } => print(&engine_config::schema()),
        Command::Keys { action } => keys::run(&action),
    };
    result.unwrap_or_else(|error| {
        eprintln!("portcullis: {error:#}");
        ExitCode::from(EX_SOFTWARE)
    })
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    use std::io::Write;
    match std::io::stdout().write_all(text.as_bytes()) {
        // A reader that has seen enough (head, less) is no fault.
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => {}
        other => other?,
    }
    Ok(ExitCode::SUCCESS)
}

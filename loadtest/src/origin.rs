//! The test origin: a server that answers as it is asked to, fast enough to stand behind a benchmark.
//!
//! This is its start and its end: sockets, threads, signals. What a request may ask for is in `ask`, and of gRPC in `grpc`;
//! HTTP/1.1 is in `connection`, HTTP/2 in `http2`. Each thread has a
//! core, a runtime and a socket of its own (SO_REUSEPORT), and shares nothing.

use std::future::Future;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::JoinHandle;

use engine_net::runtime::{self, Driver, Wish};
use engine_net::tls::Acceptor;
use engine_net::{Address, Conn, Listener, listener};
use signal_hook::consts::{SIGINT, SIGTERM};

mod answer;
mod ask;
mod body;
mod connection;
mod echo;
mod grpc;
mod head;
mod http2;
mod secure;
mod websocket;
mod worker;

/// Connections that may wait to be accepted, by thread.
const BACKLOG: u32 = 4096;

/// How the origin is started; also its command line.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Where it listens; port 0 picks a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    pub listen: SocketAddr,
    /// How many threads serve; one for each core when absent.
    #[arg(long, value_name = "N")]
    pub threads: Option<usize>,
    /// The cores they are pinned to, in turn; those this process may use when absent.
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    pub cores: Vec<usize>,
    /// Serve over TLS with this certificate and what leads to it (PEM)
    #[arg(long, value_name = "FILE", requires = "key")]
    pub certificate: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "certificate")]
    pub key: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            threads: Some(1),
            cores: Vec::new(),
            certificate: None,
            key: None,
        }
    }
}

/// An origin that runs; dropping it ends it.
pub struct Origin {
    address: SocketAddr,
    driver: Driver,
    /// Closed, they tell their thread to end.
    leads: Vec<UnixStream>,
    threads: Vec<JoinHandle<io::Result<()>>>,
}

impl Origin {
    /// Binds, starts the threads, and comes back when each of them serves.
    ///
    /// # Errors
    /// When the address is taken or can't be bound, or a thread can't be started or pinned.
    pub fn start(options: &Options) -> io::Result<Origin> {
        let (driver, _) = runtime::probe(Wish::Auto).map_err(io::Error::other)?;
        // As many connections as may be; where it stays lower, accepting says so.
        let _ = runtime::raise_file_limit();
        let cores = match options.cores.as_slice() {
            [] => runtime::available_cores(),
            given => given.to_vec(),
        };
        let threads = options.threads.unwrap_or(cores.len()).max(1);
        let acceptor = match (&options.certificate, &options.key) {
            (Some(certificate), Some(key)) => Some(secure::acceptor(certificate, key)?),
            _ => None,
        };
        let listeners = bind(options.listen, threads)?;
        let mut origin = Origin {
            address: local(&listeners)?,
            driver,
            leads: Vec::new(),
            threads: Vec::new(),
        };
        let (ready, started) = mpsc::channel();
        for (at, listener) in listeners.into_iter().enumerate() {
            let core = cores.get(at % cores.len().max(1)).copied();
            let (lead, follow) = UnixStream::pair()?;
            let ready = ready.clone();
            let acceptor = acceptor.clone();
            let thread = std::thread::Builder::new()
                .name(format!("origin-{at}"))
                .spawn(move || thread(driver, core, (listener, acceptor), follow, &ready))?;
            origin.leads.push(lead);
            origin.threads.push(thread);
        }
        drop(ready);
        for _ in 0..threads {
            // A thread that could not start says so, or has died and closed its end.
            let gone = |_| Err(io::Error::other("a thread ended as it started"));
            started.recv().unwrap_or_else(gone)?;
        }
        Ok(origin)
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it: requests in flight have a second, then everything is closed.
    ///
    /// # Errors
    /// The first thread's that ended with one.
    pub fn stop(mut self) -> io::Result<()> {
        self.end()
    }

    fn end(&mut self) -> io::Result<()> {
        self.leads.clear();
        let mut outcome = Ok(());
        for thread in self.threads.drain(..) {
            let ended = thread.join();
            let ended = ended.unwrap_or_else(|_| Err(io::Error::other("a thread panicked")));
            outcome = outcome.and(ended);
        }
        outcome
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        // Whoever wants to know calls `stop`.
        let _ = self.end();
    }
}

/// Runs an origin until SIGINT or SIGTERM.
///
/// # Errors
/// As [`Origin::start`], or when signals can't be taken over.
pub fn run(options: &Options) -> io::Result<()> {
    let (mut signalled, signals) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        signal_hook::low_level::pipe::register(signal, signals.try_clone()?)?;
    }
    let origin = Origin::start(options)?;
    let threads = origin.threads.len();
    let (scheme, trust) = match &options.certificate {
        None => ("http", String::new()),
        Some(certificate) => ("https", format!(" --cacert {}", certificate.display())),
    };
    // Nobody need be listening.
    let _ = writeln!(
        io::stdout().lock(),
        "origin on {scheme}://{}, {threads} thread{}, {}\nwhat it can do: curl{trust} {scheme}://{}/",
        origin.address,
        if threads == 1 { "" } else { "s" },
        origin.driver,
        origin.address,
    );
    signalled.read_exact(&mut [0])?;
    origin.stop()
}

/// Serves what a listener accepts, on this thread's runtime, until `stop` ends.
pub async fn serve(listener: Listener, stop: impl Future<Output = ()>) {
    worker::serve(listener, None, stop).await;
}

/// One socket for each thread, all on one address.
fn bind(address: SocketAddr, threads: usize) -> io::Result<Vec<Listener>> {
    listener::probe(&Address::Tcp(address))
        .map_err(|error| io::Error::new(error.kind(), format!("{address}: {error}")))?;
    let first = Listener::bind(&Address::Tcp(address), BACKLOG)?;
    let address = first.local();
    let mut all = vec![first];
    for _ in 1..threads {
        all.push(Listener::bind(&address, BACKLOG)?);
    }
    Ok(all)
}

fn local(listeners: &[Listener]) -> io::Result<SocketAddr> {
    match listeners.first().map(Listener::local) {
        Some(Address::Tcp(address)) => Ok(address),
        _ => Err(io::ErrorKind::AddrNotAvailable.into()),
    }
}

/// The life of one thread.
fn thread(
    driver: Driver,
    core: Option<usize>,
    door: (Listener, Option<Acceptor>),
    follow: UnixStream,
    ready: &mpsc::Sender<io::Result<()>>,
) -> io::Result<()> {
    if let Some(core) = core
        && let Err(error) = runtime::pin_to(core)
    {
        let why = format!("core {core}: {error}");
        return tell(ready, Err(io::Error::new(error.kind(), why)));
    }
    let served = runtime::run(driver, || async {
        let lead = Conn::from_unix(follow)?;
        let _ = ready.send(Ok(()));
        // Closed by whoever started us, or gone with it.
        let stop = async { drop(lead.readable().await) };
        let (listener, acceptor) = door;
        worker::serve(listener, acceptor, stop).await;
        Ok(())
    });
    match served {
        Ok(ended) => ended,
        Err(error) => tell(ready, Err(error)),
    }
}

/// Tells the start how it went; the thread then ends well, since its fault is told already.
fn tell(ready: &mpsc::Sender<io::Result<()>>, outcome: io::Result<()>) -> io::Result<()> {
    let _ = ready.send(outcome);
    Ok(())
}

#[cfg(test)]
mod tests;

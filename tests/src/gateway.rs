//! The real binary on a configuration of the test's own, started, watched and ended.
//!
//! Every listener takes port 0; the admin listener is a Unix socket in the gateway's folder. The
//! lines on standard error are the events that tests wait for.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::Mutex;
use std::time::Instant;

use tempfile::TempDir;

use crate::answer::Answer;
use crate::lines::Lines;
use crate::peer::Peer;
use crate::{PATIENCE, binary};

/// What a gateway is to be started from.
pub struct Setup {
    dir: TempDir,
    text: String,
    arguments: Vec<String>,
    variables: Vec<(String, String)>,
}

/// A gateway at work; killed when dropped.
pub struct Gateway {
    child: Mutex<Child>,
    id: u32,
    dir: TempDir,
    errors: Lines,
    output: Lines,
    listeners: HashMap<String, SocketAddr>,
}

/// What precedes the test's own sections, unless it has such sections itself.
const BASE: &[(&str, &str)] = &[
    ("[gateway]", "[gateway]\nworkers = 1\npin = false\n"),
    ("[admin]", "[admin]\naddress = \"unix:@DIR@/admin.sock\"\n"),
    (
        "[listener.",
        "[listener.public]\naddress = \"127.0.0.1:0\"\n",
    ),
    ("[access_log.", "[access_log.main]\npath = \"stdout\"\n"),
];

impl Setup {
    /// A configuration. One worker, a listener `public`, an access log `main` on standard output and
    /// an admin socket are there unless the text has sections of these kinds. `@DIR@` stands for the
    /// folder of the file. `PORTCULLIS_TEST_IO=epoll` in the environment of the tests starts every
    /// gateway on that driver.
    pub fn new(text: impl AsRef<str>) -> Setup {
        let dir = TempDir::new().expect("a temporary folder");
        let text = text.as_ref();
        let mut whole = String::new();
        for (section, default) in BASE {
            if !text.contains(section) {
                let _ = writeln!(whole, "{default}");
            }
        }
        whole.push_str(text);
        Setup {
            dir,
            text: whole,
            arguments: Vec::new(),
            variables: Vec::new(),
        }
    }

    /// One key over the file: `gateway.io="epoll"`.
    pub fn set(mut self, assignment: impl Into<String>) -> Setup {
        self.arguments.push("--set".into());
        self.arguments.push(assignment.into());
        self
    }

    /// A variable of the environment.
    pub fn variable(mut self, name: &str, value: &str) -> Setup {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// A file beside the configuration.
    pub fn file(self, name: &str, bytes: impl AsRef<[u8]>) -> Setup {
        std::fs::write(self.dir.path().join(name), bytes).expect("the folder is writable");
        self
    }

    /// Runs another command on the configuration to its end.
    pub fn command(&self, command: &[&str], more: &[&str]) -> Output {
        self.write();
        let mut process = self.process(command);
        let output = process.args(more).stdin(Stdio::null()).output();
        output.expect("the binary can be started")
    }

    /// Starts the gateway and waits until its configuration is live.
    ///
    /// # Panics
    /// When it ends instead; the message holds its words.
    #[track_caller]
    pub fn start(self) -> Gateway {
        let mut gateway = self.spawn();
        gateway.errors.wait("is live", 0);
        let lines = gateway.errors.all().into_iter();
        let listeners = lines.filter_map(|line| {
            let (name, url) = line.split_once("listener ")?.1.split_once(": ")?;
            let (_, address) = url.split_once(' ')?.0.split_once("://")?;
            Some((name.to_owned(), address.parse().ok()?))
        });
        gateway.listeners = listeners.collect();
        gateway
    }

    /// Starts the gateway and waits for its end: status and standard error.
    #[track_caller]
    pub fn fails(self) -> (Option<i32>, String) {
        let gateway = self.spawn();
        let status = gateway.exit();
        (status.code(), gateway.errors.all().join("\n"))
    }

    fn write(&self) -> PathBuf {
        let path = self.dir.path().join("gateway.toml");
        std::fs::write(&path, self.expanded()).expect("the folder is writable");
        path
    }

    fn expanded(&self) -> String {
        expand(&self.text, self.dir.path())
    }

    fn process(&self, command: &[&str]) -> Command {
        let mut process = Command::new(binary::path());
        process
            .args(command)
            .arg("--config")
            .arg(self.dir.path().join("gateway.toml"));
        process.args(&self.arguments);
        // The whole suite runs once more on another driver: see `Setup::new`.
        if let Ok(driver) = std::env::var("PORTCULLIS_TEST_IO") {
            process.args(["--set", &format!("gateway.io={driver}")]);
        }
        process.envs(self.variables.iter().map(|(name, value)| (name, value)));
        process
    }

    fn spawn(self) -> Gateway {
        self.write();
        let mut process = self.process(&["run"]);
        process
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = process.spawn().expect("the binary can be started");
        let errors = Lines::of(child.stderr.take().expect("it is piped"));
        let output = Lines::of(child.stdout.take().expect("it is piped"));
        Gateway {
            id: child.id(),
            child: Mutex::new(child),
            dir: self.dir,
            errors,
            output,
            listeners: HashMap::new(),
        }
    }
}

fn expand(text: &str, dir: &Path) -> String {
    text.replace("@DIR@", &dir.display().to_string())
}

impl Gateway {
    /// Starts one on a configuration; see [`Setup::new`].
    #[track_caller]
    pub fn start(text: impl AsRef<str>) -> Gateway {
        Setup::new(text).start()
    }

    /// A public route for every path to these endpoints, with more sections behind it.
    #[track_caller]
    pub fn before(origin: SocketAddr, more: &str) -> Gateway {
        Gateway::start(proxy(origin, more))
    }

    /// Where a listener listens.
    #[track_caller]
    pub fn address(&self, listener: &str) -> SocketAddr {
        let address = self.listeners.get(listener);
        *address.unwrap_or_else(|| panic!("no listener {listener} in {:?}", self.errors.all()))
    }

    /// A new connection to the listener `public`.
    #[track_caller]
    pub fn peer(&self) -> Peer {
        Peer::connect(self.address("public"))
    }

    /// GETs a path on a connection of its own.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.peer().get(path)
    }

    /// One request on a connection of its own.
    #[track_caller]
    pub fn ask(&self, request: impl AsRef<[u8]>) -> Answer {
        self.peer().ask(request)
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The folder of the configuration.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Replaces the configuration's file at once, as an editor does. Unlike [`Setup::new`] nothing is
    /// added; see [`Gateway::text`].
    pub fn rewrite(&self, text: &str) {
        let (new, old) = (
            self.dir().join("gateway.toml.new"),
            self.dir().join("gateway.toml"),
        );
        std::fs::write(&new, text).expect("the folder is writable");
        std::fs::rename(&new, &old).expect("the folder is writable");
    }

    /// The configuration as it stands in the file.
    pub fn text(&self) -> String {
        std::fs::read_to_string(self.dir().join("gateway.toml")).expect("it was written")
    }

    /// Sends a signal: `TERM`, `HUP`, …
    pub fn signal(&self, name: &str) {
        let command = format!("kill -{name} {}", self.id);
        let status = Command::new("sh").args(["-c", &command]).status();
        assert!(status.expect("there is a shell").success(), "{command}");
    }

    /// Waits for the end of the process.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn exit(&self) -> ExitStatus {
        self.errors.wait_end();
        let mut child = self.child.lock().expect("unpoisoned");
        child.wait().expect("it has ended")
    }

    /// What it has said on standard error.
    pub fn said(&self) -> Vec<String> {
        self.errors.all()
    }

    /// Waits for a line on standard error that holds this text, from the line numbered `from` on;
    /// gives the line and the number of the next one.
    #[track_caller]
    pub fn wait_said(&self, text: &str, from: usize) -> (String, usize) {
        self.errors.wait(text, from)
    }

    /// Waits for a line on standard output (the access log) that holds this text.
    #[track_caller]
    pub fn wait_logged(&self, text: &str) -> String {
        self.output.wait(text, 0).0
    }

    /// What has come on standard output so far; all of it once the process has ended.
    pub fn logged(&self) -> Vec<String> {
        self.output.all()
    }

    /// Asks for `/ready` until it says so: every worker turns.
    #[track_caller]
    pub fn wait_ready(&self) {
        let start = Instant::now();
        while self.admin("/ready").0 != 200 {
            assert!(start.elapsed() < PATIENCE, "it never becomes ready");
            std::thread::yield_now();
        }
    }

    /// GETs a page of the admin listener.
    #[track_caller]
    pub fn admin(&self, path: &str) -> (u16, String) {
        self.admin_with(path, "")
            .expect("the admin listener answers")
    }

    /// GETs a page of the admin listener with more field lines; `None` when nobody listens.
    pub fn admin_with(&self, path: &str, fields: &str) -> Option<(u16, String)> {
        let mut stream = UnixStream::connect(self.dir().join("admin.sock")).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let request =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let status = answer.get(9..12)?.parse().ok()?;
        Some((status, answer))
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let mut child = match self.child.lock() {
            Ok(child) => child,
            Err(poisoned) => poisoned.into_inner(),
        };
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
        if std::thread::panicking() {
            eprintln!("the gateway said:\n{}", self.errors.all().join("\n"));
        }
    }
}

/// A public route for every path to one endpoint, with more sections behind it.
pub fn proxy(origin: SocketAddr, more: &str) -> String {
    format!(
        "{}\n{more}",
        upstream_and_route(&format!("endpoints = [\"{origin}\"]"), "")
    )
}

/// An upstream `backend` and a public route `all` for every path to it, each with these keys.
pub fn upstream_and_route(upstream: &str, route: &str) -> String {
    format!(
        "[upstream.backend]\n{upstream}\n\n[route.all]\npath = \"/*\"\nupstream = \"backend\"\nauth = \"none\"\n{route}\n"
    )
}

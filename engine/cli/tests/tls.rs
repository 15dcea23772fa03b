//! What the commands say about TLS: `check` of what it would show, `explain` of what a client sees, `run` of where it listens.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A configuration in a file that is removed with it.
struct Configuration(PathBuf);

impl Configuration {
    fn new(name: &str) -> Configuration {
        let certs = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/src/testing/certs");
        let text = format!(
            "[gateway]\nworkers = 1\n\
             [listener.plain]\naddress = \"127.0.0.1:0\"\n\
             [listener.upgrade]\naddress = \"127.0.0.1:0\"\nhttp_to_https = true\n\
             [listener.secure]\naddress = \"127.0.0.1:0\"\ncertificates = [\"site\"]\npassthrough = [\"db.example -> db\"]\n\
             [listener.tunnel]\naddress = \"127.0.0.1:0\"\npassthrough = [\"* -> db\"]\n\
             [certificate.site]\nchain = \"{certs}/rsa.pem\"\nkey = \"{certs}/rsa.key\"\n\
             [upstream.db]\nendpoints = [\"127.0.0.1:1\"]\n\
             [route.all]\npath = \"/*\"\nlisteners = [\"plain\", \"secure\"]\nauth = \"none\"\nrespond = \"200\"\n"
        );
        let name = format!("portcullis-tls-{name}-{}.toml", std::process::id());
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        fs::write(&file, text).expect("the folder for tests is writable");
        Configuration(file)
    }

    fn command(&self, command: &str) -> Command {
        let mut process = Command::new(env!("CARGO_BIN_EXE_portcullis"));
        process.arg(command).arg("--config").arg(&self.0);
        process
    }
}

impl Drop for Configuration {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A process that is killed when dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

const SPOKEN: [&str; 4] = [
    "listener plain: http://127.0.0.1:* (http/1.1, h2c)",
    "listener secure: https://127.0.0.1:* (h2, http/1.1, passes some names on)",
    "listener tunnel: tls://127.0.0.1:* (passes connections on)",
    "listener upgrade: http://127.0.0.1:* (sends clients to https, port 443)",
];

/// The lines about listeners, their ports made alike.
fn listeners<'l>(lines: impl Iterator<Item = &'l str>) -> Vec<String> {
    let about = lines.filter_map(|line| line.split_once("listener "));
    about
        .map(|(_, rest)| {
            let (before, after) = rest.split_once("127.0.0.1:").expect("an address");
            let words = after.trim_start_matches(|it: char| it.is_ascii_digit());
            format!("listener {before}127.0.0.1:*{words}")
        })
        .collect()
}

#[test]
fn check_says_what_would_listen_and_what_would_be_shown() {
    let configuration = Configuration::new("check");
    let checked = configuration.command("check").output();
    let checked = checked.expect("the binary can be started");
    let said = String::from_utf8_lossy(&checked.stdout);
    assert_eq!(checked.status.code(), Some(0));
    assert_eq!(listeners(said.lines()), SPOKEN, "{said}");
    let last = said.lines().last().expect("a line for each certificate");
    assert!(
        last.starts_with("certificate site: for edge.example, until 2"),
        "{said}"
    );
}

#[test]
fn explain_says_which_certificate_is_shown() {
    let configuration = Configuration::new("explain");
    let explained = |url: &str| {
        let output = configuration.command("explain").args(["GET", url]).output();
        let output = output.expect("the binary can be started");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let said = explained("https://edge.example/");
    let line = "\ntls       certificate site; h2 or http/1.1\n";
    assert!(said.contains(line), "{said}");
    let said = explained("https://db.example/");
    assert!(
        said.contains("listener secure passes this connection on to db"),
        "{said}"
    );
}

#[test]
fn run_says_where_it_listens_and_what_is_spoken() {
    let configuration = Configuration::new("run");
    let child = configuration.command("run").stderr(Stdio::piped()).spawn();
    let mut running = Running(child.expect("the binary can be started"));
    let errors = running.0.stderr.take().expect("it is piped");
    let mut said = Vec::new();
    for line in BufReader::new(errors).lines() {
        let line = line.expect("what it says is text");
        let live = line.ends_with(" is live");
        said.push(line);
        if live {
            break;
        }
    }
    let lines = said.iter().map(String::as_str);
    assert_eq!(listeners(lines), SPOKEN, "{said:?}");
}

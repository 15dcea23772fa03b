//! Checks over TLS: the endpoint must show what requests would ask of it. It is OpenSSL's server.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use tests::Gateway;
use tests::gateway::upstream_and_route;
use tests::secure::{HOST, certificate};

use super::{OFTEN, results, wait_healthy, wait_results};

/// `openssl s_server` on the certificate in a folder, answering every GET with a page.
struct Server {
    child: Child,
    endpoint: String,
}

impl Server {
    fn start(dir: &Path, more: &[&str]) -> Server {
        let mut command = Command::new("openssl");
        command.current_dir(dir).args(["s_server", "-www"]);
        command.args([
            "-accept",
            "127.0.0.1:0",
            "-cert",
            "edge.pem",
            "-key",
            "edge.key",
        ]);
        let command = command.args(more).stdin(Stdio::null());
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("openssl is there");
        let said = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut lines = said.lines().map_while(Result::ok);
        let endpoint = lines.find_map(|line| Some(line.strip_prefix("ACCEPT ")?.to_owned()));
        // It must not block on what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Server {
            child,
            endpoint: endpoint.expect("it says where it listens"),
        }
    }

    /// A gateway in front of it, with these keys in the upstream's section.
    fn behind(&self, dir: &Path, keys: &str) -> Gateway {
        let upstream = format!(
            "endpoints = [\"{}\"]\ntls = true\ntls_ca = \"{}\"\n{OFTEN}{keys}",
            self.endpoint,
            dir.join("edge.pem").display(),
        );
        Gateway::start(upstream_and_route(&upstream, ""))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn folder() -> TempDir {
    let dir = TempDir::new().expect("a folder");
    certificate(dir.path());
    dir
}

#[test]
fn a_certificate_that_is_in_order() {
    let dir = folder();
    let server = Server::start(dir.path(), &[]);
    for check in ["health_path = \"/\"", "health_check = \"tcp\""] {
        let keys = format!("tls_name = \"{HOST}\"\n{check}");
        let gateway = server.behind(dir.path(), &keys);
        wait_results(&gateway, &server.endpoint, "ok", 3.0);
        wait_healthy(&gateway, &server.endpoint, true);
    }
}

#[test]
fn a_certificate_that_is_not() {
    let (dir, other) = (folder(), folder());
    let server = Server::start(dir.path(), &[]);
    let named = format!("tls_name = \"{HOST}\"\n");
    for check in ["health_path = \"/\"", "health_check = \"tcp\""] {
        let gateway = server.behind(dir.path(), &format!("tls_name = \"a.example\"\n{check}"));
        wait_healthy(&gateway, &server.endpoint, false);
        gateway.wait_said("is unhealthy: its certificate is for another name", 0);
        assert!(results(&gateway, &server.endpoint, "upstream_tls_wrong_name") >= 1.0);

        let gateway = server.behind(other.path(), &format!("{named}{check}"));
        wait_healthy(&gateway, &server.endpoint, false);
        gateway.wait_said("is unhealthy: its certificate ", 0);
    }
}

#[test]
fn the_gateway_shows_its_certificate() {
    let dir = folder();
    let asks = [
        "-Verify",
        "1",
        "-verify_return_error",
        "-CAfile",
        "edge.pem",
    ];
    let server = Server::start(dir.path(), &asks);
    let named = format!("tls_name = \"{HOST}\"\nhealth_path = \"/\"\n");
    let shown = format!(
        "{named}tls_client_chain = \"{0}/edge.pem\"\ntls_client_key = \"{0}/edge.key\"",
        dir.path().display()
    );
    let gateway = server.behind(dir.path(), &shown);
    wait_results(&gateway, &server.endpoint, "ok", 3.0);
    wait_healthy(&gateway, &server.endpoint, true);

    let gateway = server.behind(dir.path(), &named);
    wait_healthy(&gateway, &server.endpoint, false);
}

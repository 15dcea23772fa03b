//! The demo keeps its word: every command that it prints is run as it stands, with `sh` and `curl`, and
//! shows what its sentence says.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running demo; killed when dropped.
struct Demo {
    child: Child,
    output: BufReader<ChildStdout>,
    /// The commands of its page, in order.
    commands: Vec<String>,
}

impl Demo {
    fn start() -> Demo {
        let mut child = Command::new(env!("CARGO_BIN_EXE_portcullis"))
            .args(["demo", "--address", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary can be started");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut commands = Vec::new();
        loop {
            let mut line = String::new();
            let read = output.read_line(&mut line).expect("the page is text");
            assert!(read > 0, "the demo ended before its page did");
            if line.starts_with("curl ") || line.starts_with("for ") {
                commands.push(line.trim_end().to_owned());
            } else if let Some((_, command)) = line.split_once("What was counted: ") {
                commands.push(command.trim().to_owned());
            } else if line.contains("Ctrl-C ends it") {
                break;
            }
        }
        Demo {
            child,
            output,
            commands,
        }
    }

    /// What a command of the page shows.
    fn shown(&self, number: usize) -> String {
        let command = &self.commands[number - 1];
        let done = Command::new("sh")
            .args(["-c", command])
            .output()
            .expect("sh can be started");
        let errors = String::from_utf8_lossy(&done.stderr);
        assert!(
            done.status.success(),
            "is curl installed? {command}\n{errors}"
        );
        String::from_utf8(done.stdout).expect("what curl shows is text")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn check(shown: &str, wanted: &[&str]) {
    for part in wanted {
        assert!(shown.contains(part), "no {part:?} in:\n{shown}");
    }
}

#[test]
fn every_command_shows_what_its_sentence_says() {
    let mut demo = Demo::start();
    assert_eq!(demo.commands.len(), 7);
    check(
        &demo.shown(1),
        &[
            "HTTP/1.1 200 ",
            "X-Request-ID: ",
            "Via: 1.1 portcullis",
            "Chain",
        ],
    );
    let user = demo.shown(2);
    check(
        &user,
        &[
            "HTTP/1.1 200 ",
            "\"X-User-ID\": \"alice\"",
            "\"X-Tenant-ID\": \"acme\"",
            "\"Authorization\": null",
        ],
    );
    assert!(!user.contains("mallory"), "{user}");
    check(
        &demo.shown(3),
        &[
            "HTTP/1.1 200 ",
            "\"X-Consumer\": \"globex\"",
            "\"X-API-Key\": null",
            "\"path\": \"/orders\"",
        ],
    );
    check(&demo.shown(5), &["HTTP/1.1 504 ", "details=\"timeout\""]);
    assert_eq!(demo.shown(6).trim(), "200 200 200 200 200 200");
    let limited = demo.shown(4);
    check(&limited, &["200 200 200 200 200 ", "429", "Retry-After: "]);
    check(
        &demo.shown(7),
        &["gateway_requests_total{route=\"orders\",method=\"GET\",status=\"200\"} 1"],
    );

    let interrupt = format!("kill -INT {}", demo.child.id());
    let told = Command::new("sh").args(["-c", &interrupt]).status();
    assert!(told.expect("sh can be started").success());
    assert_eq!(demo.child.wait().expect("it ends").code(), Some(0));
    let mut log = String::new();
    demo.output
        .read_to_string(&mut log)
        .expect("the log is text");
    assert_eq!(
        log.matches("\"route\":\"limited\"").count(),
        8,
        "a line for each request:\n{log}"
    );
}

//! Logs in files: appended to, opened anew after a rename, complete when the process ends.

use std::path::Path;
use std::time::Instant;

use tests::gateway::Setup;
use tests::{Gateway, PATIENCE};

#[track_caller]
fn logging(more: &str) -> Setup {
    Setup::new(format!(
        "[access_log.file]\npath = \"a.log\"\n{more}\n[route.a]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200\"\naccess_log = \"file\"\n"
    ))
}

/// Waits until a file holds this text.
#[track_caller]
fn wait_written(path: &Path, text: &str) {
    let start = Instant::now();
    loop {
        let found = std::fs::read_to_string(path).unwrap_or_default();
        if found.contains(text) {
            return;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{text} is not in {}: {found}",
            path.display()
        );
        std::thread::yield_now();
    }
}

#[test]
fn a_file_is_appended_to() {
    let gateway = logging("").file("a.log", "what was there\n").start();
    gateway.get("/one").is(200);
    let path = gateway.dir().join("a.log");
    wait_written(&path, "/one");
    let text = std::fs::read_to_string(&path).expect("it is there");
    assert!(text.starts_with("what was there\n{"), "{text}");
}

#[test]
fn a_renamed_file_is_opened_anew() {
    let gateway = logging("").start();
    let (path, old) = (gateway.dir().join("a.log"), gateway.dir().join("a.log.1"));
    gateway.get("/one").is(200);
    wait_written(&path, "/one");
    std::fs::rename(&path, &old).expect("it is there");
    let start = Instant::now();
    // Within a second, by itself: lines go to the old file until then.
    while !path.exists() {
        gateway.get("/between").is(200);
        assert!(start.elapsed() < PATIENCE, "it is not opened anew");
    }
    gateway.get("/two").is(200);
    wait_written(&path, "/two");
    let text = std::fs::read_to_string(&old).expect("it was renamed");
    assert!(!text.contains("/two"), "{text}");
}

#[test]
fn sighup_opens_it_anew_at_once() {
    let gateway = logging("").start();
    let (path, old) = (gateway.dir().join("a.log"), gateway.dir().join("a.log.1"));
    gateway.get("/one").is(200);
    wait_written(&path, "/one");
    std::fs::rename(&path, &old).expect("it is there");
    gateway.signal("HUP");
    gateway.wait_said("is live, generation 2", 0);
    gateway.get("/two").is(200);
    wait_written(&path, "/two");
}

#[test]
fn no_line_is_lost_in_a_rotation() {
    let gateway = logging("").start();
    let (path, old) = (gateway.dir().join("a.log"), gateway.dir().join("a.log.1"));
    let mut peer = gateway.peer();
    for n in 0..3_000 {
        peer.get(&format!("/n{n}")).is(200);
        if n == 1_000 {
            std::fs::rename(&path, &old).expect("it is there");
        }
    }
    drop(peer);
    complete(&gateway, &[&old, &path], 3_000);
}

#[test]
fn everything_is_written_at_the_end() {
    // Several starts: what the last ticks gathered meets a writer that sleeps, or doesn't.
    for _ in 0..8 {
        let gateway = logging("buffer = \"1MiB\"\non_full = \"block\"").start();
        let mut peer = gateway.peer();
        for n in 0..800 {
            peer.get(&format!("/n{n}")).is(200);
        }
        drop(peer);
        let path = gateway.dir().join("a.log");
        complete(&gateway, &[&path], 800);
    }
}

/// Ends the gateway; then the files must hold every line once, in order.
#[track_caller]
fn complete(gateway: &Gateway, files: &[&Path], count: usize) {
    gateway.signal("TERM");
    assert_eq!(gateway.exit().code(), Some(0));
    let read = |path: &&Path| std::fs::read_to_string(path).unwrap_or_default();
    let text: String = files.iter().map(read).collect();
    let paths: Vec<String> = text
        .lines()
        .map(|line| {
            let line: serde_json::Value = serde_json::from_str(line).expect("whole lines of JSON");
            line["path"].as_str().expect("text").to_owned()
        })
        .collect();
    let wanted: Vec<String> = (0..count).map(|n| format!("/n{n}")).collect();
    let missing: Vec<&String> = wanted.iter().filter(|it| !paths.contains(it)).collect();
    assert!(
        missing.is_empty(),
        "{} lines are missing, from {} to {}",
        missing.len(),
        missing[0],
        missing[missing.len() - 1]
    );
    assert_eq!(paths, wanted);
}

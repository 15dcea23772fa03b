//! The dependency edges between our crates, and the crates of others that only one room may name.
//!
//! The table is design.md's "Dependencies run one way". A new edge is a change of the design, and is
//! made there (and in ARCHITECTURE.md) first.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each crate of ours, its folder, and the crates of ours it may depend on. `bench` and `tests` may use any.
const ALLOWED: &[(&str, &str, &[&str])] = &[
    ("protocol", "protocol", &[]),
    ("policy-keys", "policy/keys", &[]),
    ("policy", "policy", &["protocol", "policy-keys"]),
    ("engine-net", "engine/net", &[]),
    (
        "engine-config",
        "engine/config",
        &["policy", "policy-keys", "protocol"],
    ),
    (
        "engine-bridge",
        "engine/bridge",
        &["engine-config", "policy", "policy-keys", "protocol"],
    ),
    (
        "engine-worker",
        "engine/worker",
        &[
            "engine-bridge",
            "engine-config",
            "engine-net",
            "policy",
            "policy-keys",
            "protocol",
        ],
    ),
    (
        "engine-control",
        "engine/control",
        &[
            "engine-bridge",
            "engine-config",
            "policy",
            "policy-keys",
            "protocol",
        ],
    ),
    (
        "engine-cli",
        "engine/cli",
        &[
            "engine-bridge",
            "engine-config",
            "engine-control",
            "engine-net",
            "engine-worker",
            "policy",
            "policy-keys",
            "protocol",
        ],
    ),
    ("loadtest", "loadtest", &["engine-net"]),
];

/// Crates of others, and the only crates of ours that may name them.
const DOORS: &[(&str, &[&str])] = &[
    ("monoio", &["engine-net"]),
    ("io-uring", &["engine-net"]),
    ("libc", &["engine-net"]),
    ("rustls", &["engine-net"]),
    // Certificates are read where they are configured, and named where they are shown.
    ("rustls-webpki", &["engine-config", "engine-net"]),
    ("aws-lc-rs", &["engine-config", "engine-net"]),
    ("httparse", &["protocol"]),
    ("jsonwebtoken", &["policy", "loadtest"]),
    // In the generator for the h2 crate alone, its other client.
    ("tokio", &["engine-control", "loadtest"]),
    ("h2", &["loadtest"]),
    ("axum", &["engine-control"]),
    ("notify", &["engine-control"]),
    // Health checks ask endpoints from the control thread, which never sees the net: the libraries of that thread speak
    // HTTP and TLS there, and rustls comes with them (`tokio_rustls::rustls`), the same one as the net's.
    ("hyper", &["engine-control"]),
    ("hyper-util", &["engine-control"]),
    ("http-body-util", &["engine-control"]),
    ("tokio-rustls", &["engine-control"]),
    ("arc-swap", &["engine-bridge"]),
    ("crossbeam-queue", &["engine-bridge"]),
    ("crossbeam-utils", &["engine-bridge"]),
    ("dashmap", &["engine-bridge"]),
    ("mimalloc", &["engine-cli", "loadtest"]),
    ("hdrhistogram", &["loadtest"]),
    // Its clocks and timers only, until engine-net waits to the microsecond.
    ("rustix", &["loadtest"]),
    ("signal-hook", &["loadtest"]),
    ("toml", &["loadtest"]),
    ("toml_parser", &["engine-config"]),
];

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("tests/ lies in the workspace")
        .to_owned()
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The names in the dependency sections of a manifest: (name, only for tests).
fn dependencies(manifest: &str) -> Vec<(String, bool)> {
    let mut section = "";
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']');
            // [dependencies.NAME]
            if let Some((kind, name)) = section.split_once("dependencies.") {
                found.push((name.to_owned(), kind == "dev-"));
            }
        } else if section.ends_with("dependencies") && !line.is_empty() && !line.starts_with('#') {
            let end = line.find(['.', ' ', '=']).unwrap_or(line.len());
            found.push((
                line[..end].trim_matches('"').to_owned(),
                section.ends_with("dev-dependencies"),
            ));
        }
    }
    found
}

#[test]
fn the_edges_between_our_crates_are_those_of_the_design() {
    let ours: BTreeSet<&str> = ALLOWED
        .iter()
        .map(|(name, ..)| *name)
        .chain(["tests", "bench"])
        .collect();
    let mut wrong = Vec::new();
    for (name, folder, allowed) in ALLOWED {
        for (dependency, _) in dependencies(&read(&format!("{folder}/Cargo.toml"))) {
            if ours.contains(dependency.as_str())
                && dependency != *name
                && !allowed.contains(&dependency.as_str())
            {
                wrong.push(format!("{name} -> {dependency}"));
            }
        }
    }
    assert_eq!(
        wrong,
        Vec::<String>::new(),
        "edges that design.md does not allow"
    );
}

#[test]
fn every_member_of_the_workspace_is_in_the_table() {
    let manifest = read("Cargo.toml");
    let members = manifest
        .split_once("members = [")
        .and_then(|(_, rest)| rest.split_once(']'));
    let members = members.expect("a list of members").0;
    for member in members
        .split(',')
        .map(|it| it.trim().trim_matches('"'))
        .filter(|it| !it.is_empty())
    {
        let known = ALLOWED.iter().any(|(_, folder, _)| *folder == member);
        assert!(
            known || ["tests", "bench"].contains(&member),
            "{member} has no row"
        );
    }
}

#[test]
fn each_crate_of_others_enters_by_its_door() {
    let mut wrong = Vec::new();
    for (name, folder, _) in ALLOWED {
        for (dependency, for_tests) in dependencies(&read(&format!("{folder}/Cargo.toml"))) {
            let door = DOORS.iter().find(|(other, _)| *other == dependency);
            if door.is_some_and(|(_, doors)| !doors.contains(name)) && !for_tests {
                wrong.push(format!("{name} names {dependency}"));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn nobody_asks_for_the_poll_driver_of_monoio() {
    let mut manifests = vec!["Cargo.toml".to_owned()];
    manifests.extend(
        ALLOWED
            .iter()
            .map(|(_, folder, _)| format!("{folder}/Cargo.toml")),
    );
    for manifest in manifests {
        assert!(
            !read(&manifest).contains("poll-io"),
            "{manifest}: it would change the driver for all"
        );
    }
}

#[test]
fn only_engine_net_may_be_unsafe() {
    assert!(read("Cargo.toml").contains("unsafe_code = \"forbid\""));
    for (name, folder, _) in ALLOWED {
        if *name == "engine-net" {
            continue;
        }
        let inherits = read(&format!("{folder}/Cargo.toml")).contains("[lints]\nworkspace = true");
        assert!(
            inherits,
            "{name} does not inherit the workspace's lints, which forbid unsafe code"
        );
        for (path, text) in tests::sources::of(&root().join(folder)) {
            let code = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                let word = |word: &str| {
                    line.split(|c: char| !c.is_alphanumeric() && c != '_')
                        .any(|it| it == word)
                };
                assert!(!word("unsafe"), "{}: {line}", path.display());
                for foreign in ["monoio::", "io_uring::", "libc::"] {
                    assert!(!line.contains(foreign), "{}: {line}", path.display());
                }
            }
        }
    }
}

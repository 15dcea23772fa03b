//! Each entry of the fuzz targets for a bounded number of rounds, without a fuzzer and without nightly: part of the CI.
//!
//! What is tried comes from the corpus, changed at random but by a seed, so that a run can be had again; what came to an
//! outcome not seen before is changed further. `FUZZ_SEED` and `FUZZ_ROUNDS` make it another run or a longer one. A
//! failure prints both, and leaves the bytes in a file that belongs into the corpus once it is mended.

mod brief {
    pub(crate) mod mutation;
    pub(crate) mod words;
}
mod entries;

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use brief::mutation::Mutation;
use brief::words::words;
use entries::ENTRIES;

/// Rounds of each entry.
const ROUNDS: u64 = 4000;

/// Any number will do, as long as it is the same tomorrow.
const SEED: u64 = 0x5eed_0f0a_11ed_9e11;

/// Most inputs that are kept because of their outcome, besides the corpus.
const MOST_KEPT: usize = 400;

#[test]
fn canonical_path() {
    brief("canonical_path");
}

#[test]
fn grpc_fields() {
    brief("grpc_fields");
}

#[test]
fn grpc_health() {
    brief("grpc_health");
}

#[test]
fn grpc_web() {
    brief("grpc_web");
}

#[test]
fn http1_chunked() {
    brief("http1_chunked");
}

#[test]
fn http1_request() {
    brief("http1_request");
}

#[test]
fn http1_response() {
    brief("http1_response");
}

#[test]
fn http2_client() {
    brief("http2_client");
}

#[test]
fn http2_heads() {
    brief("http2_heads");
}

#[test]
fn http2_server() {
    brief("http2_server");
}

#[test]
fn proxy_protocol() {
    brief("proxy_protocol");
}

#[test]
fn websocket() {
    brief("websocket");
}

/// Every entry has a test above, a target with its lines in the manifest, and a corpus; and no target lacks an entry.
#[test]
fn every_entry_is_run_everywhere() {
    let read = |path: &str| fs::read_to_string(home().join(path)).expect(path);
    let (tests, manifest) = (read("brief.rs"), read("Cargo.toml"));
    for entry in ENTRIES {
        let name = entry.name;
        assert!(
            tests.contains(&format!("    brief(\"{name}\");\n")),
            "{name}"
        );
        let target = read(&format!("fuzz_targets/{name}.rs"));
        assert!(target.contains(&format!("portcullis_fuzz::run(\"{name}\", bytes)")));
        let path = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&path), "{name}");
        assert!(corpus(name).len() >= 3, "{name} has hardly a corpus");
    }
    let targets = fs::read_dir(home().join("fuzz_targets")).expect("a folder");
    assert_eq!(targets.count(), ENTRIES.len());
    assert_eq!(manifest.matches("[[bin]]").count(), ENTRIES.len());
}

/// The bounded run of one entry.
fn brief(name: &str) {
    let (seed, rounds) = (number("FUZZ_SEED", SEED), number("FUZZ_ROUNDS", ROUNDS));
    println!("FUZZ_SEED={seed} FUZZ_ROUNDS={rounds} for {name}");
    let mut pool = corpus(name);
    let shipped = pool.len();
    let mut seen: HashSet<u64> = pool.iter().map(|bytes| run(name, bytes)).collect();
    let mut mutation = Mutation::new(seed ^ pool.len() as u64, words(name));
    for round in 0..rounds {
        let bytes = mutation.next(&pool);
        if seen.insert(run(name, &bytes)) {
            match pool.len() - shipped {
                ..MOST_KEPT => pool.push(bytes),
                // One that was kept makes room; the corpus itself stays.
                kept => pool[shipped + round as usize % kept] = bytes,
            }
        }
    }
    println!("{} outcomes", seen.len());
    assert!(seen.len() > shipped / 2, "changes lead nowhere new");
}

/// Runs the entry; what makes it panic is written down first.
fn run(name: &str, bytes: &[u8]) -> u64 {
    let result = catch_unwind(AssertUnwindSafe(|| entries::run(name, bytes)));
    result.unwrap_or_else(|panic| {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("fuzz-{name}"));
        let written = fs::write(&path, bytes);
        println!("{}", bytes.escape_ascii());
        println!("{} bytes in {}: {written:?}", bytes.len(), path.display());
        std::panic::resume_unwind(panic);
    })
}

/// The files of an entry's corpus, in the order of their names.
fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = home().join("corpus").join(name);
    let entries = fs::read_dir(&folder).expect("a corpus");
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let read = |path: &PathBuf| fs::read(path).expect("a file");
    paths.iter().map(read).collect()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    match std::env::var(variable) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => otherwise,
    }
}

/// The folder of this file; the test is compiled as one of the crate `protocol`.
fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz")
}

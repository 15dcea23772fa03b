//! Each entry of the fuzz targets for a bounded number of rounds, without a fuzzer and without nightly.
//!
//! What is tried comes from the corpus, changed at random but by a seed, so that a run can be had again; what came to an
//! outcome not seen before is changed further. `FUZZ_SEED` and `FUZZ_ROUNDS` make it another run or a longer one. A
//! failure prints both, and leaves the bytes in a file that belongs into the corpus once it is mended.

use std::collections::HashSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::mutation::Mutation;
use super::words::words;
use crate::entry::{self, Entry};

/// Rounds of each entry.
const ROUNDS: u64 = 4000;

/// Any number will do, as long as it is the same tomorrow.
const SEED: u64 = 0x5eed_0f0a_11ed_9e11;

/// Most inputs that are kept because of their outcome, besides the corpus.
const MOST_KEPT: usize = 400;

/// The files with the tests, each a test of the crate whose parsers it runs.
const TESTS: [&str; 3] = ["brief.rs", "brief_net.rs", "brief_policy.rs"];

/// Every entry has a test, a target with its lines in the manifest, and a corpus; and no target lacks a test.
pub(crate) fn complete(entries: &[Entry]) {
    let read = |path: &str| fs::read_to_string(home().join(path)).expect(path);
    let (tests, manifest) = (TESTS.map(read).concat(), read("Cargo.toml"));
    let is_run = |name: &str| tests.contains(&format!("    brief(ENTRIES, \"{name}\");\n"));
    for entry in entries {
        let name = entry.name;
        assert!(is_run(name), "{name}");
        let target = read(&format!("fuzz_targets/{name}.rs"));
        assert!(target.contains(&format!("portcullis_fuzz::run(\"{name}\", bytes)")));
        let path = format!("name = \"{name}\"\npath = \"fuzz_targets/{name}.rs\"\n");
        assert!(manifest.contains(&path), "{name}");
        assert!(corpus(name).len() >= 3, "{name} has hardly a corpus");
    }
    let targets = fs::read_dir(home().join("fuzz_targets")).expect("a folder");
    let targets: Vec<PathBuf> = targets.flatten().map(|entry| entry.path()).collect();
    for target in &targets {
        let name = target.file_stem().and_then(|name| name.to_str());
        assert!(name.is_some_and(is_run), "{}", target.display());
    }
    assert_eq!(manifest.matches("[[bin]]").count(), targets.len());
}

/// The bounded run of one entry.
pub(crate) fn brief(entries: &[Entry], name: &str) {
    let (seed, rounds) = (number("FUZZ_SEED", SEED), number("FUZZ_ROUNDS", ROUNDS));
    println!("FUZZ_SEED={seed} FUZZ_ROUNDS={rounds} for {name}");
    let mut pool = corpus(name);
    let shipped = pool.len();
    let mut seen: HashSet<u64> = pool.iter().map(|bytes| run(entries, name, bytes)).collect();
    let mut mutation = Mutation::new(seed ^ pool.len() as u64, words(name));
    for round in 0..rounds {
        let bytes = mutation.next(&pool);
        if seen.insert(run(entries, name, &bytes)) {
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
fn run(entries: &[Entry], name: &str, bytes: &[u8]) -> u64 {
    let result = catch_unwind(AssertUnwindSafe(|| entry::run(entries, name, bytes)));
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

/// The folder of the tests; each is compiled as one of the crate whose parsers it runs.
fn home() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = own.ancestors().map(|it| it.join("tests/fuzz"));
    found
        .into_iter()
        .find(|it| it.join("corpus").is_dir())
        .expect("the workspace has it")
}

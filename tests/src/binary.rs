//! Where the `portcullis` binary is, built when needed.
//!
//! `CARGO_BIN_EXE_*` does not reach across packages, so the binary is looked for beside the test's
//! own executable, after cargo has been asked to bring it up to date: once a process, and once a run
//! under cargo-nextest, which starts a process for each test. `PORTCULLIS_BIN` names another one.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The binary under test.
///
/// # Panics
/// When it can't be built; the message holds cargo's words.
pub fn path() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| match std::env::var_os("PORTCULLIS_BIN") {
        Some(path) => PathBuf::from(path),
        None => build(),
    })
}

fn build() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its executable");
    // target/PROFILE/deps/TEST-HASH
    let profile = test.ancestors().nth(2).expect("tests lie in deps/");
    let binary = profile.join("portcullis");
    let lock = File::create(profile.join(".portcullis-build.lock")).expect("target is writable");
    lock.lock().expect("files can be locked");
    let stamp = profile.join(".portcullis-built-for");
    let run = std::env::var("NEXTEST_RUN_ID").unwrap_or_default();
    let built = fs::read_to_string(&stamp).unwrap_or_default();
    if run.is_empty() || built != run || !binary.exists() {
        cargo_build(profile);
        fs::write(&stamp, &run).expect("target is writable");
    }
    assert!(binary.exists(), "cargo built no {}", binary.display());
    binary
}

fn cargo_build(profile: &Path) {
    let name = match profile.file_name().and_then(|name| name.to_str()) {
        Some("debug") | None => "dev",
        Some(name) => name,
    };
    let target = profile.parent().expect("a profile lies in target/");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--quiet",
            "--package",
            "engine-cli",
            "--profile",
            name,
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    // What cargo tells this test about itself would look like a changed environment to build scripts.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let own = [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
            "CARGO_PRIMARY_",
        ];
        if own.iter().any(|prefix| text.starts_with(prefix)) {
            command.env_remove(&name);
        }
    }
    let output = command.output().expect("cargo can be started");
    assert!(
        output.status.success(),
        "cargo can't build the binary under test:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

//! Other people's clients, as far as a build can count on them: curl always, Python's where `tools/test` could install
//! their packages. The cases are the scripts in `tests/clients`; `tools/conformance` runs more of them.

use std::path::{Path, PathBuf};
use std::process::Command;

use tests::binary;

/// The interpreter that has the packages of Python's clients; `tools/test` says where it is.
const PYTHON: &str = "PORTCULLIS_TEST_PYTHON";

fn script(name: &str) -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.join("clients").join(name)
}

/// Plays a script to its end; what it said.
///
/// # Panics
/// When a case failed; the message holds its words.
#[track_caller]
fn play(python: &str, name: &str) -> String {
    let mut command = Command::new(python);
    command.arg("-B").arg(script(name)).arg(binary::path());
    let output = command.output().expect("python3 is there");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name}: {said}\n{errors}");
    said
}

/// The same with packages; nothing is played where nobody has installed them.
#[track_caller]
fn play_with_packages(name: &str) {
    let Some(python) = std::env::var_os(PYTHON) else {
        eprintln!("skipped: {PYTHON} does not name a Python with the packages of {name}");
        return;
    };
    let said = play(&python.to_string_lossy(), name);
    assert!(said.contains(" passed, 0 failed"), "{name}: {said}");
}

#[test]
fn curl() {
    let said = play("python3", "curl_calls.py");
    assert!(said.contains(" passed, 0 failed"), "{said}");
}

#[test]
fn python() {
    play_with_packages("python_calls.py");
}

#[test]
fn grpcio() {
    play_with_packages("grpc_calls.py");
}

#[test]
fn grpc_web() {
    play_with_packages("grpc_web.py");
}

#[test]
fn websocket_fuzzing() {
    play_with_packages("websocket_fuzz.py");
}

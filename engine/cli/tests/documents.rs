//! What the documents say that a program can hold against the sources: every word of an answer is
//! explained, every path exists, the README's configuration is sound.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the words of answers come from.
const WORDS: &[&str] = &[
    "engine/worker/src/reply.rs",
    "engine/worker/src/reply/fault.rs",
    "engine/worker/src/forward/fill.rs",
    "engine/worker/src/exchange/attempt.rs",
    "policy/src/verdict.rs",
    "policy/src/policies/api_key.rs",
    "policy/src/policies/jwt.rs",
    "policy/src/policies/jwt/claims.rs",
    "policy/src/policies/jwt/token.rs",
    "policy/src/policies/mtls.rs",
    "protocol/src/http1/chunked.rs",
    "protocol/src/http1/error.rs",
    "protocol/src/websocket/handshake.rs",
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|why| panic!("{path}: {why}"))
}

/// The literals of a source that look like `a_machine_word`; of `reply.rs`, RFC 9209's own are left out.
fn words(path: &str) -> BTreeSet<String> {
    let text = read(path);
    let production = text.split("#[cfg(test)]").next().unwrap_or_default();
    let ours = production
        .split("fn proxy_status")
        .next()
        .unwrap_or_default();
    let is_word = |it: &&str| {
        it.contains('_')
            && !it.starts_with('_')
            && it
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    let code = ours
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    code.flat_map(|line| line.split('"').skip(1).step_by(2))
        .filter(is_word)
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_word_of_an_answer_is_explained() {
    let document = read("docs/errors.md");
    let mut found = 0;
    for source in WORDS {
        for word in words(source) {
            found += 1;
            assert!(
                document.contains(&format!("`{word}`")),
                "docs/errors.md lacks `{word}` of {source}"
            );
        }
    }
    assert!(
        found > 60,
        "only {found} words found: do the sources look different now?"
    );
}

#[test]
fn every_path_that_the_map_names_exists() {
    for document in ["ARCHITECTURE.md", "README.md"] {
        let text = read(document);
        let rooms = [
            "protocol/",
            "policy/",
            "engine/",
            "tests/",
            "tools/",
            "docs/",
            "bench/",
        ];
        let paths = text
            .split(['`', '(', ')'])
            .map(|path| path.split('#').next().unwrap_or(path))
            .filter(|path| rooms.iter().any(|room| path.starts_with(room)))
            .filter(|path| !path.contains([' ', '\n']));
        let mut found = 0;
        for path in paths {
            found += 1;
            assert!(root().join(path).exists(), "{document} names {path}");
        }
        assert!(found > 3, "{document} names only {found} paths");
    }
}

#[test]
fn the_first_configuration_is_sound() {
    let text = read("README.md");
    let (_, rest) = text
        .split_once("```toml\n")
        .expect("the README shows a configuration");
    let (configuration, _) = rest.split_once("```").expect("and ends it");
    let name = format!("portcullis-readme-{}.toml", std::process::id());
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&file, configuration).expect("the folder for tests is writable");
    let checked = Command::new(env!("CARGO_BIN_EXE_portcullis"))
        .args(["check", "--config"])
        .arg(&file)
        .output()
        .expect("the binary can be started");
    fs::remove_file(&file).expect("it was just written");
    let errors = String::from_utf8_lossy(&checked.stderr);
    assert_eq!((checked.status.code(), errors.as_ref()), (Some(0), ""));
}

//! The rules of the house that a program can check: size of files, their first line, notes to do.

use std::path::{Path, PathBuf};

use tests::sources;

/// Lines of production code after which a file must be split.
const MOST_LINES: usize = 800;

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests
        .parent()
        .expect("tests/ lies in the workspace")
        .to_owned()
}

fn is_test(path: &Path) -> bool {
    path.components().any(|part| {
        matches!(
            part.as_os_str().to_str(),
            Some("tests" | "tests.rs" | "benches")
        )
    })
}

/// Lines in front of the unit tests at the foot.
fn production_lines(text: &str) -> usize {
    text.lines()
        .take_while(|line| !line.starts_with("#[cfg(test)]"))
        .count()
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<String> = sources::of(&root())
        .into_iter()
        .filter(|(path, _)| !is_test(path.strip_prefix(root()).unwrap_or(path)))
        .map(|(path, text)| (path, production_lines(&text)))
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(path, lines)| format!("{}: {lines}", path.display()))
        .collect();
    assert_eq!(long, Vec::<String>::new());
}

#[test]
fn every_file_says_what_lives_in_it() {
    let silent: Vec<PathBuf> = sources::of(&root())
        .into_iter()
        .filter(|(_, text)| {
            !text
                .lines()
                .next()
                .is_some_and(|line| line.starts_with("//! ") && line.len() > 20)
        })
        .map(|(path, _)| path)
        .collect();
    assert_eq!(silent, Vec::<PathBuf>::new());
}

#[test]
fn what_is_to_do_names_an_issue() {
    let marks = ["TO", "FIX", "XX"].map(|start| {
        format!(
            "{start}{}",
            if start == "TO" {
                "DO"
            } else if start == "FIX" {
                "ME"
            } else {
                "X"
            }
        )
    });
    let mut loose = Vec::new();
    for (path, text) in sources::of(&root()) {
        for line in text.lines() {
            if marks.iter().any(|mark| line.contains(mark)) && !line.contains("issue") {
                loose.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert_eq!(loose, Vec::<String>::new());
}

#[test]
fn no_mod_rs() {
    let doors: Vec<PathBuf> = sources::of(&root())
        .into_iter()
        .filter(|(path, _)| path.ends_with("mod.rs"))
        .map(|(path, _)| path)
        .collect();
    assert_eq!(doors, Vec::<PathBuf>::new(), "foo.rs is the door of foo/");
}

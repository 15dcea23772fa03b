//! Where configuration comes from: files, folders, `--set` and the environment.
//!
//! Reading happens through closures that the caller hands in. Invariant: the order of the sources is
//! the order of their strength: later wins, key by key; then the environment, then `--set`.

use crate::problem::{Problem, Problems, Report};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The environment: variables by name.
pub type Environment = BTreeMap<String, String>;

/// One file of configuration.
#[derive(Clone, Debug)]
pub struct Source {
    /// Where it was read; relative paths in it start from its folder.
    pub path: PathBuf,
    /// All of it.
    pub text: String,
}

impl Source {
    /// A text that stands for the file at this path.
    pub fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Source {
        Source {
            path: path.into(),
            text: text.into(),
        }
    }
}

/// Reads every file, and of every folder its `*.toml` in the order of their names.
///
/// `list` gives the entries of a folder, or `None` for what is no folder.
pub fn read_sources(
    paths: &[PathBuf],
    files: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    list: &dyn Fn(&Path) -> io::Result<Option<Vec<PathBuf>>>,
) -> Result<Vec<Source>, Problems> {
    let mut report = Report::default();
    let mut sources = Vec::new();
    for path in paths {
        match list(path) {
            Ok(None) => read(path, files, &mut sources, &mut report),
            Ok(Some(mut entries)) => {
                entries.retain(|entry| {
                    entry
                        .extension()
                        .is_some_and(|extension| extension == "toml")
                });
                entries.sort();
                if entries.is_empty() {
                    report.error(Problem::nowhere(format!(
                        "{}: no *.toml in this folder",
                        path.display()
                    )));
                }
                for entry in entries {
                    read(&entry, files, &mut sources, &mut report);
                }
            }
            Err(error) => report.error(Problem::nowhere(format!("{}: {error}", path.display()))),
        }
    }
    match report.errors.is_empty() {
        true => Ok(sources),
        false => Err(report.into_problems()),
    }
}

fn read(
    path: &Path,
    files: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
    sources: &mut Vec<Source>,
    report: &mut Report,
) {
    let text = files(path).and_then(|bytes| {
        String::from_utf8(bytes)
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "this is not UTF-8 text"))
    });
    match text {
        Ok(text) => sources.push(Source {
            path: path.to_owned(),
            text,
        }),
        Err(error) => report.error(Problem::nowhere(format!("{}: {error}", path.display()))),
    }
}

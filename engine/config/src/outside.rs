//! What a configuration may refer to beyond its own text: environment variables and files.
//!
//! Everything goes through the closures that the caller handed in. Invariant: every file that was
//! read is remembered, with a digest of what it held.

use crate::source::Environment;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The environment and the files, while a configuration is loaded.
pub(crate) struct Outside<'o> {
    pub environment: &'o Environment,
    pub files: &'o dyn Fn(&Path) -> io::Result<Vec<u8>>,
    /// Every file that was read or asked for, and the digest of what it held.
    pub read: BTreeMap<PathBuf, String>,
}

impl Outside<'_> {
    /// A file named relative to a folder.
    pub(crate) fn file(&mut self, folder: &Path, name: &str) -> Result<Vec<u8>, String> {
        let path = folder.join(name);
        let bytes = (self.files)(&path);
        let digest = bytes
            .as_ref()
            .map_or_else(|_| String::new(), |bytes| digest(bytes));
        self.read.insert(path.clone(), digest);
        bytes.map_err(|error| format!("can't read {}: {error}", path.display()))
    }

    /// The first of some files that can be read, with what it holds. Those before it are not remembered.
    pub(crate) fn first(&mut self, paths: &[&str]) -> Option<(String, Vec<u8>)> {
        paths.iter().find_map(|path| {
            let bytes = (self.files)(Path::new(path)).ok()?;
            self.read.insert(PathBuf::from(path), digest(&bytes));
            Some(((*path).to_owned(), bytes))
        })
    }

    /// A secret with `file:path` and each `${ENV_NAME}` replaced, once.
    pub(crate) fn secret(&mut self, text: &str, folder: &Path) -> Result<String, String> {
        if let Some(name) = text.strip_prefix("file:") {
            let bytes = self.file(folder, name)?;
            let text = String::from_utf8(bytes).map_err(|_| format!("{name} is not UTF-8 text"))?;
            return Ok(text.trim_end_matches(['\r', '\n']).to_owned());
        }
        let mut expanded = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            let Some((name, after)) = after.split_once('}') else {
                return Err("`${` without its `}`".to_owned());
            };
            let value = self.environment.get(name).filter(|value| !value.is_empty());
            let value =
                value.ok_or_else(|| format!("the environment variable {name} is not set"))?;
            expanded.push_str(before);
            expanded.push_str(value);
            rest = after;
        }
        expanded.push_str(rest);
        Ok(expanded)
    }
}

/// The SHA-256 as hex digits.
pub(crate) fn digest(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

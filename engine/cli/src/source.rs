//! Reading the configuration from where the command line says: files, folders, variables, `--set`.

use std::path::{Path, PathBuf};
use std::{fs, io};

use engine_config::snapshot::Snapshot;
use engine_config::{Environment, Problems};

use crate::Configured;

/// Reads and compiles the configuration.
///
/// # Errors
/// Every problem that the text shows.
pub(crate) fn load(configured: &Configured) -> Result<Snapshot, Problems> {
    let sources = engine_config::read_sources(&configured.paths, &file, &entries)?;
    // A variable that is not UTF-8 can't be meant for us.
    let text = |it: std::ffi::OsString| it.into_string().ok();
    let environment: Environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((text(name)?, text(value)?)))
        .collect();
    engine_config::load(&sources, &environment, &configured.sets, &file)
}

fn file(path: &Path) -> io::Result<Vec<u8>> {
    fs::read(path)
}

/// The entries of a folder; `None` for what is no folder.
fn entries(path: &Path) -> io::Result<Option<Vec<PathBuf>>> {
    if !path.is_dir() {
        return Ok(None);
    }
    fs::read_dir(path)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<io::Result<Vec<_>>>()
        .map(Some)
}

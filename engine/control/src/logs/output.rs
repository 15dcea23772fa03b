//! Where a log's bytes go: a file that may be rotated away under us, or one of the standard streams.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::PathBuf;

use engine_bridge::logs::Target;

/// An open target. Unbuffered: batches are large already.
pub(super) struct Output {
    file: File,
    /// The file's name; `None` for a standard stream.
    path: Option<PathBuf>,
}

impl Output {
    pub(super) fn open(target: &Target) -> Result<Output, String> {
        let stream = |file: io::Result<_>| {
            let file = file.map_err(|why| format!("can't use the standard stream: {why}"))?;
            Ok(Output {
                file: File::from(file),
                path: None,
            })
        };
        match target {
            Target::Stdout => stream(io::stdout().as_fd().try_clone_to_owned()),
            Target::Stderr => stream(io::stderr().as_fd().try_clone_to_owned()),
            Target::File(path) => {
                // Not for everyone to read: lines hold addresses and names.
                let file = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .mode(0o640)
                    .open(path);
                Ok(Output {
                    file: file.map_err(|why| format!("can't open {}: {why}", path.display()))?,
                    path: Some(path.clone()),
                })
            }
        }
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    /// True if the name no longer leads to the file that is open: it was rotated or removed.
    pub(super) fn is_rotated(&self) -> bool {
        let Some(path) = &self.path else {
            return false;
        };
        let identity = |it: fs::Metadata| (it.dev(), it.ino());
        let (named, open) = (
            fs::metadata(path).map(identity),
            self.file.metadata().map(identity),
        );
        named.ok() != open.ok()
    }
}

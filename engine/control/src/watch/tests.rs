//! Tests of the watch: what asks for a reload, and what doesn't.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Watch;
use crate::operator::Operator;
use crate::reload::Request;

struct Watched {
    runtime: Runtime,
    watch: Watch,
    requests: mpsc::Receiver<Request>,
}

impl Watched {
    fn new(files: &[PathBuf]) -> Watched {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (sender, requests) = mpsc::channel(16);
        let watch = runtime.block_on(async {
            Watch::start(Vec::new(), files, Operator::to(|_| {}), sender).unwrap()
        });
        Watched {
            runtime,
            watch,
            requests,
        }
    }

    /// The cause of the next request.
    fn next(&mut self) -> String {
        let next = async { timeout(Duration::from_secs(20), self.requests.recv()).await };
        let next = self.runtime.block_on(next);
        next.expect("a request comes")
            .expect("the watch lives")
            .cause
    }

    /// Fails if anything is asked for before this write to `marker` is.
    fn only(&mut self, marker: &Path) {
        fs::write(marker, "changed").unwrap();
        assert_eq!(self.next(), format!("changed: {}", marker.display()));
    }
}

fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    (folder, path)
}

#[test]
fn a_write_a_rename_and_a_removal_are_seen() {
    let (_folder, path) = folder();
    let file = path.join("a.toml");
    fs::write(&file, "1").unwrap();
    let mut watched = Watched::new(std::slice::from_ref(&file));
    let cause = format!("changed: {}", file.display());
    fs::write(&file, "2").unwrap();
    assert_eq!(watched.next(), cause);
    fs::write(path.join("a.toml~"), "3").unwrap();
    fs::rename(path.join("a.toml~"), &file).unwrap();
    assert_eq!(watched.next(), cause);
    fs::remove_file(&file).unwrap();
    assert_eq!(watched.next(), cause);
    fs::write(&file, "4").unwrap();
    assert_eq!(watched.next(), cause);
}

#[test]
fn what_changes_nothing_asks_for_nothing() {
    let (_folder, path) = folder();
    let (file, log, marker) = (
        path.join("a.toml"),
        path.join("access.log"),
        path.join("z.toml"),
    );
    fs::write(&file, "1").unwrap();
    fs::write(&marker, "").unwrap();
    let mut watched = Watched::new(&[file.clone(), marker.clone()]);
    let mut log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(log)
        .unwrap();
    for _ in 0..100 {
        log.write_all(b"line\n").unwrap();
    }
    fs::write(&file, "1").unwrap(); // The same again.
    fs::read(&file).unwrap();
    watched.only(&marker);
}

#[test]
fn a_change_that_a_reload_has_read_is_not_asked_for_again() {
    let (_folder, path) = folder();
    let (file, marker) = (path.join("a.toml"), path.join("z.toml"));
    fs::write(&file, "1").unwrap();
    fs::write(&marker, "").unwrap();
    let mut watched = Watched::new(&[file.clone(), marker.clone()]);
    fs::write(&file, "2").unwrap();
    let mark = watched.watch.mark();
    watched.runtime.block_on(mark); // Somebody reloads by hand right now.
    watched.only(&marker);
}

/// Kubernetes mounts a configuration as links through `..data`, which it swaps.
#[test]
fn a_swapped_link_is_seen() {
    let (_folder, path) = folder();
    for (version, text) in [("..v1", "1"), ("..v2", "2"), ("..v3", "3")] {
        fs::create_dir(path.join(version)).unwrap();
        fs::write(path.join(version).join("a.toml"), text).unwrap();
    }
    symlink("..v1", path.join("..data")).unwrap();
    symlink("..data/a.toml", path.join("a.toml")).unwrap();
    let file = path.join("a.toml");
    let mut watched = Watched::new(std::slice::from_ref(&file));
    for version in ["..v2", "..v3"] {
        symlink(version, path.join("..tmp")).unwrap();
        fs::rename(path.join("..tmp"), path.join("..data")).unwrap();
        assert_eq!(watched.next(), format!("changed: {}", file.display()));
        watched.watch.follow(std::slice::from_ref(&file));
    }
    // And a write in place, behind the links.
    fs::write(path.join("..v3/a.toml"), "4").unwrap();
    assert_eq!(watched.next(), format!("changed: {}", file.display()));
}

#[test]
fn a_new_file_in_a_named_folder_is_seen() {
    let (_folder, path) = folder();
    let mut watched = Watched::new(std::slice::from_ref(&path));
    fs::write(path.join("notes.txt"), "").unwrap();
    fs::write(path.join("10-base.toml"), "").unwrap();
    assert_eq!(watched.next(), format!("changed: {}", path.display()));
}

#[test]
fn the_watch_follows_what_the_next_configuration_reads() {
    let (_folder, path) = folder();
    let (old, new) = (path.join("old/a.json"), path.join("new/b.json"));
    for file in [&old, &new] {
        fs::create_dir(file.parent().unwrap()).unwrap();
        fs::write(file, "1").unwrap();
    }
    let mut watched = Watched::new(std::slice::from_ref(&old));
    watched.watch.follow(std::slice::from_ref(&new));
    fs::write(&old, "2").unwrap();
    watched.only(&new);
}

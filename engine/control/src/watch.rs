//! Watches the files that the configuration was read from. What is watched are their folders, and the folders of every
//! link on the way, so that a file replaced by rename or a link that is swapped is seen too; whether anything has really
//! changed, the files' contents decide.
//! Invariant: an event alone never causes a reload; a change of content that settles always does.

mod folders;

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::operator::Operator;
use crate::reload::{self, Request};

/// The watch on the configuration's files.
pub(crate) struct Watch {
    /// Named on the command line; always watched.
    named: Vec<PathBuf>,
    watcher: RecommendedWatcher,
    folders: BTreeSet<PathBuf>,
    seen: Arc<Seen>,
    operator: Operator,
}

/// What the files held when they were last looked at.
#[derive(Default)]
struct Seen {
    contents: Mutex<BTreeMap<PathBuf, Content>>,
    /// Last parts of the files' names, links resolved: writes to other files of a folder are not for us.
    names: Mutex<HashSet<OsString>>,
}

/// A digest of what a file holds, or of which files a folder does; `None` when it can't be read.
type Content = Option<u64>;

impl Watch {
    /// Starts watching; the task that asks for reloads runs until the watch is dropped.
    pub(crate) fn start(
        named: Vec<PathBuf>,
        watched: &[PathBuf],
        operator: Operator,
        requests: mpsc::Sender<Request>,
    ) -> notify::Result<Watch> {
        let seen = Arc::<Seen>::default();
        // One place: an event while one waits is the same event.
        let (wake, events) = mpsc::channel(1);
        let names = Arc::clone(&seen);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| names.concerned_by(&event)) {
                let _ = wake.try_send(());
            }
        })?;
        let mut watch = Watch {
            named,
            watcher,
            folders: BTreeSet::new(),
            seen: Arc::clone(&seen),
            operator,
        };
        watch.follow(watched);
        tokio::spawn(ask_for_reloads(events, seen, requests));
        Ok(watch)
    }

    /// Notes what the files hold now, since a reload is about to read them.
    pub(crate) async fn mark(&self) {
        self.seen.refresh().await;
    }

    /// Watches these files from now on, and those of the command line. Reads them: not for the runtime's thread.
    pub(crate) fn follow(&mut self, watched: &[PathBuf]) {
        let files: BTreeSet<PathBuf> = self.named.iter().chain(watched).cloned().collect();
        let mut folders = BTreeSet::new();
        let mut names = HashSet::new();
        for file in &files {
            folders::on_the_way(file, &mut folders, &mut names);
        }
        for gone in self.folders.difference(&folders) {
            // It may not exist any more.
            let _ = self.watcher.unwatch(gone);
        }
        // Also those that are watched already: a folder that was replaced has the same name.
        for folder in &folders {
            if let Err(why) = self.watcher.watch(folder, RecursiveMode::NonRecursive) {
                let folder = folder.display();
                self.operator.say(format!(
                    "can't watch {folder} for changes ({why}); SIGHUP reloads all the same"
                ));
            }
        }
        self.folders = folders;
        self.seen.replace(files, names);
    }
}

/// Waits for events to settle, looks whether a file has changed, and asks for a reload if so.
async fn ask_for_reloads(
    mut events: mpsc::Receiver<()>,
    seen: Arc<Seen>,
    requests: mpsc::Sender<Request>,
) {
    while events.recv().await.is_some() {
        let settled = async { while let Ok(Some(())) = timeout(QUIET, events.recv()).await {} };
        // Whether it has settled or not, after a while somebody must look.
        let _ = timeout(LONGEST, settled).await;
        let changed = seen.refresh().await;
        if !changed.is_empty() {
            let names: Vec<String> = changed
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            reload::request(&requests, format!("changed: {}", names.join(", ")));
        }
    }
}

impl Seen {
    /// Reads the files again; gives those that have changed since the last look.
    async fn refresh(self: &Arc<Self>) -> Vec<PathBuf> {
        let seen = Arc::clone(self);
        let look = spawn_blocking(move || {
            let mut contents = seen.contents.lock().unwrap_or_else(PoisonError::into_inner);
            let mut changed = Vec::new();
            for (path, content) in contents.iter_mut() {
                let now = digest(path);
                if std::mem::replace(content, now) != now {
                    changed.push(path.clone());
                }
            }
            changed
        });
        // It does not panic; if it did, a reload by hand remains.
        look.await.unwrap_or_default()
    }

    fn replace(&self, files: BTreeSet<PathBuf>, names: HashSet<OsString>) {
        let mut contents = self.contents.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::take(&mut *contents);
        for file in files {
            // What a reload has just read was marked before it; a file that is new to us is looked at now.
            let content = before.get(&file).copied().unwrap_or_else(|| digest(&file));
            contents.insert(file, content);
        }
        *self.names.lock().unwrap_or_else(PoisonError::into_inner) = names;
    }

    fn concerned_by(&self, event: &Event) -> bool {
        match event.kind {
            // Names that come and go: renames, swapped links.
            EventKind::Create(_)
            | EventKind::Remove(_)
            | EventKind::Modify(ModifyKind::Name(_)) => true,
            EventKind::Access(AccessKind::Close(AccessMode::Write)) | EventKind::Modify(_) => {
                let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
                let named =
                    |path: &PathBuf| path.file_name().is_some_and(|name| names.contains(name));
                event.paths.iter().any(named)
            }
            // Reading a file is an event too: ours would never end.
            EventKind::Access(_) => false,
            EventKind::Any | EventKind::Other => true,
        }
    }
}

fn digest(path: &Path) -> Content {
    let mut hasher = DefaultHasher::new();
    if path.is_dir() {
        let mut names: Vec<OsString> = fs::read_dir(path)
            .ok()?
            .flatten()
            .map(|entry| entry.file_name())
            .collect();
        names.retain(|name| Path::new(name).extension().is_some_and(|it| it == "toml"));
        names.sort();
        names.hash(&mut hasher);
    } else {
        fs::read(path).ok()?.hash(&mut hasher);
    }
    Some(hasher.finish())
}

/// No event for this long means that whoever writes has finished.
const QUIET: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests;

//! Which folders must be watched so that no change of a file goes unseen, whichever link on the way to it is swapped.

use std::collections::{BTreeSet, HashSet};
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Adds the folder of the path and of each link on the way to it (the path itself too if it is a folder), and the names
/// that the file has in them.
pub(super) fn on_the_way(
    path: &Path,
    folders: &mut BTreeSet<PathBuf>,
    names: &mut HashSet<OsString>,
) {
    let mut path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    for _ in 0..MOST_LINKS {
        names.extend(path.file_name().map(OsString::from));
        match first_link(&path) {
            Some(Link { folder, leads_to }) => {
                folders.insert(folder);
                path = leads_to;
            }
            None => break,
        }
    }
    folders.extend(path.parent().map(Path::to_path_buf));
    if path.is_dir() {
        folders.insert(path);
    }
}

struct Link {
    folder: PathBuf,
    /// The whole path with the link replaced by its target.
    leads_to: PathBuf,
}

fn first_link(path: &Path) -> Option<Link> {
    let mut so_far = PathBuf::new();
    let mut parts = path.components();
    while let Some(part) = parts.next() {
        let folder = so_far.clone();
        so_far.push(part);
        if let Ok(target) = fs::read_link(&so_far) {
            let mut leads_to = folder.join(target);
            leads_to.extend(parts);
            return Some(Link { folder, leads_to });
        }
    }
    None
}

/// As many as the kernel follows.
const MOST_LINKS: usize = 40;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn every_link_on_the_way_is_watched() {
        let root = std::env::temp_dir()
            .canonicalize()
            .unwrap()
            .join(format!("folders-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(root.join("mount/..v1")).unwrap();
        fs::write(root.join("mount/..v1/app.toml"), "").unwrap();
        symlink("..v1", root.join("mount/..data")).unwrap();
        symlink("..data/app.toml", root.join("mount/app.toml")).unwrap();
        symlink("mount", root.join("current")).unwrap();
        let mut folders = BTreeSet::new();
        let mut names = HashSet::new();
        on_the_way(&root.join("current/app.toml"), &mut folders, &mut names);
        assert_eq!(
            folders,
            BTreeSet::from([root.clone(), root.join("mount"), root.join("mount/..v1")])
        );
        assert_eq!(names, HashSet::from([OsString::from("app.toml")]));
        folders.clear();
        on_the_way(&root.join("current"), &mut folders, &mut names);
        assert_eq!(folders, BTreeSet::from([root.clone(), root.join("mount")]));
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn a_ring_of_links_ends() {
        let root = std::env::temp_dir()
            .canonicalize()
            .unwrap()
            .join(format!("ring-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        fs::create_dir_all(&root).unwrap();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        let mut folders = BTreeSet::new();
        on_the_way(&root.join("a"), &mut folders, &mut HashSet::new());
        assert_eq!(folders, BTreeSet::from([root.clone()]));
        fs::remove_dir_all(&root).unwrap();
    }
}

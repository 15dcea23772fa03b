//! What the tests of this crate load configurations with: a world of a few files and variables.

use crate::{Environment, Problems, Snapshot, Source, load};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The example of the specification, without what needs TLS.
pub(crate) const EXAMPLE: &str = include_str!("testing/example.toml");

/// A key set with one RSA key.
const JWKS: &str = include_str!("testing/jwks.json");

/// The least that loads.
pub(crate) const LEAST: &str = "[listener.public]\naddress = \"127.0.0.1:8080\"\n";

/// Files, variables and `--set`s.
#[derive(Default)]
pub(crate) struct World {
    pub variables: Environment,
    pub sets: Vec<String>,
    pub files: BTreeMap<PathBuf, Vec<u8>>,
}

impl World {
    pub(crate) fn new() -> World {
        let mut world = World::default();
        for path in ["certs/jwks.json", "conf/certs/jwks.json"] {
            world.files.insert(path.into(), JWKS.into());
        }
        world
            .files
            .insert("token.txt".into(), b"from-a-file\n".to_vec());
        world
            .variables
            .insert("TOKEN".to_owned(), "from-the-environment".to_owned());
        world
    }

    pub(crate) fn load(&self, sources: &[Source]) -> Result<Snapshot, Problems> {
        let files = |path: &Path| {
            let bytes = self.files.get(path).cloned();
            bytes.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "No such file"))
        };
        load(sources, &self.variables, &self.sets, &files)
    }
}

/// Loads one text as `gateway.toml`.
pub(crate) fn loaded(text: &str) -> Result<Snapshot, Problems> {
    World::new().load(&[Source::new("gateway.toml", text)])
}

/// The snapshot, or a panic that shows the problems.
pub(crate) fn good(text: &str) -> Snapshot {
    match loaded(text) {
        Ok(snapshot) => snapshot,
        Err(problems) => panic!("{problems}"),
    }
}

/// What an operator reads about a text that is wrong.
pub(crate) fn bad(text: &str) -> String {
    match loaded(text) {
        Ok(_) => panic!("this loads:\n{text}"),
        Err(problems) => problems.to_string(),
    }
}

//! What the tests of this crate load configurations with: a world of a few files and variables.

use crate::{Environment, Problems, Snapshot, Source, load};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The example of the specification.
pub(crate) const EXAMPLE: &str = include_str!("testing/example.toml");

/// A key set with one RSA key.
const JWKS: &str = include_str!("testing/jwks.json");

/// Certificates and keys; `certs/make` says what each is.
pub(crate) const CERTS: [(&str, &[u8]); 15] = [
    ("ca.pem", include_bytes!("testing/certs/ca.pem")),
    ("ca.crl", include_bytes!("testing/certs/ca.crl")),
    ("edge.pem", include_bytes!("testing/certs/edge.pem")),
    ("edge.key", include_bytes!("testing/certs/edge.key")),
    ("rsa.pem", include_bytes!("testing/certs/rsa.pem")),
    ("rsa.key", include_bytes!("testing/certs/rsa.key")),
    ("p384.pem", include_bytes!("testing/certs/p384.pem")),
    ("p384.key", include_bytes!("testing/certs/p384.key")),
    ("p521.key", include_bytes!("testing/certs/p521.key")),
    ("k256.key", include_bytes!("testing/certs/k256.key")),
    ("ed25519.pem", include_bytes!("testing/certs/ed25519.pem")),
    ("ed25519.key", include_bytes!("testing/certs/ed25519.key")),
    (
        "encrypted.key",
        include_bytes!("testing/certs/encrypted.key"),
    ),
    (
        "encrypted-old.key",
        include_bytes!("testing/certs/encrypted-old.key"),
    ),
    ("v1.pem", include_bytes!("testing/certs/v1.pem")),
];

/// What one of `CERTS` holds.
pub(crate) fn cert(name: &str) -> &'static [u8] {
    let found = CERTS.iter().find(|(there, _)| *there == name);
    found.unwrap_or_else(|| panic!("there is no {name}")).1
}

/// Where the system's authorities are found first.
pub(crate) const SYSTEM: &str = "/etc/ssl/certs/ca-certificates.crt";

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
        for (name, bytes) in CERTS {
            for folder in ["certs", "conf/certs"] {
                let path = Path::new(folder).join(name);
                world.files.insert(path, bytes.to_vec());
            }
        }
        let bundle = [cert("ca.pem"), cert("v1.pem"), cert("rsa.pem")].concat();
        world.files.insert(SYSTEM.into(), bundle);
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

//! The canonical path: most are canonical already and only looked at.

use std::hint::black_box;

use protocol::message::canonical_path;

use crate::Subject;

const PATHS: [(&str, &str); 4] = [
    ("short", "/products/17"),
    (
        "long",
        "/api/v2/tenants/acme-industries/projects/1742/documents/quarterly-report/versions/3/pages/12",
    ),
    ("escapes", "/search/%7Ejane/%c3%a4pfel%20und%20birnen"),
    ("dots", "/a/b/../c/./d/../../e"),
];

/// The subjects of this room.
pub fn all() -> Vec<Subject> {
    let canonical = |(name, path): (&str, &'static str)| {
        Subject::new(format!("path/canonical/{name}"), move || {
            let mut out = Vec::with_capacity(256);
            move || {
                black_box(canonical_path(black_box(path.as_bytes()), &mut out).is_ok());
            }
        })
    };
    PATHS.into_iter().map(canonical).collect()
}

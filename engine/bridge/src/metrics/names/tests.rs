//! Tests of the list: its form, and that docs/metrics.md is up to date.

use std::collections::HashSet;
use std::path::Path;

use super::{ALL, Kind, document};

#[test]
fn names_are_well_formed_and_stand_once() {
    let mut seen = HashSet::new();
    for metric in ALL {
        assert!(seen.insert(metric.name), "{} stands twice", metric.name);
        let known = metric.name.starts_with("gateway_") || metric.name.starts_with("process_");
        assert!(known, "{}", metric.name);
        let letter = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'_';
        let word = |text: &str| text.bytes().all(letter);
        assert!(
            word(metric.name) && metric.labels.iter().all(|label| word(label)),
            "{}",
            metric.name
        );
        assert_eq!(
            matches!(metric.kind, Kind::Counter),
            metric.name.ends_with("_total"),
            "{}",
            metric.name
        );
        assert!(
            !matches!(metric.kind, Kind::Histogram(_)) || metric.name.ends_with("_seconds"),
            "{}",
            metric.name
        );
        assert!(
            metric.help.starts_with(' ') && metric.help.ends_with('.'),
            "{}",
            metric.help
        );
    }
}

#[test]
fn the_document_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let fresh = document();
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::create_dir_all(path.parent().expect("it has a folder"))
            .expect("the folder can be made");
        std::fs::write(&path, &fresh).expect("the document can be written");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found, fresh,
        "stale: run UPDATE_GENERATED=1 cargo test -p engine-bridge"
    );
}

//! The generated files are fresh, and the declarations behind them hold together.

use crate::keys::{LATER_KINDS, SCOPES};
use policy_keys::{Key, Mismatch, Need, Raw, Section};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Compares a file below `docs/` with what is generated; `UPDATE_GENERATED=1` rewrites it.
fn fresh(name: &str, generated: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../docs")
        .join(name);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, generated).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        there == generated,
        "docs/{name} is stale: run UPDATE_GENERATED=1 cargo test -p engine-config and review the change"
    );
}

#[test]
fn docs_config_md_is_fresh() {
    fresh("config.md", &crate::reference());
}

#[test]
fn docs_config_schema_json_is_fresh() {
    fresh("config.schema.json", &crate::schema());
}

#[test]
fn the_schema_is_json() {
    let schema: serde_json::Value = serde_json::from_str(&crate::schema()).unwrap();
    let address =
        &schema["properties"]["listener"]["additionalProperties"]["properties"]["address"];
    assert_eq!(address["type"], "string");
    let route = &schema["properties"]["route"]["additionalProperties"];
    assert_eq!(route["required"], serde_json::json!(["path", "auth"]));
    assert_eq!(
        schema["properties"]["auth"]["additionalProperties"]["oneOf"][1]["properties"]["kind"]["const"],
        "api_key"
    );
}

/// A section in which nothing stands.
struct Nothing {
    missing: Vec<&'static str>,
    wrong: Vec<String>,
}

impl Section for Nothing {
    fn value(&mut self, _: &'static Key) -> Option<Raw> {
        None
    }
    fn mismatch(&mut self, key: &'static Key, mismatch: Mismatch) {
        self.wrong.push(format!("{}: {}", key.name, mismatch.what));
    }
    fn missing(&mut self, key: &'static Key) {
        self.missing.push(key.name);
    }
    fn has(&self, _: &'static Key) -> bool {
        false
    }
}

#[test]
fn every_default_is_a_value_of_its_type() {
    use crate::keys::*;
    let mut nothing = Nothing {
        missing: Vec::new(),
        wrong: Vec::new(),
    };
    let section = &mut nothing;
    assert!(gateway::Gateway::read(section).is_some());
    assert!(admin::Admin::read(section).is_some());
    assert!(listener::Listener::read(section).is_some());
    assert!(certificate::Certificate::read(section).is_some());
    assert!(upstream::Upstream::read(section).is_some());
    assert!(route::Route::read(section).is_some());
    assert!(auth::Jwt::read(section).is_some());
    assert!(auth::ApiKey::read(section).is_some());
    assert!(auth::Mtls::read(section).is_some());
    assert!(consumer::Consumer::read(section).is_some());
    assert!(limit::Limit::read(section).is_some());
    assert!(headers::Headers::read(section).is_some());
    assert!(access_log::AccessLog::read(section).is_some());
    assert_eq!(nothing.wrong, Vec::<String>::new());
    let required = SCOPES
        .iter()
        .flat_map(|scope| scope.keys)
        .filter(|key| key.need == Need::Required);
    assert_eq!(
        nothing.missing,
        required.map(|key| key.name).collect::<Vec<_>>()
    );
}

#[test]
fn every_word_of_the_language_stands_once() {
    for scope in SCOPES {
        let words: Vec<&str> = scope
            .keys
            .iter()
            .map(|key| key.name)
            .chain(scope.later.iter().copied())
            .collect();
        assert_eq!(
            words.iter().collect::<BTreeSet<_>>().len(),
            words.len(),
            "{} {}",
            scope.kind,
            scope.variant
        );
        assert!(LATER_KINDS.iter().all(|(kind, _)| *kind != scope.kind));
        for key in scope.keys {
            assert!(
                key.doc.trim().ends_with(['.', ')']),
                "the doc of {} is a sentence",
                key.name
            );
        }
    }
}

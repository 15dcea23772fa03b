//! The canonical form of a configuration, and the hash over it.
//!
//! One line per key that has a value or a default, in the order of kinds, names and keys, values
//! written one way. Invariant: two texts that mean the same have the same form, however they are
//! spread over files and overlays; no secret stands in it, only the digest of one.

use crate::outside::{Outside, digest};
use crate::problem::Report;
use crate::said::{Block, Said};
use policy_keys::{Form, Key, Need, Raw, Scope, Size, duration_text, parse_duration};

/// The lines.
pub(crate) fn lines(report: &Report, said: &Said, outside: &mut Outside<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for block in said.blocks.values() {
        let kind = block.text("kind").unwrap_or_default();
        let scopes = crate::keys::scopes_of(&block.kind);
        for scope in scopes.filter(|scope| scope.variant.is_empty() || scope.variant == kind) {
            section(&mut lines, report, block, scope, outside);
        }
    }
    for (path, digest) in &outside.read {
        // The name alone: the same configuration in another folder is the same.
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        lines.push(format!("file {name} = sha256:{digest}"));
    }
    lines
}

fn section(
    lines: &mut Vec<String>,
    report: &Report,
    block: &Block,
    scope: &Scope,
    outside: &mut Outside<'_>,
) {
    let title = block.title();
    if !scope.variant.is_empty() {
        lines.push(format!("{title} kind = {:?}", scope.variant));
    }
    for key in scope.keys {
        let value = match block
            .entries
            .get(key.name)
            .and_then(|entry| entry.value.raw.as_ref())
        {
            Some(Raw::Text(text)) if key.shape.secret => {
                let folder = report.texts[block.place(key.name, None).text]
                    .folder
                    .clone();
                let secret = outside.secret(text, &folder).unwrap_or_default();
                format!("sha256:{}", digest(secret.as_bytes()))
            }
            Some(raw) => written(key, raw),
            None => match key.need {
                Need::Default(text) => default(key, text),
                _ => continue,
            },
        };
        lines.push(format!("{title} {} = {value}", key.name));
    }
}

fn default(key: &Key, text: &str) -> String {
    let item = |item: &str| Raw::Text(item.trim().to_owned());
    let raw = match key.shape.form {
        Form::List => Raw::List(text.split(',').map(item).collect()),
        Form::Text => Raw::Text(text.to_owned()),
        _ => match text.parse() {
            Ok(number) => Raw::Integer(number),
            Err(_) => Raw::Text(text.to_owned()),
        },
    };
    match key.shape.form {
        Form::Boolean => text.to_owned(),
        _ => written(key, &raw),
    }
}

fn written(key: &Key, raw: &Raw) -> String {
    match raw {
        Raw::Text(text) => match key.shape.what {
            "duration" => parse_duration(text).map_or_else(|| format!("{text:?}"), duration_text),
            "size" => {
                Size::parse(text).map_or_else(|| format!("{text:?}"), |size| size.0.to_string())
            }
            _ => format!("{text:?}"),
        },
        Raw::Integer(value) => value.to_string(),
        Raw::Number(value) => value.to_string(),
        Raw::Boolean(value) => value.to_string(),
        Raw::List(items) => {
            let items: Vec<String> = items.iter().map(|item| written(key, item)).collect();
            format!("[{}]", items.join(", "))
        }
    }
}

/// 12 hex digits of the SHA-256 over the lines.
pub(crate) fn hash(lines: &[String]) -> String {
    let mut digits = digest(lines.join("\n").as_bytes());
    digits.truncate(12);
    digits
}

//! From texts to a snapshot, or to every problem that they show: the steps, in order.

use crate::canonical;
use crate::keys::{SCOPES, scopes_of};
use crate::outside::Outside;
use crate::problem::{Problems, Report, Text};
use crate::resolve::{Resolver, resolve};
use crate::said::{Said, overlay};
use crate::snapshot::Snapshot;
use crate::source::{Environment, Source};
use crate::text;
use policy_keys::Raw;
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// Loads a configuration: files in order, then the environment's overlay, then `--set`s.
///
/// `files` reads what keys refer to (key sets, `file:` secrets).
pub fn load(
    sources: &[Source],
    environment: &Environment,
    sets: &[String],
    files: &dyn Fn(&Path) -> io::Result<Vec<u8>>,
) -> Result<Snapshot, Problems> {
    let mut report = Report::default();
    let mut said = Said::default();
    for source in sources {
        let text = report.texts.len();
        report.texts.push(Text {
            name: source.path.display().to_string(),
            text: source.text.clone(),
            folder: source.path.parent().map(Path::to_owned).unwrap_or_default(),
            hidden: Vec::new(),
        });
        let tables = text::tables(&mut report, text);
        text::refuse_twins(&mut report, &tables);
        said.lay(&mut report, tables);
    }
    overlay::environment(&mut report, &mut said, environment);
    overlay::sets(&mut report, &mut said, sets);
    said.refuse_lookalikes(&mut report);
    hide_secrets(&mut report, &said);

    let mut outside = Outside {
        environment,
        files,
        read: BTreeMap::new(),
    };
    let meant = resolve(Resolver::new(&mut report, &mut outside, &said));
    if !report.errors.is_empty() {
        return Err(report.into_problems());
    }
    let (Some(gateway), Some(table)) = (meant.gateway, meant.table) else {
        return Err(report.into_problems());
    };
    let canonical = canonical::lines(&report, &said, &mut outside);
    let mut watched: Vec<PathBuf> = sources.iter().map(|source| source.path.clone()).collect();
    watched.extend(outside.read.into_keys());
    Ok(Snapshot {
        hash: canonical::hash(&canonical),
        warnings: report.rendered_warnings(),
        gateway,
        admin: meant.admin,
        listeners: meant.listeners,
        certificates: meant.certificates,
        upstreams: meant.upstreams,
        access_logs: meant.access_logs,
        routes: meant.routes,
        rules: meant.rules,
        table,
        identity_headers: meant.identity_headers,
        limits: meant.limits,
        watched,
        canonical,
    })
}

/// Marks what must not be shown when a problem underlines its line: the values of secret keys, as
/// they were read and, for lines that could not be read, as they look. References may be shown.
fn hide_secrets(report: &mut Report, said: &Said) {
    for block in said.blocks.values() {
        // Where the path of a private key belongs, the key itself may stand by mistake.
        for entry in block.entries.values() {
            if matches!(&entry.value.raw, Some(Raw::Text(text)) if text.contains("PRIVATE KEY-----"))
            {
                let place = entry.value.place;
                report.texts[place.text].hidden.push(place.start..place.end);
            }
        }
        let keys = scopes_of(&block.kind).flat_map(|scope| scope.keys);
        for key in keys.filter(|key| key.shape.secret) {
            let Some(entry) = block.entries.get(key.name) else {
                continue;
            };
            let refers = matches!(&entry.value.raw, Some(Raw::Text(text)) if is_reference(text));
            if !refers {
                let place = entry.value.place;
                report.texts[place.text].hidden.push(place.start..place.end);
            }
        }
    }
    let secret: Vec<&str> = secret_keys().collect();
    for text in &mut report.texts {
        let mut start = 0;
        for line in text.text.split_inclusive('\n') {
            if let Some((key, value)) = line.split_once('=')
                && secret.contains(&key.trim())
                && !is_reference(value.trim_start().trim_start_matches(['"', '\'']))
            {
                let blank = value.len() - value.trim_start().len();
                text.hidden
                    .push(start + key.len() + 1 + blank..start + line.trim_end().len());
            }
            start += line.len();
        }
    }
}

fn secret_keys() -> impl Iterator<Item = &'static str> {
    let keys = SCOPES.iter().flat_map(|scope| scope.keys);
    keys.filter(|key| key.shape.secret).map(|key| key.name)
}

fn is_reference(text: &str) -> bool {
    text.starts_with("${") || text.starts_with("file:")
}

#[cfg(test)]
mod tests;

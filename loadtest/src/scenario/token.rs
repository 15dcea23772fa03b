//! Tokens that requests carry: taken from a file, or made here and signed.
//!
//! Signing costs from 2 µs (HS256) to 1 ms (RS256), so it never happens while requests are sent: a bounded set is made
//! at the start and shared by all workers, which draw from it. [`Mint::renew`] makes a new set before the old one
//! expires, on a thread that has time; workers take it by one atomic load.

mod claims;
mod jwt;
mod key;

use super::draw::List;
use super::pattern;
use super::problem::{Fault, Report};
use super::said::{Kind, Section, Value, Word};
use super::values;
use jwt::Jwt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Where the tokens of one `[token.NAME]` come from.
#[derive(Debug)]
enum Source {
    File(Arc<List>),
    Made(Box<Jwt>),
}

/// The tokens that are in use now, by set.
#[derive(Clone, Debug, Default)]
pub(super) struct Tokens {
    sets: Vec<Set>,
}

#[derive(Clone, Debug)]
struct Set {
    list: Arc<List>,
    /// Unix seconds from which on a new set is due.
    renew_at: u64,
}

impl Tokens {
    /// How many tokens a set has.
    #[inline]
    pub(super) fn count(&self, set: usize) -> usize {
        self.sets.get(set).map_or(0, |set| set.list.len())
    }

    /// One of a set's.
    #[inline]
    pub(super) fn token(&self, set: usize, at: u64) -> &[u8] {
        self.sets.get(set).map_or(&[], |set| set.list.item(at))
    }
}

/// Makes tokens, and makes them anew in time.
#[derive(Debug)]
pub(super) struct Mint {
    sources: Vec<Source>,
    seed: u64,
    current: Mutex<Arc<Tokens>>,
    /// How often `current` has been set.
    generation: AtomicU64,
}

impl Mint {
    /// Makes the first tokens, once.
    pub(super) fn start(&self, now: u64) {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if self.generation.load(Ordering::Acquire) > 0 {
            return;
        }
        let sets = self.sources.iter().zip(0_u64..);
        let sets = sets.map(|(source, id)| source.set(self.seed ^ id, now));
        *current = Arc::new(Tokens {
            sets: sets.collect(),
        });
        self.generation.store(1, Ordering::Release);
    }

    /// Makes the sets anew that are due; whether there was one.
    pub(super) fn renew(&self, now: u64) -> bool {
        self.start(now);
        let mut tokens = Tokens::clone(&self.current());
        let due = |set: &Set| set.renew_at <= now;
        if !tokens.sets.iter().any(due) {
            return false;
        }
        for ((set, source), id) in tokens.sets.iter_mut().zip(&self.sources).zip(0_u64..) {
            if due(set) {
                *set = source.set(self.seed ^ id, now);
            }
        }
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
        self.generation.fetch_add(1, Ordering::Release);
        true
    }

    /// The tokens to be used now.
    pub(super) fn current(&self) -> Arc<Tokens> {
        self.current
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Changes whenever there are new tokens.
    #[inline]
    pub(super) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }

    /// How many tokens are made at the start.
    pub(super) fn made(&self) -> usize {
        let made = self.sources.iter().map(|source| match source {
            Source::File(_) => 0,
            Source::Made(jwt) => jwt.count,
        });
        made.sum()
    }

    /// The public halves of the keys, as a JWK set.
    pub(super) fn jwks(&self) -> serde_json::Value {
        let keys = self.sources.iter().filter_map(|source| match source {
            Source::File(_) => None,
            Source::Made(jwt) => jwt.jwk(),
        });
        serde_json::json!({ "keys": keys.collect::<Vec<_>>() })
    }
}

impl Source {
    fn set(&self, seed: u64, now: u64) -> Set {
        match self {
            Source::File(list) => Set {
                list: list.clone(),
                renew_at: u64::MAX,
            },
            Source::Made(jwt) => Set {
                list: Arc::new(jwt.mint(seed, now)),
                // Three quarters of the lifetime: the rest is for clocks that differ and for requests on their way.
                renew_at: now.saturating_add(jwt.lifetime * 3 / 4).max(now + 1),
            },
        }
    }
}

/// Reads every `[token.NAME]`: the names, and the mint, whose sets are in the same order.
pub(super) fn read(
    sections: Vec<(&Word, Section<'_>)>,
    seed: u64,
    folder: &Path,
    report: &mut Report,
) -> (Vec<String>, Mint) {
    let (mut names, mut sources) = (Vec::new(), Vec::new());
    for (word, mut section) in sections {
        conceal(&section, report);
        // A set that is wrong has a name all the same, so that its users are not wrong, too.
        names.push(word.text.clone());
        let source = read_one(word, &mut section, folder, report);
        section.finish(report);
        sources.push(source.unwrap_or_else(|| Source::File(Arc::default())));
    }
    let mint = Mint {
        sources,
        seed,
        current: Mutex::default(),
        generation: AtomicU64::new(0),
    };
    (names, mint)
}

/// Hides the values of a section that may be secrets: also those of misspelt keys.
fn conceal(section: &Section<'_>, report: &mut Report) {
    let plain = [
        "kind",
        "file",
        "algorithm",
        "kid",
        "claims",
        "count",
        "lifetime",
    ];
    for (word, value) in section.entries() {
        let Kind::Text(text) = &value.kind else {
            continue;
        };
        let elsewhere = text.starts_with("file:") || text.starts_with("${");
        if !plain.contains(&word.text.as_str()) && !elsewhere {
            report.hide(value.place);
        }
    }
}

fn read_one(
    word: &Word,
    section: &mut Section<'_>,
    folder: &Path,
    report: &mut Report,
) -> Option<Source> {
    let kind = section.take("kind");
    let file = section.take("file");
    if let Some(value) = kind {
        let kind = values::text(report, value)?;
        if !matches!(kind, "jwt" | "file") {
            let fault = Fault::at(value.place, format!("there is no kind `{kind}` of tokens"));
            report.add(fault.note("the kinds are `jwt` and `file`"));
            return None;
        }
        if (kind == "file") != file.is_some() {
            let fault = Fault::at(value.place, "only tokens of the kind `file` have a `file`");
            report.add(fault.note("leave `kind` out: `file` and `key` say which it is"));
            return None;
        }
    }
    match file {
        Some(value) => from_file(value, folder, report),
        None => Some(Source::Made(Box::new(jwt::read(
            word, section, folder, report,
        )?))),
    }
}

/// One token a line.
fn from_file(value: &Value, folder: &Path, report: &mut Report) -> Option<Source> {
    let path = values::text(report, value)?;
    let path = path.strip_prefix("file:").unwrap_or(path);
    let bytes = values::file(report, value, folder, path, 256 << 20)?;
    let list = pattern::lines(&bytes);
    if list.len() == 0 {
        report.add(Fault::at(value.place, format!("`{path}` has no tokens")));
        return None;
    }
    let bad = |token: &[u8]| token.iter().any(|b| !b.is_ascii_graphic());
    if let Some(line) = list.iter().position(bad) {
        let message = format!(
            "token {} of `{path}` is not made of visible characters",
            line + 1
        );
        report.add(Fault::at(value.place, message).note("one token a line, without spaces"));
        return None;
    }
    Some(Source::File(Arc::new(list)))
}

#[cfg(test)]
mod tests;

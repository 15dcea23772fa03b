//! Signed tokens: what `[token.NAME]` says about them, and making a set of them.

use super::claims::Claims;
use super::key::{Algorithm, Key};
use crate::scenario::draw::List;
use crate::scenario::problem::{Fault, Report};
use crate::scenario::random::Random;
use crate::scenario::said::{Section, Value, Word};
use crate::scenario::values;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

/// The most tokens of one set, and the most that are made without being asked for by number.
const MOST: u64 = 100_000;
const MOST_UNASKED: u64 = 10_000;
/// How many, when nothing in the claims says so.
const SEVERAL: usize = 100;
const HOUR: Duration = Duration::from_secs(3600);
const LIFETIMES: RangeInclusive<Duration> =
    Duration::from_secs(2)..=Duration::from_secs(3650 * 86_400);
/// Servers bound their heads; a token beyond this helps nobody.
const MOST_BYTES: usize = 16 << 10;

/// Tokens of one kind.
#[derive(Debug)]
pub(super) struct Jwt {
    key: Key,
    /// Empty: the tokens have none.
    kid: String,
    claims: Claims,
    pub count: usize,
    /// Seconds.
    pub lifetime: u64,
}

/// Reads what a section says; its first token is made to see whether it can be.
pub(super) fn read(
    word: &Word,
    section: &mut Section<'_>,
    folder: &Path,
    report: &mut Report,
) -> Option<Jwt> {
    let before = report.len();
    let (algorithm, key) = (section.take("algorithm"), section.take("key"));
    let kid = section.take("kid");
    let claims = section.take("claims");
    let claims = claims.map(|value| Claims::read(value, folder, report));
    let claims = claims.unwrap_or_default();
    let count = section.take("count");
    let count = count.and_then(|value| values::count(report, value, 1..=MOST));
    let lifetime = section.take("lifetime");
    let lifetime = lifetime.map(|value| values::duration(report, value, LIFETIMES));
    let key = read_key(word, (algorithm, key), folder, report);
    let jwt = Jwt {
        kid: match kid {
            Some(value) => values::text(report, value)?.to_owned(),
            None => word.text.clone(),
        },
        count: match count {
            Some(count) => count as usize,
            None => several(word, &claims, report)?,
        },
        claims,
        lifetime: lifetime.map_or(Some(HOUR), |it| it)?.as_secs(),
        key: key?,
    };
    if report.len() > before {
        return None;
    }
    let length = jwt.token(0, &mut Random::new(0), 0).map(|it| it.len());
    let message = match length {
        Some(length) if length <= MOST_BYTES => return Some(jwt),
        Some(length) => format!("a token of [token.{}] has {length} bytes", word.text),
        None => format!("nothing can be signed for [token.{}]", word.text),
    };
    report.add(Fault::at(word.place, message).note(format!("at most {MOST_BYTES} bytes")));
    None
}

/// How many tokens to make when nothing says so: as many as the claims have values.
fn several(word: &Word, claims: &Claims, report: &mut Report) -> Option<usize> {
    match claims.variety() {
        _ if claims.is_fixed() => Some(1),
        None => Some(SEVERAL),
        Some(variety) if variety <= MOST_UNASKED => Some(variety as usize),
        Some(variety) => {
            let message = format!("the claims of [token.{}] have {variety} values", word.text);
            report.add(Fault::at(word.place, message).note(format!(
                "say how many tokens to make, as in `count = {MOST_UNASKED}`: at most {MOST}; signing one takes up to 1 ms"
            )));
            None
        }
    }
}

/// Algorithm and key, which must fit.
fn read_key(
    word: &Word,
    (algorithm, key): (Option<&Value>, Option<&Value>),
    folder: &Path,
    report: &mut Report,
) -> Option<Key> {
    let known = format!("the algorithms are {}", Algorithm::names().join(", "));
    if key.is_none() {
        let fault = Fault::at(word.place, format!("[token.{}] lacks its key", word.text));
        report.add(fault.note("write key = \"file:key.pem\" or \"${ENV_NAME}\"; or file = \"tokens.txt\", to take tokens from there"));
    }
    let Some(value) = algorithm else {
        if key.is_some() {
            let message = format!("[token.{}] lacks its algorithm", word.text);
            report.add(Fault::at(word.place, message).note(known));
        }
        return None;
    };
    let name = values::text(report, value)?;
    let Some(algorithm) = Algorithm::named(name) else {
        let fault = Fault::at(value.place, format!("there is no algorithm `{name}` here"));
        report.add(fault.meant(name, Algorithm::names()).note(known));
        return None;
    };
    let bytes = values::secret(report, key?, folder, algorithm.is_shared())?;
    match Key::read(algorithm, &bytes) {
        Ok(key) => Some(key),
        Err((why, note)) => {
            let fault = Fault::at(key?.place, why);
            report.add(match note {
                "" => fault,
                note => fault.note(note),
            });
            None
        }
    }
}

impl Jwt {
    /// Makes the whole set, on all cores.
    pub(super) fn mint(&self, seed: u64, now: u64) -> List {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = self.count.div_ceil(threads).max(16);
        let part = |start: usize| -> Vec<String> {
            (start..self.count.min(start + share))
                .map(|at| {
                    let at = at as u64;
                    let mut random = Random::new(seed ^ now.rotate_left(32) ^ at.rotate_left(16));
                    // A key that signed when the scenario was read signs now. If it should not, requests without a
                    // token show it: they are refused and counted.
                    self.token(at, &mut random, now).unwrap_or_default()
                })
                .collect()
        };
        let parts: Vec<Vec<String>> = std::thread::scope(|scope| {
            let starts = (0..self.count).step_by(share);
            let running: Vec<_> = starts.map(|at| scope.spawn(move || part(at))).collect();
            let ended = running.into_iter().map(|it| it.join().unwrap_or_default());
            ended.collect()
        });
        let mut list = List::default();
        for token in parts.iter().flatten() {
            list.push(token.as_bytes());
        }
        list
    }

    fn token(&self, number: u64, random: &mut Random, now: u64) -> Option<String> {
        let mut header = json!({ "alg": self.key.algorithm().name(), "typ": "JWT" });
        if !self.kid.is_empty() {
            header["kid"] = json!(self.kid);
        }
        let mut claims = self.claims.made(number, random);
        for (name, value) in [("iat", now), ("exp", now.saturating_add(self.lifetime))] {
            claims.entry(name).or_insert(json!(value));
        }
        let mut token = URL_SAFE_NO_PAD.encode(header.to_string());
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(serde_json::Value::Object(claims).to_string(), &mut token);
        let signature = self.key.sign(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Some(token)
    }

    /// The public half of the key; a shared one has none.
    pub(super) fn jwk(&self) -> Option<serde_json::Value> {
        let mut jwk = self.key.jwk()?;
        if !self.kid.is_empty() {
            jwk["kid"] = json!(self.kid);
        }
        Some(jwk)
    }
}

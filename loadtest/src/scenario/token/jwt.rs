//! Signed tokens: what `[token.NAME]` says about them, and making a set of them.

use super::claims::Claims;
use super::key::{Algorithm, Key};
use crate::scenario::draw::List;
use crate::scenario::problem::{Fault, Report};
use crate::scenario::random::Random;
use crate::scenario::said::{Section, Word};
use crate::scenario::values;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// The most tokens of one set, and the most that are made without being asked for by number.
const MOST: u64 = 100_000;
const MOST_UNASKED: u64 = 10_000;
/// How many, when nothing in the claims says so.
const SEVERAL: u64 = 100;
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
    let algorithm = section.take("algorithm");
    let key = section.take("key");
    let kid = section
        .take("kid")
        .and_then(|value| values::text(report, value));
    let claims = match section.take("claims") {
        Some(value) => Claims::read(value, folder, report),
        None => Claims::default(),
    };
    let said_count = section.take("count");
    let count = said_count.and_then(|value| values::count(report, value, 1..=MOST));
    let lifetime = match section.take("lifetime") {
        Some(value) => {
            let within = Duration::from_secs(2)..=Duration::from_secs(3650 * 86_400);
            values::duration(report, value, within)?
        }
        None => Duration::from_secs(3600),
    };
    let Some(algorithm_value) = algorithm else {
        let fault = Fault::at(
            word.place,
            format!("[token.{}] lacks its algorithm", word.text),
        );
        let known = Algorithm::names().join(", ");
        report.add(fault.note(format!(
            "`algorithm` is one of {known}; or say `file`, to take tokens from one"
        )));
        return None;
    };
    let name = values::text(report, algorithm_value)?;
    let Some(algorithm) = Algorithm::named(name) else {
        let fault = Fault::at(
            algorithm_value.place,
            format!("there is no algorithm `{name}` here"),
        );
        let known = Algorithm::names().join(", ");
        report.add(
            fault
                .meant(name, Algorithm::names())
                .note(format!("the algorithms are {known}")),
        );
        return None;
    };
    let Some(key_value) = key else {
        let fault = Fault::at(word.place, format!("[token.{}] lacks its key", word.text));
        report.add(fault.note("`key` is \"file:key.pem\" or \"${ENV_NAME}\""));
        return None;
    };
    let bytes = values::secret(report, key_value, folder, algorithm.is_shared())?;
    let key = match Key::read(algorithm, &bytes) {
        Ok(key) => key,
        Err((why, note)) => {
            let fault = Fault::at(key_value.place, why);
            report.add(match note {
                "" => fault,
                note => fault.note(note),
            });
            return None;
        }
    };
    let count = match (count, claims.variety()) {
        (Some(count), _) => count,
        (None, None) if claims.is_fixed() => 1,
        (None, None) => SEVERAL,
        (None, Some(variety)) if variety <= MOST_UNASKED => variety,
        (None, Some(variety)) => {
            let message = format!("the claims of [token.{}] have {variety} values", word.text);
            report.add(Fault::at(word.place, message).note(format!(
                "say how many tokens to make, as in `count = {MOST_UNASKED}`: at most {MOST}; signing one takes up to 1 ms"
            )));
            return None;
        }
    };
    if report.len() > before {
        return None;
    }
    let jwt = Jwt {
        key,
        kid: kid.unwrap_or(&word.text).to_owned(),
        claims,
        count: count as usize,
        lifetime: lifetime.as_secs(),
    };
    match jwt.token(0, &mut Random::new(0), 0) {
        Some(token) if token.len() <= MOST_BYTES => Some(jwt),
        Some(token) => {
            let message = format!(
                "the tokens of [token.{}] have {} bytes",
                word.text,
                token.len()
            );
            report.add(Fault::at(word.place, message).note(format!("at most {MOST_BYTES}")));
            None
        }
        None => {
            report.add(Fault::at(
                key_value.place,
                "nothing can be signed with this key",
            ));
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

//! The claims of a token as a scenario writes them: any TOML value, its texts with values in braces.

use crate::scenario::draw::Draw;
use crate::scenario::headers::Spot;
use crate::scenario::pattern::{Names, Part};
use crate::scenario::problem::{Fault, Report};
use crate::scenario::random::Random;
use crate::scenario::said::{Kind, Value};
use crate::scenario::token::Tokens;
use serde_json::{Map, json};
use std::path::Path;

/// The claims of a set of tokens.
#[derive(Debug, Default)]
pub(super) struct Claims {
    claims: Vec<(String, Claim)>,
    draws: Vec<Draw>,
}

#[derive(Debug)]
enum Claim {
    Text(Vec<Part>),
    Fixed(serde_json::Value),
    List(Vec<Claim>),
    Table(Vec<(String, Claim)>),
}

const DEEPEST: usize = 8;

impl Claims {
    pub(super) fn read(value: &Value, folder: &Path, report: &mut Report) -> Claims {
        let mut names = Names::new(&[], folder);
        match claim(value, &mut names, report, 0) {
            Some(Claim::Table(claims)) => Claims {
                claims,
                draws: names.draws,
            },
            Some(_) => {
                let fault = Fault::at(value.place, "claims are a table");
                report.add(fault.note("as in `claims = { iss = \"https://issuer.example\", sub = \"user-{n:1..100}\" }`"));
                Claims::default()
            }
            None => Claims::default(),
        }
    }

    /// Whether all tokens say the same.
    pub(super) fn is_fixed(&self) -> bool {
        self.draws.is_empty()
    }

    /// How many tokens there are until all values have come; `None`: nothing says so.
    pub(super) fn variety(&self) -> Option<u64> {
        self.draws.iter().filter_map(Draw::variety).max()
    }

    /// The claims of the so-many-th token.
    pub(super) fn made(&self, number: u64, random: &mut Random) -> Map<String, serde_json::Value> {
        let values: Vec<u64> = self
            .draws
            .iter()
            .map(|draw| draw.nth(number, random))
            .collect();
        self.table(&self.claims, &values)
    }

    fn table(&self, claims: &[(String, Claim)], values: &[u64]) -> Map<String, serde_json::Value> {
        let made = claims
            .iter()
            .map(|(name, claim)| (name.clone(), self.one(claim, values)));
        made.collect()
    }

    fn one(&self, claim: &Claim, values: &[u64]) -> serde_json::Value {
        match claim {
            Claim::Fixed(value) => value.clone(),
            Claim::List(items) => items.iter().map(|item| self.one(item, values)).collect(),
            Claim::Table(claims) => self.table(claims, values).into(),
            Claim::Text(parts) => {
                let mut text = Vec::new();
                for part in parts {
                    match part {
                        Part::Literal(literal) => text.extend_from_slice(literal.as_bytes()),
                        Part::Value(slot) => {
                            self.draws[*slot].write(values[*slot], &Tokens::default(), &mut text);
                        }
                    }
                }
                json!(String::from_utf8_lossy(&text))
            }
        }
    }
}

fn claim(value: &Value, names: &mut Names<'_>, report: &mut Report, depth: usize) -> Option<Claim> {
    if depth > DEEPEST {
        let message = format!("claims go at most {DEEPEST} deep");
        report.add(Fault::at(value.place, message));
        return None;
    }
    Some(match &value.kind {
        Kind::Text(text) => Claim::Text(names.parse(report, value, text, Spot::Body)),
        Kind::Integer(number) => Claim::Fixed(json!(number)),
        Kind::Float(number) => Claim::Fixed(json!(number)),
        Kind::Boolean(said) => Claim::Fixed(json!(said)),
        Kind::List(items) => {
            let items = items
                .iter()
                .filter_map(|item| claim(item, names, report, depth + 1));
            Claim::List(items.collect())
        }
        Kind::Table(entries) => {
            let claims = entries.iter().filter_map(|(word, value)| {
                Some((word.text.clone(), claim(value, names, report, depth + 1)?))
            });
            Claim::Table(claims.collect())
        }
        Kind::Other => {
            report.add(Fault::at(
                value.place,
                "a claim is a text, a number, a boolean, a list or a table",
            ));
            return None;
        }
    })
}

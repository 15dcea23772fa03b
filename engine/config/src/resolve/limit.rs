//! `[limit.NAME]`: rates and what they count by.

use super::Resolver;
use crate::keys::limit::{Algorithm, Limit, LimitHeaders, LimitMode};
use crate::said::Block;
use policy::limit::{self, HeaderStyle, Key, Mode, Rule, Settings};
use policy_keys::{Mismatch, Rate};
use std::collections::BTreeMap;
use std::sync::Arc;

impl Resolver<'_, '_> {
    /// Every limit that can be compiled, by name.
    pub(super) fn limits(&mut self) -> BTreeMap<String, Arc<Rule>> {
        let mut rules = BTreeMap::new();
        for block in self.said.of("limit") {
            let Some(said) = self.read(&block, &Limit::SCOPE, Limit::read) else {
                continue;
            };
            if let Some(rule) = self.limit(&block, said) {
                rules.insert(block.name.clone(), Arc::new(rule));
            }
        }
        rules
    }

    fn limit(&mut self, block: &Block, said: Limit) -> Option<Rule> {
        let tiers = self.items(
            block,
            "tiers",
            said.tiers.as_deref().unwrap_or_default(),
            tier,
        );
        let key = match Key::parse(&said.key) {
            Ok(key) => key,
            Err(what) => {
                self.wrong(block, "key", Mismatch::new(what));
                return None;
            }
        };
        let settings = Settings {
            algorithm: match said.algorithm {
                Algorithm::TokenBucket => limit::Algorithm::TokenBucket,
            },
            burst: said.burst,
            tiers,
            max_keys: said.max_keys,
            headers: match said.headers {
                LimitHeaders::Ietf => HeaderStyle::Ietf,
                LimitHeaders::X => HeaderStyle::X,
                LimitHeaders::Off => HeaderStyle::Off,
            },
            status: said.status,
            mode: match said.mode {
                LimitMode::Enforce => Mode::Enforce,
                LimitMode::Shadow => Mode::Shadow,
            },
            cost: said.cost,
            ..Settings::new(block.name.as_str().into(), said.rate?, key)
        };
        match Rule::new(settings) {
            Ok(rule) => Some(rule),
            Err(problems) => {
                for problem in problems {
                    self.wrong(block, problem.key, Mismatch::new(problem.what));
                }
                None
            }
        }
    }
}

/// `"free=100/min"`.
fn tier(text: &str) -> Result<(String, Rate), String> {
    let parsed = text.split_once('=').and_then(|(name, rate)| {
        let name = name.trim();
        Some((name.to_owned(), Rate::parse(rate.trim())?)).filter(|_| !name.is_empty())
    });
    parsed.ok_or_else(|| format!("`{text}` is not a tier and its rate, such as \"free=100/min\""))
}

//! A limit as the configuration means it: checked, with what is the same for every request
//! (terms per tier, constant header text) worked out once.
//!
//! Immutable and shared by the workers; its state is found by the number of its name, which
//! is what survives a reload.

use std::fmt;
use std::sync::Arc;

use policy_keys::Rate;

use super::key::Key;
use super::ledger::Terms;
use super::plan::{MAX_BURST, Plan};

/// How a limit counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Algorithm {
    /// A bucket that earns tokens at the rate, up to the burst.
    #[default]
    TokenBucket,
}

/// Which headers tell clients about a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum HeaderStyle {
    /// `RateLimit-Policy` and `RateLimit` (IETF draft), and `RateLimit-Limit`, `-Remaining`
    /// and `-Reset` (draft 6).
    #[default]
    Ietf,
    /// `X-RateLimit-Limit`, `-Remaining` and `-Reset` (seconds from now).
    X,
    /// None.
    Off,
}

/// What becomes of a request that exceeds a limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Mode {
    /// It is refused.
    #[default]
    Enforce,
    /// It is counted and goes on; clients are told nothing.
    Shadow,
}

/// What a rule is made from.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The limit's name; its state is kept under it across reloads.
    pub name: Arc<str>,
    /// How it counts.
    pub algorithm: Algorithm,
    /// What a bucket earns.
    pub rate: Rate,
    /// What a bucket holds; when absent, the count of the rate.
    pub burst: Option<u64>,
    /// What it counts by.
    pub key: Key,
    /// Rates of consumers by the name of their tier; `rate` is for all others.
    pub tiers: Vec<(String, Rate)>,
    /// How many keys are remembered exactly.
    pub max_keys: usize,
    /// What clients are told.
    pub headers: HeaderStyle,
    /// The status code of a refusal.
    pub status: u16,
    /// Whether it refuses.
    pub mode: Mode,
    /// Tokens a request costs.
    pub cost: u64,
}

impl Settings {
    /// The defaults, with what has none.
    pub fn new(name: Arc<str>, rate: Rate, key: Key) -> Settings {
        Settings {
            name,
            algorithm: Algorithm::TokenBucket,
            rate,
            burst: None,
            key,
            tiers: Vec::new(),
            max_keys: super::DEFAULT_MAX_KEYS,
            headers: HeaderStyle::Ietf,
            status: 429,
            mode: Mode::Enforce,
            cost: 1,
        }
    }
}

/// What is wrong with a limit's settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RuleProblem {
    /// The configuration key at fault.
    pub key: &'static str,
    /// What is wrong with it.
    pub what: String,
}

/// A limit.
#[derive(Debug)]
pub struct Rule {
    /// The limit's name.
    pub name: Arc<str>,
    /// How it counts.
    pub algorithm: Algorithm,
    /// What a bucket of no tier earns.
    pub rate: Rate,
    /// What a bucket of no tier holds.
    pub burst: u64,
    /// What it counts by.
    pub key: Key,
    /// How many keys are remembered exactly.
    pub max_keys: usize,
    /// What clients are told.
    pub headers: HeaderStyle,
    /// The status code of a refusal.
    pub status: u16,
    /// Whether it refuses.
    pub mode: Mode,
    /// Tokens a request costs; fits every tier's burst.
    pub cost: u64,
    /// For requests of no tier, or of a tier that is not listed.
    plain: Tier,
    tiers: Box<[Tier]>,
}

/// What a limit means for the consumers of one tier.
#[derive(Debug)]
pub struct Tier {
    name: Box<str>,
    terms: Terms,
    /// The draft's lines up to what is left, `RateLimit-Policy: "per_user";q=100;w=60`,
    /// `RateLimit: "per_user";r=`.
    structured: Box<str>,
    /// `RateLimit-Limit: 100`, `RateLimit-Remaining: `; and so with `X-` before each.
    plain: [Box<str>; 2],
}

impl Rule {
    /// Checks the settings and works the rest out; every problem is told, not the first.
    pub fn new(settings: Settings) -> Result<Rule, Vec<RuleProblem>> {
        let mut problems = settings.problems();
        let burst = settings.burst.unwrap_or(settings.rate.count);
        let plain = settings.tier("", settings.rate, burst);
        let tiers = settings.tiers.iter().map(|(name, rate)| {
            let burst = match settings.burst {
                None => rate.count,
                Some(burst) => scaled(burst, *rate, settings.rate).max(settings.cost),
            };
            settings.tier(name, *rate, burst)
        });
        let mut told = Vec::new();
        for tier in tiers {
            told.push(tier.map_err(|problem| problems.push(problem)).ok());
        }
        let plain = plain.map_err(|problem| problems.insert(0, problem)).ok();
        let (Some(plain), true) = (plain, problems.is_empty()) else {
            return Err(problems);
        };
        Ok(Rule {
            name: settings.name,
            algorithm: settings.algorithm,
            rate: settings.rate,
            burst,
            key: settings.key,
            max_keys: settings.max_keys,
            headers: settings.headers,
            status: settings.status,
            mode: settings.mode,
            cost: settings.cost,
            plain,
            tiers: told.into_iter().flatten().collect(),
        })
    }

    /// Whether it runs before authentication: it counts by address, and needs to know nothing
    /// of who sends.
    pub fn address_keyed(&self) -> bool {
        self.key.has_address() && !self.key.needs_identity() && self.tiers.is_empty()
    }

    /// The stable number of the limit's name.
    pub fn number(&self) -> u64 {
        self.plain.terms.limit
    }

    /// What the limit means for a request of this tier.
    #[inline]
    pub fn tier(&self, name: Option<&str>) -> &Tier {
        let Some(name) = name else {
            return &self.plain;
        };
        let listed = self.tiers.iter().find(|tier| *tier.name == *name);
        listed.unwrap_or(&self.plain)
    }

    /// What the ledger needs to know of each tier, that of requests without one first.
    pub fn terms(&self) -> impl Iterator<Item = &Terms> {
        std::iter::once(&self.plain)
            .chain(&self.tiers)
            .map(Tier::terms)
    }

    /// The tier with this number, or what holds for those of none.
    pub(crate) fn tier_numbered(&self, number: u64) -> &Tier {
        let listed = self.tiers.iter().find(|tier| tier.terms.tier == number);
        listed.unwrap_or(&self.plain)
    }
}

impl Tier {
    /// What the ledger needs to know.
    pub fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The lines of the IETF draft, up to where the number of tokens left stands.
    pub(super) fn structured(&self) -> &str {
        &self.structured
    }

    /// The lines of draft 6, or the older ones with `X-`, up to where the number of tokens left stands.
    pub(super) fn plain(&self, prefix: Prefix) -> &str {
        let [ietf, x] = &self.plain;
        match prefix {
            Prefix::None => ietf,
            Prefix::X => x,
        }
    }
}

/// What stands before the names of the plain lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Prefix {
    None,
    X,
}

impl Prefix {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Prefix::None => "",
            Prefix::X => "X-",
        }
    }
}

impl Settings {
    /// What is wrong apart from rates and bursts.
    fn problems(&self) -> Vec<RuleProblem> {
        let mut problems = Vec::new();
        let mut wrong = |key, what: &str| {
            problems.push(RuleProblem {
                key,
                what: what.to_owned(),
            });
        };
        if self.max_keys == 0 {
            wrong("max_keys", "must be at least 1");
        }
        if !(400..=599).contains(&self.status) {
            wrong("status", "must be a status code from 400 to 599");
        }
        if self.cost == 0 || self.cost > MAX_COST {
            wrong("cost", "must be from 1 to 2^31");
        }
        for (at, (name, _)) in self.tiers.iter().enumerate() {
            if self.tiers.iter().take(at).any(|(other, _)| other == name) {
                wrong("tiers", &format!("the tier `{name}` stands twice"));
            }
        }
        problems
    }

    fn tier(&self, name: &str, rate: Rate, burst: u64) -> Result<Tier, RuleProblem> {
        let of = match name {
            "" => String::new(),
            name => format!(" of the tier `{name}`"),
        };
        let Some(plan) = Plan::new(rate, burst) else {
            let key = if self.burst.is_some() {
                "burst"
            } else {
                "rate"
            };
            let what = format!("the burst{of}, {burst}, must be from 1 to {MAX_BURST} (2^40)");
            return Err(RuleProblem { key, what });
        };
        if self.cost > burst {
            let what = format!("the burst{of}, {burst}, is less than the cost of a request");
            return Err(RuleProblem { key: "cost", what });
        }
        let named = (!name.is_empty()).then_some(name);
        let window = plan.time_to_fill().div_ceil(SECOND).max(1);
        Ok(Tier {
            name: name.into(),
            terms: Terms::new(&self.name, named, plan, self.max_keys),
            structured: format!(
                "RateLimit-Policy: \"{name}\";q={burst};w={window}\r\nRateLimit: \"{name}\";r=",
                name = self.name
            )
            .into(),
            plain: [Prefix::None, Prefix::X].map(|prefix| {
                let x = prefix.as_str();
                format!("{x}RateLimit-Limit: {burst}\r\n{x}RateLimit-Remaining: ").into()
            }),
        })
    }
}

/// A burst in proportion: as many seconds of `rate` as `burst` is of `base`.
fn scaled(burst: u64, rate: Rate, base: Rate) -> u64 {
    let of = u128::from(burst) * u128::from(rate.count);
    let (per, base_per) = (rate.per.as_nanos(), base.per.as_nanos());
    let scaled = of
        .checked_mul(base_per)
        .map(|units| units / (u128::from(base.count) * per).max(1));
    u64::try_from(scaled.unwrap_or(u128::MAX)).unwrap_or(u64::MAX)
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule {
            name,
            rate,
            burst,
            key,
            ..
        } = self;
        write!(f, "{name}: token bucket of {rate}, burst {burst}, by {key}")?;
        for tier in &self.tiers {
            write!(f, ", tier {} burst {}", tier.name, tier.terms.plan.burst())?;
        }
        match self.mode {
            Mode::Enforce => Ok(()),
            Mode::Shadow => f.write_str(" (shadow)"),
        }
    }
}

const SECOND: u64 = 1_000_000_000;

/// A worker counts what it holds in 32 bits.
const MAX_COST: u64 = 1 << 31;

#[cfg(test)]
mod tests;

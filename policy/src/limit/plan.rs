//! Rate and burst of a bucket, in lowest terms, and the conversions between tokens and time.
//!
//! All of it is integer arithmetic: a token is `per` units, a nanosecond earns `count` units,
//! and what does not make a whole token is kept as a remainder. Invariant: nothing here rounds
//! in favour of the client, and nothing overflows.

use policy_keys::Rate;

/// The largest burst: 2^40 tokens.
pub const MAX_BURST: u64 = 1 << 40;

/// What a bucket earns and how much it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Tokens earned in `per`; at least 1, no common divisor with `per`.
    count: u64,
    /// Nanoseconds; at least 1.
    per: u64,
    /// Tokens that a full bucket holds; `1 <= burst <= MAX_BURST`.
    burst: u64,
}

impl Plan {
    /// `None` when the rate is zero or too long to count in nanoseconds, or `burst` is not
    /// between 1 and [`MAX_BURST`].
    pub fn new(rate: Rate, burst: u64) -> Option<Plan> {
        let per = u64::try_from(rate.per.as_nanos()).ok()?;
        if rate.count == 0 || per == 0 || burst == 0 || burst > MAX_BURST {
            return None;
        }
        let common = common_divisor(rate.count, per);
        Some(Plan {
            count: rate.count / common,
            per: per / common,
            burst,
        })
    }

    /// Tokens that a full bucket holds.
    pub fn burst(&self) -> u64 {
        self.burst
    }

    /// What `elapsed` nanoseconds earn on top of `fraction` units: whole tokens (saturating)
    /// and the units left over, fewer than a token has.
    pub(crate) fn earned(&self, elapsed: u64, fraction: u64) -> (u64, u64) {
        let narrow = elapsed
            .checked_mul(self.count)
            .and_then(|units| units.checked_add(fraction));
        if let Some(units) = narrow {
            return (units / self.per, units % self.per);
        }
        // (2^64 - 1)^2 + 2^64 - 1 < 2^128
        let units = u128::from(elapsed) * u128::from(self.count) + u128::from(fraction);
        let per = u128::from(self.per);
        let whole = u64::try_from(units / per).unwrap_or(u64::MAX);
        (whole, (units % per) as u64)
    }

    /// Nanoseconds until `tokens` are earned when `fraction` units are there already, rounded
    /// up; saturating.
    pub fn time_for(&self, tokens: u64, fraction: u64) -> u64 {
        if let Some(units) = tokens.checked_mul(self.per) {
            return units.saturating_sub(fraction).div_ceil(self.count);
        }
        let units = u128::from(tokens) * u128::from(self.per) - u128::from(fraction);
        u64::try_from(units.div_ceil(u128::from(self.count))).unwrap_or(u64::MAX)
    }

    /// Tokens that `elapsed` nanoseconds earn, rounded up; saturating.
    pub fn tokens_in(&self, elapsed: u64) -> u64 {
        let (whole, rest) = self.earned(elapsed, 0);
        whole.saturating_add(u64::from(rest > 0))
    }

    /// Whether this plan earns no faster than `other`.
    pub fn is_no_faster_than(&self, other: &Plan) -> bool {
        u128::from(self.count) * u128::from(other.per)
            <= u128::from(other.count) * u128::from(self.per)
    }

    /// Nanoseconds from empty to full, rounded up; saturating.
    pub fn time_to_fill(&self) -> u64 {
        self.time_for(self.burst, 0)
    }

    /// A number that differs for plans that differ, but for rare coincidences.
    pub(crate) fn mixed(&self) -> u64 {
        let odd = 0x9e37_79b9_7f4a_7c15u64;
        let mixed = self.count.wrapping_mul(odd) ^ self.per;
        (mixed.wrapping_mul(odd).rotate_left(29) ^ self.burst).wrapping_mul(odd)
    }

    /// The slower rate of both with the smaller burst.
    pub fn least(&self, other: &Plan) -> Plan {
        let slower = if self.is_no_faster_than(other) {
            self
        } else {
            other
        };
        Plan {
            burst: self.burst.min(other.burst),
            ..*slower
        }
    }
}

fn common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(rate: &str, burst: u64) -> Plan {
        Plan::new(Rate::parse(rate).unwrap(), burst).unwrap()
    }

    #[test]
    fn rates_are_reduced_to_lowest_terms() {
        for (rate, count, per) in [
            ("1000000/s", 1, 1_000),
            ("1000000/day", 1, 86_400_000),
            ("100/min", 1, 600_000_000),
            ("3/s", 3, 1_000_000_000),
            ("7000000000/s", 7, 1),
        ] {
            let plan = plan(rate, 1);
            assert_eq!((plan.count, plan.per), (count, per), "{rate}");
        }
    }

    #[test]
    fn a_burst_beyond_the_bound_and_a_zero_rate_are_no_plan() {
        let rate = Rate::parse("1/s").unwrap();
        assert_eq!(Plan::new(rate, 0), None);
        assert!(Plan::new(rate, MAX_BURST).is_some());
        assert_eq!(Plan::new(rate, MAX_BURST + 1), None);
        assert_eq!(Plan::new(Rate { count: 0, ..rate }, 1), None);
    }

    #[test]
    fn thirds_of_a_second_add_up_to_whole_tokens() {
        let plan = plan("3/s", 10);
        let mut fraction = 0;
        let mut tokens = 0;
        for _ in 0..1_000_000 {
            let (whole, rest) = plan.earned(1_000, fraction);
            tokens += whole;
            fraction = rest;
        }
        assert_eq!((tokens, fraction), (3, 0));
    }

    proptest! {
        #[test]
        fn earning_agrees_with_wide_arithmetic(
            count in 1u64.., per in 1u64.., elapsed: u64, part: u64,
        ) {
            let rate = Rate { count, per: std::time::Duration::from_nanos(per) };
            let plan = Plan::new(rate, 1).unwrap();
            let fraction = part % plan.per;
            let units = u128::from(elapsed) * u128::from(plan.count) + u128::from(fraction);
            let (whole, rest) = plan.earned(elapsed, fraction);
            prop_assert!(rest < plan.per);
            let wide = units / u128::from(plan.per);
            prop_assert_eq!(u128::from(whole), wide.min(u128::from(u64::MAX)));
        }

        #[test]
        fn the_time_for_tokens_is_the_first_instant_that_earns_them(
            count in 1u64..=MAX_BURST, per in 1u64..=86_400_000_000_000,
            tokens in 1u64..=MAX_BURST, part: u64,
        ) {
            let rate = Rate { count, per: std::time::Duration::from_nanos(per) };
            let plan = Plan::new(rate, 1).unwrap();
            let fraction = part % plan.per;
            let wait = plan.time_for(tokens, fraction);
            prop_assume!(wait != u64::MAX);
            prop_assert!(plan.earned(wait, fraction).0 >= tokens);
            prop_assert!(wait == 0 || plan.earned(wait - 1, fraction).0 < tokens);
        }

        #[test]
        fn tokens_in_a_time_cover_what_the_time_was_made_of(
            count in 1u64..=MAX_BURST, per in 1u64..=86_400_000_000_000,
            tokens in 0u64..=MAX_BURST,
        ) {
            let rate = Rate { count, per: std::time::Duration::from_nanos(per) };
            let plan = Plan::new(rate, 1).unwrap();
            let time = plan.time_for(tokens, 0);
            prop_assert!(time == u64::MAX || plan.tokens_in(time) >= tokens);
        }
    }
}

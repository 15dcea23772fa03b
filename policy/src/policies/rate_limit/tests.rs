//! Which requests share a bucket, and what becomes of those that find none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::rc::Rc;

use super::*;
use crate::limit::books::Books;
use crate::limit::{Key, Settings};
use crate::policies::jwt::testing::verified;
use crate::testing::Sample;
use policy_keys::Rate;

fn settings(name: &str, rate: &str, key: &str) -> Settings {
    let rate = Rate::parse(rate).unwrap();
    Settings::new(name.into(), rate, Key::parse(key).unwrap())
}

fn rule(name: &str, rate: &str, key: &str) -> Arc<Rule> {
    Arc::new(Rule::new(settings(name, rate, key)).unwrap())
}

fn token(claims: &str) -> Context {
    let mut ctx = Context::new();
    ctx.identity.token = Some(Rc::new(verified(claims)));
    ctx
}

/// The digest of a request under a key.
fn key(text: &str, sample: &Sample, ctx: &Context) -> Digest {
    let rule = rule("limit", "1/s", text);
    let seed = Seed::new([1, 2]);
    let tier = rule.tier(ctx.identity.tier());
    digest(&rule, tier, &sample.view(), &ctx.identity, &seed)
}

#[test]
fn requests_that_differ_in_a_part_of_the_key_have_buckets_of_their_own() {
    let none = Context::new();
    let plain = || Sample::get("/", &[]);
    let from = |client| {
        let mut sample = plain();
        sample.client = client;
        sample
    };
    let with = |line: &str| Sample::get("/", &[line]);
    let (one, two) = (
        IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1)),
        IpAddr::V6(Ipv6Addr::LOCALHOST),
    );
    let mapped = IpAddr::V6(Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped());
    for (text, a, b, same) in [
        ("ip", from(one), from(two), false),
        ("ip", from(one), from(mapped), true),
        ("ip", with("X-Key: 1"), with("X-Key: 2"), true),
        ("header:x-key", with("X-Key: 1"), with("X-Key: 2"), false),
        ("header:x-key", with("X-KEY: 1"), with("x-key: 1"), true),
        ("header:x-key", with("X-Key:"), plain(), false),
        ("header:x-key", plain(), with("X-Other: 1"), true),
        (
            "cookie:sid",
            with("Cookie: a=1; sid=2"),
            with("Cookie: sid=2; a=3"),
            true,
        ),
        (
            "cookie:sid",
            with("Cookie: sid=1"),
            with("Cookie: sid=2"),
            false,
        ),
        ("header:x-key+ip", with("X-Key: 1"), with("X-Key: 2"), false),
        ("global", from(one), from(two), true),
        ("route", from(one), from(two), true),
    ] {
        assert_eq!(key(text, &a, &none) == key(text, &b, &none), same, "{text}");
    }
}

#[test]
fn keys_of_identity_tell_users_tenants_and_tiers_apart() {
    let exp = "\"exp\":4000000000";
    let ann = || token(&format!("{{\"sub\":\"ann\",{exp}}}"));
    let bob = || token(&format!("{{\"sub\":\"bob\",\"org\":7,{exp}}}"));
    let none = Context::new;
    for (text, a, b, same) in [
        ("claim:sub", ann(), ann(), true),
        ("claim:sub", ann(), bob(), false),
        ("claim:sub", ann(), none(), false),
        ("claim:org", ann(), none(), true),
        ("claim:org", bob(), none(), false),
        ("consumer", none(), ann(), true),
        ("tenant", none(), none(), true),
    ] {
        let sample = Sample::get("/", &[]);
        assert_eq!(
            key(text, &sample, &a) == key(text, &sample, &b),
            same,
            "{text}"
        );
    }
}

/// Runs requests through a chain of rules; `true` for each that is admitted.
struct Bench {
    books: Books,
    local: Local,
    ctx: Context,
}

impl Bench {
    fn new() -> Bench {
        Bench {
            books: Books::new("1/day", 1),
            local: Local::new(),
            ctx: Context::new(),
        }
    }

    fn ask(&mut self, rules: &[Arc<Rule>]) -> Verdict {
        let sample = Sample::get("/", &[]);
        self.ctx.limits.clear();
        check(
            rules,
            &sample.view(),
            &mut self.local,
            &self.books,
            &mut self.ctx,
        )
    }

    fn admits(&mut self, rules: &[Arc<Rule>]) -> bool {
        matches!(self.ask(rules), Verdict::Continue)
    }
}

#[test]
fn a_used_up_limit_refuses_with_its_status_and_the_seconds_to_wait() {
    let rules = [rule("per_ip", "2/min", "ip")];
    let mut bench = Bench::new();
    assert!(bench.admits(&rules));
    assert!(bench.admits(&rules));
    let Verdict::Reply(refusal) = bench.ask(&rules) else {
        panic!("admitted a third request");
    };
    assert_eq!(refusal.kind.status(), 429);
    let RefusalKind::RateLimited { limit, retry_after } = refusal.kind else {
        panic!("refused for another reason");
    };
    assert_eq!((&*limit.name, retry_after), ("per_ip", 30));
    let outcome = *bench.ctx.limits.iter().next().unwrap();
    assert!(outcome.exceeded());
    assert_eq!((outcome.limit, outcome.remaining), (rules[0].number(), 0));
}

#[test]
fn a_request_that_one_limit_refuses_costs_nothing_of_the_others() {
    let wide = rule("wide", "5/day", "ip");
    let tight = rule("tight", "2/day", "ip");
    let mut bench = Bench::new();
    let both = [Arc::clone(&wide), Arc::clone(&tight)];
    assert!(bench.admits(&both));
    assert!(bench.admits(&both));
    for _ in 0..10 {
        assert!(!bench.admits(&both));
    }
    let alone = [wide];
    let left = (0..10).filter(|_| bench.admits(&alone)).count();
    assert_eq!(left, 3);
}

#[test]
fn a_shadow_limit_counts_but_lets_pass_and_pays_for_nothing_it_refused() {
    let shadow = Rule::new(Settings {
        mode: Mode::Shadow,
        ..settings("dark", "1/day", "ip")
    });
    let rules = [Arc::new(shadow.unwrap()), rule("bright", "3/day", "ip")];
    let mut bench = Bench::new();
    for exceeded in [false, true, true] {
        assert!(bench.admits(&rules));
        let told: Vec<bool> = bench.ctx.limits.iter().map(|o| o.exceeded()).collect();
        assert_eq!(told, [exceeded, false]);
    }
    assert!(!bench.admits(&rules));
}

#[test]
fn the_tier_chooses_the_rate_and_the_bucket() {
    let tiered = Rule::new(Settings {
        tiers: vec![
            ("free".to_owned(), Rate::parse("2/day").unwrap()),
            ("premium".to_owned(), Rate::parse("4/day").unwrap()),
        ],
        ..settings("plan", "1/day", "ip")
    });
    let rules = [Arc::new(tiered.unwrap())];
    let mut bench = Bench::new();
    for (tier, admitted) in [("free", 2), ("premium", 4), ("gold", 1), ("free", 0)] {
        let claims = format!("{{\"sub\":\"a\",\"exp\":4000000000,\"tier\":\"{tier}\"}}");
        bench.ctx.identity = token(&claims).identity;
        let count = (0..6).filter(|_| bench.admits(&rules)).count();
        assert_eq!(count, admitted, "{tier}");
    }
}

//! Settings that make a rule, and those that don't.

use super::*;

fn settings(rate: &str) -> Settings {
    let rate = Rate::parse(rate).unwrap();
    Settings::new("per_user".into(), rate, Key::parse("ip").unwrap())
}

fn tiers(list: &[(&str, &str)]) -> Vec<(String, Rate)> {
    let tier = |(name, rate): &(&str, &str)| ((*name).to_owned(), Rate::parse(rate).unwrap());
    list.iter().map(tier).collect()
}

#[test]
fn a_limit_says_its_quota_as_the_burst_and_the_time_to_fill_it() {
    for (rate, burst, policy) in [
        ("100/min", None, "\"per_user\";q=100;w=60"),
        ("1000000/s", Some(1_000_000), "\"per_user\";q=1000000;w=1"),
        ("10/s", Some(100), "\"per_user\";q=100;w=10"),
        ("100/s", Some(1), "\"per_user\";q=1;w=1"),
        ("7/s", Some(10), "\"per_user\";q=10;w=2"),
        ("5000/h", None, "\"per_user\";q=5000;w=3600"),
    ] {
        let rule = Rule::new(Settings {
            burst,
            ..settings(rate)
        })
        .unwrap();
        assert_eq!(
            rule.tier(None).structured(),
            format!("RateLimit-Policy: {policy}\r\nRateLimit: \"per_user\";r=")
        );
    }
}

#[test]
fn a_tier_has_its_own_count_as_burst_or_the_given_burst_in_proportion() {
    let listed = tiers(&[
        ("free", "100/min"),
        ("premium", "5000/h"),
        ("bulk", "1/day"),
    ]);
    for (burst, cost, bursts) in [
        (None, 1, [10, 100, 5000, 1]),
        (Some(40), 3, [40, 400, 333, 3]),
    ] {
        let rule = Rule::new(Settings {
            burst,
            cost,
            tiers: listed.clone(),
            ..settings("10/min")
        });
        let rule = rule.unwrap();
        let names = [None, Some("free"), Some("premium"), Some("bulk")];
        let told = names.map(|name| rule.tier(name).terms().plan.burst());
        assert_eq!(told, bursts);
        assert_eq!(rule.tier(Some("gold")).terms(), rule.tier(None).terms());
        let number = rule.tier(Some("premium")).terms().tier;
        assert_eq!(rule.tier_numbered(number).terms().plan.burst(), bursts[2]);
    }
}

#[test]
fn every_problem_is_told_with_its_key() {
    let problems = Rule::new(Settings {
        burst: Some(0),
        cost: 0,
        status: 200,
        max_keys: 0,
        tiers: tiers(&[("a", "1/s"), ("a", "2/s")]),
        ..settings("10/s")
    })
    .unwrap_err();
    let mut keys: Vec<_> = problems.iter().map(|problem| problem.key).collect();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys, ["burst", "cost", "max_keys", "status", "tiers"]);

    let dear = Rule::new(Settings {
        cost: 11,
        ..settings("10/s")
    })
    .unwrap_err();
    assert_eq!(dear.len(), 1);
    assert_eq!(dear[0].key, "cost");
    let tier = Rule::new(Settings {
        cost: 5,
        tiers: tiers(&[("free", "2/s")]),
        ..settings("10/s")
    });
    assert!(tier.unwrap_err()[0].what.contains("tier `free`"));
}

#[test]
fn limits_by_address_alone_run_before_authentication() {
    for (key, listed, before) in [
        ("ip", &[][..], true),
        ("ip+route", &[], true),
        ("ip", &[("free", "1/s")], false),
        ("ip+claim:sub", &[], false),
        ("global", &[], false),
    ] {
        let rule = Rule::new(Settings {
            key: Key::parse(key).unwrap(),
            tiers: tiers(listed),
            ..settings("10/s")
        });
        assert_eq!(rule.unwrap().address_keyed(), before, "{key}");
    }
}

#[test]
fn a_rule_says_what_it_does() {
    let rule = Rule::new(Settings {
        mode: Mode::Shadow,
        tiers: tiers(&[("free", "5/s")]),
        ..settings("10/s")
    });
    let said = rule.unwrap().to_string();
    assert_eq!(
        said,
        "per_user: token bucket of 10/s, burst 10, by ip, tier free burst 5 (shadow)"
    );
}

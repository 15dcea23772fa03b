//! The header lines, byte by byte.

use super::*;
use crate::limit::{Key, Settings};
use policy_keys::Rate;

const SECOND: u64 = 1_000_000_000;

fn rule(name: &str, rate: &str, headers: HeaderStyle) -> Arc<Rule> {
    let rate = Rate::parse(rate).unwrap();
    let settings = Settings::new(name.into(), rate, Key::parse("ip").unwrap());
    Arc::new(
        Rule::new(Settings {
            headers,
            ..settings
        })
        .unwrap(),
    )
}

fn admitted(remaining: u64) -> Taken {
    Taken::paid(remaining)
}

fn headers(asked: &[(&Arc<Rule>, Taken)]) -> String {
    let mut outcomes = LimitOutcomes::new();
    for (rule, taken) in asked {
        outcomes.note(rule.tier(None), taken, 5 * SECOND);
    }
    let mut out = Vec::new();
    outcomes.write_headers(asked.iter().map(|(rule, _)| *rule), &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn an_admitted_request_is_told_what_is_left() {
    let rule = rule("per_user", "100/min", HeaderStyle::Ietf);
    assert_eq!(
        headers(&[(&rule, admitted(80))]),
        "RateLimit-Policy: \"per_user\";q=100;w=60\r\n\
         RateLimit: \"per_user\";r=80;t=12\r\n\
         RateLimit-Limit: 100\r\n\
         RateLimit-Remaining: 80\r\n\
         RateLimit-Reset: 12\r\n"
    );
    assert!(headers(&[(&rule, admitted(100))]).contains("r=100;t=0\r\n"));
    assert!(headers(&[(&rule, admitted(99))]).contains("r=99;t=1\r\n"));
}

#[test]
fn a_refused_request_is_told_when_to_come_again() {
    let rule = rule("per_user", "100/min", HeaderStyle::Ietf);
    for (refilled_at, seconds) in [
        (5 * SECOND, 1),
        (5 * SECOND + 1, 1),
        (6 * SECOND, 1),
        (6 * SECOND + 1, 2),
        (65 * SECOND, 60),
    ] {
        let told = headers(&[(&rule, Taken::refused(0, refilled_at))]);
        assert!(told.contains(&format!("r=0;t={seconds}\r\n")), "{told}");
        assert!(
            told.contains(&format!("RateLimit-Reset: {seconds}\r\n")),
            "{told}"
        );
    }
}

#[test]
fn styles_are_told_apart_and_the_tightest_limit_gives_the_plain_lines() {
    let wide = rule("wide", "1000/min", HeaderStyle::Ietf);
    let tight = rule("tight", "10/min", HeaderStyle::Ietf);
    let legacy = rule("legacy", "5/s", HeaderStyle::X);
    let silent = rule("silent", "1/s", HeaderStyle::Off);
    let asked = [
        (&wide, admitted(900)),
        (&tight, admitted(7)),
        (&legacy, admitted(3)),
        (&silent, admitted(0)),
    ];
    assert_eq!(
        headers(&asked),
        "RateLimit-Policy: \"wide\";q=1000;w=60\r\n\
         RateLimit: \"wide\";r=900;t=6\r\n\
         RateLimit-Policy: \"tight\";q=10;w=60\r\n\
         RateLimit: \"tight\";r=7;t=18\r\n\
         RateLimit-Limit: 10\r\n\
         RateLimit-Remaining: 7\r\n\
         RateLimit-Reset: 18\r\n\
         X-RateLimit-Limit: 5\r\n\
         X-RateLimit-Remaining: 3\r\n\
         X-RateLimit-Reset: 1\r\n"
    );
    let refused = [
        (&wide, Taken::refused(2, 8 * SECOND)),
        (&tight, admitted(1)),
    ];
    assert!(headers(&refused).contains("RateLimit-Remaining: 2\r\nRateLimit-Reset: 3\r\n"));
}

#[test]
fn silent_and_shadow_limits_and_those_not_asked_are_not_told() {
    let silent = rule("silent", "5/s", HeaderStyle::Off);
    assert_eq!(headers(&[(&silent, admitted(0))]), "");
    assert_eq!(headers(&[]), "");

    let rate = Rate::parse("1/s").unwrap();
    let settings = Settings::new("dark".into(), rate, Key::parse("ip").unwrap());
    let shadow = Rule::new(Settings {
        mode: Mode::Shadow,
        ..settings
    })
    .unwrap();
    let told = headers(&[(&Arc::new(shadow), Taken::refused(0, 9 * SECOND))]);
    assert_eq!(told, "");

    let mut outcomes = LimitOutcomes::new();
    outcomes.note(silent.tier(None), &admitted(4), 0);
    let other = rule("other", "1/s", HeaderStyle::Ietf);
    let mut out = Vec::new();
    outcomes.write_headers([&other].into_iter(), &mut out);
    assert!(out.is_empty());
    assert_eq!(outcomes.remaining(), Some(4));
    outcomes.clear();
    assert_eq!(outcomes.remaining(), None);
}

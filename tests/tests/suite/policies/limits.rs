//! Token buckets: what is admitted, exactly; what clients are told; what is counted apart.
//!
//! Rates are by the day, so that nothing refills while a test runs; where something must refill, the
//! bound is taken from the time that really passed.

use std::fmt::Write as _;
use std::time::Instant;

use serde_json::json;
use tests::metrics::{self, Metrics};
use tests::token::{self, SECRET};
use tests::{Answer, Gateway, Origin, Peer};

mod exact;

/// A public route for every path that answers by itself, and a limit `l` on it.
#[track_caller]
fn limited(limit: &str, more: &str) -> Gateway {
    Gateway::start(format!(
        "{more}\n[limit.l]\n{limit}\n[route.all]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200 ok\"\nlimits = [\"l\"]\n"
    ))
}

/// Asks with these field lines, again and again, until refused: how often it passed.
#[track_caller]
fn admitted(peer: &mut Peer, fields: &str) -> usize {
    (0..50)
        .find(|_| peer.ask(super::get(fields)).status != 200)
        .expect("it is refused some time")
}

/// The number of a field.
#[track_caller]
fn number(answer: &Answer, name: &str) -> u64 {
    let value = answer.field(name).unwrap_or_else(|| panic!("no {name}"));
    value.parse().unwrap_or_else(|_| panic!("{name}: {value}"))
}

#[test]
fn clients_are_told_where_they_stand() {
    let gateway = limited("rate = \"4/day\"", "");
    let mut peer = gateway.peer();
    for remaining in (0..4_u64).rev() {
        let reset = (4 - remaining) * 21_600;
        let answer = peer.get("/a");
        answer
            .is(200)
            .has("ratelimit-policy", "\"l\";q=4;w=86400")
            .has("ratelimit", &format!("\"l\";r={remaining};t={reset}"))
            .has("ratelimit-limit", "4")
            .has("ratelimit-remaining", &remaining.to_string())
            .has("ratelimit-reset", &reset.to_string())
            .lacks("retry-after");
    }
    let answer = peer.get("/a");
    answer.problem(429, "/a", "Too many requests");
    let wait = number(&answer, "retry-after");
    assert!((21_000..=21_600).contains(&wait), "{wait}");
    answer
        .has("ratelimit-policy", "\"l\";q=4;w=86400")
        .has("ratelimit", &format!("\"l\";r=0;t={wait}"))
        .has("ratelimit-limit", "4")
        .has("ratelimit-remaining", "0")
        .has("ratelimit-reset", &wait.to_string())
        .lacks("connection")
        .lacks("www-authenticate");
    metrics::wait(
        &gateway,
        "gateway_rate_limit_exceeded_total{limit=\"l\"}",
        1.0,
    );
    assert!(
        gateway.said().iter().all(|line| !line.contains("audit")),
        "a used-up limit is no matter for the audit log"
    );
}

#[test]
fn the_other_styles_of_headers() {
    let gateway = limited("rate = \"1/day\"\nheaders = \"x\"", "");
    let mut peer = gateway.peer();
    let answer = peer.get("/a");
    answer.is(200).lacks("ratelimit").lacks("ratelimit-limit");
    answer
        .has("x-ratelimit-limit", "1")
        .has("x-ratelimit-remaining", "0")
        .has("x-ratelimit-reset", "86400");
    let gateway = limited("rate = \"1/day\"\nheaders = \"off\"", "");
    let mut peer = gateway.peer();
    for status in [200, 429] {
        let answer = peer.get("/a");
        answer.is(status);
        for name in [
            "ratelimit",
            "ratelimit-policy",
            "ratelimit-limit",
            "x-ratelimit-limit",
        ] {
            answer.lacks(name);
        }
        assert_eq!(answer.field("retry-after").is_some(), status == 429);
    }
}

#[test]
fn an_upstreams_own_limit_headers_do_not_mix_with_ours() {
    let origin =
        Origin::always("HTTP/1.1 200 OK\r\nRateLimit-Remaining: 99\r\nContent-Length: 0\r\n\r\n");
    let gateway = Gateway::start(format!(
        "[upstream.u]\nendpoints = [\"{}\"]\n[limit.l]\nrate = \"2/day\"\n\
         [route.a]\npath = \"/*\"\nupstream = \"u\"\nauth = \"none\"\nlimits = [\"l\"]\n",
        origin.address
    ));
    let answer = gateway.get("/a");
    let values: Vec<&str> = answer.message.values("ratelimit-remaining").collect();
    assert!(values.contains(&"1"), "{values:?}");
    // Two values of a field that holds one: a client would take either.
    assert_eq!(values.len(), 1, "{values:?}");
}

#[test]
fn burst_is_apart_from_rate() {
    let gateway = limited("rate = \"1/day\"\nburst = 7", "");
    assert_eq!(admitted(&mut gateway.peer(), ""), 7);
    gateway.get("/a").is(429);
}

#[test]
fn what_one_request_costs() {
    let gateway = limited("rate = \"10/day\"\ncost = 3", "");
    assert_eq!(admitted(&mut gateway.peer(), ""), 3);
}

#[test]
fn a_limit_may_refuse_with_another_status() {
    let gateway = limited("rate = \"1/day\"\nstatus = 503", "");
    let mut peer = gateway.peer();
    peer.get("/a").is(200);
    let answer = peer.get("/a");
    answer.is(503);
    assert!(number(&answer, "retry-after") > 0);
}

#[test]
fn a_shadow_limit_only_counts() {
    let gateway = limited("rate = \"2/day\"\nmode = \"shadow\"", "");
    let mut peer = gateway.peer();
    for _ in 0..5 {
        peer.get("/a")
            .is(200)
            .lacks("ratelimit")
            .lacks("retry-after");
    }
    metrics::wait(
        &gateway,
        "gateway_rate_limit_shadowed_total{limit=\"l\"}",
        3.0,
    );
    let exceeded = Metrics::of(&gateway).value("gateway_rate_limit_exceeded_total{limit=\"l\"}");
    assert!(exceeded.unwrap_or(0.0) == 0.0, "{exceeded:?}");
}

#[test]
fn two_limits_and_both_are_told() {
    let gateway = Gateway::start(
        "[limit.wide]\nrate = \"10/day\"\n[limit.narrow]\nrate = \"2/day\"\nkey = \"global\"\n\
         [route.all]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200 ok\"\nlimits = [\"wide\", \"narrow\"]\n",
    );
    let mut peer = gateway.peer();
    let answer = peer.get("/a");
    let policies: Vec<&str> = answer.message.values("ratelimit-policy").collect();
    let policies = policies.join(", ");
    assert!(policies.contains("\"wide\";q=10;w=86400"), "{policies}");
    assert!(policies.contains("\"narrow\";q=2;w=86400"), "{policies}");
    answer
        .has("ratelimit-limit", "2")
        .has("ratelimit-remaining", "1");
    peer.get("/a").is(200).has("ratelimit-remaining", "0");
    peer.get("/a").is(429);
    metrics::wait(
        &gateway,
        "gateway_rate_limit_exceeded_total{limit=\"narrow\"}",
        1.0,
    );
}

#[test]
fn by_address() {
    let gateway = limited(
        "rate = \"2/day\"\nkey = \"ip\"",
        "[gateway]\nworkers = 1\npin = false\ntrusted_proxies = [\"127.0.0.1/32\"]\n",
    );
    let mut peer = gateway.peer();
    for client in [
        "192.0.2.1",
        "192.0.2.2",
        "9.9.9.9, 192.0.2.3",
        "::ffff:192.0.2.4",
    ] {
        let fields = format!("X-Forwarded-For: {client}\r\n");
        assert_eq!(admitted(&mut peer, &fields), 2, "{client}");
    }
    // The same addresses, written otherwise or with other lies before them.
    for client in ["9.9.9.8, 192.0.2.3", "192.0.2.4", "1.1.1.1, 192.0.2.1"] {
        let fields = format!("X-Forwarded-For: {client}\r\n");
        assert_eq!(admitted(&mut peer, &fields), 0, "{client}");
    }
}

#[test]
fn a_stranger_can_not_choose_its_bucket() {
    let gateway = limited("rate = \"2/day\"\nkey = \"ip\"", "");
    let mut peer = gateway.peer();
    assert_eq!(admitted(&mut peer, "X-Forwarded-For: 192.0.2.1\r\n"), 2);
    assert_eq!(
        admitted(&mut gateway.peer(), "X-Forwarded-For: 192.0.2.2\r\n"),
        0
    );
}

#[test]
fn by_header_and_cookie() {
    let gateway = limited("rate = \"2/day\"\nkey = \"header:X-Client\"", "");
    let mut peer = gateway.peer();
    for fields in ["X-Client: a\r\n", "x-client: b\r\n", "X-Client: aa\r\n"] {
        assert_eq!(admitted(&mut peer, fields), 2, "{fields}");
    }
    assert_eq!(admitted(&mut peer, "X-CLIENT: a\r\n"), 0);
    // Without the header there is one bucket for all, not none.
    assert_eq!(admitted(&mut peer, ""), 2);
    let gateway = limited("rate = \"2/day\"\nkey = \"cookie:sid\"", "");
    let mut peer = gateway.peer();
    assert_eq!(admitted(&mut peer, "Cookie: sid=a\r\n"), 2);
    assert_eq!(admitted(&mut peer, "Cookie: x=1; sid=b; y=2\r\n"), 2);
    assert_eq!(admitted(&mut peer, "Cookie: y=2; sid=b\r\n"), 0);
}

#[test]
fn joined_keys_do_not_run_into_each_other() {
    let gateway = limited("rate = \"1/day\"\nkey = \"header:A + header:B\"", "");
    let mut peer = gateway.peer();
    for (a, b) in [
        ("x", "y"),
        ("xy", ""),
        ("", "xy"),
        ("x+y", ""),
        ("x", "+y"),
        ("y", "x"),
    ] {
        assert_eq!(
            admitted(&mut peer, &format!("A: {a}\r\nB: {b}\r\n")),
            1,
            "{a} {b}"
        );
        assert_eq!(
            admitted(&mut peer, &format!("A: {a}\r\nB: {b}\r\n")),
            0,
            "{a} {b}"
        );
    }
}

#[test]
fn by_route_and_over_all() {
    let of = |name: &str, key: &str| format!("[limit.{name}]\nrate = \"2/day\"\nkey = \"{key}\"\n");
    let mut text = of("route", "route") + &of("global", "global");
    for (name, limit) in [
        ("a", "route"),
        ("b", "route"),
        ("c", "global"),
        ("d", "global"),
    ] {
        let _ = write!(
            text,
            "[route.{name}]\npath = \"/{name}\"\nauth = \"none\"\nrespond = \"200\"\nlimits = [\"{limit}\"]\n"
        );
    }
    let gateway = Gateway::start(text);
    let mut peer = gateway.peer();
    for (path, statuses) in [
        ("/a", [200, 200, 429]),
        ("/b", [200, 200, 429]),
        ("/c", [200, 200, 429]),
        ("/d", [429, 429, 429]),
    ] {
        for status in statuses {
            peer.get(path).is(status);
        }
    }
}

/// A gateway with a token's limit behind authentication.
#[track_caller]
fn by_identity(limit: &str) -> (Origin, Gateway) {
    let origin = Origin::saying("hi");
    let auth = format!("kind = \"jwt\"\nsecret = \"{SECRET}\"");
    let route = format!("limits = [\"l\"]\n[limit.l]\n{limit}\n");
    let gateway = super::guarded(origin.address, &auth, &route).start();
    (origin, gateway)
}

fn token_of(subject: &str, tenant: &str, tier: &str) -> String {
    let mut claims = token::claims(subject);
    claims["tenant"] = json!(tenant);
    claims["tier"] = json!(tier);
    format!("Authorization: Bearer {}\r\n", token::hs256(&claims))
}

#[test]
fn by_claim_and_tenant() {
    let (_, gateway) = by_identity("rate = \"2/day\"\nkey = \"claim:sub\"");
    let mut peer = gateway.peer();
    assert_eq!(admitted(&mut peer, &token_of("ada", "t", "")), 2);
    assert_eq!(admitted(&mut peer, &token_of("bob", "t", "")), 2);
    assert_eq!(admitted(&mut peer, &token_of("ada", "u", "x")), 0);
    let (_, gateway) = by_identity("rate = \"2/day\"\nkey = \"tenant\"");
    let mut peer = gateway.peer();
    assert_eq!(admitted(&mut peer, &token_of("ada", "t", "")), 2);
    assert_eq!(admitted(&mut peer, &token_of("bob", "t", "")), 0);
    assert_eq!(admitted(&mut peer, &token_of("bob", "u", "")), 2);
}

#[test]
fn tiers_have_rates_of_their_own() {
    let limit = "rate = \"2/day\"\nkey = \"claim:sub\"\ntiers = [\"gold=6/day\", \"free=1/day\"]";
    let (_, gateway) = by_identity(limit);
    let mut peer = gateway.peer();
    let answer = peer.ask(super::get(&token_of("zoe", "", "gold")));
    answer
        .is(200)
        .has("ratelimit-policy", "\"l\";q=6;w=86400")
        .has("ratelimit-remaining", "5");
    assert_eq!(admitted(&mut peer, &token_of("ada", "", "gold")), 6);
    assert_eq!(admitted(&mut peer, &token_of("bob", "", "free")), 1);
    assert_eq!(admitted(&mut peer, &token_of("cyd", "", "other")), 2);
}

#[test]
fn a_consumers_tier_and_name() {
    let origin = Origin::saying("hi");
    // The hashes of "abc" and "".
    let more = "limits = [\"l\"]\n[limit.l]\nrate = \"2/day\"\nkey = \"consumer\"\ntiers = [\"gold=5/day\"]\n\
        [consumer.one]\nkeys = [\"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"]\ntier = \"gold\"\n\
        [consumer.two]\nkeys = [\"sha256:cb8379ac2098aa165029e3938a51da0bcecfc008fd6795f401178647f96c5b34\"]\n";
    let gateway = super::guarded(origin.address, "kind = \"api_key\"", more).start();
    let mut peer = gateway.peer();
    assert_eq!(admitted(&mut peer, "X-API-Key: abc\r\n"), 5);
    assert_eq!(admitted(&mut peer, "X-API-Key: def\r\n"), 2);
    assert_eq!(origin.received().len(), 7);
}

#[test]
fn address_keyed_limits_come_before_authentication_others_after() {
    let (origin, gateway) = by_identity("rate = \"2/day\"\nkey = \"ip\"");
    let mut peer = gateway.peer();
    peer.get("/a").is(401);
    peer.get("/a").is(401);
    peer.get("/a").is(429);
    peer.ask(super::get(&token_of("ada", "", ""))).is(429);
    super::untouched(&origin);
    let (_, gateway) = by_identity("rate = \"2/day\"\nkey = \"global\"");
    let mut peer = gateway.peer();
    for _ in 0..3 {
        peer.get("/a").is(401).lacks("ratelimit");
    }
    assert_eq!(admitted(&mut peer, &token_of("ada", "", "")), 2);
    peer.get("/a").is(401);
}

#[test]
fn what_was_counted_survives_a_reload() {
    let gateway = limited("rate = \"3/day\"", "");
    let mut peer = gateway.peer();
    assert_eq!(admitted(&mut peer, ""), 3);
    gateway.rewrite(&gateway.text().replace("200 ok", "200 new"));
    gateway.signal("HUP");
    gateway.wait_said("is live, generation 2", 0);
    peer.get("/a").is(429);
    gateway.peer().get("/a").is(429);
}

#[test]
fn forgotten_keys_are_never_admitted_again() {
    let gateway = limited("rate = \"1/day\"\nkey = \"header:K\"\nmax_keys = 64", "");
    let mut peer = gateway.peer();
    let ask = |peer: &mut Peer, key: usize| peer.ask(super::get(&format!("K: {key}\r\n"))).status;
    let mut passed = Vec::new();
    for key in 0..1_000 {
        if ask(&mut peer, key) == 200 {
            passed.push(key);
        }
    }
    assert!(passed.len() > 64, "{} of 1000 keys", passed.len());
    for key in passed {
        assert_eq!(ask(&mut peer, key), 429, "key {key} twice in a day");
    }
    let keys = Metrics::of(&gateway).value("gateway_rate_limit_keys{limit=\"l\"}");
    assert!(keys.is_some_and(|keys| keys <= 64.0), "{keys:?}");
}

#[test]
fn never_more_than_burst_and_what_has_refilled() {
    let gateway = limited("rate = \"500/s\"\nburst = 20", "");
    let start = Instant::now();
    let mut peer = gateway.peer();
    let passed = (0..3_000).filter(|_| peer.get("/a").status == 200).count();
    let most = 20.0 + 500.0 * start.elapsed().as_secs_f64();
    assert!(passed as f64 <= most, "{passed} of {most}");
    assert!(passed >= 20, "{passed}");
    // And it does refill: waiting as long as told, or a little longer, lets one pass.
    while peer.get("/a").status != 200 {
        assert!(start.elapsed() < tests::PATIENCE, "it never refills");
    }
}

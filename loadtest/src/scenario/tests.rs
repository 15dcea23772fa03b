//! Tests of whole scenarios: what is read, what is sent, every problem in one pass.

use super::*;
use expect_test::{Expect as Snapshot, expect};
use proptest::prelude::*;

fn parse(text: &str) -> Scenario {
    Scenario::parse(text, "test.toml", Path::new("")).unwrap_or_else(|why| panic!("{}", show(&why)))
}

fn single(url: &str, over: &Overrides) -> Scenario {
    Scenario::single(url, over).unwrap_or_else(|why| panic!("{}", show(&why)))
}

/// The first requests of one worker alone.
fn requests(scenario: &Scenario, count: usize) -> Vec<String> {
    let mut generator = scenario.generator(0, 1, 1_000_000);
    let one = |_| {
        let mut out = Vec::new();
        generator.next(&mut out);
        String::from_utf8(out).expect("text")
    };
    (0..count).map(one).collect()
}

fn problems(text: &str, expected: Snapshot) {
    let problems = Scenario::parse(text, "test.toml", Path::new("")).expect_err("problems");
    expected.assert_eq(&show(&problems));
}

fn flags(over: &Overrides, expected: Snapshot) {
    let problems = Scenario::single("http://h", over).expect_err("problems");
    expected.assert_eq(&show(&problems));
}

#[test]
fn a_plain_url_is_one_request_over_and_over() {
    let scenario = single("http://127.0.0.1:8080/a?b=c", &Overrides::default());
    assert_eq!(
        requests(&scenario, 1)[0],
        "GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"
    );
    assert_eq!(scenario.target.host, "127.0.0.1");
    assert_eq!(scenario.target.port, 8080);
    assert_eq!(
        scenario.load,
        Load::Closed {
            connections: 64,
            requests: None,
            duration: Some(Duration::from_secs(10)),
            think: None
        }
    );
    assert!(scenario.templates[0].expect().is_plain());
}

#[test]
fn a_url_may_have_values_and_ipv6() {
    let scenario = single("http://[::1]/i/{id:7..7}", &Overrides::default());
    assert_eq!(
        requests(&scenario, 1)[0],
        "GET /i/7 HTTP/1.1\r\nHost: [::1]\r\n\r\n"
    );
    assert_eq!(scenario.target.host, "::1");
    assert_eq!(scenario.target.port, 80);
}

#[test]
fn a_url_without_a_path_asks_for_the_root() {
    for (url, path) in [
        ("http://h", "/"),
        ("http://h?a=b", "/?a=b"),
        ("http://h/", "/"),
    ] {
        let scenario = single(url, &Overrides::default());
        let expected = format!("GET {path} HTTP/1.1\r\nHost: h\r\n\r\n");
        assert_eq!(requests(&scenario, 1)[0], expected);
    }
}

#[test]
fn the_path_of_the_target_goes_before_each_request_s() {
    let path = |url: &str, path: &str| {
        let text = format!("[target]\nurl = \"{url}\"\n[request.a]\npath = \"{path}\"\n");
        let scenario = Scenario::parse(&text, "test.toml", Path::new("")).ok()?;
        let request = requests(&scenario, 1).remove(0);
        request.split(' ').nth(1).map(str::to_owned)
    };
    assert_eq!(path("http://h/api/", "/x").as_deref(), Some("/api/x"));
    assert_eq!(path("http://h", "/x?y={{z}").as_deref(), Some("/x?y={z}"));
    assert_eq!(path("http://h/api?x=y", "/x"), None);
    assert_eq!(path("http://h", "x"), None);
    assert_eq!(path("http://h", "/a b"), None);
    assert_eq!(path("http://h", "/ä"), None);
    assert_eq!(path("http://h", "/a#b"), None);
    assert_eq!(path("http://h", "/{a:b c|d}"), None);
}

#[test]
fn the_command_line_makes_a_whole_request() {
    let over = Overrides {
        method: Some("POST".into()),
        headers: vec!["X-A: 1".into(), "Host: other".into()],
        body: Some("{\"n\":\"{n:5..5}\"}".into()),
        rate: Some("20k/s".into()),
        duration: Some("1m".into()),
        connections: Some("2k".into()),
        thresholds: vec!["p99 < 2ms".into()],
        expect_status: Some("201,3xx".into()),
        ..Overrides::default()
    };
    let scenario = single("http://h/x", &over);
    assert_eq!(
        requests(&scenario, 1)[0],
        "POST /x HTTP/1.1\r\nX-A: 1\r\nHost: other\r\nContent-Length: 9\r\n\r\n{\"n\":\"5\"}"
    );
    let stage = Stage {
        duration: Duration::from_secs(60),
        from_rate: 20e3,
        to_rate: 20e3,
    };
    assert_eq!(
        scenario.load,
        Load::Open {
            stages: vec![stage],
            connections: 2000
        }
    );
    assert_eq!(scenario.thresholds[0].text, "p99 < 2ms");
    let expect = scenario.templates[0].expect();
    assert_eq!(expect.check(201, b"", None), Ok(()));
    assert_eq!(expect.check(200, b"", None), Err(Unmet::Status(200)));
}

const WHOLE: &str = r#"
[target]
url = "http://127.0.0.1:8080/v1"

[load]
connections = 8
requests = "10k"
think = "1ms..2ms"
seed = 7

[request.get_item]
weight = 9
path = "/items/{id:1..10000}"
headers = { Accept = "application/json", X-Trace = "{uuid}" }
expect_status = [200, "3xx"]

[request.make]
method = "POST"
path = "/items"
headers = ["Content-Type: application/json"]
body = '{"id": "{order:counter:100..}", "color": "{c:red|green}"}'
expect_status = 201
expect_headers = { location = "/items/*" }
expect_body = "created"
think = "0s"

[threshold]
p99 = "< 2ms"
"p99.9" = "< 10ms"
errors = "== 0"
rate = ">= 50k/s"

[threshold.make]
max = "< 1s"
"#;

#[test]
fn a_whole_scenario_is_read() {
    let scenario = parse(WHOLE);
    let names: Vec<&str> = scenario.templates.iter().map(Template::name).collect();
    assert_eq!(names, ["get_item", "make"]);
    let texts: Vec<&str> = scenario
        .thresholds
        .iter()
        .map(|it| it.text.as_str())
        .collect();
    assert_eq!(
        texts,
        [
            "p99 < 2ms",
            "p99.9 < 10ms",
            "errors == 0",
            "rate >= 50k/s",
            "make.max < 1s"
        ]
    );
    assert!(matches!(
        scenario.load,
        Load::Closed {
            connections: 8,
            requests: Some(10_000),
            duration: None,
            think: Some(_)
        }
    ));
    let mut generator = scenario.generator(0, 1, 0);
    let pause = generator.think(0);
    assert!((Duration::from_millis(1)..=Duration::from_millis(2)).contains(&pause));
    assert_eq!(generator.think(1), Duration::ZERO);
}

#[test]
fn what_is_sent_follows_from_the_seed() {
    let (first, again) = (requests(&parse(WHOLE), 50), requests(&parse(WHOLE), 50));
    assert_eq!(first, again);
    let other = requests(&parse(&WHOLE.replace("seed = 7", "seed = 8")), 50);
    assert_ne!(first, other);
    let get = |it: &&String| it.starts_with("GET /v1/items/");
    assert!(first.iter().filter(get).count() > 35);
    let posts: Vec<&String> = first.iter().filter(|it| it.starts_with("POST")).collect();
    for (at, post) in posts.iter().enumerate() {
        assert!(
            post.contains(&format!("{{\"id\": \"{}\", \"color\": \"", at + 100)),
            "{post}"
        );
        let (head, body) = post.split_once("\r\n\r\n").expect("a head");
        assert!(
            head.ends_with(&format!("Content-Length: {}", body.len())),
            "{post}"
        );
    }
}

#[test]
fn a_target_alone_asks_for_its_url() {
    let scenario = parse("[target]\nurl = \"http://h/a\"\n[load]\nduration = \"1s\"\n");
    assert_eq!(
        requests(&scenario, 1)[0],
        "GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
    );
}

/// What the documents and the examples show is read; their files are stand-ins.
#[test]
fn what_is_shown_elsewhere_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let key = include_bytes!("token/key/data/rsa-pkcs1.pem");
    std::fs::write(folder.path().join("key.pem"), key).expect("written");
    for name in ["tokens.txt", "ids.txt", "order.json"] {
        std::fs::write(folder.path().join(name), "abc\n").expect("written");
    }
    let room = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts = Vec::new();
    for entry in std::fs::read_dir(room.join("scenarios")).expect("examples") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|it| it == "toml") {
            texts.push(std::fs::read_to_string(path).expect("text"));
        }
    }
    assert!(texts.len() >= 3);
    let document = std::fs::read_to_string(room.join("../docs/load-testing.md")).expect("text");
    let blocks = document.split("```toml\n").skip(1);
    let blocks = blocks.filter_map(|it| it.split_once("```").map(|(block, _)| block));
    // The gateway's own configuration is shown, too.
    texts.extend(blocks.filter(|it| !it.contains("[listener.")).map(|block| {
        let target = "[target]\nurl = \"http://h\"\n";
        let whole = block.contains("[target]");
        let request = !whole && !block.contains('[');
        match (whole, request) {
            (true, _) => block.to_owned(),
            (false, false) => format!("{target}{block}"),
            (false, true) => format!("{target}[request.a]\n{block}"),
        }
    }));
    for text in texts {
        let text = text.replace("${TOKEN_SECRET}", "secret");
        let read = Scenario::parse(&text, "shown", folder.path());
        assert!(
            read.is_ok(),
            "{text}\n{}",
            show(&read.expect_err("problems"))
        );
    }
}

#[test]
fn every_problem_is_told_in_one_pass() {
    problems(
        r#"
[targt]
url = "http://127.0.0.1:8080"

[load]
conections = 64
duration = 30
rate = "fast"

[token.users]
algorithm = "RS265"
key = "geheim"

[request.get item]
path = "/"

[request.get]
weight = -1
method = "get"
path = "/items/{idd}/{token.user}/{id:9..1}"
headers = { Authorization = "a\r\nb", "X Y" = "1", Content-Length = "5" }
expect_status = [200, "20x"]
expct_body = "x"
body = "a"
body_size = "1KB"

[threshold]
p99 = "2ms"
errros = "== 0"
rate = ">= fast"

[threshold.post]
p50 = "< 1ms"
"#,
        expect![[r#"
            test.toml:2:2: error: there is no kind `targt`
              |
            2 | [targt]
              |  ^^^^^
              = did you mean `target`?
              = the kinds are [target], [load], [token.NAME], [request.NAME] and [threshold]

            test.toml:6:1: error: unknown key `conections`
              |
            6 | conections = 64
              | ^^^^^^^^^^
              = did you mean `connections`?

            test.toml:7:12: error: expected a duration such as "250ms", "10s" or "5m", found 30
              |
            7 | duration = 30
              |            ^^
              = say the unit: "30s" or "30ms"

            test.toml:8:8: error: expected a rate such as "20000/s", "20k/s" or "90/min", found "fast"
              |
            8 | rate = "fast"
              |        ^^^^^^

            test.toml:11:13: error: there is no algorithm `RS265` here
               |
            11 | algorithm = "RS265"
               |             ^^^^^^^
               = did you mean `RS256`?
               = the algorithms are HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA

            test.toml:14:13: error: unclosed table, expected `]`
               |
            14 | [request.get item]
               |             ^

            test.toml:18:10: error: expected a number such as 100000 or "100k", found -1
               |
            18 | weight = -1
               |          ^^

            test.toml:19:10: error: methods are told apart by case: `get`
               |
            19 | method = "get"
               |          ^^^^^
               = write "GET"

            test.toml:20:16: error: there is no value `idd`
               |
            20 | path = "/items/{idd}/{token.user}/{id:9..1}"
               |                ^^^^^
               = say what it is, as in `{idd:1..10000}` or `{idd:a|b|c}`; write `{{` for a brace itself

            test.toml:20:22: error: there are no tokens `user`
               |
            20 | path = "/items/{idd}/{token.user}/{id:9..1}"
               |                      ^^^^^^^^^^^^
               = did you mean `users`?
               = tokens are described in [token.user]

            test.toml:20:35: error: the range `9..1` ends before it begins
               |
            20 | path = "/items/{idd}/{token.user}/{id:9..1}"
               |                                   ^^^^^^^^^

            test.toml:21:29: error: '\r' can't stand here
               |
            21 | headers = { Authorization = "a\r\nb", "X Y" = "1", Content-Length = "5" }
               |                             ^^^^^^^^
               = a line break there would begin another header; nothing of the kind is sent

            test.toml:21:39: error: "X Y" is not a header's name
               |
            21 | headers = { Authorization = "a\r\nb", "X Y" = "1", Content-Length = "5" }
               |                                       ^^^^^
               = names are letters, digits and - _ . and a few other signs

            test.toml:21:52: error: `Content-Length` can't be set
               |
            21 | headers = { Authorization = "a\r\nb", "X Y" = "1", Content-Length = "5" }
               |                                                    ^^^^^^^^^^^^^^
               = the length of the body is counted and sent by the generator

            test.toml:22:23: error: expected a status such as 200, "2xx" or "200..299", found "20x"
               |
            22 | expect_status = [200, "20x"]
               |                       ^^^^^

            test.toml:23:1: error: unknown key `expct_body`
               |
            23 | expct_body = "x"
               | ^^^^^^^^^^
               = did you mean `expect_body`?

            test.toml:25:13: error: there is a `body` as well as this `body_size`
               |
            25 | body_size = "1KB"
               |             ^^^^^
               = a request has one body

            test.toml:28:7: error: `2ms` does not begin with <, <=, >, >=, == or !=
               |
            28 | p99 = "2ms"
               |       ^^^^^

            test.toml:29:10: error: `errros` is nothing that is measured
               |
            29 | errros = "== 0"
               |          ^^^^^^
               = did you mean `errors`?
               = the metrics are p50, p99, p99.9 and the like, mean, min, max (each also with service_, first_byte_ or connect_ before it), errors, requests and rate

            test.toml:30:8: error: `fast` is not a rate such as 50k/s
               |
            30 | rate = ">= fast"
               |        ^^^^^^^^^

            test.toml:32:12: error: there is no request `post`
               |
            32 | [threshold.post]
               |            ^^^^

            21 problems
        "#]],
    );
}

#[test]
fn errors_of_syntax_do_not_hide_others() {
    problems(
        "[target]\nurl = http://h\n[load]\nconnections = 0\nx = [1,\n",
        expect![[r#"
            test.toml:2:7: error: string values must be quoted, expected literal string
              |
            2 | url = http://h
              |       ^^^^^^^^

            test.toml:4:15: error: 0 is out of bounds
              |
            4 | connections = 0
              |               ^
              = from 1 to 1000000

            test.toml:5:1: error: unknown key `x`
              |
            5 | x = [1,
              | ^
              = the keys here are connections, requests, duration, rate, stages, think, timeout, warmup, requests_per_connection, streams, seed, arrivals

            test.toml:5:8: error: unclosed array, expected `]`
              |
            5 | x = [1,
              |        ^

            4 problems
        "#]],
    );
}

#[test]
fn flags_are_told_of_like_files() {
    let over = Overrides {
        connections: Some("many".into()),
        rate: Some("0".into()),
        headers: vec!["no colon".into(), "A: b\r\nc: d".into()],
        thresholds: vec!["p99 2ms".into(), "p101 < 1s".into(), "post.p50 < 1s".into()],
        timeout: Some("10".into()),
        ..Overrides::default()
    };
    flags(
        &over,
        expect![[r#"
            --connections:1:1: error: expected a number such as 100000 or "100k", found "many"
              |
            1 | many
              | ^^^^

            --rate:1:1: error: the rate is out of bounds
              |
            1 | 0
              | ^
              = from one request an hour to 10M/s

            --timeout:1:1: error: expected a duration such as "250ms", "10s" or "5m", found "10"
              |
            1 | 10
              | ^^
              = say the unit: "10s" or "10ms"

            --header:1:1: error: expected a header such as "Name: value", found "no colon"
              |
            1 | no colon
              | ^^^^^^^^

            --header:1:1: error: '\r' can't stand here
              |
            1 | A: b
              | ^^^^^
              = a line break there would begin another header; nothing of the kind is sent

            --threshold:1:1: error: `p99 2ms` compares nothing: a threshold is written `p99 < 2ms`
              |
            1 | p99 2ms
              | ^^^^^^^

            --threshold:1:1: error: `p101` is nothing that is measured; the metrics are p50, p99, p99.9 and the like, mean, min, max (each also with service_, first_byte_ or connect_ before it), errors, requests and rate
              |
            1 | p101 < 1s
              | ^^^^^^^^^

            --threshold:1:1: error: there is no request `post`
              |
            1 | post.p50 < 1s
              | ^^^^^^^^^^^^^

            8 problems
        "#]],
    );
}

#[test]
fn a_flag_replaces_what_says_the_same_in_other_words() {
    let with = |text: &str, over: Overrides| {
        let text = format!("[target]\nurl = \"http://h\"\n[load]\n{text}");
        Scenario::with(&text, "test.toml", Path::new(""), &over)
            .unwrap_or_else(|why| panic!("{}", show(&why)))
            .load
    };
    let rate = Overrides {
        rate: Some("10/s".into()),
        ..Overrides::default()
    };
    let load = with("stages = \"10s@1k\"", rate.clone());
    assert!(matches!(load, Load::Open { stages, .. } if stages[0].from_rate == 10.0));
    let load = with("think = \"1s\"\nduration = \"7s\"", rate);
    assert!(matches!(load, Load::Open { stages, .. } if stages[0].duration.as_secs() == 7));
    let duration = Overrides {
        duration: Some("3s".into()),
        ..Overrides::default()
    };
    let load = with("requests = 10", duration);
    assert!(matches!(
        load,
        Load::Closed {
            requests: None,
            duration: Some(_),
            ..
        }
    ));
}

proptest! {
    /// Whatever a file holds, it is read or told of; and what is read can be sent.
    #[test]
    fn no_text_breaks_the_reader(at in 0..WHOLE.len(), cut in 0..40_usize, put in "[\\PC\n]{0,12}") {
        let whole: Vec<char> = WHOLE.chars().collect();
        let end = whole.len().min(at + cut);
        let text: String = whole[..at].iter().copied().chain(put.chars()).chain(whole[end..].iter().copied()).collect();
        match Scenario::parse(&text, "test.toml", Path::new("")) {
            Ok(scenario) => prop_assert_eq!(requests(&scenario, 3).len(), 3),
            Err(problems) => prop_assert!(!problems.is_empty() && !show(&problems).is_empty()),
        }
    }

    #[test]
    fn no_url_breaks_the_reader(url in "\\PC{0,40}", path in "[a-z{}:.|/0-9]{0,30}") {
        let _ = Scenario::single(&url, &Overrides::default());
        if let Ok(scenario) = Scenario::single(&format!("http://h/{path}"), &Overrides::default()) {
            requests(&scenario, 3);
        }
    }
}

//! Header blocks of scenarios, read again by the decoder.

use std::path::Path;

use crate::http2::hpack::{Decoder, Indexed};
use crate::scenario::{Scenario, show};

fn scenario(text: &str) -> Scenario {
    let text = format!("[target]\nurl = \"https://example.com/api\"\nhttp2 = true\n{text}");
    Scenario::parse(&text, "test.toml", Path::new(""))
        .unwrap_or_else(|why| panic!("{}", show(&why)))
}

/// The requests of a connection: blocks' lengths, fields and bodies.
fn requests(scenario: &Scenario, count: usize) -> Vec<(usize, Vec<String>, String)> {
    let mut generator = scenario.generator(0, 1, 0);
    let mut indexed = Indexed::new(scenario.fields, 4096);
    let mut decoder = Decoder::new();
    let mut found = Vec::new();
    for _ in 0..count {
        let (mut head, mut body, mut fields) = (Vec::new(), Vec::new(), Vec::new());
        generator.next_http2(&mut indexed, &mut head, &mut body);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let read = decoder.decode(&head, |field| {
            fields.push(format!("{}={}", text(field.name), text(field.value)));
        });
        read.unwrap();
        found.push((head.len(), fields, text(&body)));
    }
    found
}

#[test]
fn constant_fields_are_sent_once() {
    let scenario = scenario(
        "[request.get]\npath = \"/items\"\nheaders = { X-One = \"1\", Accept = \"*/*\", Host = \"other\" }\n",
    );
    let found = requests(&scenario, 3);
    let expected = [
        ":method=GET",
        ":scheme=https",
        ":authority=other",
        ":path=/api/items",
        "x-one=1",
        "accept=*/*",
    ];
    for (_, fields, body) in &found {
        assert_eq!(fields, &expected);
        assert_eq!(body, "");
    }
    // Three indices that enter the table, two of the static one, and the path.
    assert!(found[0].0 > found[1].0);
    assert_eq!(found[1].0, found[2].0);
    assert_eq!(found[1].0, 5 + 2 + 7, "the path is in the Huffman code");
}

#[test]
fn the_same_field_of_two_requests_is_one() {
    let scenario = scenario(
        "[request.a]\nheaders = { X-A = \"same\" }\n[request.b]\nheaders = { X-A = \"same\", X-B = \"own\" }\n",
    );
    // `:authority`, `x-a` and `x-b`.
    assert_eq!(scenario.fields, 3);
}

#[test]
fn what_varies_is_put_together_anew() {
    let scenario = scenario(
        "[request.post]\nmethod = \"POST\"\npath = \"/{n:7..7}/{counter}\"\nheaders = { X-N = \"a{n}b\" }\n\
         body = \"{n}-{counter}\"\n",
    );
    let found = requests(&scenario, 12);
    for (number, (_, fields, body)) in found.iter().enumerate() {
        assert_eq!(body, &format!("7-{number}"));
        assert!(
            fields.contains(&format!(":path=/api/7/{number}")),
            "{fields:?}"
        );
        assert!(fields.contains(&"x-n=a7b".to_owned()));
        assert!(fields.contains(&format!("content-length={}", body.len())));
    }
}

#[test]
fn a_body_has_its_length() {
    let scenario = scenario("[request.post]\nbody = \"hello\"\n");
    let (_, fields, body) = &requests(&scenario, 1)[0];
    assert_eq!(body, "hello");
    assert!(fields.contains(&":method=POST".to_owned()));
    assert!(fields.contains(&"content-length=5".to_owned()));
}

#[test]
fn what_has_no_place_in_http2_is_told() {
    let text = "[target]\nurl = \"http://h\"\nhttp2 = true\n[request.a]\nheaders = { Connection = \"close\" }\n";
    let problems = Scenario::parse(text, "test.toml", Path::new("")).expect_err("a problem");
    assert_eq!(problems[0].message, "`Connection` has no place in HTTP/2");
    let text = "[target]\nurl = \"http://h\"\n[load]\nstreams = 2\n";
    let problems = Scenario::parse(text, "test.toml", Path::new("")).expect_err("a problem");
    assert_eq!(
        problems[0].message,
        "only connections of HTTP/2 have streams"
    );
}

#[test]
fn a_call_of_grpc_is_framed_and_says_what_it_is() {
    let scenario = scenario(
        "[request.call]\ngrpc = true\npath = \"/pkg.Echo/Get\"\nbody = \"id {n:counter:8..}\"\nheaders = { X-One = \"1\" }\n",
    );
    assert!(scenario.templates[0].is_grpc());
    for (at, (_, fields, body)) in requests(&scenario, 4).into_iter().enumerate() {
        let expected = [
            ":method=POST",
            ":scheme=https",
            ":authority=example.com",
            ":path=/api/pkg.Echo/Get",
            "x-one=1",
            "content-type=application/grpc",
            "te=trailers",
        ];
        assert_eq!(fields, expected);
        let message = format!("id {}", at + 8);
        let length = message.len() as u8 as char;
        assert_eq!(body, format!("\0\0\0\0{length}{message}"));
    }
}

#[test]
fn what_a_call_is_may_be_said_more_exactly() {
    let scenario = scenario(
        "[request.call]\ngrpc = true\npath = \"/a.B/C\"\nheaders = { Content-Type = \"application/grpc+json\" }\n",
    );
    let (_, fields, body) = requests(&scenario, 1).remove(0);
    let kinds: Vec<_> = fields
        .iter()
        .filter(|it| it.starts_with("content-type"))
        .collect();
    assert_eq!(kinds, ["content-type=application/grpc+json"]);
    assert_eq!(body, "\0\0\0\0\0");
}

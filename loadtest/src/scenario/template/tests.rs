//! Tests of requests: what is written for what is said.

use crate::scenario::{Scenario, show};
use std::path::Path;

fn read(text: &str, folder: &Path) -> Result<Scenario, String> {
    let text = format!("[target]\nurl = \"http://h:8080\"\n[request.a]\n{text}");
    Scenario::parse(&text, "t", folder).map_err(|why| show(&why))
}

fn sent(text: &str, folder: &Path) -> String {
    let scenario = read(text, folder).unwrap_or_else(|why| panic!("{why}"));
    let mut out = Vec::new();
    scenario.generator(0, 1, 0).next(&mut out);
    String::from_utf8(out).expect("text")
}

fn check(text: &str, expected: &str) {
    assert_eq!(sent(text, Path::new("")), expected, "{text}");
}

fn told(text: &str, expected: &str) {
    let why = read(text, Path::new("")).expect_err("problems");
    assert!(why.contains(expected), "{why}");
}

#[test]
fn methods_and_bodies() {
    check(
        "method = \"DELETE\"",
        "DELETE / HTTP/1.1\r\nHost: h:8080\r\n\r\n",
    );
    check(
        "method = \"POST\"",
        "POST / HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 0\r\n\r\n",
    );
    check(
        "body = \"\"",
        "POST / HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 0\r\n\r\n",
    );
    told(
        "method = \"PUT\"\nbody = \"{a:1..2}\"\npath = \"/{a}\"",
        "there is no value `a`",
    );
}

#[test]
fn a_body_may_be_got() {
    check(
        "method = \"GET\"\nbody = \"a\"",
        "GET / HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 1\r\n\r\na",
    );
}

#[test]
fn a_value_of_the_path_may_come_again_in_the_body() {
    check(
        "method = \"PUT\"\npath = \"/{a:77..77}\"\nbody = \"{a}!{a}\"",
        "PUT /77 HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 5\r\n\r\n77!77",
    );
    check(
        "path = \"/{a:7..7}\"\nbody = \"fixed\"\nheaders = { X = \"{a}\" }",
        "POST /7 HTTP/1.1\r\nHost: h:8080\r\nX: 7\r\nContent-Length: 5\r\n\r\nfixed",
    );
    check(
        "body = \"{a:7..7}\"",
        "POST / HTTP/1.1\r\nHost: h:8080\r\nContent-Length: 1\r\n\r\n7",
    );
}

#[test]
fn bodies_come_from_files_and_by_size() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("body"), "{raw}\r\n").expect("written");
    let text = sent("body_file = \"body\"", folder.path());
    assert!(
        text.ends_with("Content-Length: 7\r\n\r\n{raw}\r\n"),
        "{text}"
    );
    let text = sent("body_size = \"2KiB\"", folder.path());
    let (head, body) = text.split_once("\r\n\r\n").expect("a head");
    assert!(head.ends_with("Content-Length: 2048"));
    assert_eq!(body.len(), 2048);
    assert!(body.bytes().all(|b| b.is_ascii_alphanumeric()));
}

#[test]
fn headers_are_sent_as_they_are_said() {
    check(
        "headers = [\"B: 1\", \"A: 2\", \"B: 3\"]",
        "GET / HTTP/1.1\r\nHost: h:8080\r\nB: 1\r\nA: 2\r\nB: 3\r\n\r\n",
    );
    check(
        "headers = { hOst = \"other\", Connection = \"close\" }",
        "GET / HTTP/1.1\r\nhOst: other\r\nConnection: close\r\n\r\n",
    );
    told("headers = [\"Host: a\", \"host: b\"]", "second `Host`");
    told(
        "headers = { Transfer-Encoding = \"chunked\" }",
        "can't be set",
    );
    told("headers = { Upgrade = \"h2c\" }", "can't be set");
    told("headers = { \"A:\" = \"b\" }", "is not a header's name");
    told("headers = { A = 5 }", "expected a text");
    told("headers = [\"A\"]", "expected a header");
    told("headers = 5", "expected headers");
    told(
        &format!("headers = {{ A = \"{}\" }}", "x".repeat(70_000)),
        "longer than 64KiB",
    );
    let many: Vec<String> = (0..129).map(|at| format!("\"A{at}: b\"")).collect();
    told(
        &format!("headers = [{}]", many.join(",")),
        "at most 128 headers",
    );
}

#[test]
fn what_can_t_be_sent_is_told() {
    told("method = \"G T\"", "is not a method");
    told("method = \"CONNECT\"", "is not a method");
    told("method = \"get\"", "write \"GET\"");
    told("path = \"http://other/\"", "all requests go to the target");
    told("body = \"a\"\nbody_file = \"b\"", "one body");
    told("body = 5", "expected a text");
    told("body_size = \"65MiB\"", "out of bounds");
    told("weight = 0", "all requests have the weight 0");
    told("wieght = 1", "did you mean `weight`?");
}

#[test]
fn a_call_of_grpc_needs_http2_and_post() {
    told("grpc = true", "gRPC is spoken over HTTP/2 alone");
    told("grpc = true\nmethod = \"GET\"", "a call of gRPC is a POST");
    told("grpc = 1", "grpc");
}

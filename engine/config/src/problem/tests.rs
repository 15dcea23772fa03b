//! What operators read about configurations that are wrong: exact texts.

use crate::Source;
use crate::testing::{LEAST, World, bad};
use expect_test::{Expect, expect};

mod certificates;
mod form;
mod health;
mod meaning;
mod mtls;
mod tls;

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&bad(text));
}

/// Below a listener, so that only what is tested is wrong.
fn below(text: &str, expected: Expect) {
    check(&format!("{LEAST}{text}"), expected);
}

#[test]
fn secrets_are_not_shown() {
    below(
        "[admin]\naddress = \"0.0.0.0:9900\"\ntoken = \"hunter2\" # ours\ntoken = \"hunter3\"\ntoken = \"hunter4\"\ntoken = \"hunter5\n[auth.a]\nkind = \"jwt\"\nsecret = \"${NOPE}\"\n",
        expect![[r#"
            gateway.toml:6:1: error: key `token` stands in [admin] twice
              |
            6 | token = *********
              | ^^^^^
              = it is set already in gateway.toml:5

            gateway.toml:7:1: error: key `token` stands in [admin] twice
              |
            7 | token = *********
              | ^^^^^
              = it is set already in gateway.toml:5

            gateway.toml:8:1: error: key `token` stands in [admin] twice
              |
            8 | token = ********
              | ^^^^^
              = it is set already in gateway.toml:5

            gateway.toml:8:17: error: this string is not closed
              |
            8 | token = ********
              |                 ^
              = expected `"`

            gateway.toml:11:10: error: the environment variable NOPE is not set
               |
            11 | secret = "${NOPE}"
               |          ^^^^^^^^^

            5 problems"#]],
    );
    below(
        "[admin]\naddress = \"0.0.0.0:9900\"\n",
        expect![[r#"
        gateway.toml:4:11: error: an admin address that others can reach needs a `token`
          |
        4 | address = "0.0.0.0:9900"
          |           ^^^^^^^^^^^^^^
          = add token = "${ADMIN_TOKEN}", or listen on 127.0.0.1 or a unix socket

        1 problem"#]],
    );
}

#[test]
fn overlays_are_underlined_too() {
    let mut world = World::new();
    world.sets = ["route.a.timeot=2s", "nothing", "gateway.workers=many"]
        .map(str::to_owned)
        .to_vec();
    world
        .variables
        .insert("PORTCULLIS__GATEWAY__PIN".to_owned(), "maybe".to_owned());
    world
        .variables
        .insert("PORTCULLIS__X".to_owned(), "1".to_owned());
    world
        .variables
        .insert("PORTCULLIS__ADMIN__TOKEN".to_owned(), "hunter2".to_owned());
    let misspelt = "PORTCULLIS__ADMIN__TOKN".to_owned();
    world.variables.insert(misspelt, "hunter2".to_owned());
    let problems = world
        .load(&[Source::new("gateway.toml", LEAST)])
        .err()
        .unwrap();
    expect![[r#"
        environment:1:1: error: [admin] lacks `address`
          |
        1 | PORTCULLIS__ADMIN__TOKEN=*******
          | ^^^^^^^^^^^^^^^^^
          = expected address = "127.0.0.1:8080"

        environment:1:20: error: unknown key `tokn` in [admin]
          |
        1 | PORTCULLIS__ADMIN__TOKN=*******
          |                    ^^^^
          = did you mean `token`?

        environment:1:26: error: expected true or false, found a string
          |
        1 | PORTCULLIS__GATEWAY__PIN=maybe
          |                          ^^^^^

        environment:1:1: error: this sets nothing
          |
        1 | PORTCULLIS__X=1
          | ^^^^^^^^^^^^^
          = expected a kind, a name (unless the kind has none) and a key

        --set:1:1: error: [route.a] lacks `path`
          |
        1 | route.a.timeot=**
          | ^^^^^^^
          = expected path = "/api/*"

        --set:1:1: error: [route.a] does not say what is done with requests
          |
        1 | route.a.timeot=**
          | ^^^^^^^
          = expected one of `upstream`, `respond` and `redirect`

        --set:1:1: error: [route.a] does not say who may pass: it lacks `auth`
          |
        1 | route.a.timeot=**
          | ^^^^^^^
          = write auth = "none" for a public route

        --set:1:9: error: unknown key `timeot` in [route.a]
          |
        1 | route.a.timeot=**
          |         ^^^^^^
          = did you mean `timeout`?

        --set:1:1: error: this sets nothing
          |
        1 | nothing
          | ^^^^^^^
          = expected kind.name.key=value, such as route.products.timeout=2s

        --set:1:17: error: expected a whole number, found a string
          |
        1 | gateway.workers=many
          |                 ^^^^

        10 problems"#]]
    .assert_eq(&problems.to_string());
}

#[test]
fn problems_are_data_too() {
    let problems = crate::testing::loaded(&format!("{LEAST}[gateway]\nworker = 1\n"))
        .err()
        .unwrap();
    expect![[r#"[{"column":1,"file":"gateway.toml","line":4,"message":"unknown key `worker` in [gateway]","notes":["did you mean `workers`?"]}]"#]].assert_eq(&problems.to_json());
}

#[test]
fn nothing_at_all() {
    check(
        "",
        expect![[r#"
        error: there is no listener
          = add a section such as [listener.public] with address = "127.0.0.1:8080"

        1 problem"#]],
    );
}

//! The commands beside `run`: what they print, where, and their exit status.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tests::gateway::Setup;
use tests::{Gateway, binary};

const SOUND: &str = "[upstream.backend]\nendpoints = [\"127.0.0.1:1\"]\n\
    [limit.l]\nrate = \"3/day\"\n\
    [route.users]\npath = \"/users/{id}\"\nmethods = [\"GET\"]\nauth = \"none\"\nupstream = \"backend\"\nrewrite = \"/v2/{id}\"\nlimits = [\"l\"]\ndeny = [\"10.0.0.0/8\"]\naccess_log = \"main\"\n\
    [route.pong]\npath = \"/ping\"\nauth = \"none\"\nrespond = \"200 pong\"\n";

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs the binary without a configuration of the harness.
fn portcullis(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(binary::path())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary can be started");
    let mut pipe = child.stdin.take().expect("it is piped");
    // A command that reads nothing has closed it.
    let _ = pipe.write_all(input.as_bytes());
    drop(pipe);
    child.wait_with_output().expect("it ends")
}

#[test]
fn check_of_a_sound_file() {
    let setup = Setup::new(SOUND);
    let output = setup.command(&["check"], &[]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    let said = out(&output);
    assert!(
        said.starts_with("sound: 1 listeners, 2 routes, 1 upstreams, hash "),
        "{said}"
    );
    let output = setup.command(&["check", "--json"], &[]);
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(out(&output).trim(), "[]");
}

#[test]
fn check_finds_everything_at_once_and_says_where() {
    let text = "[gateway]\nworkrs = 2\n\
        [listener.public]\naddress = \"127.0.0.1\"\n\
        [upstream.u]\nendpoints = [\"127.0.0.1:1\"]\n  timeout = \"5 parsecs\"\n\
        [route.a]\npath = \"/a\"\nupstream = \"v\"\n\
        [route.b]\npath = \"/b\"\nauth = \"none\"\nrespond = \"200\"\nmethods = \"GET\"\n\
        [nonsense.x]\n";
    let setup = Setup::new(format!(
        "[admin]\naddress = \"unix:a.sock\"\n{text}[access_log.main]\npath = \"stdout\"\n"
    ));
    let output = setup.command(&["check"], &[]);
    assert_eq!(output.status.code(), Some(78));
    assert_eq!(out(&output), "", "problems go to standard error");
    let said = err(&output);
    for wanted in [
        "gateway.toml:4:1: error: unknown key `workrs` in [gateway]\n",
        "4 | workrs = 2\n  | ^^^^^^\n  = did you mean `workers`?\n",
        "gateway.toml:6:11: error: `127.0.0.1` is not a valid address\n",
        "gateway.toml:9:13: error: `5 parsecs` is not a valid duration\n",
        "9 |   timeout = \"5 parsecs\"\n  |             ^^^^^^^^^^^\n",
        "gateway.toml:10:1: error: [route.a] does not say who may pass: it lacks `auth`\n",
        "gateway.toml:12:12: error: there is no [upstream.v]\n",
        "gateway.toml:17:11: error: ",
        "gateway.toml:18:",
        "7 problems",
    ] {
        assert!(said.contains(wanted), "{wanted:?} is not in\n{said}");
    }
    let output = setup.command(&["check", "--json"], &[]);
    assert_eq!(output.status.code(), Some(78));
    let problems: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let problems = problems.as_array().expect("a list");
    assert_eq!(problems.len(), 7, "{problems:?}");
    let first = &problems[0];
    assert_eq!(first["line"], 4, "{first}");
    assert_eq!(first["column"], 1, "{first}");
    assert_eq!(first["message"], "unknown key `workrs` in [gateway]");
    assert_eq!(first["notes"], json!(["did you mean `workers`?"]));
    let file = first["file"].as_str().expect("a file");
    assert!(Path::new(file).ends_with("gateway.toml"), "{file}");
}

#[test]
fn what_is_not_built_yet_is_said_so() {
    let text = "[listener.public]\naddress = \"127.0.0.1:0\"\n\
        [auth.s]\nkind = \"session\"\n\
        [limit.l]\nrate = \"1/s\"\nalgorithm = \"sliding_log\"\n\
        [route.a]\npath = \"/\"\nauth = \"none\"\nrespond = \"200\"\ncors = \"x\"\n\
        cache = \"c\"\nmirror = \"m\"\n";
    let output = Setup::new(text).command(&["check"], &[]);
    assert_eq!(output.status.code(), Some(78));
    let said = err(&output);
    let times = said.matches("not built yet").count();
    assert!(times >= 5, "{times} of 5:\n{said}");
    assert!(!said.contains("unknown key"), "{said}");
}

#[test]
fn a_file_that_is_no_toml_is_told_with_its_place() {
    let output = Setup::new("[route.a\npath = \n").command(&["check"], &[]);
    assert_eq!(output.status.code(), Some(78));
    let said = err(&output);
    assert!(said.contains("gateway.toml:"), "{said}");
    let (_, place) = said.split_once("gateway.toml:").expect("a place");
    let line = place.split(':').next().expect("a line");
    assert!(line.parse::<u32>().is_ok_and(|line| line > 9), "{said}");
}

#[test]
fn secrets_are_not_shown_even_where_they_are_wrong() {
    let secret = "tell-nobody";
    let text = format!(
        "[auth.users]\nkind = \"jwt\"\nsecret = \"{secret}\"\n\
         [route.a]\npath = \"/\"\nauth = \"users\"\nrespond = \"200\"\n"
    );
    for arguments in [&["check"][..], &["check", "--json"]] {
        let output = Setup::new(&text).command(arguments, &[]);
        assert_eq!(output.status.code(), Some(78));
        let said = out(&output) + &err(&output);
        assert!(said.contains("HS256") || said.contains("secret"), "{said}");
        assert!(!said.contains(secret), "{said}");
    }
}

#[test]
fn a_command_line_that_is_not_understood_gets_2() {
    for arguments in [
        &[][..],
        &["check"],
        &["runn"],
        &["run", "--confg", "x"],
        &["explain", "--config", "x"],
    ] {
        let output = portcullis(arguments, "");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
    let output = portcullis(&["check", "--config", "/no/such/file.toml"], "");
    assert_eq!(output.status.code(), Some(78));
    assert!(
        err(&output).contains("/no/such/file.toml"),
        "{}",
        err(&output)
    );
    for arguments in [&["--help"][..], &["--version"], &["run", "--help"]] {
        let output = portcullis(arguments, "");
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert!(!out(&output).is_empty(), "{arguments:?}");
    }
}

#[test]
fn explain_says_what_would_happen() {
    let setup = Setup::new(SOUND);
    let ask = |arguments: &[&str]| {
        let output = setup.command(&["explain"], arguments);
        assert_eq!(output.status.code(), Some(0), "{}", err(&output));
        out(&output)
    };
    let said = ask(&[
        "GET",
        "http://h/x/../users/7?full=1",
        "-H",
        "X-User-ID: root",
    ]);
    let lines = [
        "route     users\n",
        "limit: l: passes",
        "backend",
        "127.0.0.1:1",
        "GET /v2/7?full=1 HTTP/1.1",
    ];
    for wanted in lines {
        assert!(said.contains(wanted), "{wanted:?} is not in\n{said}");
    }
    assert!(
        !said.contains("root"),
        "values of headers are not shown: {said}"
    );
    let said = ask(&["DELETE", "http://h/users/7"]);
    assert!(said.contains("405") && said.contains("GET, HEAD"), "{said}");
    let said = ask(&["GET", "http://h/nowhere"]);
    assert!(said.contains("404"), "{said}");
    let said = ask(&["GET", "http://h/ping"]);
    assert!(
        said.contains("route     pong") && said.contains("200"),
        "{said}"
    );
    let said = ask(&["GET", "http://h/users/7", "--from", "10.1.2.3"]);
    assert!(
        said.contains("403") && said.contains("not reached"),
        "{said}"
    );
    let said = ask(&["GET", "http://h/users/%2f"]);
    assert!(said.contains("400"), "{said}");
}

#[test]
fn explain_agrees_with_what_happens() {
    let setup = Setup::new(SOUND.replace("/users/{id}", "/u/{id}"));
    let explained = setup.command(
        &["explain"],
        &["GET", "http://a/u/%37", "--from", "127.0.0.1"],
    );
    assert!(
        out(&explained).contains("GET /v2/7 HTTP/1.1"),
        "{}",
        out(&explained)
    );
    let gateway = setup.start();
    gateway.get("/u/%37").is(502);
    let line = gateway.wait_logged("\"route\":\"users\"");
    assert!(line.contains("\"backendService\":\"backend\""), "{line}");
}

#[test]
fn reference_and_schema() {
    let output = portcullis(&["config", "reference"], "");
    assert_eq!(output.status.code(), Some(0));
    let said = out(&output);
    for wanted in [
        "# Configuration reference",
        "## `[gateway]`",
        "`shutdown_grace`",
        "## `[limit.NAME]`",
    ] {
        assert!(said.contains(wanted), "{wanted}");
    }
    let output = portcullis(&["config", "schema"], "");
    assert_eq!(output.status.code(), Some(0));
    let schema: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert!(
        schema["$schema"]
            .as_str()
            .is_some_and(|it| it.contains("json-schema.org"))
    );
    assert!(schema["properties"]["gateway"].is_object());
    assert!(schema["properties"]["route"].is_object());
}

#[test]
fn keys_new_and_hash_fit_together() {
    let output = portcullis(&["keys", "new"], "");
    assert_eq!(output.status.code(), Some(0));
    let said = out(&output);
    let word = |label: &str| {
        let line = said
            .lines()
            .find(|line| line.starts_with(label))
            .expect("its line");
        line.split_whitespace().nth(1).expect("its word").to_owned()
    };
    let (key, hash) = (word("key"), word("hash"));
    assert!(key.len() >= 32, "{key}");
    for input in [key.clone(), format!("{key}\n")] {
        assert_eq!(out(&portcullis(&["keys", "hash"], &input)).trim(), hash);
    }
    assert_ne!(
        out(&portcullis(&["keys", "new"], "")),
        said,
        "each key is another"
    );
    let abc = out(&portcullis(&["keys", "hash"], "abc"));
    // FIPS 180-2, appendix B.1.
    assert_eq!(
        abc.trim(),
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    );
    let text = format!(
        "[auth.k]\nkind = \"api_key\"\n[consumer.c]\nkeys = [\"{hash}\"]\n\
         [route.a]\npath = \"/*\"\nauth = \"k\"\nrespond = \"200\"\n"
    );
    let gateway = Gateway::start(text);
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nX-API-Key: {key}\r\n\r\n");
    gateway.ask(request).is(200);
}

#[test]
fn set_is_over_the_environment_is_over_the_file() {
    let text = "[route.the-one]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200 file\"\nrespond_type = \"text/plain\"\n";
    let variable = "PORTCULLIS__ROUTE__THE_ONE__RESPOND";
    Setup::new(text).start().get("/").body_is("file");
    let setup = Setup::new(text).variable(variable, "200 environment");
    setup.start().get("/").body_is("environment");
    let setup = Setup::new(text).variable(variable, "200 environment");
    let gateway = setup.set("route.the-one.respond=200 set").start();
    gateway
        .get("/")
        .body_is("set")
        .has("content-type", "text/plain");
}

#[test]
fn overlays_can_be_wrong_too() {
    let text = "[route.a]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200\"\n";
    let cases = [
        ("route.a.prority=1", "unknown key `prority`"),
        ("route.a.priority=x", "number"),
        ("route", "sets nothing"),
        ("nonsense.a.b=1", "nonsense"),
    ];
    for (set, wanted) in cases {
        let output = Setup::new(text).set(set).command(&["check"], &[]);
        let said = err(&output);
        assert_eq!(output.status.code(), Some(78), "{set}");
        assert!(said.contains("--set:1:") && said.contains(wanted), "{said}");
    }
    let setup = Setup::new(text).variable("PORTCULLIS__ROUTE__A__PRIORITY", "much");
    let output = setup.command(&["check"], &[]);
    assert_eq!(output.status.code(), Some(78));
    let said = err(&output);
    assert!(said.contains("PORTCULLIS__ROUTE__A__PRIORITY"), "{said}");
}

#[test]
fn files_are_laid_over_each_other_and_folders_are_read_in_order() {
    let over = "[route.a]\nrespond = \"200 laid over\"\n";
    let setup = Setup::new("[route.a]\npath = \"/*\"\nauth = \"none\"\nrespond = \"200 base\"\n");
    let setup = setup.file("over.toml", over);
    let gateway = setup.start();
    gateway.get("/").body_is("base");
    let dir = gateway.dir();
    let (base, over) = (dir.join("gateway.toml"), dir.join("over.toml"));
    let explain = |paths: &[&Path]| {
        let mut command = Command::new(binary::path());
        command.arg("explain");
        for path in paths {
            command.arg("--config").arg(path);
        }
        out(&command
            .args(["GET", "http://a/"])
            .output()
            .expect("it starts"))
    };
    let [based, overlaid] = [explain(&[&base]), explain(&[&base, &over])];
    assert!(based.contains("answers with 4 bytes"), "{based}");
    assert!(overlaid.contains("answers with 9 bytes"), "{overlaid}");
    let folder = explain(&[dir]);
    assert!(
        folder.contains("answers with 9 bytes"),
        "gateway.toml, then over.toml: {folder}"
    );
}

#[test]
fn secrets_come_from_the_environment_and_from_files() {
    let text = |secret: &str| {
        format!(
            "[auth.u]\nkind = \"jwt\"\nsecret = \"{secret}\"\n[route.a]\npath = \"/*\"\nauth = \"u\"\nrespond = \"200\"\n"
        )
    };
    let token = tests::token::hs256(&tests::token::claims("ada"));
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n\r\n");
    let setup = Setup::new(text("${TOKEN_SECRET}"));
    let setup = setup.variable("TOKEN_SECRET", tests::token::SECRET);
    setup.start().ask(&request).is(200);
    let setup = Setup::new(text("file:secret.txt"));
    let setup = setup.file("secret.txt", format!("{}\n", tests::token::SECRET));
    setup.start().ask(&request).is(200);
    for missing in ["${NO_SUCH_VARIABLE_HERE}", "file:no-such-file.txt"] {
        let output = Setup::new(text(missing)).command(&["check"], &[]);
        assert_eq!(output.status.code(), Some(78));
        let said = err(&output);
        assert!(said.contains("gateway.toml:16:10: error: "), "{said}");
    }
}

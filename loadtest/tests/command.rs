//! The binary end to end, against the test origin: exit status, files, tables.

use std::path::PathBuf;
use std::process::{Command, Output};

use loadtest::origin::{Options, Origin};
use loadtest::results::{Mode, Results};

fn origin() -> (Origin, String) {
    let origin = Origin::start(&Options::default()).expect("an origin");
    let url = format!("http://{}", origin.address());
    (origin, url)
}

fn load(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_portcullis-load"))
        .args(arguments)
        .output()
        .expect("the binary")
}

/// Runs it and holds its exit status against what is expected; gives what it printed.
fn check(arguments: &[&str], status: i32) -> (String, String) {
    let output = load(arguments);
    let out = String::from_utf8(output.stdout).expect("text");
    let err = String::from_utf8(output.stderr).expect("text");
    assert_eq!(
        output.status.code(),
        Some(status),
        "{arguments:?}\n{out}\n{err}"
    );
    (out, err)
}

/// Runs it with `--json`, and gives that.
fn results(arguments: &[&str], status: i32) -> Results {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("run.json");
    let file = file.to_str().expect("a path");
    check(&[arguments, &["--json", file]].concat(), status);
    let json = std::fs::read_to_string(file).expect("JSON");
    Results::from_json(&json).expect("results")
}

#[test]
fn a_run_prints_its_table_and_ends_well() {
    let (_origin, url) = origin();
    let (out, _) = check(&["-q", "-n", "200", "-c", "4", &url], 0);
    assert!(out.contains("200") && out.contains("p99"), "{out}");
    let (same, _) = check(&["run", "-q", "-n", "200", "-c", "4", &url], 0);
    assert!(same.contains("200"), "{same}");
}

#[test]
fn a_threshold_that_is_not_kept_is_the_exit_status() {
    let (_origin, url) = origin();
    let run = ["-q", "-n", "50", "-t", "errors == 0", &url];
    check(&run, 0);
    let failing = format!("{url}/?status=503");
    let run = ["-q", "-n", "50", "-t", "errors == 0", &failing];
    let (out, _) = check(&run, 1);
    assert!(out.contains("errors == 0"), "{out}");
    let expected = [
        "-q",
        "-n",
        "50",
        "--expect-status",
        "503",
        "-t",
        "errors == 0",
        &failing,
    ];
    check(&expected, 0);
}

#[test]
fn what_can_not_begin_says_why() {
    let says = |arguments: &[&str], expected: &str| {
        let (out, err) = check(arguments, 2);
        assert!(err.contains(expected), "{arguments:?}: {err}");
        assert_eq!(out, "");
    };
    says(&["-q", "ftp://localhost/"], "ftp");
    let untrusted = ["-q", "--cacert", "no-such-file.pem", "https://localhost/"];
    says(&untrusted, "no-such-file.pem");
    says(&["-q", "--rate", "fast", "http://localhost/"], "fast");
    says(&["-q", "no-such-file.toml"], "no-such-file.toml");
    says(&["-q", "--cores", "x", "http://localhost/"], "--cores");
    says(&["-q", "http://127.0.0.1:1/"], "refused");
    says(
        &["-q", "--until", "p99=soon", "--sweep", "http://localhost/"],
        "soon",
    );
    says(&["--no-such-flag"], "--no-such-flag");
    says(
        &["-q", "--until", "p99=5ms", "http://localhost/"],
        "--sweep",
    );
    says(
        &["-q", "--sweep", "--until", "p99", "http://localhost/"],
        "`p99=5ms,errors=0.1%`",
    );
    says(
        &["-q", "--cores", "4000", "http://127.0.0.1:1/"],
        "core 4000 can't be had",
    );
    says(&["report", "no-such-file.json"], "no-such-file.json");
}

#[test]
fn what_the_results_go_to_is_tried_before_the_run() {
    let (_origin, url) = origin();
    for option in ["--json", "--html"] {
        // An hour: it must not begin.
        let run = ["-q", "-d", "1h", option, "/no-such-folder/run", &url];
        let (out, err) = check(&run, 2);
        assert!(err.contains("/no-such-folder/run"), "{err}");
        assert_eq!(out, "");
    }
    // Nothing is left of the trial, and what was there stays.
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let (kept, new) = (file("kept.json"), file("new.html"));
    std::fs::write(&kept, "before").unwrap();
    let failing = ["-q", "--json", &kept, "--html", &new, "http://127.0.0.1:1/"];
    check(&failing, 2);
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), "before");
    assert!(!std::path::Path::new(&new).exists());
}

#[test]
fn the_table_is_there_though_a_file_fails() {
    let (_origin, url) = origin();
    // It can be opened, but takes nothing.
    let (out, err) = check(&["-q", "-n", "10", "--json", "/dev/full", &url], 2);
    assert!(
        out.contains("p99") && err.contains("/dev/full"),
        "{out}{err}"
    );
}

#[test]
fn a_run_without_an_answer_fails_and_says_what_may_be_meant() {
    // Accepts, and closes whatever comes, as what speaks TLS does with a plain request.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let url = format!("http://127.0.0.1:{port}/");
    let (out, err) = check(&["-q", "-n", "20", "-c", "2", &url], 1);
    assert!(out.contains("no answers"), "{out}");
    assert!(!out.contains("for each answer"), "{out}");
    assert!(
        err.contains("nothing was answered") && err.contains("begins with https://"),
        "{err}"
    );
    // The other way round.
    let (_origin, url) = origin();
    let secure = url.replace("http://127.0.0.1", "https://localhost");
    let (_, err) = check(&["-q", "-n", "20", &secure], 2);
    assert!(err.contains("begins with http://"), "{err}");
}

#[test]
fn unexpected_answers_are_told_by_an_example() {
    let (_origin, url) = origin();
    let failing = format!("{url}/?status=503");
    let (out, _) = check(&["-q", "-n", "20", &failing], 0);
    assert!(out.contains("such as: status 503"), "{out}");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two.toml");
    let text = format!(
        "[target]\nurl = \"{url}\"\n[request.one]\npath = \"/\"\n\
         [request.two]\npath = \"/1k\"\nexpect_headers = {{ x-lost = \"*\" }}\n"
    );
    std::fs::write(&file, text).unwrap();
    let file = file.to_string_lossy();
    for http2 in [&[][..], &["--http2"], &["--http2", "--h2-client", "crate"]] {
        let run = [http2, &["-n", "40", &file]].concat();
        let found = results(&[&["-q"], &run[..]].concat(), 0);
        let examples: Vec<_> = found.examples.values().collect();
        assert_eq!(examples, ["two: no header `x-lost`"], "{http2:?}");
    }
}

#[test]
fn each_problem_is_an_error_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("bad.toml");
    std::fs::write(&file, "[target]\nurl = 1\n[load]\nconnections = 0\n").unwrap();
    let (_, err) = check(&["-q", &file.to_string_lossy()], 2);
    assert_eq!(err.matches("error:").count(), 2, "{err}");
    assert!(!err.starts_with("error:"), "{err}");
    let (_, err) = check(&["-q", "--sweep", "--until", "p99=soon", "http://h/"], 2);
    assert_eq!(err.matches("error:").count(), 1, "{err}");
}

#[test]
fn an_open_loop_keeps_its_stages() {
    let (_origin, url) = origin();
    let results = results(
        &[
            "-q",
            "--stages",
            "300ms@500,200ms@1k",
            "--warmup",
            "100ms",
            &url,
        ],
        0,
    );
    assert_eq!(results.about.mode, Mode::Open);
    assert_eq!(results.about.rates.as_deref(), Some("300ms@500,200ms@1k"));
    assert!(results.counts.sent + results.counts.unsent > 0);
    assert_eq!(results.counts.answered, results.counts.sent);
}

#[test]
fn a_search_finds_a_rate_and_saves_its_curve() {
    let (_origin, url) = origin();
    // Whatever the machine: no answer takes half a minute, and none is unexpected, until the end of the search.
    let delayed = format!("{url}/?delay=20ms");
    let sweep = [
        "-q",
        "--sweep",
        "--until",
        "p50=30s,errors=1%",
        "--rate",
        "50/s",
        "--duration",
        "200ms",
        "-c",
        "4",
        "--precision",
        "50",
        &delayed,
    ];
    let found = results(&sweep, 0);
    assert_eq!(found.about.mode, Mode::Sweep);
    let curve = found.sweep.expect("a curve");
    // Four connections of 20 ms each bear 200/s: more than that is sent after its time.
    let best = curve.best.expect("a rate");
    assert!((50.0..=220.0).contains(&best), "{best}");
    assert!(curve.points.len() > 1);
    let hopeless = [
        "-q",
        "--sweep",
        "--until",
        "p50=1us",
        "--rate",
        "2/s",
        "--duration",
        "1s",
        &delayed,
    ];
    assert_eq!(results(&hopeless, 1).sweep.expect("a curve").best, None);
}

#[test]
fn saved_runs_are_reported_and_compared() {
    let (_origin, url) = origin();
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| -> PathBuf { folder.path().join(name) };
    let text = |path: &PathBuf| path.to_str().expect("a path").to_owned();
    let (a, b) = (text(&path("a.json")), text(&path("b.json")));
    let page = text(&path("page.html"));
    for file in [&a, &b] {
        check(
            &["-q", "-n", "100", "--json", file, "--html", &page, &url],
            0,
        );
    }
    let html = std::fs::read_to_string(&page).expect("a page");
    assert!(html.starts_with("<!"), "{html:.80}");
    let (out, _) = check(&["compare", &a, &b, "--html", &page], 0);
    assert!(out.contains("p99"), "{out}");
    let (out, _) = check(&["report", &a], 0);
    assert!(out.contains("100"), "{out}");
    let (out, _) = check(&["report", &a, "--html", &page], 0);
    assert_eq!(out, "");
    let (json, _) = check(&["-q", "-n", "10", "--json", "-", &url], 0);
    assert_eq!(
        Results::from_json(&json).expect("results").counts.answered,
        10
    );
}

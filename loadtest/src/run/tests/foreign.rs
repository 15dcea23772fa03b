//! The h2 crate as client, against the test origin: the same results as our own.

use super::*;
use crate::origin::{Options, Origin};

fn origin() -> Origin {
    Origin::start(&Options::default()).unwrap()
}

fn by(client: Client, url: &str, over: Overrides) -> Result<Results, Failure> {
    let over = Overrides {
        http2: some("on"),
        ..over
    };
    let scenario = Scenario::single(url, &over).unwrap();
    let setup = Setup { client, ..setup(2) };
    run_with(&scenario, &setup)
}

#[test]
fn both_clients_count_alike() {
    let origin = origin();
    let url = |path: &str| format!("http://{}{path}", origin.address());
    for (path, more) in [
        ("/1k", Overrides::default()),
        ("/300k", Overrides::default()),
        ("/1k?status=503", Overrides::default()),
        (
            "/echo",
            Overrides {
                body_size: some("100000"),
                headers: vec!["X-A: {n:1..9}".to_owned()],
                ..Overrides::default()
            },
        ),
        (
            "/1k?n={id:1..100}",
            Overrides {
                requests_per_connection: some("5"),
                ..Overrides::default()
            },
        ),
    ] {
        let over = Overrides {
            streams: some("4"),
            ..closed("60", "3")
        };
        let over = Overrides {
            body_size: more.body_size,
            headers: more.headers,
            requests_per_connection: more.requests_per_connection,
            ..over
        };
        let own = by(Client::Own, &url(path), over.clone()).unwrap();
        let other = by(Client::Crate, &url(path), over).unwrap();
        assert_eq!(own.counts.answered, 60, "{path}");
        assert_eq!(other.status, own.status, "{path}");
        assert_eq!(other.counts.answered, own.counts.answered, "{path}");
        assert_eq!(other.counts.sent, own.counts.sent, "{path}");
        assert_eq!(errors(&other), errors(&own), "{path}");
        assert_eq!(other.about.client.as_deref(), Some("the h2 crate"));
        assert_eq!(own.about.client, None);
    }
}

#[test]
fn failures_are_counted_as_what_they_are() {
    let origin = origin();
    let url = |path: &str| format!("http://{}{path}", origin.address());
    let run = |path: &str, over| by(Client::Crate, &url(path), over).unwrap();
    let results = run("/1k?reset=1", closed("5", "1"));
    assert_eq!(errors(&results), [(ErrorKind::Reset, 5)]);
    let results = run("/1k?reset=body", closed("5", "1"));
    assert_eq!(errors(&results), [(ErrorKind::Reset, 5)]);
    let late = Overrides {
        timeout: some("20ms"),
        ..closed("3", "1")
    };
    let results = run("/1k?delay=30s", late);
    assert_eq!(errors(&results), [(ErrorKind::Timeout, 3)]);
}

#[test]
fn what_it_can_not_do_is_said() {
    let refused = |url: &str, over: Overrides| match by(Client::Crate, url, over) {
        Err(Failure::Unfit(why)) => why,
        other => panic!("{other:?}"),
    };
    let rate = Overrides {
        rate: some("10/s"),
        ..Overrides::default()
    };
    assert!(refused("http://127.0.0.1:1/", rate).starts_with("runs closed loops"));
    assert!(refused("https://127.0.0.1:1/", closed("1", "1")).starts_with("speaks no TLS"));
}

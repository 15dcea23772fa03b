//! Paths and queries.

use super::*;

#[test]
fn the_path_says_what() {
    let check = |target: &str, what| {
        let ask = Ask::of(target.as_bytes()).map(|it| it.what);
        assert_eq!(ask, Ok(what), "{target}");
    };
    check("/", What::Help);
    check("/1k", What::Bytes(1024));
    check("/0", What::Bytes(0));
    check("/512", What::Bytes(512));
    check("/2m?a=b", What::Bytes(2 << 20));
    check("/bytes/1048576", What::Bytes(1 << 20));
    check("/bytes/16KiB", What::Bytes(16 << 10));
    check("/echo", What::Echo);
    check("/echo/deeper", What::Ok);
    check("/sse", What::Events(10));
    check("/sse?events=3", What::Events(3));
    check("/items/17", What::Ok);
    check("/7/reviews", What::Ok);
    check("/1kk", What::Ok);
    check("/99999999999999999999", What::Ok);
    check("/items?size=4k", What::Bytes(4096));
    check("http://host:80/1k", What::Bytes(1024));
    check("https://host?size=1", What::Bytes(1));
    check("http://host", What::Help);
    check("/redirect?to=http://host/1k", What::Ok);
    check("*", What::Ok);
}

#[test]
fn the_query_says_how() {
    let check = |query: &str, rate, faults| {
        let target = format!("/x?{query}");
        let ask = Ask::of(target.as_bytes()).map(|it| (it.rate, it.faults));
        assert_eq!(ask, Ok((rate, faults)), "{query}");
    };
    let none = Faults::NONE;
    check("", 1.0, none);
    check("id=17&status_of=x&&=&delays=", 1.0, none);
    check(
        "status=503&rate=0.1",
        0.1,
        Faults {
            status: 503,
            ..none
        },
    );
    check(
        "delay=50ms",
        1.0,
        Faults {
            delay: 50_000_000,
            ..none
        },
    );
    check(
        "delay=2s&delay=500us",
        1.0,
        Faults {
            delay: 500_000,
            ..none
        },
    );
    check(
        "chunks=10&every=1m",
        1.0,
        Faults {
            chunks: 10,
            every: 60_000_000_000,
            ..none
        },
    );
    check(
        "reset=1",
        1.0,
        Faults {
            reset: Reset::Head,
            ..none
        },
    );
    check("reset=body&reset=0", 1.0, none);
    check("delay=0&rate=1", 1.0, none);
    let events = Ask::of(b"/sse?every=100ms&status=500&rate=0").expect("it is fine");
    assert_eq!(
        events.spared().faults,
        Faults {
            every: 100_000_000,
            ..none
        }
    );
}

#[test]
fn what_can_not_be_understood_is_refused() {
    for target in [
        "/x?delay=50",
        "/x?delay=",
        "/x?delay",
        "/x?delay=-1ms",
        "/x?delay=2h",
        "/x?delay=61m",
        "/x?delay=99999999999999999999ms",
        "/x?status=99",
        "/x?status=100",
        "/x?status=600",
        "/x?status=2OO",
        "/x?rate=2",
        "/x?rate=-0.1",
        "/x?rate=NaN",
        "/x?rate=",
        "/x?chunks=-1",
        "/x?chunks=9999999",
        "/x?reset=yes",
        "/x?size=1x",
        "/x?size=2000g",
        "/sse?events=many",
        "/bytes/",
        "/bytes/x",
        "/x?every=1",
    ] {
        assert!(Ask::of(target.as_bytes()).is_err(), "{target}");
    }
    let said = Ask::of(b"/x?a=1&delay=50&b=2").expect_err("no unit");
    assert_eq!(said.0, b"delay=50");
}

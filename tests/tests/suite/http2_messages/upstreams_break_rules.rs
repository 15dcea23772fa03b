//! Upstreams over HTTP/2 that break the rules of messages or of the connection, or speak something else.

use tests::Origin;
use tests::http2::{Answering, Frame, Manners, fields};

use super::*;

#[test]
fn answers_that_are_malformed_get_502() {
    let cases: &[&[(&str, &str)]] = &[
        &[("x", "no status")],
        &[(":status", "2000")],
        &[(":status", "200"), (":status", "200")],
        &[(":status", "101")],
        &[(":status", "200"), (":path", "/")],
        &[("x", "y"), (":status", "200")],
        &[(":status", "200"), ("Upper", "x")],
        &[(":status", "200"), ("x", "a\nb")],
        &[(":status", "200"), ("connection", "close")],
        &[(":status", "200"), ("transfer-encoding", "chunked")],
        &[(":status", "200"), ("content-length", "x")],
    ];
    for case in cases {
        let head = fields(case);
        let origin = Origin::start(move |link| {
            let mut service = link.http2(&[], Manners::GOOD)?;
            while let Some((stream, _)) = service.request()? {
                service.http2.head(stream, &head, true)?;
            }
            Ok(())
        });
        let gateway = Gateway::between(&origin, Speaks::Http2, "");
        let mut http2 = gateway.http2();
        assert_eq!(http2.get(1, "/").status, 502, "{case:?}");
        http2.get(3, "/").is(502);
        assert_eq!(
            origin.connections(),
            1,
            "{case:?}: it is the stream's fault alone"
        );
    }
}

#[test]
fn a_length_that_is_not_kept_never_ends_cleanly() {
    for body in [&b"some"[..], b"far more than ten bytes"] {
        let told = body.to_vec();
        let origin = Origin::start(move |link| {
            let mut service = link.http2(&[], Manners::GOOD)?;
            while let Some((stream, _)) = service.request()? {
                let head = fields(&[(":status", "200"), ("content-length", "10")]);
                service.http2.head(stream, &head, false)?;
                service.http2.body(stream, &told, true)?;
            }
            Ok(())
        });
        let gateway = Gateway::between(&origin, Speaks::Http2, "");
        let mut http2 = gateway.http2();
        http2.open(1, "/");
        // All of it may have come at once: then the gateway may answer 502 in its place.
        assert!(http2.until(|it| it.coming(1).is_over()).expect("it ends"));
        let coming = http2.coming(1);
        let status = coming.message().value(":status");
        assert!(
            coming.reset.is_some() || status.as_deref() == Some("502"),
            "{coming:?}"
        );
        assert!(http2.is_alive());
    }
}

#[test]
fn a_server_that_breaks_the_rules_of_the_connection_costs_its_streams_alone() {
    let breaches: [fn() -> Frame; 5] = [
        || Frame::data(0, *b"x", true),
        || Frame::new(5, 4, 1, [0, 0, 0, 2]),
        || Frame::headers(1, tests::http2::hpack::indexed(0), true),
        || Frame::window_update(0, 0),
        || {
            Frame::headers(
                2,
                tests::http2::hpack::block(&fields(&[(":status", "200")])),
                true,
            )
        },
    ];
    for breach in breaches {
        let origin = Origin::start(move |link| {
            let first = link.number == 0;
            let mut service = link.http2(&[], Manners::GOOD)?;
            while let Some((stream, _)) = service.request()? {
                match first {
                    true => service.http2.send(&breach())?,
                    false => service.answer(stream, &Answering::ok("x"))?,
                }
            }
            Ok(())
        });
        let gateway = Gateway::between(&origin, Speaks::Http2, "");
        let mut http2 = gateway.http2();
        let post = Asking::new("POST", "/").sized("x");
        post.ask_stream(&mut http2, 1).answer.is(502);
        origin.wait_ended(1);
        post.ask_stream(&mut http2, 3).answer.is(200);
    }
}

#[test]
fn an_upstream_that_does_not_speak_http_2_gets_502_and_is_not_stormed() {
    let origin = Origin::start(|link| {
        link.wire.take(24)?;
        link.send("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    let status = http2.get(1, "/").status;
    let connections = origin.connections();
    assert!(connections < 5, "{connections} connections for one request");
    assert_eq!(status, 502);
}

#[test]
fn an_upstream_that_closes_at_once_gets_502_and_is_not_stormed() {
    let origin = Origin::start(|_| Ok(()));
    let gateway = Gateway::between(&origin, Speaks::Http2, "");
    let mut http2 = gateway.http2();
    let status = http2.get(1, "/").status;
    let connections = origin.connections();
    assert!(connections < 5, "{connections} connections for one request");
    assert_eq!(status, 502);
}

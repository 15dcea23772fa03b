//! Methods and bodies, with and without a length, small and large, and trailers, for every pair.

use tests::http2::{Answering, fields};

use super::*;

/// Far more than all windows and buffers between client and origin.
const LARGE: usize = 5 << 20;

#[test]
fn a_get_and_its_answer() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering::ok("hello"));
        let gateway = Gateway::between(&origin, upstream, "");
        let asked = Asking::new("GET", "/some/path?q=1").ask(&gateway, client);
        asked.answer.is(200).body_is("hello");
        let request = origin.only();
        assert_eq!(
            (&*request.method, &*request.target),
            ("GET", "/some/path?q=1")
        );
        assert_eq!(request.message.body, b"");
        request.lacks("transfer-encoding");
    });
}

#[test]
fn a_head_gets_the_head_alone() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering {
            head: fields(&[(":status", "200"), ("content-length", "5")]),
            ..Answering::ok("hello")
        });
        let gateway = Gateway::between(&origin, upstream, "");
        for _ in 0..2 {
            let asked = Asking::new("HEAD", "/").ask(&gateway, client);
            asked.answer.is(200).has("content-length", "5").body_is("");
        }
        assert_eq!(origin.received()[0].method, "HEAD");
    });
}

#[test]
fn other_methods_pass() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering::ok("x"));
        let gateway = Gateway::between(&origin, upstream, "");
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"] {
            Asking::new(method, "/")
                .ask(&gateway, client)
                .answer
                .is(200)
                .body_is("x");
        }
        let methods: Vec<_> = origin.received().into_iter().map(|it| it.method).collect();
        assert_eq!(methods, ["PUT", "DELETE", "PATCH", "OPTIONS", "PURGE"]);
    });
}

#[test]
fn small_bodies_come_back_whole() {
    each(|client, upstream| {
        let origin = origin(upstream, |request| {
            Answering::ok(request.message.body.clone())
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let post = Asking::new("POST", "/");
        post.clone()
            .sized("sized")
            .ask(&gateway, client)
            .answer
            .is(200)
            .body_is("sized");
        post.clone()
            .unsized_("unsized")
            .ask(&gateway, client)
            .answer
            .is(200)
            .body_is("unsized");
        origin.received()[0].has("content-length", "5");
    });
}

#[test]
fn empty_bodies_are_bodies_too() {
    each(|client, upstream| {
        let origin = origin(upstream, |request| {
            Answering::ok(format!("{:?}", request.message.body))
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let post = Asking::new("POST", "/");
        post.clone()
            .sized("")
            .ask(&gateway, client)
            .answer
            .is(200)
            .body_is("[]");
        post.unsized_("")
            .ask(&gateway, client)
            .answer
            .is(200)
            .body_is("[]");
    });
}

#[test]
fn an_answer_without_a_body_ends_for_a_client_that_keeps_its_connection() {
    // A head that ends its stream says by that how long the body is; in HTTP/1.1 a field has to (RFC 9112 section 6.3).
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering::ok(""));
        let gateway = Gateway::between(&origin, upstream, "");
        Asking::new("GET", "/")
            .ask(&gateway, client)
            .answer
            .is(200)
            .body_is("");
        Asking::new("POST", "/")
            .sized("x")
            .ask(&gateway, client)
            .answer
            .is(200)
            .body_is("");
    });
}

#[test]
fn large_bodies_go_up_whole() {
    each(|client, upstream| {
        let origin = origin(upstream, |request| {
            // The head of what came, so that the answer stays small.
            Answering::ok(format!("{} bytes", request.message.body.len()))
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let body = noise(LARGE);
        for post in [
            Asking::new("POST", "/").sized(body.clone()),
            Asking::new("POST", "/").unsized_(body.clone()),
        ] {
            let answer = post.ask(&gateway, client).answer;
            answer.is(200).body_is(format!("{LARGE} bytes"));
        }
        for request in origin.received() {
            assert!(request.message.body == body, "the body differs");
        }
    });
}

#[test]
fn large_bodies_come_down_whole() {
    each(|client, upstream| {
        let body = noise(LARGE);
        let told = body.clone();
        let origin = origin(upstream, move |request| {
            let mut answer = Answering::ok(told.clone());
            if request.target == "/sized" {
                answer
                    .head
                    .extend(fields(&[("content-length", &told.len().to_string())]));
            }
            answer
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let sized = Asking::new("GET", "/sized").ask(&gateway, client).answer;
        sized
            .is(200)
            .has("content-length", &LARGE.to_string())
            .body_is(&body);
        let unsized_ = Asking::new("GET", "/").ask(&gateway, client).answer;
        unsized_.is(200).lacks("content-length").body_is(&body);
    });
}

#[test]
fn large_bodies_both_ways_at_once() {
    // The origin begins to answer when it has all; the gateway streams, and holds neither.
    each(|client, upstream| {
        let origin = origin(upstream, |request| {
            Answering::ok(request.message.body.clone())
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let body = noise(1 << 20);
        let post = Asking::new("POST", "/").sized(body.clone());
        post.ask(&gateway, client).answer.is(200).body_is(&body);
    });
}

#[test]
fn trailers_of_requests_pass() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering::ok("x"));
        let gateway = Gateway::between(&origin, upstream, "");
        let post = Asking::new("POST", "/").unsized_("body");
        let post = post.trailer("x-sum", "42").trailer("x-user-id", "root");
        post.ask(&gateway, client).answer.is(200);
        let request = origin.only();
        assert_eq!(request.message.body, b"body");
        // Identity fields of clients are stripped here too.
        assert_eq!(request.message.trailers, fields(&[("x-sum", "42")]));
    });
}

#[test]
fn trailers_of_answers_pass() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering {
            trailers: fields(&[("x-sum", "42"), ("x-more", "a, b")]),
            ..Answering::ok("body")
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let get = Asking::new("GET", "/").with("te", "trailers");
        let answer = get.ask(&gateway, client).answer;
        answer.is(200).body_is("body");
        let expected = fields(&[("x-sum", "42"), ("x-more", "a, b")]);
        assert_eq!(answer.message.trailers, expected);
    });
}

#[test]
fn answers_of_trailers_alone_pass() {
    // What gRPC calls trailers-only is a head that ends the stream; a head, no body and trailers is the other form.
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering {
            trailers: fields(&[("x-status", "7")]),
            ..Answering::ok("")
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let answer = Asking::new("GET", "/")
            .with("te", "trailers")
            .ask(&gateway, client)
            .answer;
        answer.is(200).body_is("");
        assert_eq!(answer.message.trailers, fields(&[("x-status", "7")]));
    });
}

#[test]
fn answers_without_a_body_pass() {
    each(|client, upstream| {
        let origin = origin(upstream, |request| Answering {
            head: fields(&[(":status", &request.target[1..]), ("etag", "\"x\"")]),
            ..Answering::default()
        });
        let gateway = Gateway::between(&origin, upstream, "");
        for status in [204, 304] {
            let get = Asking::new("GET", &format!("/{status}"));
            get.ask(&gateway, client)
                .answer
                .is(status)
                .has("etag", "\"x\"")
                .body_is("");
        }
    });
}

#[test]
fn a_304_may_say_how_long_the_whole_would_be() {
    each(|client, upstream| {
        let origin = origin(upstream, |_| Answering {
            head: fields(&[(":status", "304"), ("content-length", "500")]),
            ..Answering::default()
        });
        let gateway = Gateway::between(&origin, upstream, "");
        let answer = Asking::new("GET", "/").ask(&gateway, client).answer;
        answer.is(304).has("content-length", "500").body_is("");
    });
}

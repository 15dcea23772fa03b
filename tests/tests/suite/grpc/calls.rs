//! Calls of every kind: who speaks is heard at once, ends are told apart, metadata passes as it is.

use super::*;

const HI: &[u8] = b"\0\0\0\0\x02hi";

#[test]
fn both_sides_speak_whenever_they_like() {
    run(async {
        let mut service = Service::start().await;
        let gateway = service.behind("", "", "");
        let mut client = Client::connect(&gateway).await;
        let (answer, mut asks) = client.call(asking_with("/a.B/Chat", &[]));
        // Before a byte of the body, and the answer before that too.
        let mut call = service.call().await;
        assert_eq!(call.head.uri.path(), "/a.B/Chat");
        let mut answers = call.accept();
        let (head, mut hears) = answer.head().await;
        assert_eq!(
            value(&head.headers, "content-type"),
            Some("application/grpc+proto")
        );
        for _ in 0..3 {
            say(&mut asks, HI);
            assert_eq!(call.hears.bytes(HI.len()).await, HI);
            say(&mut answers, HI);
            assert_eq!(hears.bytes(HI.len()).await, HI);
        }
        // Not in turn, either.
        say(&mut answers, b"\0\0\0");
        assert_eq!(hears.bytes(3).await, b"\0\0\0");
        finish(&mut asks);
        assert_eq!(call.hears.rest().await, (Vec::new(), None));
        say(&mut answers, b"\0\0");
        assert_eq!(hears.bytes(2).await, b"\0\0");
        let end = trailers(&[
            ("grpc-status", "0"),
            ("x-end", "yes"),
            ("x-end-bin", "AAEC/w"),
        ]);
        answers.send_trailers(end.clone()).expect("it is open");
        assert_eq!(hears.rest().await, (Vec::new(), Some(end)));
        let line = gateway.wait_logged("\"grpcStatus\":0");
        assert!(line.contains("\"statusCode\":200"), "{line}");
    });
}

#[test]
fn what_came_whole_is_sent_whole() {
    run(async {
        let mut service = Service::start().await;
        let gateway = service.behind("", "", "");
        let mut client = Client::connect(&gateway).await;
        let (answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
        asks.send_data(HI.into(), true).expect("it is open");
        let mut call = service.call().await;
        assert_eq!(call.field("te"), Some("trailers"));
        assert_eq!(call.field("content-length"), None, "the client said none");
        assert_eq!(call.field("grpc-timeout"), None, "nobody gave a time");
        assert_eq!(call.hears.rest().await, (HI.to_vec(), None));
        let mut answers = call.accept();
        say(&mut answers, HI);
        let end = trailers(&[("grpc-status", "0")]);
        answers.send_trailers(end.clone()).expect("it is open");
        let (_, mut hears) = answer.head().await;
        assert_eq!(hears.rest().await, (HI.to_vec(), Some(end)));
    });
}

#[test]
fn an_answer_may_be_all_head() {
    run(async {
        let mut service = Service::start().await;
        let gateway = service.behind("", "", "");
        let mut client = Client::connect(&gateway).await;
        let (answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
        finish(&mut asks);
        let mut call = service.call().await;
        let mut head = ok();
        *head.headers_mut() = trailers(&[
            ("content-type", "application/grpc"),
            ("grpc-status", "5"),
            ("grpc-message", "no such thing"),
        ]);
        call.answer.send_response(head, true).expect("it is open");
        let fields = answer.status().await;
        assert_eq!(value(&fields, "grpc-status"), Some("5"));
        assert_eq!(value(&fields, "grpc-message"), Some("no such thing"));
        assert_eq!(value(&fields, "content-length"), None);
        gateway.wait_logged("\"grpcStatus\":5");
    });
}

#[test]
fn an_early_answer_ends_the_call() {
    run(async {
        let mut service = Service::start().await;
        let gateway = service.behind("", "", "");
        let mut client = Client::connect(&gateway).await;
        let (answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
        say(&mut asks, HI);
        let mut call = service.call().await;
        call.hears.bytes(HI.len()).await;
        let mut answers = call.accept();
        let end = trailers(&[("grpc-status", "3")]);
        answers.send_trailers(end).expect("it is open");
        let (_, mut hears) = answer.head().await;
        ends_with(&mut hears, "3").await;
        // Neither side has to end the request.
        gateway.wait_logged("\"grpcStatus\":3");
        drop(asks);
    });
}

#[test]
fn metadata_passes_as_it_is() {
    run(async {
        let mut service = Service::start().await;
        let gateway = service.behind("", "", "");
        let mut client = Client::connect(&gateway).await;
        let long = "v".repeat(12_000);
        let long: &'static str = Box::leak(long.into_boxed_str());
        let fields: [(&'static str, &'static str); 5] = [
            ("x-long", long),
            ("x-some-bin", "AAECAwQ"),
            ("x-list-bin", "AA,AQ=="),
            ("x-none-bin", ""),
            ("x-odd", "a, \"b\"; c=%zz"),
        ];
        let (answer, mut asks) = client.call(asking_with("/a.B/C", &fields));
        finish(&mut asks);
        let mut call = service.call().await;
        for (name, sent) in fields {
            assert_eq!(call.field(name), Some(sent), "{name}");
        }
        let mut head = ok();
        head.headers_mut().extend(trailers(&fields));
        let mut answers = call.answer.send_response(head, false).expect("it is open");
        let mut end = trailers(&fields);
        end.append("grpc-status", http::HeaderValue::from_static("0"));
        answers.send_trailers(end.clone()).expect("it is open");
        let (head, mut hears) = answer.head().await;
        for (name, sent) in fields {
            assert_eq!(value(&head.headers, name), Some(sent), "{name}");
        }
        assert_eq!(hears.rest().await, (Vec::new(), Some(end)));
    });
}

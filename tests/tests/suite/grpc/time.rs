//! How long a call may take: the lower of the client's time and the route's, told to the service, and held.

use super::*;
use tests::metrics::Metrics;

const HI: &[u8] = b"\0\0\0\0\x02hi";

/// Milliseconds of a `grpc-timeout`.
fn millis(value: &str) -> f64 {
    let (number, unit) = value.split_at(value.len() - 1);
    assert!(number.len() <= 8, "{value}");
    let number: f64 = number.parse().expect("digits");
    let each = match unit {
        "n" => 1e-6,
        "u" => 1e-3,
        "m" => 1.0,
        "S" => 1e3,
        other => panic!("{other} of {value}"),
    };
    number * each
}

#[test]
fn the_service_is_told_what_is_left() {
    let table = [
        (None, "", None),
        (Some("5S"), "", Some(5_000.0)),
        (Some("5000000u"), "", Some(5_000.0)),
        (Some("5S"), "timeout = \"2s\"", Some(2_000.0)),
        (Some("1S"), "timeout = \"2s\"", Some(1_000.0)),
        (None, "timeout = \"2s\"", Some(2_000.0)),
    ];
    for (said, route, most) in table {
        run(async {
            let mut service = Service::start().await;
            let gateway = service.behind("", route, "");
            let mut client = Client::connect(&gateway).await;
            let fields = said.map(|said| ("grpc-timeout", said));
            let (_answer, _asks) = client.call(asking_with("/a.B/C", fields.as_slice()));
            let call = service.call().await;
            let told = call.field("grpc-timeout").map(millis);
            assert_eq!(told.is_some(), most.is_some(), "{said:?} {route}: {told:?}");
            assert!(told <= most, "{said:?} {route}: {told:?}");
            assert!(
                told > Some(0.0) || most.is_none(),
                "{said:?} {route}: {told:?}"
            );
        });
    }
}

#[test]
fn the_clients_time_is_held() {
    run(async {
        let mut service = Service::start().await;
        let gateway = service.behind("", "timeout = \"1h\"", "");
        let mut client = Client::connect(&gateway).await;
        let (answer, mut asks) = client.call(asking_with("/a.B/C", &[("grpc-timeout", "200m")]));
        finish(&mut asks);
        let mut call = service.call().await;
        let fields = answer.status().await;
        assert_eq!(value(&fields, "grpc-status"), Some("4"));
        assert_eq!(call.is_reset().await, Reason::CANCEL);
        gateway.wait_logged("\"error\":\"grpc_timeout\"");
        // A client that is in a hurry says nothing about the service.
        let errors =
            Metrics::of(&gateway).value("gateway_backend_errors_total{upstream=\"backend\"}");
        assert_eq!(errors.unwrap_or(0.0), 0.0);
    });
}

#[test]
fn the_routes_time_is_held() {
    for said in [&[][..], &[("grpc-timeout", "1H")]] {
        run(async {
            let mut service = Service::start().await;
            let gateway = service.behind("", "timeout = \"200ms\"", "");
            let mut client = Client::connect(&gateway).await;
            let (answer, _asks) = client.call(asking_with("/a.B/C", said));
            let mut call = service.call().await;
            let fields = answer.status().await;
            assert_eq!(value(&fields, "grpc-status"), Some("4"));
            assert_eq!(call.is_reset().await, Reason::CANCEL);
            gateway.wait_logged("\"error\":\"timeout\"");
        });
    }
}

#[test]
fn a_time_that_is_over_in_the_middle_of_an_answer_ends_it_with_a_status() {
    for half_closed in [true, false] {
        run(async {
            let mut service = Service::start().await;
            let gateway = service.behind("", "", "");
            let mut client = Client::connect(&gateway).await;
            let fields = [("grpc-timeout", "400m")];
            let (answer, mut asks) = client.call(asking_with("/a.B/C", &fields));
            if half_closed {
                finish(&mut asks);
            }
            let mut call = service.call().await;
            let mut answers = call.accept();
            say(&mut answers, HI);
            let (_, mut hears) = answer.head().await;
            assert_eq!(hears.bytes(HI.len()).await, HI);
            let end = ends_with(&mut hears, "4").await;
            assert_eq!(
                value(&end, "grpc-message"),
                Some("The time that the call was given is over.")
            );
            let reason = std::future::poll_fn(|cx| answers.poll_reset(cx)).await;
            assert_eq!(reason.expect("the connection lives on"), Reason::CANCEL);
            let line = gateway.wait_logged("\"error\":\"grpc_timeout\"");
            assert!(line.contains("\"grpcStatus\":4"), "{line}");
        });
    }
}

#[test]
fn a_time_that_is_over_already_is_not_asked_for() {
    run(async {
        let mut service = Service::start().await;
        let gateway = service.behind("", "", "");
        let mut client = Client::connect(&gateway).await;
        for (said, status) in [("0S", "4"), ("1n", "4"), ("S", "13"), ("123456789m", "13")] {
            let (answer, mut asks) = client.call(asking_with("/a.B/C", &[("grpc-timeout", said)]));
            finish(&mut asks);
            let fields = answer.status().await;
            assert_eq!(value(&fields, "grpc-status"), Some(status), "{said}");
        }
        gateway.wait_logged("bad_grpc_timeout");
        assert!(service.calls.try_recv().is_err(), "the service was asked");
    });
}

#[test]
fn a_time_is_the_clients_word_in_calls_alone() {
    run(async {
        let mut service = Service::start().await;
        let gateway = service.behind("", "", "");
        let mut client = Client::connect(&gateway).await;
        let request = Request::post("http://a/x").header("grpc-timeout", "1n");
        let (_answer, _asks) = client.call(request.body(()).expect("sound"));
        assert_eq!(service.call().await.field("grpc-timeout"), Some("1n"));
    });
}

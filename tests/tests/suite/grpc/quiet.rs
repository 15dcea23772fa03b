//! Streams of messages, and of events, may be quiet for longer than other answers; but not for ever.

use std::io;
use std::thread::park_timeout;
use std::time::Duration;

use super::*;
use tests::origin::Link;
use tests::{Origin, metrics};

const HI: &[u8] = b"\0\0\0\0\x02hi";

/// Far below the time for streams, which all of these hold.
const OTHERS: Duration = Duration::from_millis(100);

fn listener(idle: &str) -> String {
    format!(
        "[listener.public]\naddress = \"127.0.0.1:0\"\nbody_timeout = \"{0}ms\"\nstream_idle_timeout = \"{idle}\"\n",
        OTHERS.as_millis()
    )
}

fn upstream() -> String {
    format!("read_timeout = \"{}ms\"", OTHERS.as_millis())
}

#[test]
fn a_call_may_be_quiet() {
    run(async {
        let mut service = Service::start().await;
        let gateway = service.behind(&upstream(), "", &listener("1h"));
        let mut client = Client::connect(&gateway).await;
        let (answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
        let mut call = service.call().await;
        let mut answers = call.accept();
        let (_, mut hears) = answer.head().await;
        for _ in 0..2 {
            tokio::time::sleep(OTHERS * 4).await;
            say(&mut asks, HI);
            assert_eq!(call.hears.bytes(HI.len()).await, HI);
            say(&mut answers, HI);
            assert_eq!(hears.bytes(HI.len()).await, HI);
        }
        finish(&mut asks);
        tokio::time::sleep(OTHERS * 4).await;
        let end = trailers(&[("grpc-status", "0")]);
        answers.send_trailers(end).expect("it is open");
        ends_with(&mut hears, "0").await;
    });
}

#[test]
fn a_call_that_is_quiet_for_too_long_is_over() {
    for half_closed in [true, false] {
        run(async {
            let mut service = Service::start().await;
            let gateway = service.behind("", "", &listener("300ms"));
            let mut client = Client::connect(&gateway).await;
            let (answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
            let mut call = service.call().await;
            let mut answers = call.accept();
            let (_, mut hears) = answer.head().await;
            if half_closed {
                finish(&mut asks);
            }
            ends_with(&mut hears, "4").await;
            let reason = std::future::poll_fn(|cx| answers.poll_reset(cx)).await;
            assert_eq!(reason.expect("the connection lives on"), Reason::CANCEL);
            gateway.wait_logged("\"error\":\"stream_idle_timeout\"");
        });
    }
}

#[test]
fn until_its_answer_begins_too() {
    run(async {
        let mut service = Service::start().await;
        // Less than the default of `first_byte_timeout`, which is not for calls.
        let gateway = service.behind(&upstream(), "", &listener("700ms"));
        for half_closed in [true, false] {
            let mut client = Client::connect(&gateway).await;
            let (answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
            let mut call = service.call().await;
            if half_closed {
                finish(&mut asks);
            }
            tokio::time::sleep(OTHERS * 4).await;
            let mut answers = call.accept();
            say(&mut answers, HI);
            let (_, mut hears) = answer.head().await;
            assert_eq!(hears.bytes(HI.len()).await, HI);
            let (answer, mut asks) = client.call(asking_with("/a.B/Silent", &[]));
            let _call = service.call().await;
            if half_closed {
                finish(&mut asks);
            }
            let fields = answer.status().await;
            assert_eq!(value(&fields, "grpc-status"), Some("4"), "{half_closed}");
            let id = value(&fields, "x-request-id").expect("an id");
            let line = gateway.wait_logged(id);
            assert!(line.contains("\"error\":\"stream_idle_timeout\""), "{line}");
        }
    });
}

#[test]
fn while_one_side_speaks_the_other_need_not() {
    const IDLE: Duration = Duration::from_millis(1500);
    for client_speaks in [true, false] {
        run(async {
            let mut service = Service::start().await;
            let gateway = service.behind(&upstream(), "", &listener("1500ms"));
            let mut client = Client::connect(&gateway).await;
            let (answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
            let mut call = service.call().await;
            let mut answers = call.accept();
            let (_, mut hears) = answer.head().await;
            // Twice as long as both together may be quiet.
            for _ in 0..6 {
                tokio::time::sleep(IDLE / 3).await;
                if client_speaks {
                    say(&mut asks, HI);
                    assert_eq!(call.hears.bytes(HI.len()).await, HI);
                } else {
                    say(&mut answers, HI);
                    assert_eq!(hears.bytes(HI.len()).await, HI);
                }
            }
            let end = trailers(&[("grpc-status", "0")]);
            answers.send_trailers(end).expect("it is open");
            ends_with(&mut hears, "0").await;
        });
    }
}

/// An origin that sends the head of an event stream, waits, and sends an event.
fn events(wait: Duration) -> Origin {
    Origin::start(move |link: &mut Link| -> io::Result<()> {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        let end = std::time::Instant::now() + wait;
        while let Some(left) = end.checked_duration_since(std::time::Instant::now()) {
            park_timeout(left);
        }
        link.send("9\r\ndata: 1\n\n\r\n0\r\n\r\n")?;
        link.wait_closed();
        Ok(())
    })
}

fn before(origin: &Origin, idle: &str) -> Gateway {
    let upstream = format!("endpoints = [\"{}\"]\n{}", origin.address, upstream());
    let text = tests::gateway::upstream_and_route(&upstream, "access_log = \"main\"");
    Gateway::start(format!("{text}\n{}", listener(idle)))
}

#[test]
fn an_event_stream_may_be_quiet() {
    let origin = events(OTHERS * 4);
    let gateway = before(&origin, "1h");
    gateway.get("/").is(200).body_is("data: 1\n\n");
}

#[test]
fn an_event_stream_that_is_quiet_for_too_long_is_broken_off() {
    let origin = events(PATIENCE);
    let gateway = before(&origin, "300ms");
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    let (came, _) = peer.to_end();
    let text = String::from_utf8_lossy(&came);
    assert!(
        text.starts_with("HTTP/1.1 200") && !text.contains("\r\n0\r\n"),
        "{text}"
    );
    gateway.wait_logged("\"error\":\"stream_idle_timeout\"");
    let series = "gateway_backend_errors_total{upstream=\"backend\"}";
    let errors = metrics::Metrics::of(&gateway).value(series);
    assert_eq!(errors.unwrap_or(0.0), 0.0, "nobody failed");
}

#[test]
fn a_client_that_leaves_a_quiet_event_stream_is_noticed() {
    let origin = events(PATIENCE);
    let gateway = before(&origin, "1h");
    let mut peer = gateway.peer();
    peer.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    metrics::wait(
        &gateway,
        "gateway_upstream_connections{upstream=\"backend\",state=\"active\"}",
        1.0,
    );
    drop(peer);
    gateway.wait_logged("\"error\":\"client_gone\"");
}

//! Server-sent events: each is with the client before the next one is sent.

use tests::metrics::wait;
use tests::{Gate, Gateway, Origin, PATIENCE};
use tokio::net::TcpStream;
use tokio::runtime::Builder;

const EVENTS: usize = 5;

fn event(number: usize) -> String {
    format!("data: {number}\n\n")
}

/// An origin that sends an event each time that a gate opens, in its own chunk or as it is until the close.
fn origin(gates: &[Gate], chunked: bool) -> Origin {
    let gates = gates.to_vec();
    Origin::start(move |link| {
        link.request()?;
        let framing = match chunked {
            true => "Transfer-Encoding: chunked\r\n",
            false => "",
        };
        link.send(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{framing}\r\n"
        ))?;
        for (number, gate) in gates.iter().enumerate() {
            gate.wait();
            let event = event(number);
            match chunked {
                true => link.send(format!("{:x}\r\n{event}\r\n", event.len()))?,
                false => link.send(event)?,
            }
        }
        if chunked {
            link.send("0\r\n\r\n")?;
        }
        Ok(())
    })
}

#[test]
fn events_are_not_held_back() {
    for chunked in [true, false] {
        let gates: Vec<Gate> = (0..EVENTS).map(|_| Gate::new()).collect();
        let origin = origin(&gates, chunked);
        let gateway = Gateway::before(origin.address, "");
        let mut peer = gateway.peer();
        peer.send("GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n");
        let head = peer.0.head().expect("an answer").expect("an answer");
        assert_eq!(
            head.value("content-type").as_deref(),
            Some("text/event-stream")
        );
        for (number, gate) in gates.iter().enumerate() {
            gate.open();
            // It comes while the origin waits for the next gate.
            let text = event(number);
            let came = peer.0.take_through(text.as_bytes()).expect("the event");
            let line = format!("{:x}\r\n{text}", text.len());
            assert!(came.ends_with(line.as_bytes()), "{number}");
        }
        peer.0.take_through(b"\r\n0\r\n\r\n").expect("the end");
        wait(
            &gateway,
            "gateway_requests_total{route=\"all\",status=\"200\"}",
            1.0,
        );
    }
}

#[test]
fn nor_are_they_over_http2() {
    let gates: Vec<Gate> = (0..EVENTS).map(|_| Gate::new()).collect();
    let origin = origin(&gates, true);
    let gateway = Gateway::before(origin.address, "");
    let test = async {
        let stream = TcpStream::connect(gateway.address("public")).await;
        let stream = stream.expect("it listens");
        let (send, connection) = h2::client::handshake(stream).await.expect("a connection");
        tokio::spawn(connection);
        let mut send = send.ready().await.expect("it is ready");
        let request = http::Request::get("http://a/").body(()).expect("sound");
        let (answer, _) = send.send_request(request, true).expect("it is taken");
        let mut body = answer.await.expect("an answer").into_body();
        for (number, gate) in gates.iter().enumerate() {
            gate.open();
            let came = body.data().await.expect("the event");
            assert_eq!(came.expect("it is whole"), event(number));
        }
        let end = body.data().await;
        assert!(end.is_none_or(|end| end.is_ok_and(|bytes| bytes.is_empty())));
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let done = runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await });
    done.expect("each comes");
}

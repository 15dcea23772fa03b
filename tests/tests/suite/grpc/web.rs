//! gRPC-Web of browsers, translated for a service that speaks gRPC: base64 both ways, trailers in the body.

use std::sync::mpsc::{Receiver, Sender, channel};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tests::gateway::upstream_and_route;
use tests::wire::{Wire, latin};
use tests::{Answer as Answered, Origin, Peer};

use super::*;

const HI: &[u8] = b"\0\0\0\0\x02hi";

/// The frame of trailers.
fn frame(lines: &str) -> Vec<u8> {
    let len = u32::try_from(lines.len()).expect("short").to_be_bytes();
    [&[0x80], &len[..], lines.as_bytes()].concat()
}

/// A service that does as the last word of the path says, in a thread of its own; and what it was asked.
fn service() -> (SocketAddr, Receiver<request::Parts>) {
    let (tell, asked) = channel();
    let (ready, address) = channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let mut service = Service::start().await;
            ready.send(service.address).expect("it is waited for");
            loop {
                let call = service.call().await;
                tokio::spawn(play(call, tell.clone()));
            }
        });
    });
    (address.recv().expect("it starts"), asked)
}

async fn play(mut call: Asked, tell: Sender<request::Parts>) {
    let _ = tell.send(call.head.clone());
    let path = call.head.uri.path().to_owned();
    let method = path.rsplit('/').next().unwrap_or_default();
    if method == "Status" {
        let mut head = ok();
        head.headers_mut().extend(trailers(&[
            ("grpc-status", "5"),
            ("grpc-message", "not here"),
            ("x-other", "stays"),
        ]));
        call.answer.send_response(head, true).expect("it is open");
        return;
    }
    let mut answers = call.accept();
    match method {
        "Break" | "Cut" => {
            let whole = method == "Break";
            say(&mut answers, if whole { HI } else { b"\0\0\0\0\x02h" });
            // The client speaks again when it has heard that.
            call.hears.bytes(HI.len() * 2).await;
            answers.send_reset(Reason::INTERNAL_ERROR);
        }
        _ => {
            while let Some(Ok(some)) = call.hears.0.data().await {
                call.hears
                    .0
                    .flow_control()
                    .release_capacity(some.len())
                    .expect("it was received");
                answers.send_data(some, false).expect("it is open");
            }
            let end = trailers(&[("grpc-status", "0"), ("x-end", "yes")]);
            answers.send_trailers(end).expect("it is open");
        }
    }
}

const ENDED: &str = "grpc-status: 0\r\nx-end: yes\r\n";

fn gateway(service: SocketAddr) -> Gateway {
    let upstream = format!("endpoints = [\"{service}\"]\nprotocol = \"grpc\"");
    Gateway::start(upstream_and_route(&upstream, "access_log = \"main\""))
}

fn head(method: &str, content: &str, more: &str) -> String {
    format!("POST /a.B/{method} HTTP/1.1\r\nHost: a\r\nContent-Type: {content}\r\n{more}\r\n")
}

fn ask(peer: &mut Peer, method: &str, content: &str, body: &[u8]) -> Answered {
    let head = head(
        method,
        content,
        &format!("Content-Length: {}\r\n", body.len()),
    );
    peer.ask([head.as_bytes(), body].concat())
}

/// What text in base64 says; each piece may be padded.
fn decoded(text: &[u8]) -> Vec<u8> {
    let groups = text.chunks(4).map(|group| BASE64.decode(group));
    groups.flat_map(|group| group.expect("base64")).collect()
}

#[test]
fn binary_calls() {
    let (address, asked) = service();
    let gateway = gateway(address);
    let mut peer = gateway.peer();
    // Twice, over one connection.
    for _ in 0..2 {
        let answer = ask(&mut peer, "Echo", "application/grpc-web+proto", HI);
        answer
            .is(200)
            .has("content-type", "application/grpc-web+proto")
            .has("transfer-encoding", "chunked")
            .lacks("grpc-status")
            .body_is([HI, &frame(ENDED)].concat());
        let told = asked.recv_timeout(PATIENCE).expect("it was asked");
        let field = |name| value(&told.headers, name);
        assert_eq!(field("content-type"), Some("application/grpc+proto"));
        assert_eq!(field("te"), Some("trailers"));
        assert_eq!(field("content-length"), None);
    }
    gateway.wait_logged("\"grpcStatus\":0");
}

#[test]
fn calls_in_text() {
    let (address, asked) = service();
    let gateway = gateway(address);
    let mut peer = gateway.peer();
    let text = BASE64.encode(HI);
    let answer = ask(
        &mut peer,
        "Echo",
        "application/grpc-web-text",
        text.as_bytes(),
    );
    answer
        .is(200)
        .has("content-type", "application/grpc-web-text+proto");
    assert_eq!(
        decoded(answer.text().as_bytes()),
        [HI, &frame(ENDED)].concat()
    );
    let told = asked.recv_timeout(PATIENCE).expect("it was asked");
    assert_eq!(
        value(&told.headers, "content-type"),
        Some("application/grpc")
    );
}

#[test]
fn the_answer_is_as_the_client_accepts_it() {
    let (address, _asked) = service();
    let gateway = gateway(address);
    let accept = "Accept: application/grpc-web-text\r\nContent-Length: 7\r\n";
    let request = [head("Echo", "application/grpc-web", accept).as_bytes(), HI].concat();
    let answer = gateway.ask(request);
    answer
        .is(200)
        .has("content-type", "application/grpc-web-text+proto");
    assert_eq!(
        decoded(answer.text().as_bytes()),
        [HI, &frame(ENDED)].concat()
    );
}

/// The next chunk of an answer. Its line's end comes with what follows it.
fn chunk_of(wire: &mut Wire) -> Vec<u8> {
    let mut line = String::new();
    while line.is_empty() {
        line = latin(&wire.take_through(b"\r\n").expect("a chunk"));
        line.truncate(line.len() - 2);
    }
    let size = usize::from_str_radix(&line, 16).expect("a size");
    wire.take(size).expect("a chunk")
}

#[test]
fn text_flows_as_it_comes() {
    let (address, _asked) = service();
    let gateway = gateway(address);
    let mut peer = gateway.peer();
    peer.send(head(
        "Echo",
        "application/grpc-web-text",
        "Transfer-Encoding: chunked\r\n",
    ));
    let text = BASE64.encode([HI, HI].concat());
    let wire = &mut peer.0;
    let mut heard = Vec::new();
    let mut started = false;
    // In pieces that are no groups; what makes groups comes back before more is sent.
    for (number, piece) in text.as_bytes().chunks(5).enumerate() {
        let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
        wire.write(&chunk).expect("it is taken");
        if !std::mem::replace(&mut started, true) {
            let head = wire.head().expect("an answer").expect("an answer");
            assert!(head.line.starts_with("HTTP/1.1 200"), "{}", head.line);
        }
        let due = ((number + 1) * 5).min(text.len()) / 4 * 3;
        while heard.len() < due.min(HI.len() * 2) {
            heard.extend(decoded(&chunk_of(wire)));
        }
    }
    assert_eq!(heard, [HI, HI].concat());
    wire.write(b"0\r\n\r\n").expect("it is taken");
    assert_eq!(decoded(&chunk_of(wire)), frame(ENDED));
    assert_eq!(wire.take(7).expect("the end"), b"\r\n0\r\n\r\n");
}

#[test]
fn large_calls_in_text() {
    let (address, _asked) = service();
    let gateway = gateway(address);
    let message: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    let body = [&[0], &300_000_u32.to_be_bytes()[..], &message].concat();
    let mut peer = gateway.peer();
    let text = BASE64.encode(&body);
    let answer = ask(
        &mut peer,
        "Echo",
        "application/grpc-web-text",
        text.as_bytes(),
    );
    answer.is(200);
    assert!(
        decoded(answer.text().as_bytes()) == [body, frame(ENDED)].concat(),
        "another answer"
    );
}

#[test]
fn over_http2() {
    let (address, _asked) = service();
    let gateway = gateway(address);
    run(async {
        let mut client = Client::connect(&gateway).await;
        for (content, text) in [
            ("application/grpc-web", false),
            ("application/grpc-web-text", true),
        ] {
            let request = Request::post("http://a/a.B/Echo").header("content-type", content);
            let (answer, mut asks) = client.call(request.body(()).expect("sound"));
            let body = if text {
                BASE64.encode(HI).into_bytes()
            } else {
                HI.to_vec()
            };
            asks.send_data(body.into(), true).expect("it is open");
            let (head, mut hears) = answer.head().await;
            let expected = format!("{content}+proto");
            assert_eq!(value(&head.headers, "content-type"), Some(&*expected));
            let (heard, behind) = hears.rest().await;
            let heard = if text { decoded(&heard) } else { heard };
            assert_eq!(heard, [HI, &frame(ENDED)].concat());
            assert_eq!(behind, None);
        }
    });
}

#[test]
fn over_http_1_0() {
    let (address, _asked) = service();
    let gateway = gateway(address);
    let mut peer = gateway.peer();
    peer.send("POST /a.B/Echo HTTP/1.0\r\nContent-Type: application/grpc-web\r\nContent-Length: 7\r\n\r\n");
    peer.send(HI);
    let answer = peer.answer();
    answer
        .is(200)
        .lacks("transfer-encoding")
        .body_is([HI, &frame(ENDED)].concat());
}

#[test]
fn an_answer_that_is_all_head_gets_a_body() {
    let (address, _asked) = service();
    let gateway = gateway(address);
    let mut peer = gateway.peer();
    let answer = ask(&mut peer, "Status", "application/grpc-web", HI);
    answer
        .is(200)
        .has("x-other", "stays")
        .lacks("grpc-status")
        .lacks("grpc-message")
        .body_is(frame("grpc-status: 5\r\ngrpc-message: not here\r\n"));
    gateway.wait_logged("\"grpcStatus\":5");
}

#[test]
fn refusals_have_their_form() {
    let (address, _asked) = service();
    let upstream = format!("endpoints = [\"{address}\"]\nprotocol = \"grpc\"");
    let gateway = Gateway::start(upstream_and_route(&upstream, "hosts = [\"other\"]"));
    let mut peer = gateway.peer();
    let expected = frame("grpc-status: 12\r\ngrpc-message: No route matches this request.\r\n");
    let answer = ask(&mut peer, "Echo", "application/grpc-web+proto", HI);
    answer
        .is(200)
        .has("content-type", "application/grpc-web")
        .body_is(&expected);
    let answer = ask(&mut peer, "Echo", "application/grpc-web-text", b"AAAA");
    answer
        .is(200)
        .has("content-type", "application/grpc-web-text");
    assert_eq!(decoded(answer.text().as_bytes()), expected);
}

#[test]
fn a_body_that_is_no_base64_is_refused() {
    let (address, _asked) = service();
    let gateway = gateway(address);
    for (body, word) in [
        (&b"AA*A"[..], "grpc_web_bad_base64"),
        (b"AAAAA", "grpc_web_cut_base64"),
        (b"AA=A", "grpc_web_bad_padding"),
    ] {
        let answer = ask(
            &mut gateway.peer(),
            "Silent",
            "application/grpc-web-text",
            body,
        );
        answer
            .is(200)
            .has("content-type", "application/grpc-web-text");
        let text = decoded(answer.text().as_bytes());
        assert!(latin(&text).contains("grpc-status: 13\r\n"), "{text:?}");
        gateway.wait_logged(word);
    }
}

/// What follows the first chunk of an answer that breaks off behind it.
fn behind_the_break(gateway: &Gateway, method: &str) -> Vec<u8> {
    let mut peer = gateway.peer();
    let chunk = [b"7\r\n", HI, b"\r\n"].concat();
    let chunked = "Transfer-Encoding: chunked\r\n";
    peer.send(head(method, "application/grpc-web", chunked));
    peer.send(&chunk);
    let wire = &mut peer.0;
    let head = wire.head().expect("an answer").expect("an answer");
    assert!(head.line.starts_with("HTTP/1.1 200"), "{}", head.line);
    let first = chunk_of(wire);
    assert!(HI.starts_with(&first), "{first:?}");
    peer.send(&chunk);
    peer.to_end().0
}

#[test]
fn an_answer_that_breaks_off_between_messages_ends_with_a_status() {
    let (address, _asked) = service();
    let gateway = gateway(address);
    let status = frame("grpc-status: 13\r\ngrpc-message: The service gave the request up.\r\n");
    let size = format!("\r\n{:x}\r\n", status.len());
    let expected = [size.as_bytes(), &status, b"\r\n0\r\n\r\n"].concat();
    assert_eq!(
        latin(&behind_the_break(&gateway, "Break")),
        latin(&expected)
    );
}

#[test]
fn an_answer_that_breaks_off_in_a_message_has_no_end() {
    let (address, _asked) = service();
    let gateway = gateway(address);
    assert_eq!(latin(&behind_the_break(&gateway, "Cut")), "");
    gateway.wait_logged("upstream_reset");
}

#[test]
fn a_service_that_is_not_said_to_speak_grpc_gets_it_as_it_is() {
    let origin = Origin::echo();
    let gateway = Gateway::before(origin.address, "");
    let mut peer = gateway.peer();
    ask(&mut peer, "Echo", "application/grpc-web-text", b"AAAA")
        .is(200)
        .body_is("AAAA");
    origin
        .only()
        .has("content-type", "application/grpc-web-text");
}

//! WebSockets on streams (RFC 8441), on either side of the gateway; the peers are those of the h2 crate.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;
use h2::ext::Protocol;
use h2::{Reason, RecvStream, SendStream, client, server};
use http::{Method, Request, Response, StatusCode};
use serde_json::Value;
use tests::gateway::upstream_and_route;
use tests::origin::ok;
use tests::{Gateway, Origin, PATIENCE};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;

use super::frames::{self, BINARY, CLOSE, Frame, TEXT, frame};
use super::{KEY, PROOF, asking, echo, gateway, hear, origin, say};

const MASK: Option<[u8; 4]> = Some([4, 3, 2, 1]);

/// Runs a test's client to its end.
fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let done = runtime.block_on(async { tokio::time::timeout(PATIENCE, test).await });
    done.expect("it does not take so long");
}

/// A connection to the gateway, with prior knowledge.
async fn connect(gateway: &Gateway) -> client::SendRequest<Bytes> {
    let stream = TcpStream::connect(gateway.address("public")).await;
    let (send, connection) = client::handshake(stream.expect("it listens"))
        .await
        .expect("a connection");
    tokio::spawn(connection);
    // Its end of a first exchange says that SETTINGS have come.
    let mut send = send.ready().await.expect("it is ready");
    let request = Request::get("http://a/-").body(()).expect("sound");
    let (answer, _) = send.send_request(request, true).expect("it is taken");
    answer.await.expect("an answer");
    send.ready().await.expect("it is ready")
}

/// A route for that first exchange.
const FIRST: &str = "[route.first]\npath = \"/-\"\nauth = \"none\"\nrespond = \"204\"\n";

fn connecting(protocol: &'static str) -> http::request::Builder {
    Request::builder()
        .method(Method::CONNECT)
        .uri("http://a/chat?x=1")
        .extension(Protocol::from_static(protocol))
}

fn websocket() -> http::request::Builder {
    connecting("websocket").header("sec-websocket-version", "13")
}

async fn ask(
    send: &mut client::SendRequest<Bytes>,
    request: http::request::Builder,
) -> (Response<RecvStream>, SendStream<Bytes>) {
    let request = request.body(()).expect("sound");
    let (answer, body) = send.send_request(request, false).expect("it is taken");
    (answer.await.expect("an answer"), body)
}

/// One end of a tunnel on a stream.
struct End {
    send: SendStream<Bytes>,
    receive: RecvStream,
    heard: Vec<u8>,
}

impl End {
    fn say(&mut self, opcode: u8, payload: &[u8], mask: Option<[u8; 4]>) {
        let bytes = frame(opcode, payload, mask);
        self.send
            .send_data(bytes.into(), false)
            .expect("it is open");
    }

    /// The next frame; an error at the end, or when the stream was reset.
    async fn hear(&mut self) -> io::Result<Frame> {
        loop {
            if let Some((frame, len)) = frames::parse(&self.heard) {
                self.heard.drain(..len);
                return Ok(frame);
            }
            let data = self.receive.data().await;
            let data = data.ok_or(io::ErrorKind::UnexpectedEof)?;
            let data = data.map_err(io::Error::other)?;
            let given = self.receive.flow_control().release_capacity(data.len());
            given.expect("it was received");
            self.heard.extend(data);
        }
    }
}

/// A WebSocket through the gateway, opened.
async fn open(send: &mut client::SendRequest<Bytes>) -> End {
    let (answer, body) = ask(send, websocket()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    End {
        send: body,
        receive: answer.into_body(),
        heard: Vec::new(),
    }
}

/// An origin over HTTP/2 that says everything again, unmasked; and what it was asked.
fn echo2(offers: bool) -> (SocketAddr, Receiver<Request<()>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    listener.set_nonblocking(true).expect("a socket");
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let listener = TcpListener::from_std(listener).expect("a socket");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, offers, tell.clone()));
            }
        });
    });
    (address, told)
}

async fn serve(stream: TcpStream, offers: bool, tell: Sender<Request<()>>) {
    let mut builder = server::Builder::new();
    if offers {
        builder.enable_connect_protocol();
    }
    let Ok(mut connection) = builder.handshake::<_, Bytes>(stream).await else {
        return;
    };
    while let Some(Ok((request, mut answer))) = connection.accept().await {
        let (parts, receive) = request.into_parts();
        let accept = Response::builder().header("sec-websocket-protocol", "chat");
        let response = accept.body(()).expect("sound");
        let send = answer.send_response(response, false).expect("it is open");
        // The test may have seen enough.
        let _ = tell.send(Request::from_parts(parts, ()));
        tokio::spawn(async move {
            let mut end = End {
                send,
                receive,
                heard: Vec::new(),
            };
            while let Ok(said) = end.hear().await {
                assert!(said.masked, "a client's frames are masked");
                end.say(said.opcode, &said.payload, None);
                if said.opcode == CLOSE {
                    let _ = end.send.send_data(Bytes::new(), true);
                    return;
                }
            }
        });
    }
}

/// A gateway before an origin that speaks HTTP/2.
fn before(origin: SocketAddr) -> Gateway {
    let upstream = format!("endpoints = [\"{origin}\"]\nprotocol = \"h2\"");
    let route = "websocket = true\naccess_log = \"main\"";
    Gateway::start(upstream_and_route(&upstream, route) + FIRST)
}

/// Says something and hears it again, then ends it as one should.
async fn converse(end: &mut End) {
    for payload in [&b"hello"[..], &[7; 100_000]] {
        end.say(BINARY, payload, MASK);
        let heard = end.hear().await.expect("a frame");
        assert!((heard.opcode, heard.masked) == (BINARY, false));
        assert!(heard.payload == payload);
    }
    end.say(CLOSE, &[3, 232], MASK);
    assert_eq!(end.hear().await.expect("a Close").opcode, CLOSE);
    end.send.send_data(Bytes::new(), true).expect("it is open");
    let over = end.hear().await.err().map(|error| error.kind());
    assert_eq!(over, Some(io::ErrorKind::UnexpectedEof), "an orderly end");
}

#[test]
fn a_stream_leads_to_an_origin_over_http1() {
    let origin = echo();
    let gateway = gateway(&origin, FIRST);
    run(async {
        let mut send = connect(&gateway).await;
        assert!(send.is_extended_connect_protocol_enabled());
        let request = websocket().header("sec-websocket-protocol", "chat");
        let (answer, body) = ask(&mut send, request.header("sec-websocket-key", "mine")).await;
        assert_eq!(answer.status(), StatusCode::OK);
        for name in ["sec-websocket-accept", "upgrade", "connection"] {
            assert!(!answer.headers().contains_key(name), "{name}");
        }
        let mut end = End {
            send: body,
            receive: answer.into_body(),
            heard: Vec::new(),
        };
        converse(&mut end).await;
    });
    let received = origin.only();
    assert_eq!((&*received.method, &*received.target), ("GET", "/chat?x=1"));
    received
        .has("host", "a")
        .has("connection", "Upgrade")
        .has("upgrade", "websocket")
        .has("sec-websocket-version", "13")
        .has("sec-websocket-protocol", "chat")
        .has("via", "2 portcullis")
        .lacks("transfer-encoding")
        .lacks("content-length");
    let key = received.field("sec-websocket-key").expect("one of ours");
    assert_eq!(key.len(), 24, "{key}");
    let line = gateway.wait_logged("/chat");
    let line: Value = serde_json::from_str(&line).expect("JSON");
    assert_eq!(line["statusCode"], 200, "{line}");
    assert_eq!(line["method"], "GET", "{line}");
    assert_eq!(line["protocol"], "HTTP/2.0", "{line}");
    assert_eq!(line.get("error"), None, "{line}");
    origin.wait_ended(1);
}

#[test]
fn an_upgrade_leads_to_an_origin_over_http2() {
    let (origin, told) = echo2(true);
    let gateway = before(origin);
    let mut peer = gateway.peer();
    peer.ask(asking("Sec-WebSocket-Protocol: chat\r\n"))
        .is(101)
        .has("connection", "Upgrade")
        .has("upgrade", "websocket")
        .has("sec-websocket-accept", PROOF)
        .has("sec-websocket-protocol", "chat")
        .has("via", "2 portcullis");
    say(&mut peer, TEXT, b"hello");
    assert_eq!(hear(&mut peer).payload, b"hello");
    say(&mut peer, BINARY, &[7; 100_000]);
    assert!(hear(&mut peer).payload == [7; 100_000]);
    say(&mut peer, CLOSE, &[3, 232]);
    assert_eq!(hear(&mut peer).opcode, CLOSE);
    peer.is_closed();
    let asked = told.recv_timeout(PATIENCE).expect("a request");
    let protocol = asked.extensions().get::<Protocol>().expect("it is there");
    assert_eq!(
        (asked.method(), protocol.as_str(), asked.uri().path()),
        (&Method::CONNECT, "websocket", "/chat")
    );
    assert_eq!(asked.headers()["sec-websocket-version"], "13");
    assert!(!asked.headers().contains_key("sec-websocket-key"), "{KEY}");
}

#[test]
fn a_stream_leads_to_a_stream() {
    let (origin, told) = echo2(true);
    let gateway = before(origin);
    run(async {
        let mut send = connect(&gateway).await;
        let mut ends = [open(&mut send).await, open(&mut send).await];
        for end in &mut ends {
            converse(end).await;
        }
    });
    for _ in 0..2 {
        told.recv_timeout(PATIENCE).expect("a request");
    }
}

#[test]
fn an_origin_that_does_not_offer_it_gets_502_for_us() {
    let (origin, _told) = echo2(false);
    let gateway = before(origin);
    let answer = gateway.ask(asking(""));
    answer.problem(502, "/chat", "Bad gateway");
    let line = gateway.wait_logged("\"statusCode\":502");
    assert!(line.contains("websocket_not_offered"), "{line}");
    run(async {
        let mut send = connect(&gateway).await;
        let (answer, _) = ask(&mut send, websocket()).await;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    });
}

#[test]
fn what_is_no_handshake_is_refused() {
    let origin = echo();
    let closed = "[route.closed]\npath = \"/closed\"\nupstream = \"backend\"\nauth = \"none\"\n\
                  [route.own]\npath = \"/own\"\nauth = \"none\"\nrespond = \"200 own\"\n";
    let gateway = gateway(&origin, &(closed.to_owned() + FIRST));
    let at = |path: &str| websocket().uri(format!("http://a{path}"));
    let cases = [
        (connecting("websocket"), 426, "websocket_bad_version"),
        (
            connecting("websocket").header("sec-websocket-version", "8"),
            426,
            "websocket_bad_version",
        ),
        (connecting("connect-udp"), 501, "unknown_protocol"),
        (at("/closed"), 403, "websocket_not_allowed"),
        // Its 200 would open the tunnel.
        (at("/own"), 403, "websocket_not_allowed"),
    ];
    run(async {
        let mut send = connect(&gateway).await;
        for (request, status, word) in cases {
            let (answer, _body) = ask(&mut send, request).await;
            assert_eq!(answer.status().as_u16(), status, "{word}");
            if status == 426 {
                assert_eq!(answer.headers()["sec-websocket-version"], "13");
            }
        }
    });
    assert_eq!(origin.connections(), 0, "nothing refused reaches an origin");
}

#[test]
fn without_a_route_for_it_it_is_not_offered() {
    let origin = Origin::saying("hi");
    let gateway = Gateway::before(origin.address, FIRST);
    run(async {
        let send = connect(&gateway).await;
        assert!(!send.is_extended_connect_protocol_enabled());
    });
}

#[test]
fn a_success_without_a_switch_is_none() {
    let plain = Origin::always(ok("a page"));
    let gateway = gateway(&plain, FIRST);
    run(async {
        let mut send = connect(&gateway).await;
        let (answer, _) = ask(&mut send, websocket()).await;
        assert_eq!(answer.status(), StatusCode::BAD_GATEWAY);
    });
    let line = gateway.wait_logged("\"statusCode\":502");
    assert!(line.contains("websocket_not_switched"), "{line}");
    let refusing = Origin::always("HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\n\r\nno!");
    let gateway = super::gateway(&refusing, FIRST);
    run(async {
        let mut send = connect(&gateway).await;
        let (answer, _) = ask(&mut send, websocket()).await;
        assert_eq!(answer.status(), StatusCode::FORBIDDEN);
        let body = answer.into_body().data().await.expect("a body");
        assert_eq!(&body.expect("it is whole")[..], b"no!");
    });
}

#[test]
fn a_loss_at_one_side_ends_the_other() {
    let origin = origin(|link| match link.number {
        0 => {
            link.wait_closed();
            Ok(())
        }
        _ => {
            link.wire.take(8)?;
            link.reset();
            Ok(())
        }
    });
    let gateway = gateway(&origin, FIRST);
    run(async {
        let mut send = connect(&gateway).await;
        let mut end = open(&mut send).await;
        end.send.send_reset(Reason::CANCEL);
        // Elsewhere, so that this thread can send it.
        let ended = origin.clone();
        let waiting = tokio::task::spawn_blocking(move || ended.wait_ended(1));
        waiting.await.expect("no panic");
        let mut end = open(&mut send).await;
        end.say(TEXT, b"go", MASK);
        let lost = end.hear().await.err().expect("no frame");
        assert_ne!(lost.kind(), io::ErrorKind::UnexpectedEof, "a reset");
        // The connection and its other streams live on.
        open(&mut send).await;
    });
}

#[test]
fn at_a_shutdown_a_stream_is_told_and_the_connection_ends() {
    let gateway = gateway(&echo(), FIRST);
    run(async {
        let mut send = connect(&gateway).await;
        let mut end = open(&mut send).await;
        gateway.signal("TERM");
        let told = end.hear().await.expect("a Close");
        assert_eq!(
            (told.opcode, told.payload),
            (CLOSE, 1001_u16.to_be_bytes().to_vec())
        );
        end.say(CLOSE, &told_again(), MASK);
        assert!(end.hear().await.is_err(), "nothing more comes");
        drop((end, send));
    });
    assert_eq!(gateway.exit().code(), Some(0));
}

fn told_again() -> [u8; 2] {
    1001_u16.to_be_bytes()
}

#[test]
fn big_messages_pass_over_streams() {
    let (origin, _told) = echo2(true);
    let big: Vec<u8> = (0..3_000_000_u32).map(|it| (it % 251) as u8).collect();
    let gateways = [before(origin), gateway(&echo(), FIRST)];
    for gateway in &gateways {
        run(async {
            let mut send = connect(gateway).await;
            let mut end = open(&mut send).await;
            end.say(BINARY, &big, MASK);
            let heard = end.hear().await.expect("a frame");
            assert!(heard.payload == big);
        });
    }
}

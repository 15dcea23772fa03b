//! WebSockets: the handshake, what passes through the tunnel, and how it ends, over HTTP/1.1 and HTTP/2.

use std::io;

use tests::gateway::upstream_and_route;
use tests::origin::Link;
use tests::{Gateway, Origin, Peer, Received, Setup};

use frames::{Frame, accept, frame, read};

mod auto;
mod ending;
mod frames;
mod handshake;
mod http2;
mod passing;
mod tls;

/// The key of RFC 6455's example, and the proof for it (section 1.3).
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const PROOF: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// A gateway whose every path is an open route for WebSockets to this origin; `more` are sections behind it.
fn gateway(origin: &Origin, more: &str) -> Gateway {
    setup(origin, "", more).start()
}

/// The same, not started, with keys for the upstream.
fn setup(origin: &Origin, upstream: &str, more: &str) -> Setup {
    let upstream = format!("endpoints = [\"{}\"]\n{upstream}", origin.address);
    let route = "websocket = true\naccess_log = \"main\"";
    Setup::new(upstream_and_route(&upstream, route) + more)
}

/// A handshake with these lines more.
fn asking(more: &str) -> String {
    format!(
        "GET /chat?x=1 HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{more}\r\n"
    )
}

/// An origin that opens the WebSocket that is asked for, then plays its script.
fn origin(script: impl Fn(&mut Link) -> io::Result<()> + Send + Sync + 'static) -> Origin {
    Origin::start(move |link| {
        let Some(request) = link.request_head()? else {
            return Ok(());
        };
        link.send(consent(&request, ""))?;
        script(link)
    })
}

/// One that says everything again, and Close to a Close.
fn echo() -> Origin {
    origin(|link| {
        loop {
            let said = read(&mut link.wire)?;
            assert!(said.masked, "a client's frames are masked");
            let end = said.opcode == frames::CLOSE;
            link.send(frame(said.opcode, &said.payload, None))?;
            if end {
                return Ok(());
            }
        }
    })
}

/// The answer that opens a WebSocket, with these lines more.
fn consent(request: &Received, more: &str) -> String {
    let key = request.field("sec-websocket-key").expect("there is a key");
    let proof = accept(&key);
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {proof}\r\n{more}\r\n"
    )
}

/// A WebSocket through the gateway, opened.
#[track_caller]
fn open(gateway: &Gateway) -> Peer {
    let mut peer = gateway.peer();
    peer.ask(asking("")).is(101);
    peer
}

/// Says something as a client.
#[track_caller]
fn say(peer: &mut Peer, opcode: u8, payload: &[u8]) {
    peer.send(frame(opcode, payload, Some([9, 8, 7, 6])));
}

/// What is heard next, as a client hears it.
#[track_caller]
fn hear(peer: &mut Peer) -> Frame {
    let frame = read(&mut peer.0).expect("a frame");
    assert!(!frame.masked, "a server's frames are not masked");
    frame
}

/// Fails unless the next thing is a Close with this code.
#[track_caller]
fn is_told(peer: &mut Peer, code: u16) {
    let told = hear(peer);
    assert_eq!(
        (told.opcode, told.payload),
        (frames::CLOSE, code.to_be_bytes().to_vec())
    );
}

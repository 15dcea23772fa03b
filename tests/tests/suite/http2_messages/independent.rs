//! The h2 crate as client and as server: a reading of the RFC that is neither the gateway's nor this harness's.

use std::future::Future;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tests::PATIENCE;
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Runs it on a runtime of this thread, within the harness's bound.
fn within<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let bound = async { tokio::time::timeout(PATIENCE, work).await };
    runtime
        .expect("a runtime")
        .block_on(bound)
        .expect("it takes too long")
}

/// A server that echoes each body, with its length as a trailer; it lives on in a thread of its own.
fn echo() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    listener.set_nonblocking(true).expect("TCP");
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async move {
            let listener = TcpListener::from_std(listener).expect("TCP");
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let mut connection = h2::server::handshake(stream).await.expect("a handshake");
                    while let Some(Ok((request, respond))) = connection.accept().await {
                        tokio::spawn(answer(request, respond));
                    }
                });
            }
        });
    });
    address
}

async fn answer(request: Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
    let mut body = request.into_body();
    let head = Response::builder()
        .header("x-echo", "1")
        .body(())
        .expect("a head");
    let Ok(mut send) = respond.send_response(head, false) else {
        return;
    };
    let mut length = 0;
    while let Some(Ok(piece)) = body.data().await {
        length += piece.len();
        let _ = body.flow_control().release_capacity(piece.len());
        if pour(&mut send, piece).await.is_none() {
            return;
        }
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-length", length.into());
    if let Ok(Some(asked)) = body.trailers().await {
        trailers.extend(asked);
    }
    let _ = send.send_trailers(trailers);
}

/// Sends all of it, as the windows allow.
async fn pour(send: &mut h2::SendStream<Bytes>, mut bytes: Bytes) -> Option<()> {
    while !bytes.is_empty() {
        send.reserve_capacity(bytes.len());
        let room = std::future::poll_fn(|cx| send.poll_capacity(cx))
            .await?
            .ok()?;
        send.send_data(bytes.split_to(room.min(bytes.len())), false)
            .ok()?;
    }
    Some(())
}

/// Posts a body with a trailer; the answer's body and trailers.
async fn exchange(client: h2::client::SendRequest<Bytes>, body: Bytes) -> (Vec<u8>, HeaderMap) {
    let mut client = client.ready().await.expect("room for a stream");
    let request = Request::post("http://a/echo").body(()).expect("a head");
    let (response, mut send) = client.send_request(request, false).expect("it is sent");
    let told = body.clone();
    let sending = tokio::spawn(async move {
        pour(&mut send, told).await.expect("it is taken");
        let mut trailers = HeaderMap::new();
        trailers.insert("x-asked", "yes".parse().expect("a value"));
        send.send_trailers(trailers).expect("they are sent");
    });
    let response = response.await.expect("an answer");
    assert_eq!(response.status(), 200);
    let mut body = response.into_body();
    let mut whole = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.expect("it goes on");
        body.flow_control()
            .release_capacity(piece.len())
            .expect("it was taken");
        whole.extend_from_slice(&piece);
    }
    let trailers = body.trailers().await.expect("it ends").unwrap_or_default();
    sending.await.expect("it does not panic");
    (whole, trailers)
}

#[test]
fn large_bodies_on_many_streams_with_trailers() {
    let upstream = format!("endpoints = [\"{}\"]\nprotocol = \"h2\"", echo());
    let gateway = Gateway::start(tests::gateway::upstream_and_route(&upstream, ""));
    let address = gateway.address("public");
    within(async move {
        let stream = TcpStream::connect(address).await.expect("it listens");
        let (client, connection) = h2::client::handshake(stream).await.expect("a handshake");
        tokio::spawn(connection);
        let bodies: Vec<Bytes> = (0..8).map(|n| noise(n * 150_000 + n).into()).collect();
        let asked = bodies
            .iter()
            .cloned()
            .map(|body| tokio::spawn(exchange(client.clone(), body)));
        let asked: Vec<_> = asked.collect();
        for (asked, body) in asked.into_iter().zip(bodies) {
            let (whole, trailers) = asked.await.expect("it does not panic");
            assert!(whole == body, "{} bytes of {}", whole.len(), body.len());
            assert_eq!(trailers["x-length"], body.len().to_string());
            assert_eq!(trailers["x-asked"], "yes");
        }
    });
}

#[test]
fn one_request_after_the_other() {
    let upstream = format!("endpoints = [\"{}\"]\nprotocol = \"h2\"", echo());
    let gateway = Gateway::start(tests::gateway::upstream_and_route(&upstream, ""));
    let address = gateway.address("public");
    within(async move {
        let stream = TcpStream::connect(address).await.expect("it listens");
        let (client, connection) = h2::client::handshake(stream).await.expect("a handshake");
        tokio::spawn(connection);
        for n in 0..200 {
            let body = noise(n * 10);
            let (whole, _) = exchange(client.clone(), body.clone().into()).await;
            assert_eq!(whole, body);
        }
    });
}

#[test]
fn a_drain_is_understood() {
    let upstream = format!("endpoints = [\"{}\"]\nprotocol = \"h2\"", echo());
    let gateway = Gateway::start(tests::gateway::upstream_and_route(&upstream, ""));
    let address = gateway.address("public");
    within(async {
        let stream = TcpStream::connect(address).await.expect("it listens");
        let (client, connection) = h2::client::handshake(stream).await.expect("a handshake");
        let connection = tokio::spawn(connection);
        let (whole, _) = exchange(client.clone(), Bytes::from_static(b"before")).await;
        assert_eq!(whole, b"before");
        gateway.signal("TERM");
        // It ends by itself, without an error, although the client still could ask.
        connection
            .await
            .expect("it does not panic")
            .expect("an orderly end");
        drop(client);
    });
    assert_eq!(gateway.exit().code(), Some(0));
}

//! Both clients against a server that the h2 crate is: somebody else's HTTP/2 on the other side.

use bytes::Bytes;
use h2::server::SendResponse;
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};

use super::*;

/// What of each request the server tells in its answer: how many bytes came, and what it was called with.
async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>) {
    let (head, mut body) = request.into_parts();
    let mut got = Vec::new();
    while let Some(Ok(data)) = body.data().await {
        let _ = body.flow_control().release_capacity(data.len());
        got.extend_from_slice(&data);
    }
    let path = head.uri.path();
    let size: usize = path.trim_start_matches('/').parse().unwrap_or(0);
    let mut response = Response::builder()
        .header("x-got", got.len().to_string())
        .header(
            "x-te",
            head.headers
                .get("te")
                .is_some_and(|te| te == "trailers")
                .to_string(),
        );
    if path.starts_with("/a.B/") {
        response = response.header("content-type", "application/grpc");
    }
    let Ok(mut sending) = respond.send_response(response.body(()).unwrap(), false) else {
        return;
    };
    let body = if size == 0 { got } else { vec![b'x'; size] };
    send(&mut sending, body.into()).await;
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let _ = sending.send_trailers(trailers);
}

async fn send(sending: &mut SendStream<Bytes>, mut bytes: Bytes) {
    while !bytes.is_empty() {
        sending.reserve_capacity(bytes.len());
        let room = std::future::poll_fn(|cx| sending.poll_capacity(cx)).await;
        let Some(Ok(room)) = room else {
            return;
        };
        let piece = bytes.split_to(room.min(bytes.len()));
        let _ = sending.send_data(piece, false);
    }
}

/// The server, whose connections take so many streams and have such a window.
fn crate_server(streams: u32, window: u32) -> SocketAddr {
    server(move |_, conn| {
        conn.set_nonblocking(true).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async move {
            let conn = tokio::net::TcpStream::from_std(conn).unwrap();
            let mut builder = h2::server::Builder::new();
            builder
                .max_concurrent_streams(streams)
                .initial_window_size(window);
            let Ok(mut conn) = builder.handshake(conn).await else {
                return;
            };
            while let Some(Ok((request, respond))) = conn.accept().await {
                tokio::spawn(answer(request, respond));
            }
        });
    })
}

#[test]
fn bodies_pass_both_ways_and_trailers_end_them() {
    for (streams, window) in [(100, 65_535), (2, 1000)] {
        let address = crate_server(streams, window);
        for client in [Client::Own, Client::Crate] {
            for (path, size, expected) in [
                ("0", "0", "0"),
                ("30000", "70KiB", "71680"),
                ("1", "5", "5"),
            ] {
                let toml = format!(
                    "[target]\nurl = \"http://{address}/{path}\"\nhttp2 = true\n[load]\nrequests = 20\n\
                     connections = 2\nstreams = 4\n[request.one]\nmethod = \"POST\"\nbody_size = \"{size}B\"\n\
                     expect_headers = {{ x-got = \"{expected}\" }}\n"
                );
                let toml = toml.replace("KiBB", "KiB");
                let scenario = Scenario::parse(&toml, "test.toml", std::path::Path::new(""));
                let scenario =
                    scenario.unwrap_or_else(|why| panic!("{}", crate::scenario::show(&why)));
                let results = run_with(&scenario, &Setup { client, ..setup(1) }).unwrap();
                assert_eq!(errors(&results), [], "{client:?} {path} {streams}");
                assert_eq!(results.counts.answered, 20);
            }
        }
    }
}

#[test]
fn calls_of_grpc_are_taken_for_such() {
    let address = crate_server(100, 65_535);
    for client in [Client::Own, Client::Crate] {
        let toml = format!(
            "[target]\nurl = \"http://{address}\"\nhttp2 = true\n[load]\nrequests = 20\nconnections = 2\n\
             streams = 4\n[request.call]\ngrpc = true\npath = \"/a.B/C\"\nbody_size = \"1000B\"\n\
             expect_headers = {{ x-got = \"1005\", x-te = \"true\" }}\n"
        );
        let scenario = Scenario::parse(&toml, "test.toml", std::path::Path::new(""));
        let scenario = scenario.unwrap_or_else(|why| panic!("{}", crate::scenario::show(&why)));
        let results = run_with(&scenario, &Setup { client, ..setup(1) }).unwrap();
        assert_eq!(errors(&results), [], "{client:?}");
        assert_eq!(results.grpc, [(0, 20)].into());
    }
}

//! The origin over HTTP/2, asked by the h2 crate and by raw bytes.

use std::collections::BTreeMap;
use std::future::Future;
use std::io::{Read, Write};
use std::net::SocketAddr;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::{HeaderMap, Request};

use super::super::{Options, Origin};

/// An answer, or what was there of it.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
    /// Of the frames that it came in.
    frames: usize,
    trailers: HeaderMap,
    reset: Option<Reason>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |it| it.to_str().unwrap())
    }
}

/// Runs what a client does with a new origin.
fn with_origin<F: Future<Output = ()>>(does: impl FnOnce(Client) -> F) {
    let origin = Origin::start(&Options::default()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        does(connect(origin.address(), |_| {}).await).await;
    });
    origin.stop().unwrap();
}

/// A connection of the h2 crate.
#[derive(Clone)]
struct Client {
    address: SocketAddr,
    send: SendRequest<Bytes>,
}

async fn connect(address: SocketAddr, set: impl FnOnce(&mut h2::client::Builder)) -> Client {
    let conn = tokio::net::TcpStream::connect(address).await.unwrap();
    let mut builder = h2::client::Builder::new();
    set(&mut builder);
    let (send, conn) = builder.handshake(conn).await.unwrap();
    tokio::spawn(async move {
        // What fails on it fails its requests, too.
        let _ = conn.await;
    });
    Client { address, send }
}

impl Client {
    async fn begin(&self, request: Request<()>, ends: bool) -> (ResponseFuture, SendStream<Bytes>) {
        let mut send = self.send.clone().ready().await.unwrap();
        send.send_request(request, ends).unwrap()
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let url = format!("http://{}{path}", self.address);
        Request::builder().method(method).uri(url)
    }

    async fn get(&self, path: &str) -> Answer {
        let request = self.request("GET", path).body(()).unwrap();
        answer(self.begin(request, true).await.0).await
    }

    /// A call of gRPC with these messages, all sent before an answer is looked at.
    async fn call(&self, path: &str, knobs: &str, messages: &[&[u8]]) -> Answer {
        let (answer_to, mut body) = self.open(path, knobs).await;
        for message in messages {
            send(&mut body, framed(message)).await;
        }
        // Who has been answered already takes no more.
        let _ = body.send_data(Bytes::new(), true);
        answer(answer_to).await
    }

    async fn open(&self, path: &str, knobs: &str) -> (ResponseFuture, SendStream<Bytes>) {
        let request = self
            .request("POST", path)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("x-answer", knobs);
        self.begin(request.body(()).unwrap(), false).await
    }
}

async fn send(body: &mut SendStream<Bytes>, mut bytes: Bytes) {
    while !bytes.is_empty() {
        body.reserve_capacity(bytes.len());
        let room = std::future::poll_fn(|cx| body.poll_capacity(cx)).await;
        let Some(Ok(room)) = room else {
            return;
        };
        let piece = bytes.split_to(room.min(bytes.len()));
        if body.send_data(piece, false).is_err() {
            return;
        }
    }
}

async fn answer(answer: ResponseFuture) -> Answer {
    let mut found = Answer {
        status: 0,
        headers: HeaderMap::new(),
        body: Vec::new(),
        frames: 0,
        trailers: HeaderMap::new(),
        reset: None,
    };
    let (head, mut body) = match answer.await {
        Ok(answer) => answer.into_parts(),
        Err(error) => {
            found.reset = error.reason();
            return found;
        }
    };
    (found.status, found.headers) = (head.status.as_u16(), head.headers);
    while let Some(data) = data(&mut body).await {
        match data {
            Ok(data) => {
                found.frames += 1;
                found.body.extend_from_slice(&data);
            }
            Err(error) => {
                found.reset = error.reason();
                return found;
            }
        }
    }
    found.trailers = body.trailers().await.unwrap().unwrap_or_default();
    found
}

async fn data(body: &mut RecvStream) -> Option<Result<Bytes, h2::Error>> {
    let data = body.data().await;
    if let Some(Ok(data)) = &data {
        let _ = body.flow_control().release_capacity(data.len());
    }
    data
}

fn framed(message: &[u8]) -> Bytes {
    let mut framed = vec![0];
    framed.extend_from_slice(&(message.len() as u32).to_be_bytes());
    framed.extend_from_slice(message);
    framed.into()
}

#[test]
fn bodies_have_their_sizes_whatever_the_windows() {
    with_origin(|client| async move {
        let narrow = connect(client.address, |it| {
            it.initial_window_size(1000);
        });
        let narrow = narrow.await;
        for (path, size) in [
            ("/1k", 1024),
            ("/512", 512),
            ("/bytes/0", 0),
            ("/300k", 300 << 10),
            ("/x?size=70000", 70_000),
        ] {
            for client in [&client, &narrow] {
                let answer = client.get(path).await;
                assert_eq!(answer.status, 200, "{path}");
                assert_eq!(answer.body.len(), size, "{path}");
                assert_eq!(answer.header("content-length"), size.to_string(), "{path}");
                assert_eq!(answer.header("content-type"), "text/plain");
                assert!(answer.header("date").ends_with(" GMT"));
                let line = b"0123456789abcdefghijklmnopqrstuvwxyz";
                assert!(answer.body.starts_with(&line[..size.min(line.len())]));
            }
        }
        assert_eq!(client.get("/whatever").await.body, b"ok\n");
    });
}

#[test]
fn streams_share_a_connection() {
    with_origin(|client| async move {
        let mut tasks = tokio::task::JoinSet::new();
        for at in 0..100_usize {
            let client = client.clone();
            tasks.spawn(async move {
                let size = at * 997;
                (size, client.get(&format!("/bytes/{size}")).await.body.len())
            });
        }
        while let Some(done) = tasks.join_next().await {
            let (size, found) = done.unwrap();
            assert_eq!(size, found);
        }
    });
}

#[test]
fn a_slow_answer_holds_up_no_other() {
    with_origin(|client| async move {
        let request = client.request("GET", "/1k?delay=30s").body(()).unwrap();
        let (slow, _) = client.begin(request, true).await;
        assert_eq!(client.get("/1k").await.body.len(), 1024);
        let before = std::time::Instant::now();
        assert_eq!(client.get("/1k?delay=20ms").await.body.len(), 1024);
        assert!(before.elapsed() >= std::time::Duration::from_millis(20));
        drop(slow);
    });
}

#[test]
fn faults_are_as_asked() {
    with_origin(|client| async move {
        let answer = client.get("/1k?status=503").await;
        assert_eq!((answer.status, answer.body.len()), (503, 1024));
        let answer = client.get("/1k?status=204").await;
        assert_eq!((answer.status, answer.body.len()), (204, 0));
        let answer = client.get("/1000?chunks=10").await;
        assert_eq!((answer.body.len(), answer.frames), (1000, 10));
        assert_eq!(answer.header("content-length"), "");
        let answer = client.get("/1k?reset=1").await;
        assert_eq!(
            (answer.status, answer.reset),
            (0, Some(Reason::INTERNAL_ERROR))
        );
        let answer = client.get("/1k?reset=body").await;
        assert_eq!((answer.status, answer.body.len()), (200, 512));
        assert_eq!(answer.reset, Some(Reason::INTERNAL_ERROR));
        let answer = client.get("/1000?chunks=4&reset=body").await;
        assert_eq!(answer.body.len(), 500);
        assert_eq!(answer.reset, Some(Reason::INTERNAL_ERROR));
        let answer = client.get("/bytes/0?reset=body").await;
        assert_eq!(
            (answer.status, answer.reset),
            (200, Some(Reason::INTERNAL_ERROR))
        );
        let answer = client.get("/1k?status=204&reset=body").await;
        assert_eq!((answer.status, answer.reset), (204, None));
        let answer = client.get("/1k?reset=body&rate=0").await;
        assert_eq!((answer.body.len(), answer.reset), (1024, None));
        let answer = client.get("/1k?delay=x").await;
        assert_eq!(answer.status, 400);
        assert!(answer.body.starts_with(b"delay=x: must be a time"));
        assert_eq!(client.get("/ws").await.status, 400);
    });
}

#[test]
fn heads_have_no_body() {
    with_origin(|client| async move {
        let request = client.request("HEAD", "/1k").body(()).unwrap();
        let answer = answer(client.begin(request, true).await.0).await;
        assert_eq!(answer.header("content-length"), "1024");
        assert!(answer.body.is_empty());
    });
}

#[test]
fn requests_are_shown_as_json() {
    with_origin(|client| async move {
        let request = client.request("PUT", "/echo?n=1").header("x-a", "b");
        let (answer_to, mut body) = client.begin(request.body(()).unwrap(), false).await;
        send(&mut body, Bytes::from_static(b"some")).await;
        body.send_data(Bytes::new(), true).unwrap();
        let found = answer(answer_to).await;
        assert_eq!(found.header("content-type"), "application/json");
        let shown: serde_json::Value = serde_json::from_slice(&found.body).unwrap();
        assert_eq!(shown["method"], "PUT");
        assert_eq!(
            (&shown["path"], &shown["query"]),
            (&"/echo".into(), &"n=1".into())
        );
        assert_eq!(shown["version"], "HTTP/2");
        assert_eq!(shown["body"]["text"], "some");
        let headers = shown["headers"].as_array().unwrap().iter();
        let headers: BTreeMap<_, _> = headers
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        assert_eq!(headers["host"], client.address.to_string());
        assert_eq!(headers["x-a"], "b");
    });
}

#[test]
fn a_long_upload_is_taken_and_counted() {
    with_origin(|client| async move {
        let request = client.request("POST", "/echo").body(()).unwrap();
        let (answer_to, mut body) = client.begin(request, false).await;
        send(&mut body, vec![b'x'; 3 << 20].into()).await;
        body.send_data(Bytes::new(), true).unwrap();
        let found = answer(answer_to).await;
        let shown: serde_json::Value = serde_json::from_slice(&found.body).unwrap();
        assert_eq!(shown["body"]["bytes"], 3 << 20);
    });
}

#[test]
fn events_come_one_by_one() {
    with_origin(|client| async move {
        let found = client.get("/sse?events=3&every=1ms").await;
        assert_eq!(found.header("content-type"), "text/event-stream");
        assert_eq!(found.frames, 3);
        assert!(
            found
                .body
                .ends_with(b"id: 3\ndata: {\"event\":3,\"of\":3}\n\n")
        );
        assert!(client.get("/sse?events=0").await.body.is_empty());
        assert_eq!(
            client.get("/sse?events=4&every=0&reset=body").await.frames,
            2
        );
    });
}

#[test]
fn a_unary_call_is_echoed() {
    with_origin(|client| async move {
        let found = client.call("/pkg.Echo/Get", "", &[b"hello"]).await;
        assert_eq!(found.status, 200);
        assert_eq!(found.header("content-type"), "application/grpc");
        assert_eq!(found.body, framed(b"hello"));
        assert_eq!(found.trailers["grpc-status"], "0");
        let health = client
            .call("/grpc.health.v1.Health/Check", "", &[b""])
            .await;
        assert_eq!(health.body, framed(b"\x08\x01"));
        assert_eq!(health.trailers["grpc-status"], "0");
        let watch = client
            .call("/grpc.health.v1.Health/Watch", "", &[b""])
            .await;
        assert_eq!(watch.header("grpc-status"), "12");
    });
}

#[test]
fn each_message_is_answered_as_it_comes() {
    with_origin(|client| async move {
        let (answer_to, mut body) = client.open("/pkg.Echo/Both", "").await;
        send(&mut body, framed(b"one")).await;
        // The first answer is there before the second message is.
        let (_, mut answers) = answer_to.await.unwrap().into_parts();
        assert_eq!(data(&mut answers).await.unwrap().unwrap(), framed(b"one"));
        // A prefix cut in two is one all the same.
        let two = framed(b"two");
        send(&mut body, two.slice(..3)).await;
        send(&mut body, two.slice(3..)).await;
        assert_eq!(data(&mut answers).await.unwrap().unwrap(), two);
        body.send_data(Bytes::new(), true).unwrap();
        assert!(data(&mut answers).await.is_none());
        let trailers = answers.trailers().await.unwrap().unwrap();
        assert_eq!(trailers["grpc-status"], "0");
    });
}

#[test]
fn calls_have_their_knobs() {
    with_origin(|client| async move {
        let failed = client.call("/a.B/C", "status=14", &[b"x"]).await;
        assert_eq!((failed.status, failed.body.len()), (200, 0));
        assert_eq!(failed.header("grpc-status"), "14");
        assert_eq!(failed.header("grpc-message"), "as asked");
        let late = client.call("/a.B/C?status=13&count=1", "", &[b"x"]).await;
        assert_eq!(late.body, framed(b"x"));
        assert_eq!(late.trailers["grpc-status"], "13");
        let many = client
            .call("/a.B/List", "count=3&size=100&every=1ms", &[b"x"])
            .await;
        assert_eq!((many.body.len(), many.frames), (3 * 105, 3));
        let once = client.call("/a.B/Sum", "once=1", &[b"a", b"b", b"c"]).await;
        assert_eq!(once.body, framed(b"c"));
        let wrong = client.call("/a.B/C", "size=x", &[b"x"]).await;
        assert_eq!(wrong.header("grpc-status"), "3");
        let reset = client.call("/a.B/C", "reset=1", &[b"x"]).await;
        assert_eq!(reset.reset, Some(Reason::INTERNAL_ERROR));
        let reset = client.call("/a.B/C", "reset=body", &[b"x"]).await;
        assert_eq!(reset.body, framed(b"x"));
        assert_eq!(reset.reset, Some(Reason::INTERNAL_ERROR));
        let nothing = client.call("/a.B/C", "", &[]).await;
        assert_eq!(nothing.header("grpc-status"), "0");
    });
}

#[test]
fn a_long_message_comes_back_whole() {
    with_origin(|client| async move {
        let long = vec![b'x'; 3 << 20];
        let (answer_to, mut body) = client.open("/a.B/C", "").await;
        let sending = async {
            send(&mut body, framed(&long)).await;
            body.send_data(Bytes::new(), true).unwrap();
        };
        let ((), found) = tokio::join!(sending, answer(answer_to));
        assert_eq!(found.body, framed(&long));
        assert_eq!(found.trailers["grpc-status"], "0");
    });
}

#[test]
fn one_who_reads_nothing_is_not_read_without_end() {
    with_origin(|client| async move {
        let stuck = connect(client.address, |it| {
            it.initial_window_size(0);
        });
        let stuck = stuck.await;
        let (_answer, mut body) = stuck.open("/a.B/C", "").await;
        let mut sent = 0_usize;
        // Windows of ours and what waits of answers bound it; the wait is for credit that never comes.
        let wait = std::time::Duration::from_millis(200);
        loop {
            let message = send(&mut body, framed(&[b'x'; 10_000]));
            if tokio::time::timeout(wait, message).await.is_err() {
                break;
            }
            sent += 10_000;
            assert!(sent < 4 << 20);
        }
        assert!(sent > 1 << 19);
    });
}

/// What the origin says to these bytes, until it closes.
fn says(bytes: &[u8]) -> Vec<u8> {
    let origin = Origin::start(&Options::default()).unwrap();
    let mut conn = std::net::TcpStream::connect(origin.address()).unwrap();
    conn.write_all(bytes).unwrap();
    let mut said = Vec::new();
    conn.read_to_end(&mut said).unwrap();
    said
}

#[test]
fn what_breaks_a_rule_is_told_and_left() {
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    for wrong in [
        // No SETTINGS; DATA of a stream that nobody began; a stream with an even number.
        &b"\0\0\x08\x06\0\0\0\0\0........"[..],
        b"\0\0\0\x04\0\0\0\0\0\0\0\x01\0\0\0\0\0\x05x",
        b"\0\0\0\x04\0\0\0\0\0\0\0\x01\x01\x05\0\0\0\x02\x82",
    ] {
        let said = says(&[preface, wrong].concat());
        let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        assert!(said.ends_with(&goaway), "{wrong:?}: {said:?}");
    }
}

#[test]
fn the_end_of_the_origin_lets_requests_finish() {
    let origin = Origin::start(&Options::default()).unwrap();
    let address = origin.address();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = connect(address, |_| {}).await;
        let request = client.request("GET", "/1k?delay=100ms").body(()).unwrap();
        let (slow, _) = client.begin(request, true).await;
        assert_eq!(client.get("/1k").await.status, 200);
        let stop = std::thread::spawn(move || origin.stop());
        assert_eq!(answer(slow).await.body.len(), 1024);
        stop.join().unwrap().unwrap();
    });
}

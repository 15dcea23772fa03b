//! Checks without TLS.

use engine_config::snapshot::Address;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;

use super::super::probe::authority;
use super::*;

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
const UP: &str = "health_path = \"/up\"";

/// A server that takes a request, answers these bytes and closes.
async fn answering(answer: &'static [u8]) -> (SocketAddr, Told<Vec<u8>>) {
    serve(move |mut stream| async move {
        let came = head(&mut stream).await;
        // The check may have heard enough.
        let _ = stream.write_all(answer).await;
        came
    })
    .await
}

#[test]
fn answers() {
    let cases: [(&'static [u8], &str); 10] = [
        (OK, "ok"),
        (b"HTTP/1.1 204 No\r\n\r\n", "ok"),
        (b"HTTP/1.0 200 OK\r\n\r\nto the end", "ok"),
        (
            b"HTTP/1.1 103 Soon\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
            "ok",
        ),
        (
            b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n",
            "status: status 503",
        ),
        (b"", "connection_terminated: no whole answer came: "),
        (
            b"HTTP/1.1 200 OK\r\nConte",
            "connection_terminated: no whole answer came: ",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "connection_terminated: no whole answer came: ",
        ),
        (
            b"SSH-2.0-OpenSSH_9.6\r\n",
            "malformed: what it answers is not HTTP: ",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "connection_terminated: no whole answer came: ",
        ),
    ];
    run(async move {
        for (answer, expected) in cases {
            let (address, _told) = answering(answer).await;
            begins(&checked(address, UP).await, expected);
        }
    });
}

#[test]
fn nobody_there() {
    run(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let refused = "connection_refused: connection refused";
        assert_eq!(checked(address, UP).await, refused);
        assert_eq!(checked(address, "health_check = \"tcp\"").await, refused);
        let nowhere = "unix:/nowhere/at.sock";
        begins(
            &checked(nowhere, UP).await,
            "connection_refused: can't connect: ",
        );
    });
}

#[test]
fn a_body_without_end_is_not_heard_out() {
    run(async {
        let (address, mut told) = serve(|mut stream| async move {
            head(&mut stream).await;
            let mut bytes = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
            while stream.write_all(&bytes).await.is_ok() {
                bytes = vec![b'x'; 8192];
            }
        })
        .await;
        assert_eq!(checked(address, UP).await, "ok");
        told.next().await;
    });
}

#[test]
fn a_head_without_end_is_not_heard_out() {
    run(async {
        let (address, mut told) = serve(|mut stream| async move {
            head(&mut stream).await;
            let mut bytes = b"HTTP/1.1 200 OK\r\nX: ".to_vec();
            while stream.write_all(&bytes).await.is_ok() {
                bytes = vec![b'x'; 8192];
            }
        })
        .await;
        let result = checked(address, UP).await;
        assert_ne!(result, "ok");
        assert!(!result.starts_with("timeout"), "{result}");
        told.next().await;
    });
}

#[test]
fn a_proxy_header_says_that_nobody_is_behind_it() {
    run(async {
        for (version, expected) in [
            ("v1", b"PROXY UNKNOWN\r\n".as_slice()),
            ("v2", b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"),
        ] {
            let proxied = format!("proxy_protocol = \"{version}\"\n");
            let (address, mut told) = serve(|mut stream| async move {
                let mut came = Vec::new();
                while !came.ends_with(b"x-end") && stream.read_buf(&mut came).await.unwrap() > 0 {
                    if came.windows(4).any(|it| it == b"GET ") && came.ends_with(b"\r\n\r\n") {
                        break;
                    }
                }
                let _ = stream.write_all(OK).await;
                came
            })
            .await;
            assert_eq!(checked(address, &format!("{proxied}{UP}")).await, "ok");
            let came = told.next().await;
            let rest = came.strip_prefix(expected).expect("the header comes first");
            assert!(rest.starts_with(b"GET /up HTTP/1.1\r\n"));

            let tcp = format!("{proxied}health_check = \"tcp\"");
            assert_eq!(checked(address, &tcp).await, "ok");
            assert_eq!(told.next().await, expected, "{version}");
        }
    });
}

#[test]
fn a_unix_socket() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let server = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let came = head(&mut stream).await;
            stream.write_all(OK).await.unwrap();
            came
        });
        let endpoint = format!("unix:{}", display(&path));
        assert_eq!(checked(endpoint, UP).await, "ok");
        let came = String::from_utf8(server.await.unwrap()).unwrap();
        assert!(came.contains("\r\nhost: localhost\r\n"), "{came}");
    });
}

#[test]
fn over_http2_the_same_is_asked() {
    run(async {
        let (tell, mut asked) = unbounded_channel();
        for (status, expected) in [(200, "ok"), (500, "status: status 500")] {
            let tell = tell.clone();
            let (address, mut told) =
                serve(move |stream| http2(stream, status, tell.clone())).await;
            for protocol in ["h2", "grpc"] {
                let keys = format!("protocol = \"{protocol}\"\n{UP}");
                assert_eq!(checked(address, &keys).await, expected);
                let request = asked.recv().await.unwrap();
                assert_eq!(request, format!("GET http://{address}/up"));
                // And the connection has come to its end.
                let _ = told.next().await;
            }
            let keys = "protocol = \"grpc\"\nhealth_check = \"grpc\"";
            assert_eq!(checked(address, keys).await, expected);
            let call = format!("POST http://{address}/grpc.health.v1.Health/Check");
            assert_eq!(asked.recv().await.unwrap(), call);
        }
    });
}

/// Its time is over while it waits: its connection ends, with all that hyper had set going for it.
#[test]
fn a_check_that_is_given_up_leaves_nothing_behind() {
    run(async {
        let (address, mut told) = serve(|mut stream| async move { gone(&mut stream).await }).await;
        for protocol in ["http/1.1", "h2"] {
            let keys = format!("protocol = \"{protocol}\"\nhealth_timeout = \"50ms\"\n{UP}");
            let result = checked(address, &keys).await;
            assert_eq!(
                result, "timeout: no whole answer came within 50ms",
                "{protocol}"
            );
            told.next().await;
        }
    });
}

#[test]
fn what_speaks_another_protocol() {
    run(async {
        let (address, _told) =
            answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        let keys = format!("protocol = \"h2\"\n{UP}");
        let result = checked(address, &keys).await;
        begins(&result, "connection_terminated: ");
    });
}

#[test]
fn an_endpoints_zone_is_nobody_elses_business() {
    for (endpoint, expected) in [
        ("127.0.0.1:80", "127.0.0.1:80"),
        ("[fe80::1%3]:80", "[fe80::1]:80"),
    ] {
        let address = Address::Tcp(endpoint.parse().unwrap());
        assert_eq!(authority(None, &address), expected);
        assert_eq!(authority(Some("a.example"), &address), "a.example");
    }
}

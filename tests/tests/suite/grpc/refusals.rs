//! What the gateway refuses or can't carry out is a status to clients of gRPC, and to nobody else.

use super::*;
use tests::origin::Refusing;

const ROUTES: &str = r#"
[auth.keys]
kind = "api_key"
[limit.none]
key = "ip"
rate = "1/h"
[route.secret]
path = "/a.Secret/*"
upstream = "backend"
auth = "keys"
access_log = "main"
[route.forbidden]
path = "/a.Forbidden/*"
upstream = "backend"
auth = "none"
access_log = "main"
deny = ["127.0.0.0/8"]
[route.limited]
path = "/a.Limited/*"
respond = "200 hello"
auth = "none"
access_log = "main"
limits = ["none"]
[route.small]
path = "/a.Small/*"
upstream = "backend"
auth = "none"
access_log = "main"
max_body_bytes = "4B"
[route.get]
path = "/a.Get/*"
upstream = "backend"
auth = "none"
access_log = "main"
methods = ["GET"]
"#;

fn config(service: SocketAddr, nobody: SocketAddr) -> String {
    format!(
        "[upstream.backend]\nendpoints = [\"{service}\"]\nprotocol = \"grpc\"\nfirst_byte_timeout = \"200ms\"\n\
         [upstream.nobody]\nendpoints = [\"{nobody}\"]\nprotocol = \"grpc\"\n\
         [route.silent]\npath = \"/a.Silent/*\"\nupstream = \"backend\"\nauth = \"none\"\naccess_log = \"main\"\n\
         [route.nobody]\npath = \"/a.Nobody/*\"\nupstream = \"nobody\"\nauth = \"none\"\naccess_log = \"main\"\n{ROUTES}"
    )
}

#[test]
fn refusals_are_statuses() {
    run(async {
        let service = Service::start().await;
        let nobody = Refusing::new();
        let gateway = Gateway::start(config(service.address, nobody.address));
        let mut client = Client::connect(&gateway).await;
        // Uses the limit up.
        let (answer, mut asks) = client.call(asking_with("/a.Limited/C", &[]));
        finish(&mut asks);
        answer.head().await;
        let table = [
            ("/a.Else/C", "12", "no_route"),
            ("/a.B%2FC", "13", "bad_path"),
            ("/a.Get/C", "2", "method_not_allowed"),
            ("/a.Secret/C", "16", "missing_credentials"),
            ("/a.Forbidden/C", "7", "address_denied"),
            ("/a.Limited/C", "8", "rate_limited"),
            ("/a.Small/C", "8", "body_too_large"),
            ("/a.Nobody/C", "14", "connection_refused"),
            ("/a.Silent/C", "4", "first_byte_timeout"),
        ];
        for (path, status, word) in table {
            let mut client = Client::connect(&gateway).await;
            let (answer, mut asks) = client.call(asking_with(path, &[]));
            asks.send_data(Bytes::from_static(b"\0\0\0\0\x02hi"), true)
                .expect("it is open");
            let fields = answer.status().await;
            assert_eq!(value(&fields, "grpc-status"), Some(status), "{path}");
            assert_eq!(
                value(&fields, "content-type"),
                Some("application/grpc"),
                "{path}"
            );
            assert_eq!(value(&fields, "content-length"), None, "{path}");
            let message = value(&fields, "grpc-message").unwrap_or_default();
            assert!(message.ends_with('.'), "{path}: {message}");
            let id = value(&fields, "x-request-id").expect("an id");
            let line = gateway.wait_logged(id);
            assert!(line.contains(&format!("\"error\":\"{word}\"")), "{line}");
            assert!(line.contains(&format!("\"grpcStatus\":{status}")), "{line}");
            assert!(line.contains("\"statusCode\":200"), "{line}");
        }
    });
}

#[test]
fn refusals_tell_what_to_do() {
    run(async {
        let service = Service::start().await;
        let nobody = Refusing::new();
        let gateway = Gateway::start(config(service.address, nobody.address));
        let mut client = Client::connect(&gateway).await;
        for (path, field) in [
            ("/a.Secret/C", "www-authenticate"),
            ("/a.Get/C", "allow"),
            ("/a.Nobody/C", "proxy-status"),
        ] {
            let (answer, mut asks) = client.call(asking_with(path, &[]));
            finish(&mut asks);
            let fields = answer.status().await;
            assert!(value(&fields, field).is_some(), "{path}: {fields:?}");
        }
    });
}

#[test]
fn other_requests_keep_their_answers() {
    run(async {
        let service = Service::start().await;
        let gateway = service.behind("", "hosts = [\"other\"]", "");
        let mut client = Client::connect(&gateway).await;
        for content in ["application/json", "application/grpcx"] {
            let request = Request::post("http://a/a.B/C").header("content-type", content);
            let (answer, mut asks) = client.call(request.body(()).expect("sound"));
            finish(&mut asks);
            let (head, mut hears) = answer.head().await;
            assert_eq!(head.status, 404, "{content}");
            let (body, _) = hears.rest().await;
            assert!(body.starts_with(b"{"), "{content}");
        }
        // There is no gRPC over HTTP/1.1.
        let request = "POST /a.B/C HTTP/1.1\r\nHost: a\r\nContent-Type: application/grpc\r\nContent-Length: 0\r\n\r\n";
        gateway.ask(request).problem(404, "/a.B/C", "Not found");
    });
}

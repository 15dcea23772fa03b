//! Calls of gRPC, against the test origin.

use super::*;
use crate::origin::{Options, Origin};

fn call(client: Client, origin: &Origin, method: &str, over: Overrides) -> Results {
    let over = Overrides {
        http2: some("on"),
        grpc: some(method),
        streams: some("3"),
        ..over
    };
    let scenario = scenario(origin.address(), over);
    run_with(&scenario, &Setup { client, ..setup(1) }).unwrap()
}

#[test]
fn calls_end_with_their_status() {
    let origin = Origin::start(&Options::default()).unwrap();
    for client in [Client::Own, Client::Crate] {
        let body = Overrides {
            body: some("message {n:1..1000}"),
            ..closed("50", "2")
        };
        let results = call(client, &origin, "/pkg.Echo/Get", body);
        assert_eq!(errors(&results), []);
        assert_eq!(results.counts.answered, 50);
        assert_eq!(results.grpc, [(0, 50)].into());
        let results = call(client, &origin, "/pkg.Echo/Get?status=14", closed("5", "1"));
        assert_eq!(results.grpc, [(14, 5)].into());
        assert_eq!(results.status, [(200, 5)].into());
        assert_eq!(errors(&results), [(ErrorKind::Grpc, 5)]);
        // Trailers behind a message.
        let late = "/pkg.Echo/Get?status=13&count=1";
        let results = call(client, &origin, late, closed("5", "1"));
        assert_eq!(results.grpc, [(13, 5)].into());
    }
}

#[test]
fn messages_have_their_prefix() {
    let origin = Origin::start(&Options::default()).unwrap();
    // The origin sends back what came in, prefix and all: what is expected of the body is seen as it is.
    for (body, framed) in [("", "\0\0\0\0\0"), ("hello", "\0\0\0\0\u{5}hello")] {
        let path = format!("http://{}", origin.address());
        let toml = format!(
            "[target]\nurl = \"{path}\"\nhttp2 = true\n[load]\nrequests = 3\nconnections = 1\n\
             [request.call]\ngrpc = true\npath = \"/a.B/C\"\nbody = \"{body}\"\nexpect_body = {framed:?}\n"
        );
        let toml = toml.replace("\\0", "\\u0000").replace("\\u{5}", "\\u0005");
        let scenario = Scenario::parse(&toml, "test.toml", std::path::Path::new(""));
        let scenario = scenario.unwrap_or_else(|why| panic!("{}", crate::scenario::show(&why)));
        let results = run_with(&scenario, &setup(1)).unwrap();
        assert_eq!(errors(&results), [], "{body}");
        assert_eq!(results.grpc, [(0, 3)].into());
    }
}

#[test]
fn an_answer_that_is_no_call_s_has_an_unknown_status() {
    let address = answering_http2(|| vec![(0x88, true)]);
    let over = Overrides {
        http2: some("on"),
        grpc: some("/a.B/C"),
        ..closed("1", "1")
    };
    let results = run_with(&scenario(address, over), &setup(1)).unwrap();
    assert_eq!(results.grpc, [(2, 1)].into());
    assert_eq!(errors(&results), [(ErrorKind::Grpc, 1)]);
}

/// A server that answers the first stream with header blocks of one byte.
fn answering_http2(blocks: fn() -> Vec<(u8, bool)>) -> SocketAddr {
    server(move |_, mut conn| {
        let mut out = Vec::new();
        crate::http2::frame::settings(&[], &mut out);
        for (block, ends) in blocks() {
            crate::http2::frame::block(1, &[block], ends, &mut out);
        }
        let mut seen = [0; 1024];
        // The preface, and the client's first words.
        let _ = conn.read(&mut seen);
        let (settings, answer) = out.split_at(9);
        let _ = conn.write_all(settings);
        loop {
            match conn.read(&mut seen) {
                Ok(read) if read > 0 => {
                    let asks = seen[..read].windows(2).any(|pair| pair == [1, 4]);
                    if asks {
                        let _ = conn.write_all(answer);
                    }
                }
                _ => return,
            }
        }
    })
}

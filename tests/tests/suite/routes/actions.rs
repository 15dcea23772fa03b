//! What a route does with a request: another path, another host, edited headers, an answer or a place of its own.

use tests::gateway::{proxy, upstream_and_route};
use tests::{Gateway, Origin};

#[test]
fn strip_prefix_takes_whole_segments() {
    let origin = Origin::saying("hi");
    let route = "[route.api]\npath = \"/api/*\"\nupstream = \"backend\"\nauth = \"none\"\nstrip_prefix = \"/api\"\n";
    let gateway = Gateway::start(proxy(origin.address, route));
    let mut peer = gateway.peer();
    let cases = [
        ("/api/users?x=/api/y", "/users?x=/api/y"),
        ("/api/", "/"),
        ("/api", "/"),
        ("/api?q", "/?q"),
        ("/api/api/b", "/api/b"),
        ("/api//b", "//b"),
        ("/x/../api/%7Eb", "/~b"),
        ("/apix", "/apix"),
    ];
    for (path, _) in cases {
        peer.get(path).is(200);
    }
    let targets: Vec<String> = origin.received().into_iter().map(|r| r.target).collect();
    assert_eq!(targets, cases.map(|(_, target)| target));
}

#[test]
fn rewrite_puts_captures_in_place() {
    let origin = Origin::saying("hi");
    let more = "[route.one]\npath = \"/v1/users/{id}/posts/{post}\"\nupstream = \"backend\"\nauth = \"none\"\nrewrite = \"/posts/{post}/of/{id}\"\n\
        [route.two]\npath = \"/old/{kind}/*\"\nupstream = \"backend\"\nauth = \"none\"\nrewrite = \"/new/{*}/{kind}\"\n\
        [route.three]\npath = \"/fixed/*\"\nupstream = \"backend\"\nauth = \"none\"\nrewrite = \"/one\"\n";
    let gateway = Gateway::start(proxy(origin.address, more));
    let mut peer = gateway.peer();
    let cases = [
        ("/v1/users/7/posts/9?full=1", "/posts/9/of/7?full=1"),
        ("/v1/users/a%20b/posts/%C3%A9", "/posts/%C3%A9/of/a%20b"),
        ("/old/k/a/b/c", "/new/a/b/c/k"),
        ("/fixed/anything?q", "/one?q"),
        ("/v1/users/7/posts", "/v1/users/7/posts"),
    ];
    for (path, _) in cases {
        peer.get(path).is(200);
    }
    let targets: Vec<String> = origin.received().into_iter().map(|r| r.target).collect();
    assert_eq!(targets, cases.map(|(_, target)| target));
}

#[test]
fn respond_answers_by_itself() {
    let gateway = Gateway::start(
        "[route.a]\npath = \"/a\"\nauth = \"none\"\nrespond = \"201 {\\\"made\\\":true}\"\nrespond_type = \"application/json\"\n\
         [route.b]\npath = \"/b\"\nauth = \"none\"\nrespond = \"204\"\n\
         [route.c]\npath = \"/c\"\nauth = \"none\"\nrespond = \"503\"\n",
    );
    let mut peer = gateway.peer();
    let answer = peer.ask("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc");
    answer
        .is(201)
        .has("content-type", "application/json")
        .has("content-length", "13")
        .body_is("{\"made\":true}");
    let answer = peer.get("/b");
    answer.is(204).lacks("content-length").lacks("content-type");
    peer.get("/c")
        .is(503)
        .has("content-length", "0")
        .body_is("");
    peer.get("/a").is(201).lacks("connection");
}

#[test]
fn redirect_fills_captures_in() {
    let gateway = Gateway::start(
        "[route.a]\npath = \"/old/{id}/*\"\nauth = \"none\"\nredirect = \"308 /v2/{id}/{*}\"\n\
         [route.b]\npath = \"/elsewhere\"\nauth = \"none\"\nredirect = \"https://other.example/there\"\n\
         [route.c]\npath = \"/go/{where}\"\nauth = \"none\"\nredirect = \"303 https://other.example/{where}\"\n",
    );
    let mut peer = gateway.peer();
    peer.get("/old/7/x/y").is(308).has("location", "/v2/7/x/y");
    peer.get("/elsewhere")
        .is(302)
        .has("location", "https://other.example/there");
    peer.get("/go/there")
        .is(303)
        .has("location", "https://other.example/there");
    peer.ask("HEAD /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")
        .is(302)
        .has("location", "https://other.example/there");
}

#[test]
fn a_capture_can_not_leave_the_place_that_a_redirect_names() {
    let gateway =
        Gateway::start("[route.a]\npath = \"/to/*\"\nauth = \"none\"\nredirect = \"302 /{*}\"\n");
    // "//evil.example" would be another host to a browser.
    let answer = gateway.get("/to//evil.example/x");
    answer.is(302);
    let place = answer.field("location").expect("a redirect has a place");
    assert!(!place.starts_with("//"), "{place}");
}

#[test]
fn a_line_break_in_a_capture_never_becomes_one_in_location() {
    let gateway = Gateway::start(
        "[route.a]\npath = \"/to/{x}\"\nauth = \"none\"\nredirect = \"302 /new/{x}\"\n",
    );
    gateway
        .get("/to/a%0D%0ASet-Cookie:%20x=1")
        .is(302)
        .lacks("set-cookie")
        .has("location", "/new/a%0D%0ASet-Cookie:%20x=1");
}

#[test]
fn the_host_header_goes_as_configured() {
    let origin = Origin::saying("hi");
    let of = |name: &str, key: &str| {
        format!(
            "[route.{name}]\npath = \"/{name}\"\nupstream = \"backend\"\nauth = \"none\"\n{key}\n"
        )
    };
    let more = of("client", "")
        + &of("upstream", "host_header = \"upstream\"")
        + &of("set", "host_header = \"inner.example\"");
    let endpoints = format!("endpoints = [\"{}\"]", origin.address);
    let gateway = Gateway::start(upstream_and_route(&endpoints, "") + &more);
    for path in ["/client", "/upstream", "/set"] {
        gateway
            .ask(format!("GET {path} HTTP/1.1\r\nHost: a.example:81\r\n\r\n"))
            .is(200);
    }
    let hosts: Vec<_> = origin.received().iter().map(|r| r.field("host")).collect();
    let address = origin.address.to_string();
    let wanted = ["a.example:81", &address, "inner.example"];
    assert_eq!(hosts, wanted.map(|host| Some(host.to_owned())));
    for request in origin.received() {
        request.has("x-forwarded-host", "a.example:81");
    }
}

#[test]
fn headers_are_edited_both_ways() {
    let origin = Origin::always(
        "HTTP/1.1 200 OK\r\nServer: x\r\nX-Set: old\r\nX-Set: older\r\nX-Add: old\r\nContent-Length: 0\r\n\r\n",
    );
    let edits = "[headers.edit]\nremove = [\"Server\", \"X-Gone\"]\nset = [\"X-Set: new\"]\nadd = [\"X-Add: new\"]\n";
    let keys = "request_headers = [\"edit\"]\nresponse_headers = [\"edit\"]";
    let endpoints = format!("endpoints = [\"{}\"]", origin.address);
    let gateway = Gateway::start(upstream_and_route(&endpoints, keys) + edits);
    let answer = gateway.ask(
        "GET / HTTP/1.1\r\nHost: a\r\nx-gone: 1\r\nX-GONE: 2\r\nx-set: 1\r\nX-Set: 2\r\nX-Add: 1\r\n\r\n",
    );
    answer
        .is(200)
        .lacks("server")
        .has("x-set", "new")
        .has("x-add", "old, new");
    origin
        .only()
        .lacks("x-gone")
        .has("x-set", "new")
        .has("x-add", "1, new");
}

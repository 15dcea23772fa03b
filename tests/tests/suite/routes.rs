//! Which route takes a request, and what the gateway answers when none does (semantics page, "Routes").

use tests::Gateway;

mod actions;

/// A public route that answers with its own name.
fn route(name: &str, keys: &str) -> String {
    format!("[route.{name}]\n{keys}\nauth = \"none\"\nrespond = \"200 {name}\"\n")
}

/// A gateway with these routes, `(name, keys)`.
#[track_caller]
fn routes(list: &[(&str, &str)]) -> Gateway {
    let sections = list.iter().map(|(name, keys)| route(name, keys));
    Gateway::start(sections.collect::<String>())
}

/// Sends requests on one connection; each must be answered by the route with this name, or with this
/// status where nothing takes it.
#[track_caller]
fn taken_by(gateway: &Gateway, requests: &[(&str, &str)]) {
    let mut peer = gateway.peer();
    let mut wrong = Vec::new();
    for (head, wanted) in requests {
        let answer = peer.ask(format!("{head}\r\n\r\n"));
        let got = match answer.status {
            200 => answer.text(),
            status => status.to_string(),
        };
        if got != *wanted {
            wrong.push(format!("{got} instead of {wanted}: {head:?}"));
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// The same for GETs of paths.
#[track_caller]
fn paths(gateway: &Gateway, requests: &[(&str, &str)]) {
    let heads: Vec<String> = requests
        .iter()
        .map(|(path, _)| format!("GET {path} HTTP/1.1\r\nHost: a"))
        .collect();
    let heads = heads.iter().zip(requests);
    let requests: Vec<_> = heads
        .map(|(head, (_, wanted))| (&**head, *wanted))
        .collect();
    taken_by(gateway, &requests);
}

/// The same for hosts.
#[track_caller]
fn hosts(gateway: &Gateway, requests: &[(&str, &str)]) {
    let heads: Vec<String> = requests
        .iter()
        .map(|(host, _)| format!("GET / HTTP/1.1\r\nHost: {host}"))
        .collect();
    let heads = heads.iter().zip(requests);
    let requests: Vec<_> = heads
        .map(|(head, (_, wanted))| (&**head, *wanted))
        .collect();
    taken_by(gateway, &requests);
}

#[test]
fn a_tail_matches_its_root_and_all_below_but_nothing_beside() {
    let gateway = routes(&[("gw", "path = \"/gw/*\"")]);
    paths(
        &gateway,
        &[
            ("/gw", "gw"),
            ("/gw/", "gw"),
            ("/gw?x=/y", "gw"),
            ("/gw/a/b/c", "gw"),
            ("/gw//a", "gw"),
            ("/gwx", "404"),
            ("/gwx/a", "404"),
            ("/", "404"),
            ("/GW/a", "404"),
            ("/a/gw/b", "404"),
        ],
    );
}

#[test]
fn exact_comes_before_name_before_the_longest_tail() {
    let gateway = routes(&[
        ("all", "path = \"/*\""),
        ("users", "path = \"/users/*\""),
        ("id", "path = \"/users/{id}\""),
        ("me", "path = \"/users/me\""),
        ("posts", "path = \"/users/{id}/posts\""),
        ("own", "path = \"/users/me/posts\""),
        ("deep", "path = \"/users/{id}/posts/*\""),
    ]);
    paths(
        &gateway,
        &[
            ("/users/me", "me"),
            ("/users/7", "id"),
            ("/users/me/", "users"),
            ("/users/", "users"),
            ("/users", "users"),
            ("/users/7/posts", "posts"),
            ("/users/me/posts", "own"),
            ("/users/7/posts/1", "deep"),
            ("/users/me/posts/1", "deep"),
            ("/users/7/likes", "users"),
            ("/user", "all"),
            ("/", "all"),
        ],
    );
}

#[test]
fn an_exact_path_is_exact() {
    let gateway = routes(&[("exact", "path = \"/a/b\"")]);
    paths(
        &gateway,
        &[
            ("/a/b", "exact"),
            ("/a/b?q", "exact"),
            ("/a/b/", "404"),
            ("/a//b", "404"),
            ("/a/B", "404"),
            ("/a/b;v=1", "404"),
        ],
    );
}

#[test]
fn paths_are_matched_in_their_canonical_form() {
    let gateway = routes(&[("ab", "path = \"/a/b\""), ("admin", "path = \"/admin/*\"")]);
    paths(
        &gateway,
        &[
            ("/%61/%62", "ab"),
            ("/a/./b", "ab"),
            ("/a/c/../b", "ab"),
            ("/a/%2e/b", "ab"),
            ("/x/%2E%2e/a/b", "ab"),
            ("/public/../admin/x", "admin"),
            ("/%61dmin/x", "admin"),
            ("/admin/..", "404"),
        ],
    );
}

#[test]
fn hosts_exact_before_the_longest_suffix_before_any() {
    let gateway = routes(&[
        ("any", "path = \"/*\""),
        ("suffix", "path = \"/*\"\nhosts = [\"*.example.com\"]"),
        ("deeper", "path = \"/*\"\nhosts = [\"*.api.example.com\"]"),
        (
            "exact",
            "path = \"/*\"\nhosts = [\"www.example.com\", \"example.org\"]",
        ),
    ]);
    hosts(
        &gateway,
        &[
            ("www.example.com", "exact"),
            ("example.org", "exact"),
            ("WWW.Example.COM", "exact"),
            ("www.example.com:8080", "exact"),
            ("api.example.com", "suffix"),
            ("a.b.example.com", "suffix"),
            ("v1.api.example.com", "deeper"),
            ("V1.API.example.com:1", "deeper"),
            ("example.com", "any"),
            ("notexample.com", "any"),
            ("example.com.evil", "any"),
            ("[::1]:80", "any"),
        ],
    );
}

#[test]
fn a_host_that_no_route_serves_gets_404() {
    let gateway = routes(&[("a", "path = \"/*\"\nhosts = [\"a.example\"]")]);
    let answer = gateway.ask("GET /x HTTP/1.1\r\nHost: b.example\r\n\r\n");
    answer.problem(404, "/x", "Not found");
    answer.lacks("connection").lacks("allow");
}

#[test]
fn the_target_names_the_host_when_it_has_one() {
    let gateway = routes(&[
        ("a", "path = \"/*\"\nhosts = [\"a.example\"]"),
        ("b", "path = \"/*\"\nhosts = [\"b.example\"]"),
    ]);
    taken_by(
        &gateway,
        &[
            ("GET http://a.example/ HTTP/1.1\r\nHost: a.example", "a"),
            ("GET http://b.example HTTP/1.1\r\nHost: b.example", "b"),
        ],
    );
}

#[test]
fn http_1_0_without_host_finds_routes_without_hosts_only() {
    let gateway = routes(&[
        ("any", "path = \"/any\""),
        ("hosted", "path = \"/hosted\"\nhosts = [\"*.example\"]"),
    ]);
    gateway
        .ask("GET /any HTTP/1.0\r\n\r\n")
        .is(200)
        .body_is("any");
    gateway.ask("GET /hosted HTTP/1.0\r\n\r\n").is(404);
}

#[test]
fn methods_divide_a_path() {
    let gateway = routes(&[
        ("read", "path = \"/a\"\nmethods = [\"GET\"]"),
        ("write", "path = \"/a\"\nmethods = [\"POST\", \"PURGE\"]"),
    ]);
    taken_by(
        &gateway,
        &[
            ("GET /a HTTP/1.1\r\nHost: a", "read"),
            ("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 0", "write"),
            ("PURGE /a HTTP/1.1\r\nHost: a", "write"),
            ("DELETE /a HTTP/1.1\r\nHost: a", "405"),
            ("get /a HTTP/1.1\r\nHost: a", "405"),
            ("PURG /a HTTP/1.1\r\nHost: a", "405"),
            ("PURGE2 /a HTTP/1.1\r\nHost: a", "405"),
        ],
    );
}

#[test]
fn get_includes_head() {
    let gateway = routes(&[("read", "path = \"/a\"\nmethods = [\"GET\"]")]);
    let mut peer = gateway.peer();
    let answer = peer.ask("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
    answer.is(200).has("content-length", "4").body_is("");
    peer.get("/a").is(200).body_is("read");
}

#[test]
fn a_405_names_every_method_that_would_do() {
    let gateway = routes(&[
        ("read", "path = \"/a\"\nmethods = [\"GET\"]"),
        ("write", "path = \"/a\"\nmethods = [\"PUT\", \"PURGE\"]"),
        ("post", "path = \"/b\"\nmethods = [\"POST\"]"),
    ]);
    let answer = gateway.ask("DELETE /a HTTP/1.1\r\nHost: a\r\n\r\n");
    answer.problem(405, "/a", "Method not allowed");
    let allow = answer.field("allow").expect("a 405 has Allow");
    let mut allow: Vec<&str> = allow.split(", ").collect();
    allow.sort_unstable();
    assert_eq!(allow, ["GET", "HEAD", "PURGE", "PUT"]);
    let answer = gateway.ask("HEAD /b HTTP/1.1\r\nHost: a\r\n\r\n");
    answer.is(405).has("allow", "POST").body_is("");
}

#[test]
fn a_405_only_when_the_method_alone_differs() {
    let gateway = routes(&[
        (
            "post",
            "path = \"/a\"\nmethods = [\"POST\"]\nheaders = [\"X-Beta\"]",
        ),
        (
            "hosted",
            "path = \"/b\"\nmethods = [\"POST\"]\nhosts = [\"h\"]",
        ),
        (
            "query",
            "path = \"/c\"\nmethods = [\"POST\"]\nquery = [\"v=1\"]",
        ),
    ]);
    taken_by(
        &gateway,
        &[
            ("GET /a HTTP/1.1\r\nHost: a", "404"),
            ("GET /a HTTP/1.1\r\nHost: a\r\nX-Beta: 1", "405"),
            ("GET /b HTTP/1.1\r\nHost: a", "404"),
            ("GET /b HTTP/1.1\r\nHost: h", "405"),
            ("GET /c HTTP/1.1\r\nHost: a", "404"),
            ("GET /c?v=1 HTTP/1.1\r\nHost: a", "405"),
        ],
    );
}

#[test]
fn a_candidate_that_fails_falls_through_to_the_next() {
    let gateway = routes(&[
        ("exact", "path = \"/a/b\"\nmethods = [\"PUT\"]"),
        ("named", "path = \"/a/{x}\"\nheaders = [\"X-Beta=1\"]"),
        ("tail", "path = \"/a/*\"\nquery = [\"debug\"]"),
        ("all", "path = \"/*\"\nmethods = [\"GET\", \"PUT\"]"),
    ]);
    taken_by(
        &gateway,
        &[
            ("PUT /a/b HTTP/1.1\r\nHost: a\r\nContent-Length: 0", "exact"),
            ("GET /a/b HTTP/1.1\r\nHost: a\r\nX-Beta: 1", "named"),
            ("GET /a/b?debug HTTP/1.1\r\nHost: a\r\nX-Beta: 2", "tail"),
            ("GET /a/b HTTP/1.1\r\nHost: a", "all"),
            ("DELETE /a/b HTTP/1.1\r\nHost: a", "405"),
        ],
    );
}

#[test]
fn headers_and_query_conditions() {
    let gateway = routes(&[
        (
            "both",
            "path = \"/a\"\nheaders = [\"X-Beta=1\"]\nquery = [\"v=2\"]",
        ),
        ("value", "path = \"/a\"\nheaders = [\"X-Beta=1\"]"),
        ("there", "path = \"/a\"\nheaders = [\"X-Beta\"]"),
        ("query", "path = \"/a\"\nquery = [\"v=2\"]"),
        ("flag", "path = \"/a\"\nquery = [\"v\"]"),
        ("plain", "path = \"/a\""),
    ]);
    taken_by(
        &gateway,
        &[
            ("GET /a?v=2 HTTP/1.1\r\nHost: a\r\nX-Beta: 1", "both"),
            ("GET /a?v=3 HTTP/1.1\r\nHost: a\r\nx-beta: 1", "value"),
            ("GET /a HTTP/1.1\r\nHost: a\r\nX-BETA: 11", "there"),
            ("GET /a HTTP/1.1\r\nHost: a\r\nX-Beta:", "there"),
            ("GET /a?w=1&v=2 HTTP/1.1\r\nHost: a", "query"),
            ("GET /a?v HTTP/1.1\r\nHost: a", "flag"),
            ("GET /a?v=22 HTTP/1.1\r\nHost: a", "flag"),
            ("GET /a?vv=2 HTTP/1.1\r\nHost: a", "plain"),
            ("GET /a HTTP/1.1\r\nHost: a\r\nX-Betamax: 1", "plain"),
        ],
    );
}

#[test]
fn priority_decides_between_equals() {
    let gateway = routes(&[
        ("low", "path = \"/a/*\"\nheaders = [\"X-A\"]"),
        ("high", "path = \"/a/*\"\nheaders = [\"X-B\"]\npriority = 5"),
    ]);
    let both = "GET /a/b HTTP/1.1\r\nHost: a\r\nX-A: 1\r\nX-B: 1";
    taken_by(
        &gateway,
        &[
            (both, "high"),
            ("GET /a/b HTTP/1.1\r\nHost: a\r\nX-A: 1", "low"),
        ],
    );
}

#[test]
fn listeners_keep_routes_apart() {
    let listeners = "[listener.public]\naddress = \"127.0.0.1:0\"\n[listener.inner]\naddress = \"127.0.0.1:0\"\n";
    let gateway = Gateway::start(
        listeners.to_owned()
            + &route("both", "path = \"/both\"")
            + &route("own", "path = \"/own\"\nlisteners = [\"inner\"]"),
    );
    let mut inner = tests::Peer::connect(gateway.address("inner"));
    inner.get("/both").is(200).body_is("both");
    inner.get("/own").is(200).body_is("own");
    gateway.get("/both").is(200).body_is("both");
    gateway.get("/own").is(404);
}

#[test]
fn a_404_says_what_was_asked_for_encoded() {
    let gateway = routes(&[("a", "path = \"/a\"")]);
    let mut peer = gateway.peer();
    let problem =
        peer.get("/no/%22%3Cscript%3E?secret=1")
            .problem(404, "/no/%22%3Cscript%3E", "Not found");
    assert!(!problem.to_string().contains("secret"), "{problem}");
    peer.get("/a").is(200);
}

#[test]
fn of_many_routes_each_is_found() {
    let mut text = String::new();
    for n in 0..500 {
        text += &route(&format!("exact-{n}"), &format!("path = \"/e/{n}\""));
        text += &route(&format!("tail-{n}"), &format!("path = \"/t/{n}/*\""));
        text += &route(
            &format!("host-{n}"),
            &format!("path = \"/h/{{id}}\"\nhosts = [\"h{n}.example\"]"),
        );
    }
    let gateway = Gateway::start(text);
    let mut peer = gateway.peer();
    for n in (0..500).step_by(7) {
        peer.get(&format!("/e/{n}")).body_is(format!("exact-{n}"));
        peer.get(&format!("/t/{n}/x/y"))
            .body_is(format!("tail-{n}"));
        peer.ask(format!("GET /h/1 HTTP/1.1\r\nHost: h{n}.example\r\n\r\n"))
            .body_is(format!("host-{n}"));
    }
    peer.get("/e/500").is(404);
}

//! What a right configuration means.

use crate::snapshot::{Action, HostHeader, LogPath, Protocol};
use crate::testing::{EXAMPLE, LEAST, World, good};
use crate::{Source, read_sources};
use policy::balance::Kind;
use policy::route::{Captures, Found, Lookup};
use policy_keys::{Address, Duration};
use std::path::{Path, PathBuf};
use std::sync::Arc;

mod authorities;
mod health;
mod mtls;
mod tls;

#[test]
fn the_example_loads_as_it_stands() {
    let snapshot = good(EXAMPLE);
    assert_eq!(snapshot.warnings, Vec::<String>::new());
    assert_eq!(snapshot.gateway.workers, Some(2));
    assert_eq!(snapshot.gateway.shutdown_grace, Duration::from_secs(30));
    assert_eq!(snapshot.gateway.request_id_header, "X-Request-ID");
    assert_eq!(
        snapshot.admin.unwrap().address,
        Address::parse("127.0.0.1:9900").unwrap()
    );
    let [public, secure] = &snapshot.listeners[..] else {
        panic!()
    };
    assert_eq!((&*public.name, &*secure.name), ("public", "secure"));
    assert_eq!(public.protocols, [Protocol::Http1, Protocol::H2c]);
    assert!(public.tls.is_none());
    assert_eq!(secure.protocols, [Protocol::H2, Protocol::Http1]);
    let tls = secure.tls.as_ref().unwrap();
    assert!(Arc::ptr_eq(&tls.certificates[0], &snapshot.certificates[0]));
    assert_eq!(&*snapshot.certificates[0].name, "edge");
    let upstream = &snapshot.upstreams[0];
    assert_eq!(
        (upstream.balance, &*upstream.endpoints[0].name),
        (Kind::LeastRequests, "127.0.0.1:19101")
    );
    assert_eq!(upstream.timeout, Some(Duration::from_secs(15)));
    assert_eq!(
        snapshot.access_logs[0].path,
        LogPath::File("access.log".into())
    );
    assert_eq!(snapshot.limits[0].burst, 1_000_000);
    let names: Vec<&str> = snapshot.routes.iter().map(|route| &*route.name).collect();
    assert_eq!(names, ["gw", "root"]);
    let [gw, root] = &snapshot.routes[..] else {
        panic!()
    };
    assert!(matches!(gw.action, Action::Forward { upstream: 0 }));
    assert_eq!((gw.access_log, root.access_log), (Some(0), None));
    assert_eq!(gw.host_header, HostHeader::Client);
    assert!(snapshot.identity_headers.matches(b"x_user_id"));
    assert_eq!(
        snapshot.watched,
        [
            "gateway.toml",
            "certs/edge.key",
            "certs/edge.pem",
            "certs/jwks.json"
        ]
        .map(PathBuf::from)
    );
    assert_eq!(snapshot.hash.len(), 12);
}

#[test]
fn the_table_finds_what_the_routes_say() {
    let snapshot = good(EXAMPLE);
    let find = |path: &str| {
        let bytes = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes();
        let mut head = protocol::message::RequestHead::new();
        let limits = protocol::limits::HeadLimits::default();
        protocol::http1::decode_request(&bytes, &mut head, &limits).unwrap();
        let lookup = Lookup {
            listener: 0,
            request: head.view(&bytes),
            host: b"a",
            path: path.as_bytes(),
        };
        match snapshot.table.find(&lookup, &mut Captures::new()) {
            Found::Route(id) => snapshot.routes[id as usize].name.to_string(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(find("/gw/a"), "gw");
    assert_eq!(find("/gw"), "gw");
    assert_eq!(find("/gwx"), "root");
}

#[test]
fn defaults_are_those_of_the_specification() {
    let snapshot = good(LEAST);
    let listener = &snapshot.listeners[0];
    let seconds = [
        listener.header_timeout,
        listener.idle_timeout,
        listener.body_timeout,
        listener.write_timeout,
    ];
    assert_eq!(seconds.map(|timeout| timeout.as_secs()), [10, 60, 15, 30]);
    assert_eq!(
        (
            listener.min_body_rate,
            listener.max_header_bytes,
            listener.max_headers
        ),
        (240, 16384, 100)
    );
    assert!(snapshot.gateway.pin);
    assert_eq!(
        snapshot.warnings,
        ["warning: there is no route: every request gets 404\n"]
    );
}

#[test]
fn later_sources_win_key_by_key() {
    let mut world = World::new();
    let base = format!(
        "{LEAST}[upstream.products-eu]\nendpoints = [\"10.0.0.1:1\"]\ntimeout = \"1s\"\nbalance = \"random\"\n"
    );
    let over = "[upstream.products-eu]\ntimeout = \"2s\"\nconnect_timeout = \"3s\"\n";
    let sources = [Source::new("a.toml", base), Source::new("b.toml", over)];
    let times = |world: &World| {
        let snapshot = world.load(&sources).unwrap();
        let upstream = &snapshot.upstreams[0];
        assert_eq!(upstream.balance, Kind::Random);
        (
            upstream.timeout.unwrap().as_secs(),
            upstream.connect_timeout.as_secs(),
            snapshot.gateway.workers,
        )
    };
    assert_eq!(times(&world), (2, 3, None));
    let variable = "PORTCULLIS__UPSTREAM__PRODUCTS_EU__TIMEOUT".to_owned();
    world.variables.insert(variable, "4s".to_owned());
    world
        .variables
        .insert("PORTCULLIS__GATEWAY__WORKERS".to_owned(), "3".to_owned());
    assert_eq!(times(&world), (4, 3, Some(3)));
    world
        .sets
        .push("upstream.products-eu.timeout=5s".to_owned());
    world.sets.push(
        "upstream.products-eu.endpoints=[\"10.0.0.2:1\", \"10.0.0.3:1 weight=2\"]".to_owned(),
    );
    assert_eq!(times(&world), (5, 3, Some(3)));
    let endpoints = world.load(&sources).unwrap().upstreams[0].endpoints.clone();
    assert_eq!(
        endpoints
            .iter()
            .map(|e| (&*e.name, e.weight))
            .collect::<Vec<_>>(),
        [("10.0.0.2:1", 1), ("10.0.0.3:1", 2)]
    );
}

#[test]
fn secrets_are_expanded_once_and_only_where_they_belong() {
    let token = |said: &str| {
        let text = format!("{LEAST}[admin]\naddress = \"127.0.0.1:1\"\ntoken = \"{said}\"\n");
        let admin = good(&text).admin.unwrap();
        String::from_utf8(admin.token.unwrap().expose().to_vec()).unwrap()
    };
    assert_eq!(token("plain"), "plain");
    assert_eq!(token("${TOKEN}"), "from-the-environment");
    assert_eq!(token("a-${TOKEN}-b"), "a-from-the-environment-b");
    assert_eq!(token("file:token.txt"), "from-a-file");
    let text =
        format!("{LEAST}[route.a]\npath = \"/a\"\nauth = \"none\"\nrespond = \"200 ${{TOKEN}}\"\n");
    let snapshot = good(&text);
    assert!(
        matches!(&snapshot.routes[0].action, Action::Respond { body, .. } if body == b"${TOKEN}")
    );
}

#[test]
fn paths_start_from_the_folder_of_their_file() {
    let world = World::new();
    let snapshot = world
        .load(&[Source::new("conf/gateway.toml", EXAMPLE)])
        .unwrap();
    assert_eq!(
        snapshot.access_logs[0].path,
        LogPath::File("conf/access.log".into())
    );
    assert_eq!(
        snapshot.watched,
        [
            "conf/gateway.toml",
            "conf/certs/edge.key",
            "conf/certs/edge.pem",
            "conf/certs/jwks.json"
        ]
        .map(PathBuf::from)
    );
}

#[test]
fn the_hash_is_that_of_the_meaning() {
    let hash = |text: &str| good(text).hash;
    let base = "[listener.a]\naddress = \"127.0.0.1:1\"\nidle_timeout = \"120s\"\n[gateway]\nworkers = 2\n";
    let same = "# words\n[gateway]\nworkers = 2\npin = true\n\n[listener.a]\nidle_timeout='2m'\naddress = \"127.0.0.1:1\"\n";
    assert_eq!(hash(base), hash(same));
    assert_ne!(hash(base), hash(&base.replace("120s", "121s")));
    let secret =
        |secret: &str| format!("{base}[admin]\naddress = \"127.0.0.1:2\"\ntoken = \"{secret}\"\n");
    assert_eq!(
        hash(&secret("${TOKEN}")),
        hash(&secret("from-the-environment"))
    );
    assert_ne!(hash(&secret("a")), hash(&secret("b")));
    assert!(
        !good(&secret("hunter2"))
            .canonical
            .join("\n")
            .contains("hunter2")
    );
}

#[test]
fn the_canonical_form_holds_the_digest_of_files() {
    let sources = [Source::new("gateway.toml", EXAMPLE)];
    let before = World::new().load(&sources).unwrap().hash;
    for name in ["certs/jwks.json", "certs/edge.pem", "certs/edge.key"] {
        let mut world = World::new();
        let file = world.files.get_mut(Path::new(name)).unwrap();
        file.push(b'\n');
        assert_ne!(world.load(&sources).unwrap().hash, before, "{name}");
    }
}

#[test]
fn folders_are_read_in_the_order_of_their_names() {
    let files = |path: &Path| Ok(format!("# {}", path.display()).into_bytes());
    let list = |path: &Path| {
        let entries = ["d/b.toml", "d/a.toml", "d/c.txt"].map(PathBuf::from);
        Ok((path == Path::new("d")).then(|| entries.to_vec()))
    };
    let sources = read_sources(&["x.toml".into(), "d".into()], &files, &list).unwrap();
    let texts: Vec<&str> = sources.iter().map(|source| source.text.as_str()).collect();
    assert_eq!(texts, ["# x.toml", "# d/a.toml", "# d/b.toml"]);
    let none = read_sources(&["e".into()], &files, &|_| Ok(Some(Vec::new()))).unwrap_err();
    assert_eq!(
        none.to_string(),
        "error: e: no *.toml in this folder\n\n1 problem"
    );
}

/// Whatever a text says, loading it answers; it never panics and never goes on for ever.
mod whatever {
    use crate::testing::{EXAMPLE, loaded};
    use proptest::prelude::*;

    fn answers(text: &str) {
        if let Err(problems) = loaded(text) {
            assert!(!problems.is_empty());
            assert!(!problems.to_string().is_empty());
            for shown in problems.iter().filter(|shown| shown.file.is_some()) {
                assert!(
                    shown.line <= text.lines().count().max(1) + 1,
                    "{}",
                    shown.text
                );
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        #[test]
        fn any_text(text in "(\\PC|[\\[\\]={}\"'.#\\\\\n])*") {
            answers(&text);
        }

        #[test]
        fn the_example_with_a_piece_replaced(
            start in 0..EXAMPLE.len(),
            length in 0usize..40,
            piece in "[\\[\\]={}\"'.#\\\\\n\ta-z0-9é-]{0,6}",
        ) {
            let end = (start + length).min(EXAMPLE.len());
            if let (Some(before), Some(after)) = (EXAMPLE.get(..start), EXAMPLE.get(end..)) {
                answers(&format!("{before}{piece}{after}"));
            }
        }
    }
}

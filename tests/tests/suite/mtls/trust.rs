//! A reload changes whose certificates are trusted while clients of before have something under way.

use std::io::Read;
use std::process::{Command, Stdio};

use tests::Gate;
use tests::secure::Secure;

use super::people::HOST;
use super::*;

/// An origin that sends an event, then another one when the gate opens, and then nothing.
fn events(gate: &Gate) -> Origin {
    let gate = gate.clone();
    Origin::start(move |link| {
        link.request()?;
        link.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")?;
        link.send("9\r\ndata: 1\n\n\r\n")?;
        gate.wait();
        link.send("9\r\ndata: 2\n\n\r\n")?;
        link.wait_closed();
        Ok(())
    })
}

#[test]
fn what_is_under_way_has_its_time_and_is_cut_then() {
    under_way_is_cut(&[&[("\"optional\"", "\"required\"")]]);
}

/// The connections are then those of no listener any more.
#[test]
fn it_is_also_where_the_listener_moves_in_the_same_reload_or_in_one_before() {
    let moves = (
        "[listener.secure]\naddress = \"127.0.0.1:0\"",
        "[listener.secure]\naddress = \"127.0.0.2:0\"",
    );
    let asks = ("\"optional\"", "\"required\"");
    under_way_is_cut(&[&[moves, asks]]);
    under_way_is_cut(&[&[moves], &[asks]]);
}

#[test]
fn it_is_also_where_the_listener_is_removed() {
    under_way_is_cut(&[&[
        ("[listener.secure]", "[listener.other]"),
        ("[\"secure\"]", "[\"other\"]"),
    ]]);
}

/// Clients have something under way while reloads make these changes to the text.
fn under_way_is_cut(reloads: &[&[(&str, &str)]]) {
    let world = world();
    let gate = Gate::new();
    let origin = events(&gate);
    let more = "[gateway]\nworkers = 1\npin = false\nshutdown_grace = \"1h\"\n\
                [route.here]\npath = \"/here\"\nrespond = \"200 here\"\nauth = \"none\"\n";
    let before = text(&world, origin.address, SUBJECTS, more);
    let gateway = Setup::new(before).start();
    let to = gateway.address("secure");
    let mut clients = ["--http1.1", "--http2"].map(|version| {
        let mut command = Command::new("curl");
        command
            .args([
                "-q",
                "-sS",
                "-N",
                "--max-time",
                "60",
                "--noproxy",
                "*",
                version,
            ])
            .args(["--resolve", &format!("{HOST}:{}:{}", to.port(), to.ip())])
            .arg("--cacert")
            .arg(world.path("root.pem"))
            .arg("--cert")
            .arg(world.path("alice.pem"))
            .arg("--key")
            .arg(world.path("alice.key"))
            .arg(format!("https://{HOST}:{}/{version}", to.port()))
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        command.spawn().expect("curl can be started")
    });
    let hears = |client: &mut std::process::Child, text: &[u8]| {
        let mut came = vec![0; text.len()];
        let pipe = client.stdout.as_mut().expect("it is piped");
        pipe.read_exact(&mut came).expect("an event");
        assert_eq!(came, text);
    };
    for client in &mut clients {
        hears(client, b"data: 1\n\n");
    }
    let mut changed = gateway.text();
    for (reload, generation) in reloads.iter().zip(2..) {
        for (from, to) in *reload {
            assert!(changed.contains(from), "{from}");
            changed = changed.replace(from, to);
        }
        gateway.rewrite(&changed);
        gateway.signal("HUP");
        gateway.wait_said(&format!("is live, generation {generation}"), 0);
    }
    // Nobody is let in without a certificate any more: the worker has taken it over.
    while world.curl(to, None, "/here", &[]).status.success() {}
    gate.open();
    for client in &mut clients {
        hears(client, b"data: 2\n\n");
    }
    assert!(gateway.logged().iter().all(|line| !line.contains("--http")));
    gateway.rewrite(&changed.replace("\"1h\"", "\"100ms\""));
    gateway.signal("HUP");
    for mut client in clients {
        let mut rest = Vec::new();
        let pipe = client.stdout.as_mut().expect("it is piped");
        pipe.read_to_end(&mut rest).expect("it ends");
        assert_eq!(rest, b"");
        let status = client.wait().expect("it ends");
        assert!(!status.success(), "it was told that there is no more");
    }
    for version in ["--http1.1", "--http2"] {
        let line = logged(&gateway, &format!("/{version}"));
        assert_eq!(line["error"], "client_trust_changed", "{line}");
        assert_eq!(line["consumer"], "acme", "{line}");
    }
    origin.wait_ended(2);
}

/// It would get no answer to its next request.
#[test]
fn who_has_nothing_under_way_is_told_at_once() {
    let world = world();
    let origin = Origin::saying("hi");
    let more = "[gateway]\nworkers = 1\npin = false\nshutdown_grace = \"1h\"\n\
                [route.here]\npath = \"/here\"\nrespond = \"200 here\"\nauth = \"none\"\n";
    let before = text(&world, origin.address, SUBJECTS, more).replace(
        "[listener.secure]\n",
        "[listener.secure]\nidle_timeout = \"1h\"\n",
    );
    assert!(before.contains("idle_timeout"));
    let gateway = Setup::new(before).start();
    let (_client, mut wire) = Secure::connect(gateway.address("secure"), "http/1.1");
    let asked = format!("GET /here HTTP/1.1\r\nHost: {HOST}\r\n\r\n");
    wire.write(asked.as_bytes()).expect("it is open");
    wire.take_through(b"\r\n\r\nhere").expect("an answer");
    let changed = gateway.text().replace("\"optional\"", "\"required\"");
    gateway.rewrite(&changed);
    gateway.signal("HUP");
    assert_eq!(wire.fill().expect("it ends"), 0);
}

//! Sessions that go on in another connection: on any worker, across reloads, and only into what they began in.
//!
//! OpenSSL's client offers what it is told to, whatever it connects to and under whatever name: that nothing is resumed is
//! the gateway's doing alone.

use super::*;

const HOST: &str = "edge.example";

fn world() -> World {
    let world = World::new();
    world.issue("edge", &[HOST, "other.example"], Kind::Ecdsa);
    world
}

/// Begins a session, which is then in a file.
#[track_caller]
fn begin(world: &World, gateway: &Gateway, version: &str) -> String {
    let file = world.path("session").display().to_string();
    let to = gateway.address("secure");
    let said = world.ask(to, HOST, &[version, "-sess_out", &file]);
    assert!(!said.is_resumed());
    file
}

/// The same certificate, for one listener or two, and a route that says this.
fn text(world: &World, more: &str, keys: &str, says: &str) -> String {
    let listeners = listener("secure", "\"edge\"", keys) + &listener("other", "\"edge\"", "");
    listeners + &world.section("edge", "") + &saying(says) + more
}

#[test]
fn on_any_worker() {
    let world = world();
    let two = "[gateway]\nworkers = 2\npin = false\n";
    let gateway = Setup::new(text(&world, two, "", "here")).start();
    gateway.wait_ready();
    let to = gateway.address("secure");
    for version in ["-tls1_2", "-tls1_3"] {
        let file = begin(&world, &gateway, version);
        // The kernel deals connections out by their ports: that all of these come to the worker that knows the session
        // already is as likely as that a coin shows the same side 24 times.
        for n in 0..24 {
            let said = world.ask(to, HOST, &[version, "-sess_in", &file]);
            assert!(said.is_resumed(), "{version}, {n}: {}", said.0);
        }
    }
}

#[test]
fn across_a_reload() {
    let world = world();
    let gateway = Setup::new(text(&world, "", "", "before")).start();
    let to = gateway.address("secure");
    let file = begin(&world, &gateway, "-tls1_3");
    let ask = || world.ask(to, HOST, &["-sess_in", &file]);
    assert!(ask().is_resumed());
    change(&gateway, &gateway.text().replace("before", "after"), 2);
    // Until the worker has taken it over, and with it.
    until("the worker has the new configuration", || {
        let said = ask();
        assert!(said.is_resumed(), "{}", said.0);
        said.says("after").then_some(())
    });
    // Another certificate for that name changes nothing: it is what was promised that counts.
    world.issue("edge", &[HOST, "other.example"], Kind::Ecdsa);
    change(&gateway, &gateway.text().replace("after", "behind"), 3);
    until("the worker has the new configuration", || {
        ask().says("behind").then_some(())
    });
    assert!(ask().is_resumed());
}

#[test]
fn not_under_another_name_and_not_at_another_listener() {
    let world = world();
    let gateway = Setup::new(text(&world, "", "", "here")).start();
    for version in ["-tls1_2", "-tls1_3"] {
        let file = begin(&world, &gateway, version);
        let resumed = |listener: &str, host: &str| {
            let to = gateway.address(listener);
            world
                .ask(to, host, &[version, "-sess_in", &file])
                .is_resumed()
        };
        assert!(resumed("secure", HOST), "{version}");
        // The certificate is the same.
        assert!(!resumed("secure", "other.example"), "{version}");
        assert!(!resumed("other", HOST), "{version}");
        assert!(resumed("secure", HOST), "{version}");
    }
}

#[test]
fn not_once_other_clients_are_trusted() {
    let world = world();
    let others = World::new();
    let ca = |of: &World| format!("client_ca = \"{}\"", of.path("ca.pem").display());
    let optional = format!("client_auth = \"optional\"\n{}", ca(&world));
    let asked = optional.replace(&ca(&world), &ca(&others));
    let gateway = Setup::new(text(&world, "", "", "said 1")).start();
    let to = gateway.address("secure");
    // Nobody is asked, then some may show themselves, then others; last nobody again.
    let mut before = String::new();
    for (generation, keys) in [(2, &*optional), (3, &*asked), (4, "")] {
        let file = begin(&world, &gateway, "-tls1_3");
        let ask = || world.ask(to, HOST, &["-sess_in", &file]);
        assert!(ask().is_resumed());
        let (old, new) = (generation - 1, generation);
        let text = gateway
            .text()
            .replace(&format!("said {old}"), &format!("said {new}"));
        let text = match generation {
            2 => text.replacen("[\"edge\"]\n", &format!("[\"edge\"]\n{keys}"), 1),
            _ => text.replace(&before, keys),
        };
        change(&gateway, &text, generation);
        // What was resumed under the old terms takes no request under the new ones.
        let first = until("the worker has the new configuration", || {
            let said = ask();
            said.says(&format!("said {new}")).then_some(said)
        });
        assert!(!first.is_resumed(), "{generation}: {}", first.0);
        before = keys.to_owned();
    }
}

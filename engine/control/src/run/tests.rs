//! Tests of the whole control thread, with fake workers and real sockets, files and signals.

use std::fs;
use std::process::Command as Program;
use std::sync::atomic::Ordering;
use std::thread;

use engine_bridge::logs::Line;
use engine_config::snapshot::Address;

use super::{Handle, start};
use crate::Exit;
use crate::reload::Reloaded;
use crate::testing::{Answer, BASE, Scene, Workers, get, wait_for};

const DRAINED: Exit = Exit {
    code: 0,
    cut: 0,
    lost_workers: 0,
};

fn end(handle: Handle, workers: Workers) -> Exit {
    handle.drain("test");
    let exit = handle.join();
    workers.join();
    exit
}

#[test]
fn the_admin_listener_answers() {
    let scene = Scene::new(2, BASE);
    let handle = start(scene.options()).unwrap();
    let admin = handle.admin().unwrap().clone();
    let ready = get(&admin, "/ready", "");
    assert_eq!(
        (ready.status, &*ready.body),
        (503, "{\"status\":\"starting\"}")
    );
    let workers = Workers::start(&scene.bridge, &[Answer::Yes, Answer::Yes]);
    wait_for("readiness", || get(&admin, "/ready", "").status == 200);
    assert_eq!(get(&admin, "/ready", "").body, "{\"status\":\"ready\"}");

    let health = get(&admin, "/health", "");
    assert_eq!(health.status, 200);
    assert!(
        health
            .body
            .starts_with("{\"status\":\"healthy\",\"timestamp\":\"20"),
        "{}",
        health.body
    );
    assert!(
        health.body.ends_with("Z\"}") && health.head.contains("content-type: application/json")
    );

    let metrics = get(&admin, "/metrics", "");
    assert_eq!(metrics.status, 200);
    assert!(
        metrics
            .head
            .contains("content-type: text/plain; version=0.0.4; charset=utf-8"),
        "{}",
        metrics.head
    );
    let info = format!(
        "\ngateway_config_info{{hash=\"{}\"}} 1\n",
        scene.live_hash()
    );
    assert!(
        metrics.body.contains(&info)
            && metrics
                .body
                .contains("\ngateway_workers{state=\"ready\"} 2\n")
    );
    assert!(metrics.body.contains("\nprocess_resident_memory_bytes "));
    let open = get(
        &admin,
        "/metrics",
        "Accept: application/openmetrics-text; version=1.0.0\r\n",
    );
    assert!(
        open.head
            .contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    assert!(open.body.ends_with("# EOF\n"));
    assert_eq!(get(&admin, "/", "").status, 404);
    assert_eq!(end(handle, workers), DRAINED);
}

#[test]
fn a_unix_socket_serves_and_is_removed() {
    let scene = Scene::new(1, BASE);
    let path = scene.folder.path().join("admin.sock");
    fs::write(
        scene.config(),
        BASE.replace("127.0.0.1:0", &format!("unix:{}", path.display())),
    )
    .unwrap();
    scene.bridge.slot.publish(std::sync::Arc::new(
        crate::testing::load(&scene.config()).unwrap(),
    ));
    let workers = Workers::start(&scene.bridge, &[Answer::Yes]);
    // A socket file that a dead process left behind is no obstacle.
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
    let handle = start(scene.options()).unwrap();
    assert_eq!(handle.admin(), Some(&Address::Unix(path.clone())));
    assert_eq!(get(handle.admin().unwrap(), "/health", "").status, 200);
    let second = start(scene.options()).err().expect("the socket is in use");
    assert!(
        second.to_string().starts_with("admin.address unix:"),
        "{second}"
    );
    assert_eq!(end(handle, workers), DRAINED);
    wait_for("the socket's removal", || !path.exists());
}

#[test]
fn what_cant_be_opened_is_named_at_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let scene = Scene::new(1, &BASE.replace("127.0.0.1:0", &address));
    let why = start(scene.options())
        .err()
        .expect("the port is in use")
        .to_string();
    assert!(
        why.starts_with(&format!("admin.address {address}: ")),
        "{why}"
    );

    let log = "[access_log.main]\npath = \"nowhere/access.log\"\n";
    let scene = Scene::new(1, &format!("{BASE}{log}"));
    let why = start(scene.options())
        .err()
        .expect("the folder is missing")
        .to_string();
    assert!(
        why.starts_with("access_log.main: can't open ") && why.contains("nowhere/access.log"),
        "{why}"
    );
}

#[test]
fn a_reload_is_all_or_nothing() {
    let scene = Scene::new(2, BASE);
    let handle = start(scene.options()).unwrap();
    let workers = Workers::start(&scene.bridge, &[Answer::Yes, Answer::Yes]);
    let before = scene.live_hash();

    fs::write(
        scene.config(),
        "[listener.public]\naddres = \"127.0.0.1:8080\"\n",
    )
    .unwrap();
    let Reloaded::Invalid(problems) = handle.reload("a test") else {
        panic!("it is invalid");
    };
    assert!(problems.contains("addres"), "{problems}");
    assert_eq!(
        (scene.bridge.slot.generation(), scene.live_hash()),
        (1, before.clone())
    );
    scene.wait_for_line(&format!(
        "reload (a test): configuration {before} stays, what was read is wrong:\n"
    ));

    fs::write(
        scene.config(),
        format!("{BASE}[gateway]\nshutdown_grace = \"7s\"\n"),
    )
    .unwrap();
    let outcome = handle.reload("a test");
    let hash = scene.live_hash();
    assert_ne!(hash, before);
    assert_eq!(
        outcome,
        Reloaded::Live {
            generation: 2,
            hash: hash.clone()
        }
    );
    scene.wait_for_line(&format!(
        "reload (a test): configuration {hash} is live, generation 2"
    ));
    wait_for("both workers to swap", || {
        workers.swaps.load(Ordering::Relaxed) == 2
    });
    assert_eq!(
        scene.metric("gateway_config_reloads_total{result=\"ok\"}"),
        Some(1)
    );
    assert_eq!(
        scene.metric("gateway_config_reloads_total{result=\"invalid\"}"),
        Some(1)
    );
    assert_eq!(
        scene.metric(&format!("gateway_config_info{{hash=\"{hash}\"}}")),
        Some(1)
    );
    wait_for("the old snapshot to be freed", || {
        scene.bridge.slot.reap() == 0
    });

    fs::write(
        scene.config(),
        format!("{BASE}[access_log.main]\npath = \"nowhere/access.log\"\n"),
    )
    .unwrap();
    let Reloaded::Invalid(problems) = handle.reload("a test") else {
        panic!("its log can't be opened");
    };
    assert!(
        problems.starts_with("access_log.main: can't open "),
        "{problems}"
    );

    let grown =
        "[gateway]\nworkers = 5\n".to_string() + &BASE.replace("127.0.0.1:0", "127.0.0.1:1");
    fs::write(scene.config(), grown).unwrap();
    assert!(matches!(
        handle.reload("a test"),
        Reloaded::Live { generation: 3, .. }
    ));
    scene.wait_for_line("gateway.workers has changed: that takes effect at the next start");
    scene.wait_for_line("admin.address has changed: that takes effect at the next start");
    assert_eq!(end(handle, workers), DRAINED);
}

#[test]
fn reloads_at_once_are_one_after_the_other() {
    let scene = Scene::new(2, BASE);
    let handle = start(scene.options()).unwrap();
    let workers = Workers::start(&scene.bridge, &[Answer::Yes, Answer::Yes]);
    let outcomes: Vec<Reloaded> = thread::scope(|scope| {
        let one = || scope.spawn(|| (0..5).map(|_| handle.reload("a race")).collect::<Vec<_>>());
        let all = [one(), one(), one()];
        all.into_iter().flat_map(|it| it.join().unwrap()).collect()
    });
    let mut generations = Vec::new();
    for outcome in outcomes {
        let Reloaded::Live { generation, .. } = outcome else {
            panic!("{outcome:?}");
        };
        generations.push(generation);
    }
    let last = generations.iter().max().copied();
    assert_eq!(last, Some(scene.bridge.slot.generation()));
    assert_eq!(
        scene.metric("gateway_config_reloads_total{result=\"ok\"}"),
        last.map(|it| it - 1)
    );
    assert_eq!(end(handle, workers), DRAINED);
}

#[test]
fn a_changed_file_reloads() {
    let scene = Scene::new(1, BASE);
    let mut options = scene.options();
    options.watch = Some(vec![scene.config()]);
    // After the start has read it and before anybody watches: no event will tell.
    let change = |grace: &str| format!("{BASE}[gateway]\nshutdown_grace = \"{grace}\"\n");
    fs::write(scene.config(), change("6s")).unwrap();
    let handle = start(options).unwrap();
    let workers = Workers::start(&scene.bridge, &[Answer::Yes]);
    scene.wait_for_line("reload (changed while starting)");
    assert_eq!(scene.bridge.slot.generation(), 2);
    // As an editor does it: a new file under another name, then a rename.
    let draft = scene.folder.path().join("draft");
    fs::write(&draft, change("7s")).unwrap();
    fs::rename(&draft, scene.config()).unwrap();
    scene.wait_for_line(&format!("reload (changed: {})", scene.config().display()));
    // A broken file is said and changes nothing; mending it reloads again.
    let generation = scene.bridge.slot.generation();
    fs::write(scene.config(), "oops").unwrap();
    scene.wait_for_line("stays, what was read is wrong");
    assert_eq!(scene.bridge.slot.generation(), generation);
    fs::write(scene.config(), change("9s")).unwrap();
    wait_for("the mended file", || {
        scene.bridge.slot.generation() == generation + 1
    });
    assert_eq!(end(handle, workers), DRAINED);
}

#[test]
fn sighup_reloads_and_sigterm_drains() {
    let scene = Scene::new(1, BASE);
    let mut options = scene.options();
    options.signals = true;
    let handle = start(options).unwrap();
    let workers = Workers::start(&scene.bridge, &[Answer::Yes]);
    let signal = |name: &str| {
        let pid = std::process::id().to_string();
        assert!(
            Program::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    };
    signal("-HUP");
    scene.wait_for_line("reload (SIGHUP): configuration ");
    assert_eq!(scene.bridge.slot.generation(), 2);
    workers.in_flight.store(1, Ordering::Relaxed);
    signal("-TERM");
    scene.wait_for_line("SIGTERM: draining, ");
    signal("-INT");
    let exit = handle.join();
    assert_eq!((exit.code, exit.cut), (1, 1));
    scene.wait_for_line("SIGINT again: ending at once");
    workers.join();
}

#[test]
fn a_stalled_worker_makes_the_process_unhealthy() {
    let scene = Scene::new(1, BASE);
    let handle = start(scene.options()).unwrap();
    let admin = handle.admin().unwrap().clone();
    let workers = Workers::start(&scene.bridge, &[Answer::Yes]);
    wait_for("readiness", || get(&admin, "/ready", "").status == 200);
    workers.stuck.store(true, Ordering::Relaxed);
    wait_for("unhealth", || get(&admin, "/health", "").status == 503);
    let body = get(&admin, "/health", "").body;
    assert!(
        body.contains("\"status\":\"unhealthy\"") && body.contains("\"stalledWorkers\":[0]"),
        "{body}"
    );
    assert_eq!(scene.metric("gateway_workers_stalled"), Some(1));
    scene.wait_for_line("worker 0 is stalled");
    workers.stuck.store(false, Ordering::Relaxed);
    wait_for("health", || get(&admin, "/health", "").status == 200);
    scene.wait_for_line("worker 0 moves again");
    assert_eq!(end(handle, workers), DRAINED);
}

#[test]
fn the_end_of_all_workers_is_the_end() {
    let scene = Scene::new(1, BASE);
    let handle = start(scene.options()).unwrap();
    scene.bridge.life.failed(0, "no ring");
    let exit = handle.join();
    assert_eq!((exit.code, exit.lost_workers), (1, 1));
    scene.wait_for_line("worker 0 is gone: no ring");
    scene.wait_for_line("every worker is gone: ending at once");
}

#[test]
fn what_was_logged_is_written_before_the_end() {
    let scene = Scene::new(
        1,
        &format!("{BASE}[access_log.main]\npath = \"access.log\"\n"),
    );
    let handle = start(scene.options()).unwrap();
    let workers = Workers::start(&scene.bridge, &[Answer::Yes]);
    let (_, snapshot) = scene.bridge.slot.load();
    let mut sink = scene.bridge.logs.sink(0, &snapshot.access_logs[0]);
    for number in 0..10_000 {
        assert_eq!(
            sink.line(|out| out.extend_from_slice(format!("line {number}\n").as_bytes())),
            Line::Written
        );
    }
    drop(sink);
    assert_eq!(end(handle, workers), DRAINED);
    let text = fs::read_to_string(scene.folder.path().join("access.log")).unwrap();
    assert_eq!(text.lines().count(), 10_000);
    assert!(text.ends_with("\nline 9999\n"));
}

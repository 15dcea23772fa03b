//! Tests of the two steps with workers that refuse, are silent, or race with the end.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};

use super::{Reloaded, Reloader, Request};
use crate::testing::{Answer, BASE, Scene, Workers};

/// One reload against workers that answer so.
fn check(scene: &Scene, answers: &[Answer], within: Duration) -> Reloaded {
    let workers = Workers::start(&scene.bridge, answers);
    let reloader = Reloader {
        shared: scene.shared(),
        load: scene.loader(),
        watch: None,
        within,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outcome = runtime.block_on(async {
        let (requests, queue) = mpsc::channel(4);
        let (answer, outcome) = oneshot::channel();
        let request = Request {
            cause: "a test".into(),
            answer: Some(answer),
        };
        requests.send(request).await.ok().unwrap();
        tokio::spawn(reloader.run(queue));
        outcome.await.unwrap()
    });
    scene.bridge.life.stop();
    workers.join();
    outcome
}

const LONG: Duration = Duration::from_secs(60);

#[test]
fn a_worker_that_refuses_is_quoted() {
    let scene = Scene::new(2, BASE);
    let why = "listener public: can't bind 127.0.0.1:8080: in use";
    let outcome = check(&scene, &[Answer::Yes, Answer::No(why.into())], LONG);
    assert_eq!(outcome, Reloaded::Refused(format!("worker 1: {why}")));
    assert_eq!(scene.bridge.slot.generation(), 1);
    assert!(scene.bridge.slot.candidate().is_none());
    assert_eq!(
        scene.metric("gateway_config_reloads_total{result=\"refused\"}"),
        Some(1)
    );
    scene.wait_for_line(&format!(
        "reload (a test): configuration {} stays: worker 1: {why}",
        scene.live_hash()
    ));
}

#[test]
fn the_same_refusal_of_all_workers_is_said_once() {
    let scene = Scene::new(2, BASE);
    let answer = Answer::No("no room".into());
    let Reloaded::Refused(why) = check(&scene, &[answer.clone(), answer], LONG) else {
        panic!("both refuse");
    };
    assert_eq!(why.matches("no room").count(), 1, "{why}");
}

#[test]
fn a_worker_that_never_answers_does_not_hold_it_up_for_ever() {
    let scene = Scene::new(3, BASE);
    let within = Duration::from_millis(100);
    let outcome = check(&scene, &[Answer::Never, Answer::Yes, Answer::Never], within);
    assert_eq!(
        outcome,
        Reloaded::TimedOut("no answer from worker 0, 2 within 100ms".into())
    );
    assert_eq!(scene.bridge.slot.generation(), 1);
    assert_eq!(
        scene.metric("gateway_config_reloads_total{result=\"timeout\"}"),
        Some(1)
    );
}

#[test]
fn what_has_not_changed_is_taken_over() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/src/testing/certs");
    let keys = format!("endpoints = [\"10.0.0.1:1\"]\ntls = true\ntls_ca = \"{folder}/ca.pem\"\n");
    let scene = Scene::new(1, &format!("{BASE}[upstream.orders]\n{keys}"));
    let tls = || {
        let live = scene.bridge.slot.load().1;
        live.upstreams[0].tls.clone().unwrap()
    };
    let before = tls();
    let text = std::fs::read_to_string(scene.config()).unwrap();
    let changed = format!("{text}keepalive = \"7s\"\n");
    std::fs::write(scene.config(), changed).unwrap();
    let outcome = check(&scene, &[Answer::Yes], LONG);
    assert!(matches!(outcome, Reloaded::Live { .. }), "{outcome:?}");
    assert!(std::sync::Arc::ptr_eq(&before, &tls()));
}

#[test]
fn nothing_is_reloaded_once_the_process_is_ending() {
    let scene = Scene::new(1, BASE);
    scene.bridge.life.leave();
    let outcome = check(&scene, &[Answer::Yes], LONG);
    assert_eq!(outcome, Reloaded::Refused("the process is ending".into()));
}

#[test]
fn a_loader_that_panics_costs_its_reload_only() {
    let scene = Scene::new(1, BASE);
    let reloader = Reloader {
        shared: scene.shared(),
        load: std::sync::Arc::new(|| panic!("expected by this test")),
        watch: None,
        within: LONG,
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let outcome = runtime.block_on(async {
        let mut reloader = reloader;
        reloader.reload().await
    });
    assert!(matches!(outcome, Reloaded::Invalid(_)), "{outcome:?}");
}

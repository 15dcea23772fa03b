//! Tests of what the admin pages say of failing and ending workers; the rest is tested with the whole control thread.

use engine_config::snapshot::Address;

use super::{Listening, serve};
use crate::testing::{BASE, Scene, get};

/// Status and body of a page, the time cut out.
fn page(scene: &Scene, path: &'static str) -> (u16, String) {
    page_with(scene, path, "")
}

/// As `page`, with a header line.
fn page_with(scene: &Scene, path: &'static str, header: &'static str) -> (u16, String) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listening = Listening::bind(&Address::Tcp("127.0.0.1:0".parse().unwrap())).unwrap();
        let address = listening.address();
        let serving = tokio::spawn(serve(scene.shared(), listening));
        let answered = tokio::task::spawn_blocking(move || get(&address, path, header))
            .await
            .unwrap();
        serving.abort();
        let body = answered.body;
        let body = match (body.find(",\"timestamp\":\""), body.rfind("Z\"")) {
            (Some(from), Some(to)) => format!("{}{}", &body[..from], &body[to + 2..]),
            _ => body,
        };
        (answered.status, body)
    })
}

#[test]
fn a_worker_that_is_gone_is_unhealthy_and_the_others_are_ready() {
    let scene = Scene::new(2, BASE);
    scene.bridge.life.ready(0);
    assert_eq!(
        page(&scene, "/ready"),
        (503, "{\"status\":\"starting\"}".into())
    );
    scene.bridge.life.failed(1, "no ring");
    assert_eq!(
        page(&scene, "/ready"),
        (200, "{\"status\":\"ready\"}".into())
    );
    let (status, body) = page(&scene, "/health");
    assert_eq!(status, 503);
    assert!(
        body.contains("\"failedWorkers\":[1]") && body.contains("\"stalledWorkers\":[]"),
        "{body}"
    );
    scene.bridge.life.failed(0, "no ring");
    assert_eq!(
        page(&scene, "/ready"),
        (503, "{\"status\":\"failed\"}".into())
    );
}

#[test]
fn leaving_is_not_ready_but_healthy() {
    let scene = Scene::new(1, BASE);
    scene.bridge.life.ready(0);
    scene.bridge.life.leave();
    assert_eq!(
        page(&scene, "/ready"),
        (503, "{\"status\":\"draining\"}".into())
    );
    assert_eq!(
        page(&scene, "/health"),
        (200, "{\"status\":\"healthy\"}".into())
    );
}

#[test]
fn with_a_token_the_figures_are_for_its_bearers() {
    let config = format!(
        "{BASE}token = \"s3cret-of-the-operators\"
"
    );
    let scene = Scene::new(1, &config);
    scene.bridge.life.ready(0);
    let status = |header| page_with(&scene, "/metrics", header).0;
    assert_eq!(status(""), 401);
    assert_eq!(
        status("Authorization: Bearer s3cret-of-the-operator\r\n"),
        401
    );
    assert_eq!(
        status("Authorization: Basic s3cret-of-the-operators\r\n"),
        401
    );
    assert_eq!(
        status("Authorization: bearer s3cret-of-the-operators\r\n"),
        200
    );
    assert_eq!(page(&scene, "/ready").0, 200);
    assert_eq!(page(&scene, "/health").0, 200);
}

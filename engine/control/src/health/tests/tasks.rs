//! The tasks of a whole configuration.

use std::collections::HashSet;
use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;
use tokio::sync::watch;
use tokio::time::sleep;

use super::super::{AT_ONCE, Checks};
use super::*;
use crate::testing::Scene;

/// Waits until it is so, while the tasks go on.
async fn until(mut so: impl FnMut() -> bool) {
    while !so() {
        sleep(Duration::from_millis(2)).await;
    }
}

/// Many more endpoints than are checked at once: one server on every address of the loopback.
#[test]
fn only_so_many_are_checked_at_once() {
    run(async {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (open, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (go, gate) = watch::channel(false);
        let (tell, mut told) = unbounded_channel();
        let (counted, greatest) = (Arc::clone(&open), Arc::clone(&most));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let now = counted.fetch_add(1, Ordering::SeqCst) + 1;
                greatest.fetch_max(now, Ordering::SeqCst);
                let (mut gate, counted, tell) = (gate.clone(), Arc::clone(&counted), tell.clone());
                tokio::spawn(async move {
                    let asked = stream.local_addr().unwrap().ip();
                    head(&mut stream).await;
                    gate.wait_for(|open| *open).await.unwrap();
                    // Before the check can know that it is over.
                    counted.fetch_sub(1, Ordering::SeqCst);
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
                    let _ = tell.send(asked);
                });
            }
        });
        let endpoints: Vec<String> = (1..=200).map(|n| format!("127.0.0.{n}:{port}")).collect();
        let text = format!(
            "{BASE}[upstream.a]\nendpoints = {endpoints:?}\nhealth_path = \"/up\"\n\
             health_interval = \"10ms\"\nhealth_timeout = \"1h\"\n"
        );
        let scene = Scene::new(1, &text);
        let mut checks = Checks::new(scene.shared());
        checks.turn();
        until(|| open.load(Ordering::SeqCst) == AT_ONCE).await;
        go.send(true).unwrap();
        let mut asked = HashSet::new();
        while asked.len() < endpoints.len() {
            asked.insert(told.recv().await.unwrap());
        }
        assert_eq!(most.load(Ordering::SeqCst), AT_ONCE);
    });
}

/// Endpoints that let checks wait take all places of their own upstream, and none of another's.
#[test]
fn one_upstream_does_not_hold_up_another() {
    run(async {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&open);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok(accepted) = listener.accept().await {
                held.push(accepted);
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        let (address, mut told) = serve(|mut stream| async move {
            head(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        })
        .await;
        let endpoints: Vec<String> = (1..=100).map(|n| format!("127.0.0.{n}:{port}")).collect();
        let keys = "health_path = \"/up\"\nhealth_interval = \"10ms\"\nhealth_timeout = \"1h\"\n";
        let text = format!(
            "{BASE}[upstream.a]\nendpoints = {endpoints:?}\n{keys}[upstream.b]\nendpoints = [\"{address}\"]\n{keys}"
        );
        let scene = Scene::new(1, &text);
        let mut checks = Checks::new(scene.shared());
        checks.turn();
        until(|| open.load(Ordering::SeqCst) == AT_ONCE).await;
        // What had come before then says nothing.
        while told.0.try_recv().is_ok() {}
        for _ in 0..5 {
            told.next().await;
        }
        assert_eq!(open.load(Ordering::SeqCst), AT_ONCE);
    });
}

/// What hangs is found out however often a reload comes that has nothing to do with it.
#[test]
fn reloads_do_not_drop_a_check_that_stays_as_it_is() {
    run(async {
        let (address, _told) = serve(|mut stream| async move { gone(&mut stream).await }).await;
        let text = format!(
            "{BASE}[upstream.a]\nendpoints = [\"{address}\"]\nhealth_path = \"/up\"\n\
             health_interval = \"10ms\"\nhealth_timeout = \"200ms\"\n"
        );
        let scene = Scene::new(1, &text);
        let health = scene.bridge.board.health("a", &address.to_string());
        let mut checks = Checks::new(scene.shared());
        let mut reload = || {
            let snapshot = Arc::new(load(&scene.config()).unwrap());
            scene.bridge.slot.publish(snapshot);
            checks.turn();
        };
        until(|| {
            reload();
            !health.is_healthy()
        })
        .await;
    });
}

/// A check that waits for longer than it may now gives way to one by the new terms.
#[test]
fn a_check_goes_by_the_time_out_of_now() {
    run(async {
        let (tell, mut told) = unbounded_channel();
        let (address, _ended) = serve(move |mut stream| {
            let tell = tell.clone();
            async move {
                let _ = tell.send(());
                gone(&mut stream).await;
            }
        })
        .await;
        let text = format!(
            "{BASE}[upstream.a]\nendpoints = [\"{address}\"]\nhealth_path = \"/up\"\n\
             health_interval = \"10ms\"\nhealth_timeout = \"1h\"\n"
        );
        let scene = Scene::new(1, &text);
        let health = scene.bridge.board.health("a", &address.to_string());
        let mut checks = Checks::new(scene.shared());
        checks.turn();
        told.recv().await.expect("it is checked");
        fs::write(scene.config(), text.replace("\"1h\"", "\"20ms\"")).unwrap();
        let snapshot = Arc::new(load(&scene.config()).unwrap());
        scene.bridge.slot.publish(snapshot);
        checks.turn();
        until(|| !health.is_healthy()).await;
    });
}

#[test]
fn a_word_changes_once_and_is_told_once() {
    run(async {
        let (say, status) = watch::channel(500);
        let (address, _told) = serve(move |mut stream| {
            let status = *status.borrow();
            async move {
                head(&mut stream).await;
                let answer = format!("HTTP/1.1 {status} It\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        })
        .await;
        let text = format!(
            "{BASE}[upstream.a]\nendpoints = [\"{address}\"]\nhealth_path = \"/up\"\nhealth_interval = \"10ms\"\n"
        );
        let scene = Scene::new(1, &text);
        let shared = scene.shared();
        let health = shared.bridge.board.health("a", &address.to_string());
        let mut checks = Checks::new(shared);
        checks.turn();
        assert!(health.is_healthy(), "until the first answer");
        let count = |result: &str| {
            let labels = format!("upstream=\"a\",endpoint=\"{address}\",result=\"{result}\"");
            let sample = format!("gateway_upstream_health_checks_total{{{labels}}}");
            scene.metric(&sample).unwrap_or(0)
        };
        until(|| count("status") > 5).await;
        assert!(!health.is_healthy());
        say.send(200).unwrap();
        until(|| count("ok") > 5).await;
        assert!(health.is_healthy());
        let expected = [
            format!(
                "upstream a: endpoint {address} is unhealthy: status 500; none of 1 is left, requests get 503"
            ),
            format!("upstream a: endpoint {address} is healthy again; 1 of 1 are"),
        ];
        assert_eq!(scene.lines(), expected);
        // What is removed is forgotten, and its checks end.
        say.send(500).unwrap();
        until(|| !health.is_healthy()).await;
        fs::write(scene.config(), BASE).unwrap();
        let snapshot = Arc::new(load(&scene.config()).unwrap());
        scene.bridge.slot.publish(snapshot);
        checks.turn();
        assert!(health.is_healthy());
        until(|| Arc::strong_count(&health) == 2).await; // This one and the board's.
    });
}

#[test]
fn at_the_end_the_words_stay_and_the_tasks_go() {
    run(async {
        let (address, _told) = serve(|stream| async move { drop(stream) }).await;
        let text = format!(
            "{BASE}[upstream.a]\nendpoints = [\"{address}\"]\nhealth_path = \"/up\"\nhealth_interval = \"10ms\"\n"
        );
        let scene = Scene::new(1, &text);
        let health = scene.bridge.board.health("a", &address.to_string());
        let mut checks = Checks::new(scene.shared());
        checks.turn();
        until(|| !health.is_healthy()).await;
        scene.bridge.life.drain();
        checks.turn();
        until(|| Arc::strong_count(&health) == 2).await;
        assert!(!health.is_healthy());
    });
}

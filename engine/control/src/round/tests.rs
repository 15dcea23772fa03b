//! What a round makes of a reload.

use std::fs;

use tokio::net::TcpListener;
use tokio::time::{sleep, timeout};

use super::*;
use crate::testing::{BASE, Scene, load};

/// Goes round until it is so, while tasks go on.
async fn until(round: &mut Round, so: impl Fn() -> bool) {
    let turning = async {
        while !so() {
            round.turn();
            sleep(Duration::from_millis(1)).await;
        }
    };
    let done = timeout(Duration::from_secs(20), turning).await;
    done.expect("it does not take so long");
}

#[tokio::test]
async fn what_was_counted_of_endpoints_that_are_gone_is_forgotten() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let text = format!(
        "{BASE}[upstream.a]\nendpoints = [\"{address}\"]\nhealth_check = \"tcp\"\nhealth_interval = \"10ms\"\n"
    );
    let scene = Scene::new(1, &text);
    let labels = format!("upstream=\"a\",endpoint=\"{address}\",result=\"ok\"");
    let sample = format!("gateway_upstream_health_checks_total{{{labels}}}");
    let (commands, _received) = mpsc::channel(1);
    let mut round = Round::new(scene.shared(), commands);
    until(&mut round, || scene.metric(&sample).is_some()).await;
    fs::write(scene.config(), BASE).unwrap();
    let snapshot = Arc::new(load(&scene.config()).unwrap());
    scene.bridge.slot.publish(snapshot);
    until(&mut round, || scene.metric(&sample).is_none()).await;
}

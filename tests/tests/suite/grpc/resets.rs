//! A call that one side gives up is given up on the other, at once and though nobody speaks.

use super::*;

const HI: &[u8] = b"\0\0\0\0\x02hi";

#[test]
fn a_client_gives_up_before_the_answer() {
    for half_closed in [true, false] {
        run(async {
            let mut service = Service::start().await;
            let gateway = service.behind("", "", "");
            let mut client = Client::connect(&gateway).await;
            let (_answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
            if half_closed {
                finish(&mut asks);
            }
            let mut call = service.call().await;
            asks.send_reset(Reason::CANCEL);
            assert_eq!(call.is_reset().await, Reason::CANCEL);
            gateway.wait_logged("client_gone");
        });
    }
}

#[test]
fn a_client_gives_up_in_the_middle_of_a_quiet_answer() {
    for half_closed in [true, false] {
        run(async {
            let mut service = Service::start().await;
            let gateway = service.behind("", "", "");
            let mut client = Client::connect(&gateway).await;
            let (answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
            if half_closed {
                finish(&mut asks);
            }
            let mut call = service.call().await;
            let mut answers = call.accept();
            say(&mut answers, HI);
            let (_, mut hears) = answer.head().await;
            assert_eq!(hears.bytes(HI.len()).await, HI);
            asks.send_reset(Reason::CANCEL);
            let reason = std::future::poll_fn(|cx| answers.poll_reset(cx)).await;
            assert_eq!(reason.expect("the connection lives on"), Reason::CANCEL);
            gateway.wait_logged("client_gone");
        });
    }
}

#[test]
fn a_service_gives_up_before_its_answer() {
    for (reason, status) in [
        (Reason::CANCEL, "1"),
        (Reason::INTERNAL_ERROR, "13"),
        (Reason::ENHANCE_YOUR_CALM, "8"),
    ] {
        for half_closed in [true, false] {
            run(async {
                let mut service = Service::start().await;
                let gateway = service.behind("", "", "");
                let mut client = Client::connect(&gateway).await;
                let (answer, mut asks) = client.call(asking_with("/a.B/C", &[]));
                if half_closed {
                    finish(&mut asks);
                }
                let mut call = service.call().await;
                call.answer.send_reset(reason);
                let fields = answer.status().await;
                assert_eq!(value(&fields, "grpc-status"), Some(status), "{reason:?}");
                gateway.wait_logged("upstream_reset");
            });
        }
    }
}

#[test]
fn a_service_gives_up_in_the_middle_of_its_answer() {
    for reason in [Reason::CANCEL, Reason::INTERNAL_ERROR] {
        run(async {
            let mut service = Service::start().await;
            let gateway = service.behind("", "", "");
            let mut client = Client::connect(&gateway).await;
            let (answer, _asks) = client.call(asking_with("/a.B/C", &[]));
            let mut call = service.call().await;
            let mut answers = call.accept();
            say(&mut answers, HI);
            let (_, mut hears) = answer.head().await;
            assert_eq!(hears.bytes(HI.len()).await, HI);
            answers.send_reset(reason);
            match reason {
                Reason::CANCEL => assert_eq!(hears.is_reset().await, Some(reason)),
                _ => {
                    ends_with(&mut hears, "13").await;
                }
            }
            gateway.wait_logged("upstream_reset");
        });
    }
}

//! What is no attack: load with PINGs, cancelled requests, small updates of windows, and the keys that allow more.

use super::*;

fn serving(more: &str) -> Gateway {
    Gateway::before(Origin::echo().address, more)
}

#[test]
fn many_requests_with_a_ping_for_each() {
    let gateway = serving("");
    let mut http2 = gateway.http2();
    for n in 0..500 {
        http2.get(2 * n + 1, "/").is(200);
        assert!(http2.is_alive(), "{n}: {:?}", http2.goaways);
        http2.forget(2 * n + 1);
    }
}

#[test]
fn some_requests_cancelled_among_many() {
    let gateway = serving("");
    let mut http2 = gateway.http2();
    for n in 0..600 {
        let stream = 2 * n + 1;
        http2.open(stream, "/");
        if n % 3 == 0 {
            http2
                .send(&Frame::reset(stream, code::CANCEL))
                .expect("it takes bytes");
        } else {
            http2.answer(stream).is(200);
        }
        http2.forget(stream);
    }
    assert!(http2.is_alive(), "{:?}", http2.goaways);
}

#[test]
fn large_answers_with_an_update_for_each_frame() {
    let gateway = serving("");
    let mut http2 = gateway.http2();
    let body = vec![b'x'; 1 << 20];
    for n in 0..4 {
        // Two updates for each DATA frame: hundreds for each answer.
        let stream = 2 * n + 1;
        http2
            .head(stream, &request("POST", "/"), false)
            .expect("it takes bytes");
        http2.body(stream, &body, true).expect("it takes bytes");
        http2.answer(stream).is(200).body_is(&body);
    }
    assert!(http2.is_alive(), "{:?}", http2.goaways);
}

#[test]
fn an_upload_in_small_frames() {
    let gateway = serving("");
    let mut http2 = gateway.http2();
    http2
        .head(1, &request("POST", "/"), false)
        .expect("it takes bytes");
    for _ in 0..3000 {
        http2.body(1, b"x", false).expect("it takes bytes");
    }
    http2.body(1, b"", true).expect("it takes bytes");
    http2.answer(1).is(200).body_is("x".repeat(3000));
}

#[test]
fn more_is_allowed_by_configuration() {
    let keys = "[listener.public]\naddress = \"127.0.0.1:0\"\nh2_max_resets = 2000\nh2_flood_factor = 20\n";
    let gateway = serving(keys);
    let mut http2 = gateway.http2();
    for n in 0..1000 {
        let head = Frame::headers(2 * n + 1, hpack::block(&request("GET", "/")), true);
        let frames = [
            head,
            Frame::reset(2 * n + 1, code::CANCEL),
            Frame::ping(*b"12345678"),
        ];
        http2.send_all(&frames).expect("it takes bytes");
        assert!(
            http2.until(|it| it.pongs.len() as u32 > n).unwrap_or(false),
            "{:?}",
            http2.goaways
        );
    }
    // And less.
    let gateway = serving("[listener.public]\naddress = \"127.0.0.1:0\"\nh2_max_resets = 10\n");
    let mut http2 = gateway.http2();
    for n in 0..30 {
        let head = Frame::headers(2 * n + 1, hpack::block(&request("POST", "/")), false);
        if http2
            .send_all(&[head, Frame::reset(2 * n + 1, code::CANCEL)])
            .is_err()
        {
            break;
        }
    }
    http2.ends_with(code::ENHANCE_YOUR_CALM);
}

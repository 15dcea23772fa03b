//! Windows to the byte: by one byte, at zero, changed while streams are open, shared by streams, and given back by
//! padding and by streams that are gone.

use super::*;

fn saying(text: &'static str) -> (Origin, Gateway) {
    let origin = Origin::http2(move |_| Answering::ok(text));
    let gateway = Gateway::between(&origin, Speaks::Http2, MANY_PINGS);
    (origin, gateway)
}

/// A client with this initial window, that gives nothing back by itself.
fn with_window(gateway: &Gateway, window: u32) -> Http2 {
    let settings = [(setting::INITIAL_WINDOW_SIZE, window)];
    Http2::connect_with(gateway.address("public"), &settings, Manners::STINGY)
}

/// Once all that was sent has been dealt with, so many bytes have come and no end.
#[track_caller]
fn has(http2: &mut Http2, stream: u32, bytes: usize) {
    assert!(http2.until(|it| it.got(stream) >= bytes).expect("it comes"));
    for _ in 0..3 {
        assert!(http2.is_alive(), "{:?}", http2.goaways);
    }
    assert_eq!(http2.got(stream), bytes);
}

#[test]
fn by_one_byte() {
    let (_origin, gateway) = saying("hello, world");
    let mut http2 = with_window(&gateway, 1);
    http2.open(1, "/");
    for n in 1..12 {
        has(&mut http2, 1, n);
        assert!(!http2.coming(1).ended);
        http2
            .send(&Frame::window_update(1, 1))
            .expect("it takes bytes");
    }
    http2.answer(1).is(200).body_is("hello, world");
    assert_eq!(http2.coming(1).frames, 12);
}

#[test]
fn a_window_of_zero_lets_the_head_pass() {
    let (_origin, gateway) = saying("hello");
    let mut http2 = with_window(&gateway, 0);
    http2.open(1, "/");
    assert!(
        http2
            .until(|it| it.coming(1).head.is_some())
            .expect("it comes")
    );
    has(&mut http2, 1, 0);
    http2
        .send(&Frame::window_update(1, 100))
        .expect("it takes bytes");
    http2.answer(1).is(200).body_is("hello");
}

#[test]
fn what_has_no_bytes_needs_no_window() {
    let origin = Origin::http2(|_| Answering {
        trailers: fields(&[("x", "y")]),
        ..Answering::ok("")
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, MANY_PINGS);
    let mut http2 = with_window(&gateway, 0);
    let answer = http2.get(1, "/");
    answer.is(200).body_is("");
    assert_eq!(answer.message.trailers, fields(&[("x", "y")]));
}

#[test]
fn a_window_that_grows_by_settings() {
    let (_origin, gateway) = saying("hello, world");
    let mut http2 = with_window(&gateway, 0);
    http2.open(1, "/");
    http2.open(3, "/");
    has(&mut http2, 1, 0);
    let grown = Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 5)]);
    http2.send(&grown).expect("it takes bytes");
    has(&mut http2, 1, 5);
    has(&mut http2, 3, 5);
    http2
        .send(&Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 100)]))
        .expect("it takes bytes");
    http2.answer(1).is(200).body_is("hello, world");
    http2.answer(3).is(200).body_is("hello, world");
}

#[test]
fn a_window_that_shrinks_below_zero() {
    let (_origin, gateway) = saying("hello, world");
    let mut http2 = with_window(&gateway, 5);
    http2.open(1, "/");
    has(&mut http2, 1, 5);
    // 5 - 3 less than what has been sent: -3.
    http2
        .send(&Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, 2)]))
        .expect("it takes bytes");
    http2
        .send(&Frame::window_update(1, 3))
        .expect("it takes bytes");
    has(&mut http2, 1, 5);
    http2
        .send(&Frame::window_update(1, 1))
        .expect("it takes bytes");
    has(&mut http2, 1, 6);
    // Several values in one frame hold one after the other (section 6.5.3).
    let values = [
        (setting::INITIAL_WINDOW_SIZE, 50),
        (setting::INITIAL_WINDOW_SIZE, 4),
    ];
    http2
        .send(&Frame::settings(&values))
        .expect("it takes bytes");
    has(&mut http2, 1, 8);
    http2
        .send(&Frame::window_update(1, 50))
        .expect("it takes bytes");
    http2.answer(1).is(200).body_is("hello, world");
}

#[test]
fn the_connections_window_holds_for_all_streams() {
    let (origin, _) = pouring(Speaks::Http1, 1 << 20);
    let gateway = Gateway::between(&origin, Speaks::Http1, MANY_PINGS);
    let mut http2 = with_window(&gateway, 0x3fff_ffff);
    for n in 0..4 {
        http2.open(2 * n + 1, "/");
    }
    let all = |it: &Http2| (0..4).map(|n| it.got(2 * n + 1)).sum::<usize>();
    assert!(http2.until(|it| all(it) >= 65_535).expect("it comes"));
    stands_still(all, 65_535, &mut http2);
    // WINDOW_UPDATE on one of them does not help it.
    http2
        .send(&Frame::window_update(1, 1))
        .expect("it takes bytes");
    stands_still(all, 65_535, &mut http2);
    http2
        .send(&Frame::window_update(0, 100))
        .expect("it takes bytes");
    assert!(http2.until(|it| all(it) >= 65_635).expect("it comes"));
    stands_still(all, 65_635, &mut http2);
    http2
        .send(&Frame::window_update(0, 100 << 20))
        .expect("it takes bytes");
    for n in 0..4 {
        assert_eq!(http2.answer(2 * n + 1).message.body.len(), 1 << 20);
    }
}

#[test]
fn streams_share_the_connections_window_fairly() {
    let (origin, _) = pouring(Speaks::Http1, 4 << 20);
    let gateway = Gateway::between(&origin, Speaks::Http1, "");
    let mut http2 = with_window(&gateway, 0x7fff_ffff);
    for n in 0..4 {
        http2.open(2 * n + 1, "/");
    }
    let all = |it: &Http2| (0..4).map(|n| it.got(2 * n + 1)).sum::<usize>();
    let mut allowed = 65_535;
    while allowed < 4 << 20 {
        assert!(http2.until(|it| all(it) >= allowed).expect("it comes"));
        http2
            .send(&Frame::window_update(0, 65_536))
            .expect("it takes bytes");
        allowed += 65_536;
    }
    // None of them waits until another one has all.
    for n in 0..4 {
        let got = http2.got(2 * n + 1);
        assert!(
            got > 64 << 10,
            "{got} bytes on stream {} of {allowed}",
            2 * n + 1
        );
    }
}

/// An origin that takes 65,535 bytes of each request and never more.
fn closed() -> (Origin, Gateway) {
    let origin = Origin::start(|link| {
        let mut service = link.http2(&[], Manners::STINGY)?;
        while service.head()?.is_some() {}
        Ok(())
    });
    let gateway = Gateway::between(&origin, Speaks::Http2, MANY_PINGS);
    (origin, gateway)
}

/// Opens a stream and sends so many bytes on it, whatever the windows say, as far as the gateway takes them.
fn push(http2: &mut Http2, stream: u32, bytes: usize) -> io::Result<()> {
    http2.head(stream, &request("POST", "/"), false)?;
    for _ in 0..bytes / 16_384 {
        http2.send(&Frame::data(stream, vec![b'x'; 16_384], false))?;
    }
    Ok(())
}

/// The window that the gateway gives each stream.
fn window(http2: &Http2) -> usize {
    let window = http2.setting(setting::INITIAL_WINDOW_SIZE);
    window.map_or(65_535, |it| it as usize)
}

#[test]
fn more_than_a_streams_window_is_its_error() {
    let (_origin, gateway) = closed();
    let mut http2 = gateway.http2();
    // What the origin has taken may have been given back, what is on its way to it in one buffer, and a frame beyond that.
    let most = window(&http2) + 65_536 + 128 * 1024 + 2 * 16_384;
    push(&mut http2, 1, most).expect("it takes bytes");
    assert_eq!(http2.reset(1), code::FLOW_CONTROL_ERROR);
    assert!(http2.is_alive());
}

#[test]
fn more_than_the_connections_window_is_its_error() {
    let (_origin, gateway) = closed();
    let mut http2 = gateway.http2();
    let each = window(&http2);
    for n in 0..50 {
        // Each of them keeps to its own window.
        if push(&mut http2, 2 * n + 1, each).is_err() {
            break;
        }
    }
    http2.ends_with(code::FLOW_CONTROL_ERROR);
}

#[test]
fn padding_counts_and_is_given_back() {
    let origin = Origin::http2(|request| Answering::ok(request.message.body.len().to_string()));
    let gateway = Gateway::between(&origin, Speaks::Http2, MANY_PINGS);
    let mut http2 = gateway.http2();
    http2
        .head(1, &request("POST", "/"), false)
        .expect("it takes bytes");
    // 2 MiB of it, beyond all windows, with one byte of content in each.
    let frame = Frame::new(
        kind::DATA,
        flag::PADDED,
        1,
        [vec![255, b'x'], vec![0; 255]].concat(),
    );
    for _ in 0..8000 {
        assert!(
            http2
                .until(|it| it.room(1) >= 257)
                .expect("the windows open again")
        );
        http2.spend(1, 257);
        http2.send(&frame).expect("it takes bytes");
    }
    http2
        .send(&Frame::data(1, [], true))
        .expect("it takes bytes");
    http2.answer(1).is(200).body_is("8000");
}

#[test]
fn what_streams_took_that_are_gone_is_given_back() {
    let (_origin, gateway) = closed();
    let mut http2 = gateway.http2();
    // 6 MiB, of which the gateway could pass on little.
    for n in 0..100 {
        let stream = 2 * n + 1;
        http2
            .head(stream, &request("POST", "/"), false)
            .expect("it takes bytes");
        let sent = http2.body(stream, &[b'x'; 60_000], false);
        assert!(
            sent.is_ok(),
            "stream {stream}: {sent:?}, {:?}",
            http2.coming(stream)
        );
        http2
            .send(&Frame::reset(stream, code::CANCEL))
            .expect("it takes bytes");
    }
    assert!(http2.is_alive());
}

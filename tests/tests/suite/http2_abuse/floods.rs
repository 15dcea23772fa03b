//! Frames that cost their sender nothing, in masses: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA, late resets.

use super::*;

#[test]
fn ping_flood() {
    mount(&Attack {
        cause: "ping_flood",
        before: nothing,
        step: |_| vec![Frame::ping(*b"floating")],
        most: 200,
        least: 50,
    });
}

#[test]
fn ping_flood_of_answers() {
    mount(&Attack {
        cause: "ping_flood",
        before: nothing,
        step: |_| vec![Frame::new(kind::PING, 1, 0, *b"floating")],
        most: 200,
        least: 50,
    });
}

#[test]
fn settings_flood() {
    mount(&Attack {
        cause: "settings_flood",
        before: nothing,
        step: |n| vec![Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, n)])],
        most: 100,
        least: 15,
    });
}

#[test]
fn settings_flood_that_shakes_the_windows_of_many_streams() {
    mount(&Attack {
        cause: "settings_flood",
        before: |it| {
            let streams: Vec<Frame> = (0..100).map(|n| held(2 * n + 1)).collect();
            it.send_all(&streams)
        },
        step: |n| {
            let (low, high) = (
                (setting::INITIAL_WINDOW_SIZE, n),
                (setting::INITIAL_WINDOW_SIZE, 60_000),
            );
            vec![Frame::settings(&[[low, high]; 1000].concat())]
        },
        most: 100,
        least: 10,
    });
}

#[test]
fn priority_flood() {
    mount(&Attack {
        cause: "priority_flood",
        before: one_held,
        step: |n| vec![Frame::priority(2 * n + 1, 0)],
        most: 800,
        least: 200,
    });
}

#[test]
fn flood_of_unknown_frames() {
    mount(&Attack {
        cause: "priority_flood",
        before: nothing,
        step: |n| {
            vec![
                Frame::new(0xfe, 0, n, *b"what"),
                Frame::new(kind::PRIORITY_UPDATE, 0, 0, [0; 4]),
            ]
        },
        most: 400,
        least: 100,
    });
}

#[test]
fn window_update_flood() {
    mount(&Attack {
        cause: "window_update_flood",
        before: one_held,
        step: |n| vec![Frame::window_update(n % 2, 1)],
        most: 2000,
        least: 500,
    });
}

#[test]
fn empty_data_flood() {
    mount(&Attack {
        cause: "empty_data_flood",
        before: |it| it.send(&post(1)),
        step: |_| vec![Frame::data(1, [], false)],
        most: 200,
        least: 50,
    });
}

#[test]
fn empty_data_flood_by_padding() {
    mount(&Attack {
        cause: "empty_data_flood",
        before: |it| it.send(&post(1)),
        step: |_| {
            vec![Frame::new(
                kind::DATA,
                8,
                1,
                [vec![200], vec![0; 200]].concat(),
            )]
        },
        most: 200,
        least: 50,
    });
}

#[test]
fn flood_on_streams_that_are_gone() {
    // RST_STREAM may come late, but not for ever.
    mount(&Attack {
        cause: "rapid_reset",
        before: |it| it.send_all(&[held(1), Frame::reset(1, code::CANCEL)]),
        step: |_| vec![Frame::reset(1, code::CANCEL)],
        most: 400,
        least: 100,
    });
}

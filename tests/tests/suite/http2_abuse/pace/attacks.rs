//! The attacks that have a name, as frames of a connection at a rate.

use tests::http2::frame::{code, flag, kind, setting};
use tests::http2::{Frame, fields, hpack, request};

use super::super::{held, post};

/// A connection that attacks, by its frames; when it has ended, the next one begins.
pub(super) struct Paced {
    pub(super) name: &'static str,
    /// SETTINGS of the attacker.
    pub(super) settings: &'static [(u16, u32)],
    /// The frames of one step, by its number on its connection from 0.
    pub(super) step: fn(u32) -> Vec<Frame>,
    /// Steps at each beat.
    pub(super) rate: u32,
    /// How it comes to its end.
    pub(super) ends: Ends,
}

/// What ends a connection that attacks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// The gateway does, within so many steps.
    After(u32),
    /// Not by frames but by time-outs, each of its streams by its own (`stalls.rs`), if at all before the test is over: it
    /// holds what it has, and after so many steps goes on with another connection.
    Leaves(u32),
}

pub(super) const ATTACKS: [Paced; 11] = [
    Paced {
        name: "rapid reset",
        settings: &[],
        step: |n| vec![held(2 * n + 1), Frame::reset(2 * n + 1, code::CANCEL)],
        rate: 2,
        ends: Ends::After(400),
    },
    Paced {
        name: "resets made by the server",
        settings: &[],
        step: |n| {
            vec![
                held(2 * n + 1),
                Frame::window_update(2 * n + 1, 0x7fff_ffff),
            ]
        },
        rate: 2,
        ends: Ends::After(200),
    },
    Paced {
        name: "CONTINUATION flood",
        settings: &[],
        step: |n| match n {
            0 => vec![Frame::new(
                kind::HEADERS,
                flag::END_STREAM,
                1,
                hpack::block(&request("GET", "/")),
            )],
            _ => vec![Frame::continuation(
                1,
                hpack::block(&fields(&[("x", "y")])),
                false,
            )],
        },
        rate: 4,
        ends: Ends::After(34),
    },
    Paced {
        name: "HPACK bomb",
        settings: &[],
        step: |n| {
            let entry = match n {
                0 => hpack::indexed_literal("x", &"y".repeat(4000)),
                _ => hpack::indexed(62).repeat(16_000),
            };
            let block = [hpack::block(&request("GET", "/")), entry].concat();
            vec![Frame::headers(2 * n + 1, block, true)]
        },
        rate: 1,
        ends: Ends::After(2),
    },
    Paced {
        name: "PING flood",
        settings: &[],
        step: |_| vec![Frame::ping(*b"floating")],
        rate: 4,
        ends: Ends::After(200),
    },
    Paced {
        name: "SETTINGS flood",
        settings: &[],
        step: |n| vec![Frame::settings(&[(setting::INITIAL_WINDOW_SIZE, n)])],
        rate: 4,
        ends: Ends::After(100),
    },
    Paced {
        name: "PRIORITY flood",
        settings: &[],
        step: |n| vec![Frame::priority(2 * n + 1, 0)],
        rate: 8,
        ends: Ends::After(800),
    },
    Paced {
        name: "WINDOW_UPDATE flood",
        settings: &[],
        step: |_| vec![Frame::window_update(0, 1)],
        rate: 8,
        ends: Ends::After(2000),
    },
    Paced {
        name: "empty DATA",
        settings: &[],
        step: |n| match n {
            0 => vec![post(1)],
            _ => vec![Frame::data(1, [], false)],
        },
        rate: 4,
        ends: Ends::After(200),
    },
    Paced {
        name: "zero-window stall",
        settings: &[(setting::INITIAL_WINDOW_SIZE, 0)],
        step: |n| {
            let head = hpack::block(&request("GET", "/"));
            vec![Frame::headers(2 * n + 1, head, true)]
        },
        rate: 2,
        // The streams that it may hold, and then the refused ones.
        ends: Ends::After(300),
    },
    Paced {
        name: "slow streams",
        settings: &[],
        // A hundred of them, then a byte for each in turn.
        step: |n| match n {
            0..100 => vec![post(2 * n + 1)],
            _ => vec![Frame::data(2 * (n % 100) + 1, *b"x", false)],
        },
        rate: 4,
        ends: Ends::Leaves(u32::MAX),
    },
];

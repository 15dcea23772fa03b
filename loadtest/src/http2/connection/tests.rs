//! Connections against a server that is written frame by frame.

use proptest::prelude::*;

use super::*;
use crate::http2::frame::LONGEST;
use crate::http2::frame::{
    CONTINUATION, DATA, GOAWAY, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE,
};

/// An event with everything in it owned.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Head(usize, u16, String),
    Data(usize, Vec<u8>),
    Whole(usize),
    Malformed(usize, &'static str),
    Reset(usize),
    Unprocessed(usize),
}

fn seen(event: Event<'_>) -> Seen {
    match event {
        Event::Head {
            place,
            status,
            headers,
            ..
        } => Seen::Head(place, status, String::from_utf8_lossy(headers).into_owned()),
        Event::Data { place, bytes } => Seen::Data(place, bytes.to_vec()),
        Event::Whole { place, .. } => Seen::Whole(place),
        Event::Malformed { place, rule } => Seen::Malformed(place, rule),
        Event::Reset { place } => Seen::Reset(place),
        Event::Unprocessed { place } => Seen::Unprocessed(place),
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Header {
        len: payload.len(),
        kind,
        flags,
        stream,
    }
    .write(&mut out);
    out.extend_from_slice(payload);
    out
}

const OPEN: u8 = frame::END_HEADERS;
const ENDS: u8 = frame::END_HEADERS | frame::END_STREAM;
/// `:status: 200`
const OK: &[u8] = &[0x88];

/// The frames of a client's output.
fn frames(mut bytes: &[u8]) -> Vec<(u8, u8, u32, Vec<u8>)> {
    let mut found = Vec::new();
    while let Some(header) = Header::read(bytes) {
        let payload = &bytes[9..9 + header.len];
        found.push((header.kind, header.flags, header.stream, payload.to_vec()));
        bytes = &bytes[9 + header.len..];
    }
    assert!(bytes.is_empty());
    found
}

fn output(connection: &mut Connection) -> Vec<(u8, u8, u32, Vec<u8>)> {
    let mut all = Vec::new();
    while !connection.output().is_empty() {
        let out = connection.output().to_vec();
        connection.written(out.len());
        all.extend(frames(&out));
    }
    all
}

/// A connection whose first words have been exchanged, with these settings of the server's.
fn connected(settings: &[(u16, u32)]) -> Connection {
    let mut connection = Connection::new(0);
    let out = connection.output().to_vec();
    assert!(out.starts_with(frame::PREFACE));
    let first = frames(&out[frame::PREFACE.len()..]);
    let kinds: Vec<u8> = first.iter().map(|(kind, ..)| *kind).collect();
    assert_eq!(kinds, [SETTINGS, WINDOW_UPDATE]);
    connection.written(out.len());
    let mut said = Vec::new();
    frame::settings(settings, &mut said);
    assert_eq!(receive(&mut connection, &said), Ok(vec![]));
    assert_eq!(output(&mut connection), [(SETTINGS, 1, 0, vec![])]);
    connection
}

fn receive(connection: &mut Connection, bytes: &[u8]) -> Result<Vec<Seen>, &'static str> {
    let mut found = Vec::new();
    let used = connection.receive(bytes, &mut |event| found.push(seen(event)));
    match used {
        Ok(used) => assert_eq!(used, bytes.len(), "whole frames are taken"),
        Err(broken) => return Err(broken.rule),
    }
    Ok(found)
}

fn start(connection: &mut Connection, body: &[u8]) -> usize {
    connection.start(&Request {
        block: &[0x82, 0x87, 0x84],
        body,
        head: false,
        wants_headers: true,
    })
}

#[test]
fn answers_come_in_any_order_and_in_pieces() {
    let mut connection = connected(&[(frame::MAX_CONCURRENT_STREAMS, 2)]);
    assert_eq!(connection.room(), 2);
    let (first, second) = (start(&mut connection, b""), start(&mut connection, b""));
    assert_eq!(connection.room(), 0);
    let sent = output(&mut connection);
    let ids: Vec<u32> = sent.iter().map(|(_, _, id, _)| *id).collect();
    assert_eq!((ids, sent[0].1), (vec![1, 3], ENDS));
    let answers = [
        frame(HEADERS, OPEN, 3, &[0x88, 0x0f, 0x0d, 1, b'4']),
        frame(DATA, 0, 3, b"ab"),
        frame(HEADERS, OPEN, 1, OK),
        // Padded, with a continuation in two frames behind it.
        frame(DATA, 9, 3, &[2, b'c', b'd', 0, 0]),
        frame(DATA, 0, 1, b""),
        frame(HEADERS, 1, 1, &[0x00, 1]),
        frame(CONTINUATION, 0, 1, b"x"),
        frame(CONTINUATION, 4, 1, &[1, b'y']),
    ]
    .concat();
    let expected = [
        Seen::Head(second, 200, "content-length: 4\r\n".to_owned()),
        Seen::Data(second, b"ab".to_vec()),
        Seen::Head(first, 200, String::new()),
        Seen::Data(second, b"cd".to_vec()),
        Seen::Whole(second),
        Seen::Whole(first),
    ];
    assert_eq!(
        receive(&mut connection, &answers).as_deref(),
        Ok(&expected[..])
    );
    assert_eq!(connection.room(), 2);
    // The place of one that has ended is another's.
    assert_eq!(start(&mut connection, b""), first);
    assert_eq!(output(&mut connection)[0].2, 5);
}

#[test]
fn a_body_goes_as_far_as_the_windows_let_it() {
    let mut connection = connected(&[(frame::INITIAL_WINDOW_SIZE, 10)]);
    let body: Vec<u8> = (0..25).collect();
    let place = start(&mut connection, &body);
    let sent = output(&mut connection);
    assert_eq!((sent[0].0, sent[0].1), (HEADERS, OPEN));
    assert_eq!(sent[1..], [(DATA, 0, 1, body[..10].to_vec())]);
    // A larger window for all streams, then for this one.
    let mut said = Vec::new();
    frame::settings(&[(frame::INITIAL_WINDOW_SIZE, 14)], &mut said);
    receive(&mut connection, &said).unwrap();
    let sent = output(&mut connection);
    assert_eq!(sent[1..], [(DATA, 0, 1, body[10..14].to_vec())]);
    // A smaller one makes debts, which are paid before anything is sent.
    said.clear();
    frame::settings(&[(frame::INITIAL_WINDOW_SIZE, 0)], &mut said);
    frame::number(WINDOW_UPDATE, 1, 14, &mut said);
    receive(&mut connection, &said).unwrap();
    assert_eq!(output(&mut connection).len(), 1);
    said.clear();
    frame::number(WINDOW_UPDATE, 1, 100, &mut said);
    receive(&mut connection, &said).unwrap();
    assert_eq!(output(&mut connection), [(DATA, 1, 1, body[14..].to_vec())]);
    let answer = frame(HEADERS, ENDS, 1, OK);
    let expected = [Seen::Head(place, 200, String::new()), Seen::Whole(place)];
    assert_eq!(
        receive(&mut connection, &answer).as_deref(),
        Ok(&expected[..])
    );
}

#[test]
fn the_connections_window_holds_all_bodies_together() {
    let mut connection = connected(&[(frame::INITIAL_WINDOW_SIZE, 1 << 20)]);
    let body = vec![7; 100_000];
    start(&mut connection, &body);
    start(&mut connection, &body);
    let bytes = |sent: &[(u8, u8, u32, Vec<u8>)]| {
        let data = sent.iter().filter(|it| it.0 == DATA);
        data.map(|it| it.3.len()).sum::<usize>()
    };
    assert_eq!(bytes(&output(&mut connection)), 65_535);
    let mut said = Vec::new();
    frame::number(WINDOW_UPDATE, 0, 1 << 20, &mut said);
    receive(&mut connection, &said).unwrap();
    let sent = output(&mut connection);
    assert_eq!(bytes(&sent), 200_000 - 65_535);
    assert_eq!(
        sent.iter().filter(|it| it.1 == frame::END_STREAM).count(),
        2
    );
    assert!(sent.iter().all(|it| it.3.len() <= LONGEST));
}

#[test]
fn an_early_answer_ends_the_request() {
    let mut connection = connected(&[(frame::INITIAL_WINDOW_SIZE, 0)]);
    let place = start(&mut connection, b"never sent");
    output(&mut connection);
    let answer = frame(HEADERS, ENDS, 1, &[0x8c]);
    let expected = [Seen::Head(place, 400, String::new()), Seen::Whole(place)];
    assert_eq!(
        receive(&mut connection, &answer).as_deref(),
        Ok(&expected[..])
    );
    assert_eq!(
        output(&mut connection),
        [(RST_STREAM, 0, 1, vec![0, 0, 0, 8])]
    );
    assert_eq!(connection.under_way(), 0);
    let mut said = Vec::new();
    frame::number(WINDOW_UPDATE, 1, 100, &mut said);
    assert_eq!(receive(&mut connection, &said), Ok(vec![]));
    assert_eq!(output(&mut connection), []);
}

#[test]
fn windows_are_opened_again() {
    let mut connection = connected(&[]);
    let place = start(&mut connection, b"");
    output(&mut connection);
    receive(&mut connection, &frame(HEADERS, OPEN, 1, OK)).unwrap();
    let piece = frame(DATA, 0, 1, &[0; LONGEST]);
    let mut given = [0_u64; 2];
    let pieces = (1_u64 << 31) / LONGEST as u64;
    for _ in 0..pieces {
        let found = receive(&mut connection, &piece).unwrap();
        assert_eq!(found, [Seen::Data(place, vec![0; LONGEST])]);
        for (kind, _, stream, payload) in output(&mut connection) {
            assert_eq!(kind, WINDOW_UPDATE);
            let more = u32::from_be_bytes(payload.try_into().unwrap());
            given[stream as usize] += u64::from(more);
        }
    }
    // Both were told to go on before their windows were used up.
    for given in given {
        assert!(
            given + u64::from(WINDOW) > pieces * LONGEST as u64,
            "{given}"
        );
    }
}

#[test]
fn an_answer_that_breaks_a_rule_ends_alone() {
    let check = |answer: &[Vec<u8>], rule: &'static str| {
        let mut connection = connected(&[]);
        let place = start(&mut connection, b"");
        start(&mut connection, b"");
        let found = receive(&mut connection, &answer.concat()).expect("the connection lives");
        assert_eq!(found.last(), Some(&Seen::Malformed(place, rule)));
        let other = frame(HEADERS, ENDS, 3, OK);
        assert_eq!(receive(&mut connection, &other).map(|it| it.len()), Ok(2));
    };
    let literal = |name: &str, value: &str| {
        let mut block = vec![0x00, name.len() as u8];
        block.extend(name.as_bytes());
        block.push(value.len() as u8);
        block.extend(value.as_bytes());
        block
    };
    let head = |name, value| frame(HEADERS, OPEN, 1, &[OK, &literal(name, value)].concat());
    check(
        &[frame(HEADERS, OPEN, 1, &literal("a", "b"))],
        "the answer has no `:status`",
    );
    check(
        &[frame(HEADERS, OPEN, 1, &literal(":status", "20"))],
        "`:status` is not a status",
    );
    check(
        &[frame(HEADERS, OPEN, 1, &[OK, OK].concat())],
        "`:status` is there twice, or behind other fields",
    );
    check(
        &[frame(HEADERS, OPEN, 1, &[&literal("a", "b"), OK].concat())],
        "`:status` is there twice, or behind other fields",
    );
    check(
        &[head(":path", "/")],
        "a pseudo-header is there that no answer has",
    );
    check(
        &[head("A", "b")],
        "a header's name is not one that HTTP/2 has",
    );
    check(
        &[head("connection", "close")],
        "a header's name is not one that HTTP/2 has",
    );
    check(&[head("a", "b\nc")], "a header's value has line ends in it");
    check(
        &[head("content-length", "x")],
        "content-length is not one number",
    );
    check(&[frame(DATA, 0, 1, b"a")], "a body comes before its head");
    let long = || head("content-length", "1");
    check(
        &[long(), frame(DATA, 0, 1, b"ab")],
        "the body is longer than it should be",
    );
    check(
        &[frame(HEADERS, OPEN, 1, &literal(":status", "101"))],
        "101 has no place in HTTP/2",
    );
    check(
        &[frame(HEADERS, ENDS, 1, &literal(":status", "103"))],
        "an interim answer ends the stream",
    );
    check(
        &[
            frame(HEADERS, OPEN, 1, OK),
            frame(HEADERS, OPEN, 1, &literal("a", "b")),
        ],
        "trailers do not end the answer",
    );
    check(
        &[frame(HEADERS, OPEN, 1, OK), frame(HEADERS, ENDS, 1, OK)],
        "`:status` is among the trailers",
    );
    let short = [long(), frame(DATA, 1, 1, b"")];
    check(&short, "the body is shorter than it should be");
}

#[test]
fn answers_without_bodies_and_interim_ones() {
    let mut connection = connected(&[]);
    let head = connection.start(&Request {
        block: &[0x82],
        body: b"",
        head: true,
        wants_headers: false,
    });
    let answer = frame(HEADERS, ENDS, 1, &[0x88, 0x0f, 0x0d, 1, b'9']);
    let expected = [Seen::Head(head, 200, String::new()), Seen::Whole(head)];
    assert_eq!(
        receive(&mut connection, &answer).as_deref(),
        Ok(&expected[..])
    );
    let place = start(&mut connection, b"");
    let interim = frame(HEADERS, OPEN, 3, &[0x08, 3, b'1', b'0', b'3']);
    assert_eq!(receive(&mut connection, &interim), Ok(vec![]));
    let answer = frame(HEADERS, ENDS, 3, &[0x8b]);
    let expected = [Seen::Head(place, 304, String::new()), Seen::Whole(place)];
    assert_eq!(
        receive(&mut connection, &answer).as_deref(),
        Ok(&expected[..])
    );
}

#[test]
fn what_breaks_the_connection() {
    let check = |bytes: &[u8], rule: &str| {
        let mut connection = connected(&[]);
        start(&mut connection, b"");
        assert_eq!(receive(&mut connection, bytes), Err(rule), "{bytes:02x?}");
    };
    check(
        &frame(DATA, 0, 1, &[0; LONGEST + 1]),
        "a frame is longer than 16 KiB",
    );
    check(
        &frame(DATA, 0, 3, b""),
        "a frame is of a stream that nobody began",
    );
    check(
        &frame(HEADERS, OPEN, 2, OK),
        "a frame is of a stream that nobody began",
    );
    check(
        &frame(RST_STREAM, 0, 5, &[0; 4]),
        "a frame is of a stream that nobody began",
    );
    check(
        &frame(CONTINUATION, 4, 1, OK),
        "a CONTINUATION continues nothing",
    );
    let amid = [frame(HEADERS, 0, 1, OK), frame(PING, 0, 0, &[0; 8])].concat();
    check(&amid, "a frame stands amid the frames of a header block");
    check(
        &frame(HEADERS, OPEN, 1, &[0xff]),
        "a block ends amid a field",
    );
    check(
        &frame(HEADERS, OPEN | 8, 1, &[9, 0x88]),
        "a frame's padding is longer than the frame",
    );
    check(
        &frame(HEADERS, OPEN | 0x20, 1, OK),
        "a frame is too short for what it says it has",
    );
    check(
        &frame(DATA, 8, 1, &[3, 0, 0]),
        "a frame's padding is longer than the frame",
    );
    check(
        &frame(frame::PUSH_PROMISE, 4, 1, &[0; 5]),
        "a push is promised, which was ruled out",
    );
    check(&frame(PING, 0, 0, &[0; 7]), "PING has not eight bytes");
    check(
        &frame(SETTINGS, 0, 0, &[0; 5]),
        "SETTINGS are not six bytes each",
    );
    check(
        &frame(SETTINGS, 1, 0, &[0; 6]),
        "SETTINGS that acknowledge have a payload",
    );
    check(&frame(GOAWAY, 0, 0, &[0; 7]), "GOAWAY is too short");
    check(
        &frame(WINDOW_UPDATE, 0, 0, &[0; 4]),
        "WINDOW_UPDATE of nothing",
    );
    check(
        &frame(WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]),
        "the connection's window is too large",
    );
    check(
        &frame(WINDOW_UPDATE, 0, 1, &[0; 3]),
        "a frame's payload is not one number",
    );
    let settings = |setting, value| {
        let mut said = Vec::new();
        frame::settings(&[(setting, value)], &mut said);
        said
    };
    check(
        &settings(frame::ENABLE_PUSH, 1),
        "a server's ENABLE_PUSH is not 0",
    );
    check(
        &settings(frame::INITIAL_WINDOW_SIZE, 1 << 31),
        "INITIAL_WINDOW_SIZE is too large",
    );
    check(
        &settings(frame::MAX_FRAME_SIZE, 1),
        "MAX_FRAME_SIZE is out of bounds",
    );
    let mut early = Connection::new(0);
    let first = frame(PING, 0, 0, &[0; 8]);
    assert_eq!(
        receive(&mut early, &first),
        Err("the first frame is not SETTINGS")
    );
    // HTTP/1.1 reads as a frame that is too long.
    assert!(
        Connection::new(0)
            .receive(b"HTTP/1.1 400 Bad Request\r\n", &mut |_| {})
            .is_err()
    );
}

#[test]
fn a_server_that_leaves_gives_back_what_it_has_not_looked_at() {
    let mut connection = connected(&[]);
    let (first, second) = (start(&mut connection, b""), start(&mut connection, b""));
    let third = start(&mut connection, b"");
    let refused = frame(RST_STREAM, 0, 5, &[0, 0, 0, 7]);
    assert_eq!(
        receive(&mut connection, &refused),
        Ok(vec![Seen::Unprocessed(third)])
    );
    let goaway = frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(
        receive(&mut connection, &goaway),
        Ok(vec![Seen::Unprocessed(second)])
    );
    assert_eq!((connection.room(), connection.is_leaving()), (0, true));
    let reset = frame(RST_STREAM, 0, 1, &[0, 0, 0, 2]);
    assert_eq!(
        receive(&mut connection, &reset),
        Ok(vec![Seen::Reset(first)])
    );
    assert_eq!(connection.under_way(), 0);
}

#[test]
fn pings_are_answered_and_unknown_frames_passed_over() {
    let mut connection = connected(&[]);
    let said = [
        frame(PING, 0, 0, b"12345678"),
        frame(PING, 1, 0, b"12345678"),
        frame(99, 0xff, 77, b"x"),
    ]
    .concat();
    assert_eq!(receive(&mut connection, &said), Ok(vec![]));
    assert_eq!(
        output(&mut connection),
        [(PING, 1, 0, b"12345678".to_vec())]
    );
}

#[test]
fn what_was_given_up_is_passed_over() {
    let mut connection = connected(&[]);
    let place = start(&mut connection, b"");
    output(&mut connection);
    connection.cancel(place);
    assert_eq!(
        output(&mut connection),
        [(RST_STREAM, 0, 1, vec![0, 0, 0, 8])]
    );
    // Its header block changes the table all the same.
    let late = [
        frame(HEADERS, OPEN, 1, &[0x88, 0x40, 1, b'x', 1, b'y']),
        frame(DATA, 1, 1, b"abc"),
    ];
    assert_eq!(receive(&mut connection, &late.concat()), Ok(vec![]));
    let other = start(&mut connection, b"");
    let answer = frame(HEADERS, ENDS, 3, &[0x88, 0xbe]);
    let expected = [
        Seen::Head(other, 200, "x: y\r\n".to_owned()),
        Seen::Whole(other),
    ];
    assert_eq!(
        receive(&mut connection, &answer).as_deref(),
        Ok(&expected[..])
    );
}

proptest! {
    #[test]
    fn any_split_of_the_input_gives_the_same(cuts in prop::collection::vec(1_usize..30, 1..80)) {
        let answers = [
            frame(HEADERS, OPEN, 1, OK),
            frame(DATA, 0, 1, b"some of the body"),
            frame(HEADERS, 0, 3, &[0x88, 0x40]),
            frame(CONTINUATION, 4, 3, &[1, b'x', 1, b'y']),
            frame(PING, 0, 0, b"12345678"),
            frame(DATA, 9, 3, &[3, b'a', 0, 0, 0]),
            frame(DATA, 1, 1, b" and the rest"),
        ]
        .concat();
        let run = |cuts: &[usize]| {
            let mut connection = connected(&[]);
            start(&mut connection, b"");
            start(&mut connection, b"");
            output(&mut connection);
            let (mut events, mut held, mut rest) = (Vec::new(), Vec::new(), answers.as_slice());
            for cut in cuts.iter().cycle() {
                let (piece, behind) = rest.split_at((*cut).min(rest.len()));
                rest = behind;
                held.extend_from_slice(piece);
                let used = connection.receive(&held, &mut |event| match (events.last_mut(), seen(event)) {
                    (Some(Seen::Data(a, all)), Seen::Data(b, more)) if *a == b => all.extend(more),
                    (_, event) => events.push(event),
                });
                held.drain(..used.unwrap());
                if rest.is_empty() {
                    break;
                }
            }
            assert!(held.is_empty());
            (events, output(&mut connection))
        };
        prop_assert_eq!(run(&cuts), run(&[answers.len()]));
    }

    #[test]
    fn no_bytes_make_it_fall(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0_u8..11, stream in 0_u32..4) {
        let mut connection = connected(&[]);
        start(&mut connection, b"body");
        start(&mut connection, b"");
        let mut all = frame(kind, bytes.first().copied().unwrap_or(0), stream, &bytes);
        all.extend(&bytes);
        let _ = connection.receive(&all, &mut |_| {});
    }
}

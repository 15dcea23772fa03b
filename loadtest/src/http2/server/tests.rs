//! The server against frames written by hand, and against the client beside it in memory, whatever the cuts.

use proptest::prelude::*;

use super::super::connection::{Connection, Event, Request as Wanted};
use super::super::frame::PREFACE;
use super::*;

/// What came of some bytes, in words.
fn seen(server: &mut Server, bytes: &[u8]) -> Result<Vec<String>, Broken> {
    let mut all = Vec::new();
    let mut rest = bytes;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace("\r\n", "|");
    loop {
        let used = server.receive(rest, &mut |asked| {
            all.push(match asked {
                Asked::Head { place, request } => {
                    let (method, path) = (text(request.method), text(request.path));
                    format!("{place} {method} {path} {}", text(request.lines))
                }
                Asked::Data { place, bytes } => format!("{place} data {}", text(bytes)),
                Asked::End { place } => format!("{place} end"),
                Asked::Gone { place } => format!("{place} gone"),
            });
        })?;
        rest = &rest[used..];
        if used == 0 || rest.is_empty() {
            return Ok(all);
        }
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

/// A server that has been greeted, and has nothing to write.
fn greeted() -> Server {
    let mut server = Server::new(0);
    let mut words = PREFACE.to_vec();
    words.extend(frame(frame::SETTINGS, 0, 0, &[]));
    assert_eq!(seen(&mut server, &words).unwrap(), [""; 0]);
    let said = server.output().len();
    server.written(said);
    server
}

const END: u8 = frame::END_STREAM | frame::END_HEADERS;
/// GET / by http.
const GET: &[u8] = &[0x82, 0x84, 0x86];

#[test]
fn a_request_is_read_and_answered() {
    let mut server = greeted();
    let found = seen(&mut server, &frame(frame::HEADERS, END, 1, GET)).unwrap();
    assert_eq!(found, ["0 GET / ", "0 end"]);
    server.head(0, &[0x88], false);
    assert_eq!(server.allowed(0), LONGEST);
    server.data(0, b"hello", true);
    let mut wanted = frame(frame::HEADERS, frame::END_HEADERS, 1, &[0x88]);
    wanted.extend(frame(frame::DATA, frame::END_STREAM, 1, b"hello"));
    assert_eq!(server.output(), wanted);
    assert_eq!(server.under_way(), 0);
}

#[test]
fn who_is_answered_early_is_told_to_stop() {
    let mut server = greeted();
    let head = frame(frame::HEADERS, frame::END_HEADERS, 1, GET);
    assert_eq!(seen(&mut server, &head).unwrap(), ["0 GET / "]);
    server.head(0, &[0x88], true);
    let mut wanted = frame(frame::HEADERS, END, 1, &[0x88]);
    wanted.extend(frame(frame::RST_STREAM, 0, 1, &[0, 0, 0, 0]));
    assert_eq!(server.output(), wanted);
    // What was under way is passed over.
    let late = frame(frame::DATA, frame::END_STREAM, 1, b"late");
    assert_eq!(seen(&mut server, &late).unwrap(), [""; 0]);
}

#[test]
fn a_request_that_breaks_a_rule_ends_alone() {
    for block in [
        // Without a path; two methods; a pseudo-header behind a field; an answer's; CONNECT.
        &[0x82, 0x86][..],
        &[0x82, 0x82, 0x84, 0x86],
        &[0x82, 0x84, 0x90, 0x86],
        &[0x82, 0x84, 0x86, 0x88],
        b"\x02\x07CONNECT\x84\x86",
        // A name in capitals, and one of HTTP/1.1's.
        b"\x82\x84\x86\x00\x01A\x01b",
        b"\x82\x84\x86\x00\x0aconnection\x05close",
    ] {
        let mut server = greeted();
        let found = seen(&mut server, &frame(frame::HEADERS, END, 1, block)).unwrap();
        assert_eq!(found, [""; 0], "{block:?}");
        let reset = frame(frame::RST_STREAM, 0, 1, &[0, 0, 0, 1]);
        assert_eq!(server.output(), reset, "{block:?}");
        let found = seen(&mut server, &frame(frame::HEADERS, END, 3, GET)).unwrap();
        assert_eq!(found, ["0 GET / ", "0 end"]);
    }
}

#[test]
fn a_body_must_have_the_length_that_was_said() {
    // content-length: 3
    let head = [GET, b"\x0f\x0d\x013"].concat();
    for (body, ends) in [("ab", true), ("abcd", false)] {
        let mut server = greeted();
        let mut bytes = frame(frame::HEADERS, frame::END_HEADERS, 1, &head);
        let flags = if ends { frame::END_STREAM } else { 0 };
        bytes.extend(frame(frame::DATA, flags, 1, body.as_bytes()));
        let found = seen(&mut server, &bytes).unwrap();
        assert_eq!(found.last().map(String::as_str), Some("0 gone"), "{body}");
    }
}

#[test]
fn windows_are_kept() {
    let mut server = greeted();
    let small = [0, 4, 0, 0, 0, 10];
    seen(&mut server, &frame(frame::SETTINGS, 0, 0, &small)).unwrap();
    seen(&mut server, &frame(frame::HEADERS, END, 1, GET)).unwrap();
    assert_eq!(server.allowed(0), 10);
    server.data(0, &[b'x'; 10], false);
    assert_eq!(server.allowed(0), 0);
    // A smaller first window takes from what there was; it may go below nothing.
    let smaller = [0, 4, 0, 0, 0, 7];
    seen(&mut server, &frame(frame::SETTINGS, 0, 0, &smaller)).unwrap();
    let more = |by: u8| frame(frame::WINDOW_UPDATE, 0, 1, &[0, 0, 0, by]);
    seen(&mut server, &more(3)).unwrap();
    assert_eq!(server.allowed(0), 0);
    seen(&mut server, &more(4)).unwrap();
    assert_eq!(server.allowed(0), 4);
}

#[test]
fn a_connection_ends_with_what_breaks_it() {
    let long = frame(frame::WINDOW_UPDATE, 0, 0, &[0x7f, 0xff, 0xff, 0xff]);
    let cut = frame(frame::HEADERS, 0, 1, &GET[..1]);
    for (bytes, code) in [
        (frame(frame::DATA, 0, 1, b"x"), 1),
        (frame(frame::HEADERS, END, 2, GET), 1),
        (
            frame(
                frame::HEADERS,
                END,
                1,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
            ),
            9,
        ),
        (frame(frame::CONTINUATION, END, 1, GET), 1),
        (frame(frame::PUSH_PROMISE, 0, 1, GET), 1),
        (frame(frame::PING, 0, 0, b"short"), 6),
        (frame(frame::RST_STREAM, 0, 1, &[0; 4]), 1),
        (long, 3),
        ([cut, frame(frame::PING, 0, 0, &[0; 8])].concat(), 1),
        (frame(frame::SETTINGS, 0, 0, &[0, 5, 0, 0, 0, 1]), 1),
        (frame(99, 0, 0, &[0; LONGEST + 1]), 6),
    ] {
        let broken = seen(&mut greeted(), &bytes).unwrap_err();
        assert_eq!(broken.code, code, "{}", broken.rule);
    }
    assert!(seen(&mut Server::new(0), b"GET / HTTP/1.1\r\n\r\n").is_err());
}

#[test]
fn no_more_is_taken_than_was_said() {
    let mut server = greeted();
    for at in 0..MOST_STREAMS {
        let head = frame(frame::HEADERS, frame::END_HEADERS, at * 2 + 1, GET);
        assert_eq!(seen(&mut server, &head).unwrap().len(), 1);
    }
    let last = MOST_STREAMS * 2 + 1;
    let found = seen(&mut server, &frame(frame::HEADERS, END, last, GET)).unwrap();
    assert_eq!(found, [""; 0]);
    let refused = frame(frame::RST_STREAM, 0, last, &[0, 0, 0, 7]);
    assert_eq!(server.output(), refused);
}

/// Requests of bodies of these sizes and answers of those, carried in pieces of this size between the client beside it
/// and a server, until all are whole.
fn carried(sizes: &[(usize, usize)], piece: usize) -> Vec<(usize, usize)> {
    let (mut client, mut server) = (Connection::new(0), Server::new(0));
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let mut started = 0;
    // By place: which request it is, what has come of it, what is still to be sent.
    let mut asked = vec![(0, 0, None); sizes.len()];
    let mut answered = vec![0; sizes.len()];
    let mut of_client = vec![0; sizes.len()];
    let mut got = vec![(0, 0); sizes.len()];
    for _ in 0..1_000_000 {
        while started < sizes.len() && client.room() > 0 {
            let block = [GET, &[0x00, 0x01, b'n', 0x01, b'0' + started as u8]].concat();
            let place = client.start(&Wanted {
                block: &block,
                body: &vec![b'b'; sizes[started].0],
                head: false,
                wants_headers: false,
            });
            of_client[place] = started;
            started += 1;
        }
        to_server.extend_from_slice(client.output());
        client.written(client.output().len());
        let cut = piece.min(to_server.len());
        let used = server.receive(&to_server[..cut], &mut |event| match event {
            Asked::Head { place, request } => {
                let number = request.field("n").unwrap()[0] - b'0';
                asked[place] = (usize::from(number), 0, None);
            }
            Asked::Data { place, bytes } => asked[place].1 += bytes.len(),
            Asked::End { place } => {
                let (number, size, left) = &mut asked[place];
                got[*number].0 = *size;
                *left = Some(sizes[*number].1 + 1);
            }
            Asked::Gone { .. } => panic!("nobody gives up"),
        });
        to_server.drain(..used.unwrap());
        for (place, (number, _, left)) in asked.iter_mut().enumerate() {
            server.credit(place);
            let Some(now) = left else {
                continue;
            };
            if answered[*number] == 0 {
                server.head(place, &[0x88], false);
                answered[*number] = 1;
            }
            let body = *now - 1;
            let may = server.allowed(place).min(body).min(1 + piece * 3);
            if may > 0 || body == 0 {
                server.data(place, &vec![b'a'; may], may == body);
                *now -= may;
                if may == body {
                    *left = None;
                }
            }
        }
        to_client.extend_from_slice(server.output());
        server.written(server.output().len());
        let cut = piece.min(to_client.len());
        let mut whole = 0;
        let used = client.receive(&to_client[..cut], &mut |event| match event {
            Event::Head { status, .. } => assert_eq!(status, 200),
            Event::Data { place, bytes } => got[of_client[place]].1 += bytes.len(),
            Event::Whole { .. } => whole += 1,
            other => panic!("{other:?}"),
        });
        to_client.drain(..used.unwrap());
        if started == sizes.len() && client.under_way() == 0 {
            break;
        }
    }
    assert_eq!(server.under_way(), 0);
    got
}

#[test]
fn long_bodies_pass_both_ways() {
    let sizes = [(3 << 20, 5), (0, 2 << 20), (70_000, 70_000)];
    assert_eq!(carried(&sizes, 65_536), sizes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_carried_in_pieces_arrives(
        sizes in proptest::collection::vec((0_usize..40_000, 0_usize..40_000), 1..8),
        piece in 24_usize..5_000,
    ) {
        // A frame must fit a piece that nobody takes in parts: the longest here is a header block.
        prop_assert_eq!(carried(&sizes, piece), sizes);
    }

    #[test]
    fn any_cut_reads_alike(cuts in proptest::collection::vec(1_usize..40, 1..60)) {
        let mut bytes = Vec::new();
        for at in 0..5_u32 {
            bytes.extend(frame(frame::HEADERS, frame::END_HEADERS, at * 2 + 1, GET));
            bytes.extend(frame(frame::DATA, frame::PADDED, at * 2 + 1, b"\x03some data\0\0\0"));
            bytes.extend(frame(frame::PING, 0, 0, &[0; 8]));
            bytes.extend(frame(frame::DATA, frame::END_STREAM, at * 2 + 1, b"."));
        }
        let joined = |found: Vec<String>| {
            // Data may come in more pieces, but not in other ones.
            let mut all = String::new();
            for it in found {
                match it.split_once(" data ") {
                    Some((_, data)) => all.push_str(data),
                    None => all.push_str(&format!("<{it}>")),
                }
            }
            all
        };
        let whole = joined(seen(&mut greeted(), &bytes).unwrap());
        let mut server = greeted();
        let (mut pending, mut found, mut from) = (Vec::new(), Vec::new(), 0);
        for cut in cuts.iter().cycle() {
            let to = (from + cut).min(bytes.len());
            pending.extend_from_slice(&bytes[from..to]);
            from = to;
            let mut taken = Vec::new();
            let used = server.receive(&pending, &mut |asked| taken.push(match asked {
                Asked::Head { place, .. } => format!("{place} GET / "),
                Asked::Data { place, bytes } => format!("{place} data {}", String::from_utf8_lossy(bytes)),
                Asked::End { place } => format!("{place} end"),
                Asked::Gone { place } => format!("{place} gone"),
            }));
            pending.drain(..used.unwrap());
            found.append(&mut taken);
            if from == bytes.len() {
                break;
            }
        }
        prop_assert_eq!(joined(found), whole);
    }
}

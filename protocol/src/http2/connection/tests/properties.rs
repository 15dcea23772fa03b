//! What must hold for all bytes: no panic, no broken invariant (checked in each `receive`), and no dependence on how
//! they arrive.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;

/// Header blocks, most of them sound for one side or the other.
fn block() -> impl Strategy<Value = Vec<u8>> {
    let blocks = vec![
        GET.to_vec(),
        POST.to_vec(),
        [POST, &content_length("5")].concat(),
        [GET, b"\x40\x01a\x01b"].concat(),
        [GET, b"\xbe"].concat(),
        OK.to_vec(),
        [OK, &content_length("5")].concat(),
        b"\x08\x03103".to_vec(),
        TRAILER.to_vec(),
        TRAILER.to_vec(),
        TRAILER.to_vec(),
        [GET, b"\x40\x01A\x01b"].concat(),
        b"\x02\x07CONNECT\x01\x01a".to_vec(),
        Vec::new(),
    ];
    prop_oneof![20 => select(blocks), 1 => vec(any::<u8>(), 0..20)]
}

fn stream() -> impl Strategy<Value = u32> {
    prop_oneof![60 => select(vec![1, 3, 5, 7]), 1 => select(vec![0, 2, 9, 0x7fff_ffff])]
}

/// A frame that looks like one that a peer could send.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let flags = select(vec![
        0,
        END_STREAM,
        END_HEADERS,
        END_HEADERS,
        END_HEADERS,
        WHOLE,
        WHOLE | flag::PADDED,
        WHOLE | flag::PRIORITY,
    ]);
    let number = prop_oneof![select(vec![0, 1, 5, 100, 70_000]), any::<u32>()];
    let payload = vec(any::<u8>(), 0..24);
    (0..18_u8, stream(), flags, block(), number, payload).prop_map(
        |(kind, stream, flags, block, number, payload)| {
            let number = number.to_be_bytes();
            match kind {
                0..=3 => data(stream, flags & !flag::PADDED, &payload),
                4 => data(stream, flags, &payload),
                5..=7 if flags & (flag::PADDED | flag::PRIORITY) == 0 => {
                    headers(stream, flags | END_HEADERS, &block)
                }
                5..=7 => headers(
                    stream,
                    flags,
                    &[b"\x02\0\0\x09\x10", &block[..], b"...."].concat(),
                ),
                8 => {
                    let (first, second) = block.split_at(block.len() / 2);
                    let first = headers(stream, flags & END_STREAM, first);
                    [first, frame(9, END_HEADERS, stream, second)].concat()
                }
                9 => frame(9, flags, stream, &block),
                10 => window_update(stream, u32::from_be_bytes(number)),
                11 => window_update(0, u32::from_be_bytes(number) & 0xffff),
                12 => reset(stream, ErrorCode(8)),
                13 => settings(&[(4, u32::from_be_bytes(number) & 0xf_ffff), (1, 100)]),
                14 => frame(6, flags & flag::ACK, 0, b"12345678"),
                15 => frame(7, 0, 0, &[&number[..], b"\0\0\0\0", &payload].concat()),
                16 => frame(2, 0, stream, &[&number[..], b"\x10"].concat()),
                _ => frame(
                    payload.first().copied().unwrap_or(0),
                    flags,
                    stream,
                    &payload,
                ),
            }
        },
    )
}

/// What a client or a server sends after its greeting, more or less.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let bytes = prop_oneof![40 => any_frame(), 1 => vec(any::<u8>(), 0..30)];
    vec(bytes, 0..40).prop_map(|frames| frames.concat())
}

/// Everything that a side says to its owner and to its peer.
#[derive(PartialEq, Debug)]
struct Said {
    events: Vec<String>,
    sent: Vec<String>,
    error: Option<ConnectionError>,
}

/// Shows a side `bytes` in pieces of these sizes (again and again), and writes down what it says. Pieces of a body are
/// joined.
fn listen(role: Role, bytes: &[u8], sizes: &[usize]) -> Said {
    let mut side = match role {
        Role::Server => Side::new(role, Settings::DEFAULT, Budgets::CLIENTS),
        Role::Client => Side::new(role, Settings::DEFAULT, Budgets::SERVICES),
    };
    // Three streams to speak of, with and without a body to come.
    let greeting = match role {
        Role::Server => [
            PREFACE.to_vec(),
            settings(&[]),
            headers(1, END_HEADERS, POST),
            headers(3, END_HEADERS, &[POST, &content_length("25")].concat()),
            headers(5, WHOLE, GET),
        ]
        .concat(),
        Role::Client => settings(&[]),
    };
    for method in ["POST", "HEAD", "GET"] {
        let text = format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
        if role == Role::Client {
            let end = method != "POST";
            let sent =
                side.connection
                    .send_request(text.as_bytes(), b"http", 0, end, &mut side.out);
            assert!(sent.is_ok());
        }
    }
    side.out.clear();
    let bytes = [&greeting, bytes].concat();
    let mut events: Vec<String> = Vec::new();
    let mut body_of = None;
    let (mut rest, mut shown) = (&bytes[..], Vec::new());
    let mut sizes = sizes.iter().cycle();
    while !rest.is_empty() && side.error.is_none() {
        let size = sizes
            .next()
            .map_or(rest.len(), |size| *size.min(&rest.len()));
        shown.extend_from_slice(&rest[..size]);
        rest = &rest[size..];
        loop {
            let (used, event) = match side.connection.receive(&shown, 1, &mut side.out) {
                Ok(next) => next,
                Err(error) => {
                    side.error = Some(error);
                    break;
                }
            };
            if event == Event::More {
                shown.drain(..used);
                break;
            }
            if let Event::Data {
                stream,
                payload,
                end,
                ..
            } = &event
            {
                if body_of != Some(*stream) {
                    events.push(format!("Data {} ", stream.number()));
                    body_of = Some(*stream);
                }
                let line = events.last_mut().expect("just pushed");
                line.push_str(&shown[payload.clone()].escape_ascii().to_string());
                if *end {
                    line.push_str(" end");
                }
            } else {
                body_of = None;
                events.push(format!(
                    "{event:?}{}",
                    head_of(&mut side.connection, &event)
                ));
            }
            shown.drain(..used);
        }
        assert!(side.error.is_some() || shown.len() < 24, "leaves too much");
    }
    Said {
        events,
        sent: dump(&side.out),
        error: side.error,
    }
}

/// The text of the head or trailers that came with an event.
fn head_of(connection: &mut Connection, event: &Event) -> String {
    let mut arena = Vec::new();
    match (event, connection.role()) {
        (Event::Head { .. }, Role::Server) => {
            connection.take_request(&mut RequestHead::new(), &mut arena);
        }
        (Event::Head { .. } | Event::Interim { .. }, _) => {
            connection.take_response(&mut ResponseHead::new(), &mut arena);
        }
        (Event::Trailers { .. }, _) => connection.take_trailers(&mut Vec::new(), &mut arena),
        _ => {}
    }
    arena.escape_ascii().to_string()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn it_does_not_matter_how_bytes_arrive(
        bytes in conversation(),
        sizes in vec(1..40_usize, 1..10),
        server in any::<bool>(),
    ) {
        let role = if server { Role::Server } else { Role::Client };
        let whole = listen(role, &bytes, &[bytes.len() + 100]);
        prop_assert_eq!(&listen(role, &bytes, &sizes), &whole);
        prop_assert_eq!(&listen(role, &bytes, &[1]), &whole);
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..200), server in any::<bool>()) {
        let role = if server { Role::Server } else { Role::Client };
        listen(role, &bytes, &[7]);
    }
}

/// The generator reaches what it is for; else the property above would hold of nothing.
#[test]
fn the_conversations_are_worth_having() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen = Vec::new();
    for _ in 0..400 {
        let bytes = conversation().new_tree(&mut runner).unwrap().current();
        for role in [Role::Server, Role::Client] {
            for event in listen(role, &bytes, &[1000]).events {
                let name = event
                    .split([' ', '{'])
                    .next()
                    .unwrap_or_default()
                    .to_owned();
                if !seen.contains(&name) {
                    seen.push(name);
                }
            }
        }
    }
    let wanted = [
        "Head", "Interim", "Data", "Trailers", "Refused", "Reset", "Settings", "Pong", "Goaway",
    ];
    for name in wanted {
        assert!(
            seen.iter().any(|seen| seen == name),
            "no {name} in {seen:?}"
        );
    }
}

//! Answers and trailers (RFC 9113 sections 8.1 and 8.3.2).

use super::*;
use crate::message::Version;

#[test]
fn a_status_and_its_usual_reason() {
    let list = [
        (":status", "404"),
        ("server", "x"),
        ("set-cookie", "a=1"),
        ("set-cookie", "b=2"),
    ];
    let (head, arena) = response(&list, Method::Get, End::Later).unwrap();
    assert_eq!((head.status, head.version), (404, Version::Http2));
    assert_eq!(head.view(&arena).reason(), b"Not Found");
    assert!(head.keep_alive);
    assert_eq!(head.len, arena.len());
    assert_eq!(
        fields(&head.fields, &arena),
        [
            ("server", "x"),
            ("set-cookie", "a=1"),
            ("set-cookie", "b=2")
        ]
    );
    let (head, arena) = response(&[(":status", "999")], Method::Get, End::Here).unwrap();
    assert_eq!(
        (head.status, head.view(&arena).reason()),
        (999, b"".as_slice())
    );
}

#[test]
fn the_body_of_an_answer() {
    use BodyLength::*;
    use End::*;
    type Body = Result<BodyLength, Malformed>;
    let mismatch = || Err(Malformed::LengthMismatch);
    let table: [(&str, Method, &str, End, Body); 19] = [
        ("200", Method::Get, "", Later, Ok(Frames)),
        ("200", Method::Get, "", Here, Ok(None)),
        ("200", Method::Get, "5", Later, Ok(Exact(5))),
        ("200", Method::Get, "5", Here, mismatch()),
        ("200", Method::Get, "0", Here, Ok(Exact(0))),
        ("200", Method::Head, "5", Here, Ok(None)),
        ("200", Method::Head, "5", Later, Ok(None)),
        ("304", Method::Get, "5", Here, Ok(None)),
        ("204", Method::Get, "", Here, Ok(None)),
        ("204", Method::Get, "5", Here, Ok(None)),
        ("100", Method::Get, "", Later, Ok(None)),
        ("103", Method::Post, "", Later, Ok(None)),
        ("103", Method::Post, "", Here, Err(Malformed::InterimEnd)),
        (
            "101",
            Method::Get,
            "",
            Later,
            Err(Malformed::SwitchingProtocols),
        ),
        ("200", Method::Connect, "", Later, Ok(Frames)),
        ("200", Method::Connect, "5", Later, Ok(Frames)),
        ("200", Method::Connect, "5", Here, Ok(None)),
        ("403", Method::Connect, "5", Later, Ok(Exact(5))),
        ("500", Method::Post, "9", Later, Ok(Exact(9))),
    ];
    for (status, method, length, end, expected) in table {
        let mut list = vec![(":status", status)];
        if !length.is_empty() {
            list.push(("content-length", length));
        }
        let got = response(&list, method, end).map(|(head, _)| head.body);
        let case = format!("{status} {method:?} {length} {end:?}");
        assert_eq!(got, expected.map_err(HeadError::from), "{case}");
    }
}

#[test]
fn a_length_where_no_body_can_be_is_not_passed_on() {
    for (status, hop_by_hop) in [("103", true), ("204", true), ("304", false), ("200", false)] {
        let list = [(":status", status), ("content-length", "5")];
        let (head, _) = response(&list, Method::Get, End::Later).unwrap();
        assert_eq!(head.fields[0].hop_by_hop, hop_by_hop, "{status}");
    }
    let list = [(":status", "200"), ("content-length", "5")];
    let (head, _) = response(&list, Method::Connect, End::Later).unwrap();
    assert!(head.fields[0].hop_by_hop);
}

#[test]
fn trailers_are_fields_alone() {
    let mut decoder = Decoder::new(4096);
    let (mut list, mut arena) = (Vec::new(), b"stale".to_vec());
    let sent = block(&[
        ("grpc-status", "0"),
        ("content-length", "5"),
        ("te", "trailers"),
        ("x", "y"),
    ]);
    decoder
        .trailers(&sent, &LIMITS, &mut list, &mut arena)
        .unwrap();
    assert_eq!(
        fields(&list, &arena),
        [
            ("grpc-status", "0"),
            ("content-length", "5"),
            ("te", "trailers"),
            ("x", "y")
        ]
    );
    let kept: Vec<_> = list.iter().map(|field| !field.hop_by_hop).collect();
    assert_eq!(kept, [true, false, false, true]);
    assert_eq!(
        arena,
        b"grpc-status: 0\r\ncontent-length: 5\r\nte: trailers\r\nx: y\r\n"
    );
    decoder
        .trailers(b"", &LIMITS, &mut list, &mut arena)
        .unwrap();
    assert!(list.is_empty() && arena.is_empty());

    for name in [
        ":status",
        ":path",
        ":authority",
        ":method",
        ":protocol",
        ":scheme",
    ] {
        let got = decoder.trailers(&block(&[(name, "200")]), &LIMITS, &mut list, &mut arena);
        assert_eq!(got, Err(Malformed::MisplacedPseudoField.into()), "{name}");
    }
}

//! RFC 7541: header blocks that can't be read are connection errors of type COMPRESSION_ERROR; odd ones that can are.

use super::*;

const BAD: Expect = Connection(code::COMPRESSION_ERROR);

const CASES: &[Case] = &[
    ("2.3.3", "an index beyond both tables", BAD, |it| {
        it.send(&with(&hpack::indexed(70)))
    }),
    ("2.3.3", "a name's index beyond both tables", BAD, |it| {
        it.send(&with(
            &[hpack::integer(0x40, 6, 70), hpack::string("x")].concat(),
        ))
    }),
    ("4.2", "a size update at the end of a block", BAD, |it| {
        it.send(&with(&hpack::table_size(1)))
    }),
    (
        "4.2",
        "size updates at the beginning",
        Answered(1, 200),
        |it| {
            let sizes = [hpack::table_size(0), hpack::table_size(4096)].concat();
            it.send(&Frame::headers(
                1,
                [sizes, block("GET", &[])].concat(),
                true,
            ))
        },
    ),
    (
        "4.4",
        "an entry larger than the table empties it",
        BAD,
        |it| {
            let large = hpack::indexed_literal("x", &"y".repeat(5000));
            let one = hpack::indexed_literal("x", "y");
            it.send(&with(&[one, large, hpack::indexed(62)].concat()))
        },
    ),
    ("5.1", "an integer that never ends", BAD, |it| {
        it.send(&with(&[&[0xff][..], &[0x80; 12], &[1]].concat()))
    }),
    ("5.1", "an integer above 32 bits", BAD, |it| {
        it.send(&with(&[0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]))
    }),
    ("5.2", "padding of more than 7 bits", BAD, |it| {
        it.send(&with(&huffman_value(b"\x1f\xff")))
    }),
    ("5.2", "padding that is not of EOS", BAD, |it| {
        it.send(&with(&huffman_value(b"\x18")))
    }),
    ("5.2", "EOS in a string", BAD, |it| {
        it.send(&with(&huffman_value(b"\xff\xff\xff\xff")))
    }),
    ("5.2", "a string longer than the block", BAD, |it| {
        it.send(&with(
            &[vec![0x00], hpack::string("x"), hpack::integer(0, 7, 500)].concat(),
        ))
    }),
    (
        "5.2",
        "strings in the Huffman code",
        Answered(1, 200),
        |it| {
            let field = [
                vec![0x00],
                hpack::huffman_string("x-name"),
                hpack::huffman_string("a value"),
            ];
            it.send(&with(&field.concat()))
        },
    ),
    ("6.1", "index 0", BAD, |it| {
        it.send(&with(&hpack::indexed(0)))
    }),
    (
        "6.2.2",
        "a literal that is never indexed",
        Answered(1, 200),
        |it| it.send(&with(&hpack::literal(0x10, 4, "authorization", "x"))),
    ),
    ("6.3", "a table larger than SETTINGS allow", BAD, |it| {
        it.send(&Frame::headers(
            1,
            [hpack::table_size(4097), block("GET", &[])].concat(),
            true,
        ))
    }),
    ("6.3", "the same in trailers", BAD, |it| {
        it.send_all(&[post(1), Frame::headers(1, hpack::table_size(4097), true)])
    }),
    (
        "4.3 of RFC 9113",
        "a bad block on a stream that was reset",
        BAD,
        |it| {
            it.send(&Frame::headers(
                1,
                block("POST", &[("content-length", "1")]),
                false,
            ))?;
            it.send(&Frame::data(1, *b"xyz", false))?;
            it.send(&Frame::headers(1, hpack::indexed(0), true))
        },
    ),
    (
        "2.3.2",
        "the table goes on from stream to stream",
        Answered(7, 200),
        |it| {
            let whole = hpack::indexed_literal("x-one", "y");
            it.send_all(&[
                with(&whole),
                Frame::headers(3, [block("GET", &[]), hpack::indexed(62)].concat(), true),
            ])?;
            it.answer(1).is(200);
            it.answer(3).is(200);
            it.send(&Frame::headers(
                7,
                [block("GET", &[]), hpack::indexed(62)].concat(),
                true,
            ))
        },
    ),
    (
        "2.3.2",
        "a block that is refused changes the table like any other",
        Answered(3, 200),
        |it| {
            it.send(&with(
                &[
                    hpack::indexed_literal("x-one", "y"),
                    hpack::literal(0, 4, "Upper", "y"),
                ]
                .concat(),
            ))?;
            it.send(&Frame::headers(
                3,
                [block("GET", &[]), hpack::indexed(62)].concat(),
                true,
            ))
        },
    ),
];

/// A GET on stream 1 with this at the end of its block.
fn with(more: &[u8]) -> Frame {
    Frame::headers(1, [block("GET", &[]), more.to_vec()].concat(), true)
}

/// The field `x` with a value that is said to be in the Huffman code.
fn huffman_value(code: &[u8]) -> Vec<u8> {
    [
        vec![0x00],
        hpack::string("x"),
        hpack::integer(0x80, 7, code.len()),
        code.to_vec(),
    ]
    .concat()
}

#[test]
fn header_blocks() {
    play(CASES, Gateway::http2);
}

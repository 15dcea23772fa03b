//! Header blocks against the RFC's examples, themselves, and what is forbidden.

use proptest::prelude::*;

use super::*;

/// The fields of a block, or the rule that it breaks.
fn read(decoder: &mut Decoder, block: &[u8]) -> Result<Vec<(String, String)>, &'static str> {
    let mut found = Vec::new();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let read = decoder.decode(block, |field| {
        found.push((text(field.name), text(field.value)));
    });
    read.map(|()| found).map_err(|broken| broken.rule)
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| (byte as char).to_digit(16).unwrap() as u8;
    digits
        .chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

fn check(decoder: &mut Decoder, hex: &str, fields: &[(&str, &str)]) {
    let expected = fields
        .iter()
        .map(|(a, b)| ((*a).to_owned(), (*b).to_owned()));
    assert_eq!(read(decoder, &bytes(hex)), Ok(expected.collect()));
}

#[test]
fn answers_with_a_table_that_overflows() {
    // RFC 7541 appendix C.6: Huffman, and a table of 256 bytes that loses its oldest entries.
    let mut decoder = Decoder::new();
    decoder.table.resize(256);
    check(
        &mut decoder,
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d \
         29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        &[
            (":status", "302"),
            ("cache-control", "private"),
            ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
            ("location", "https://www.example.com"),
        ],
    );
    check(
        &mut decoder,
        "4883 640e ffc1 c0bf",
        &[
            (":status", "307"),
            ("cache-control", "private"),
            ("date", "Mon, 21 Oct 2013 20:13:21 GMT"),
            ("location", "https://www.example.com"),
        ],
    );
    check(
        &mut decoder,
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d \
         d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
        &[
            (":status", "200"),
            ("cache-control", "private"),
            ("date", "Mon, 21 Oct 2013 20:13:22 GMT"),
            ("location", "https://www.example.com"),
            ("content-encoding", "gzip"),
            (
                "set-cookie",
                "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1",
            ),
        ],
    );
}

#[test]
fn what_no_block_may_say() {
    let check = |block: &[u8], rule: &str| {
        assert_eq!(read(&mut Decoder::new(), block), Err(rule), "{block:02x?}");
    };
    check(&[0x80], "an index stands for nothing");
    check(&[0xbe], "an index stands for nothing");
    check(&[0x7f, 0x00], "an index stands for nothing");
    check(&[0x00, 0x81, 0xff], "a text is not in the Huffman code");
    check(&[0x00, 0x02, b'a'], "a text ends behind its block");
    check(&[0x00], "a block ends amid a field");
    check(
        &[0x88, 0x20],
        "a table size is too large, or not at the beginning",
    );
    check(
        &[0x3f, 0xe2, 0x1f],
        "a table size is too large, or not at the beginning",
    );
    // The largest size there may be, and none at all.
    let mut decoder = Decoder::new();
    assert_eq!(read(&mut decoder, &[0x3f, 0xe1, 0x1f, 0x20]), Ok(vec![]));
}

#[test]
fn names_are_known_for_what_they_are() {
    for (name, known) in [
        (":status", Known::Status),
        ("content-length", Known::ContentLength),
        (":path", Known::Pseudo),
        ("connection", Known::Forbidden),
        ("transfer-encoding", Known::Forbidden),
        ("", Known::Forbidden),
        ("Date", Known::Forbidden),
        ("a b", Known::Forbidden),
        ("a:", Known::Forbidden),
        ("x-date", Known::Other),
    ] {
        assert_eq!(Known::of(name.as_bytes()), known, "{name}");
    }
}

#[test]
fn a_constant_field_is_sent_once() {
    let mut indexed = Indexed::new(3, 4096);
    let mut decoder = Decoder::new();
    // Literals of a name of their own, entering the table and not.
    let forms = |name: &str| {
        let plain = [&[0x00, 1], name.as_bytes(), &[1, b'v']].concat();
        let mut entering = plain.clone();
        entering[0] = 0x40;
        (entering, plain)
    };
    let mut write = |fields: &[usize], expected: usize| {
        let mut out = Vec::new();
        indexed.begin(&mut out);
        for field in fields {
            let name = ["a", "b", "c"][*field];
            let (entering, plain) = forms(name);
            let cost = Cost::of(name.as_bytes(), b"v");
            indexed.write(*field, cost, (&entering, &plain), &mut out);
        }
        assert_eq!(out.len(), expected);
        let names = fields.iter().map(|it| ["a", "b", "c"][*it].to_owned());
        let pairs: Vec<_> = names.map(|name| (name, "v".to_owned())).collect();
        assert_eq!(read(&mut decoder, &out), Ok(pairs));
    };
    write(&[0, 1], 10);
    write(&[1, 0, 2], 7);
    write(&[0, 1, 2, 2, 1, 0], 6);
}

#[test]
fn a_smaller_table_is_used_no_more() {
    let mut out = Vec::new();
    let mut indexed = Indexed::new(2, 40);
    let forms: (&[u8], &[u8]) = (&[0x40, 1, b'a', 0], &[0x00, 1, b'a', 0]);
    let cost = Cost::of(b"a", b"");
    indexed.begin(&mut out);
    indexed.write(0, cost, forms, &mut out);
    // The second does not fit; the first is there.
    indexed.write(1, cost, forms, &mut out);
    indexed.write(0, cost, forms, &mut out);
    assert_eq!(out, [0x3f, 9, 0x40, 1, b'a', 0, 0x00, 1, b'a', 0, 0xbe]);
    indexed.resize(10);
    out.clear();
    indexed.begin(&mut out);
    indexed.write(0, cost, forms, &mut out);
    assert_eq!(out, [0x20, 0x00, 1, b'a', 0]);
}

proptest! {
    #[test]
    fn the_table_holds_what_was_put_in_last(
        sizes in prop::collection::vec((0_usize..60, 0_usize..900), 1..60), limit in 0_usize..4097,
    ) {
        let mut table = Table::new(TABLE);
        table.resize(limit);
        let mut model: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for (at, (name, value)) in sizes.into_iter().enumerate() {
            let (name, value) = (vec![at as u8; name], vec![!(at as u8); value]);
            table.insert(&name, &value, Known::Other);
            model.insert(0, (name, value));
            // The longest beginning that fits (RFC 7541 section 4.4).
            let mut size = 0;
            let fits = model.iter().take_while(|(name, value)| {
                size += name.len() + value.len() + 32;
                size <= limit
            });
            let fits = fits.count();
            model.truncate(fits);
            for (at, (name, value)) in model.iter().enumerate() {
                let field = table.get(at).expect("it is there");
                prop_assert_eq!((field.name, field.value), (name.as_slice(), value.as_slice()));
            }
            prop_assert_eq!(table.get(model.len()), None);
        }
    }

    #[test]
    fn no_bytes_make_it_fall(blocks in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..6)) {
        let mut decoder = Decoder::new();
        for block in blocks {
            let _ = read(&mut decoder, &block);
        }
    }
}

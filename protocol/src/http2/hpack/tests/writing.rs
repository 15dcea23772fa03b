//! What our blocks look like: what enters the table, when, and what never does.

use super::*;
use Habit::{Passes, Returns, Secret};

/// The blocks that the same fields become, one after the other; all are read back as they were meant.
fn blocks(list: &[(&[u8], &[u8], Habit)], count: usize) -> Vec<Vec<u8>> {
    let mut writer = Writer::new();
    let mut reader = Reader::new(4096);
    (0..count)
        .map(|_| {
            let block = written(&mut writer, list);
            let back = read(&mut reader, &block).unwrap();
            for ((name, value), (sent, expected, _)) in back.iter().zip(list) {
                assert_eq!(*name, sent.to_ascii_lowercase());
                assert_eq!(value, expected);
            }
            assert_eq!(back.len(), list.len());
            block
        })
        .collect()
}

#[test]
fn a_value_enters_when_it_is_met_again() {
    let got = blocks(&[(b"Server", b"x", Returns)], 4);
    assert_eq!(got[0], b"\x0f\x27\x01x");
    assert_eq!(got[1], b"\x76\x01x");
    assert_eq!(got[2], b"\xbe");
    assert_eq!(got[3], b"\xbe");
}

#[test]
fn an_unknown_name_enters_with_its_value() {
    let got = blocks(&[(b"X-Thing", b"00", Returns)], 3);
    assert_eq!(got[0], b"\x00\x07x-thing\x0200");
    assert_eq!(got[1], b"\x40\x86\xf2\xb2\x67\x35\x53\x7f\x0200");
    assert_eq!(got[2], b"\xbe");
}

#[test]
fn a_value_that_passes_never_enters_but_its_name_may() {
    let got = blocks(&[(b"content-length", b"5", Passes)], 3);
    assert_eq!(got[0], b"\x0f\x0d\x015");
    assert_eq!(got[1], got[0]);
    assert_eq!(got[2], got[0]);
    let got = blocks(&[(b"x-request-id", b"5", Passes)], 3);
    assert_eq!(got[0], b"\x00\x0cx-request-id\x015");
    assert_eq!(got[1][0], 0x40);
    assert_eq!(got[2], b"\x0f\x2f\x015");
}

#[test]
fn secrets_are_never_indexed() {
    let got = blocks(
        &[
            (b"Authorization", b"s", Secret),
            (b"X-API-Key", b"s", Secret),
        ],
        3,
    );
    for block in got {
        assert_eq!(block, b"\x1f\x08\x01s\x10\x09x-api-key\x01s");
    }
}

#[test]
fn values_and_names_that_are_alike_are_told_apart() {
    let names: [&[u8]; 6] = [
        b"x-a",
        b"x_a",
        b"x^a",
        b"x~a",
        b"accept",
        b"a-name-longer-than-24-bytes",
    ];
    let values: [&[u8]; 6] = [b"", b"a", b"b", b"A", b"12345678", b"1234567812345678"];
    let mut list = Vec::new();
    for name in names {
        for value in values {
            list.push((name, value, Returns));
        }
    }
    let got = blocks(&list, 4);
    assert_eq!(got[3].len(), list.len(), "one byte each, and each another");
}

#[test]
fn what_is_as_large_as_half_the_table_stays_out_of_it() {
    let value = [b'v'; 2048];
    let got = blocks(&[(b"server", &value, Returns)], 3);
    assert_eq!(got[2][..2], *b"\x0f\x27");
}

#[test]
fn a_smaller_table_is_announced_first() {
    let mut writer = Writer::new();
    let mut reader = Reader::new(4096);
    let list: [(&[u8], &[u8], Habit); 1] = [(b"server", b"x", Returns)];
    for _ in 0..3 {
        let block = written(&mut writer, &list);
        read(&mut reader, &block).unwrap();
    }
    assert_eq!(reader.table(), (39, 1));
    // Down and up again between two blocks: both are told, the smallest first (section 4.2).
    writer.set_max_table(0);
    writer.set_max_table(200);
    let block = written(&mut writer, &list);
    assert_eq!(block[..4], *b"\x20\x3f\xa9\x01");
    read(&mut reader, &block).unwrap();
    assert_eq!(reader.table(), (39, 1), "met before, so it is in again");
    // Once each.
    let block = written(&mut writer, &list);
    assert_eq!(block, b"\xbe");
    writer.set_max_table(0);
    let block = written(&mut writer, &list);
    assert_eq!(block, b"\x20\x0f\x27\x01x");
    read(&mut reader, &block).unwrap();
    assert_eq!(reader.table(), (0, 0));
    // More than the initial size is not used.
    writer.set_max_table(1 << 30);
    let block = written(&mut writer, &list);
    assert_eq!(block[..3], *b"\x3f\xe1\x1f");
    read(&mut reader, &block).unwrap();
    writer.set_max_table(1 << 20);
    assert_eq!(written(&mut writer, &list), b"\xbe");
}

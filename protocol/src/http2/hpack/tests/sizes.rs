//! The table's size (RFC 7541 sections 4.2 to 4.4): who may set it, when, and what goes.

use super::*;

/// A literal that enters the table.
fn entering(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = vec![0x40];
    for text in [name, value] {
        integer::write(0, 7, text.len(), &mut out);
        out.extend_from_slice(text);
    }
    out
}

fn sized(size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    integer::write(0x20, 5, size, &mut out);
    out
}

#[test]
fn a_size_stands_first_and_within_what_was_offered() {
    use CompressionError::*;
    let table: [(usize, Vec<u8>, Result<(), CompressionError>); 8] = [
        (4096, sized(4096), Ok(())),
        (4096, sized(4097), Err(TableSize)),
        (4096, [sized(0), sized(4096), vec![0x82]].concat(), Ok(())),
        (4096, [vec![0x82], sized(0)].concat(), Err(LateTableSize)),
        (65536, sized(65536), Ok(())),
        (65536, sized(65537), Err(TableSize)),
        (1 << 30, sized(1 << 20), Err(TableSize)),
        // Our offer of less is not known yet.
        (0, [entering(b"a", b"b"), vec![0xbe]].concat(), Ok(())),
    ];
    for (offered, block, expected) in table {
        let got = read(&mut Reader::new(offered), &block).map(drop);
        assert_eq!(got, expected, "{offered} {block:02x?}");
    }
}

#[test]
fn less_is_insisted_on_once_it_is_acknowledged() {
    let mut reader = Reader::new(100);
    read(&mut reader, &entering(b"a", b"b")).unwrap();
    reader.acknowledged();
    assert_eq!(
        read(&mut reader, b"\x82"),
        Err(CompressionError::MissingTableSize)
    );
    assert_eq!(
        read(&mut reader, &sized(101)),
        Err(CompressionError::TableSize)
    );
    read(&mut reader, &[sized(100), vec![0xbe]].concat()).unwrap();
    read(&mut reader, b"\x82").unwrap();
    assert_eq!(reader.table(), (34, 1));
}

#[test]
fn the_oldest_go_when_there_is_no_room() {
    let mut reader = Reader::new(4096);
    read(&mut reader, &sized(34 * 3)).unwrap();
    for name in [b"a", b"b", b"c", b"d"] {
        read(&mut reader, &entering(name, b"1")).unwrap();
    }
    assert_eq!(reader.table(), (102, 3));
    let list = read(&mut reader, b"\xbe\xbf\xc0").unwrap();
    assert_eq!(shown(&list), [("d", "1"), ("c", "1"), ("b", "1")]);
    assert_eq!(read(&mut reader, b"\xc1"), Err(CompressionError::Index));
    // One byte less, and one entry goes; the newest stays.
    let list = read(&mut reader, &[sized(101), vec![0xbe]].concat()).unwrap();
    assert_eq!(shown(&list), [("d", "1")]);
    assert_eq!(reader.table(), (68, 2));
}

#[test]
fn an_entry_as_large_as_the_table_stays_and_a_larger_one_empties_it() {
    let mut reader = Reader::new(4096);
    read(&mut reader, &entering(b"a", &[b'x'; 4096 - 32 - 1])).unwrap();
    assert_eq!(reader.table(), (4096, 1));
    // Its own name may refer to what it pushes out (section 4.4).
    let mut block = vec![0x7e, 1, b'y'];
    assert_eq!(read(&mut reader, &block).unwrap()[0].0, b"a");
    assert_eq!(reader.table(), (34, 1));
    block = entering(b"a", &[b'x'; 4096 - 32]);
    read(&mut reader, &block).unwrap();
    assert_eq!(reader.table(), (0, 0));
}

#[test]
fn texts_move_but_stay_what_they_are() {
    let mut reader = Reader::new(4096);
    let mut oldest = 0;
    for number in 0..2000usize {
        let value = vec![b'v'; number * 7 % 900];
        let name = format!("name-{number}");
        read(&mut reader, &entering(name.as_bytes(), &value)).unwrap();
        let (_, entries) = reader.table();
        oldest = number + 1 - entries;
        let mut index = Vec::new();
        integer::write(0x80, 7, 61 + entries, &mut index);
        index.push(0xbe);
        let list = read(&mut reader, &index).unwrap();
        assert_eq!(list[0].0, format!("name-{oldest}").into_bytes());
        assert_eq!(list[0].1.len(), oldest * 7 % 900);
        assert_eq!(list[1], (name.into_bytes(), value));
    }
    assert!(oldest > 1900);
    assert!(reader.space() <= 2 * 4096);
}

#[test]
fn what_is_cut_short_or_refers_to_nothing() {
    use CompressionError::*;
    let table: [(&[u8], CompressionError); 14] = [
        (b"\x80", Index),
        (b"\xff", Integer),
        (b"\xff\x80", Integer),
        (b"\xff\xff\xff\xff\xff\xff", Integer),
        (b"\xbe", Index),
        (b"\x7f\x00\x01a", Index),
        (b"\x40", Truncated),
        (b"\x40\x01", Truncated),
        (b"\x40\x01a", Truncated),
        (b"\x40\x01a\x02b", Truncated),
        (b"\x04\x7f", Integer),
        (b"\x04\x81\xff", Huffman),
        (b"\x3f", Integer),
        (b"\x40\x7f\xff\xff\xff\xff\xff", Integer),
    ];
    for (block, expected) in table {
        let got = read(&mut Reader::new(4096), block);
        assert_eq!(got, Err(expected), "{block:02x?}");
    }
}

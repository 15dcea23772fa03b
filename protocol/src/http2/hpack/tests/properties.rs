//! What must hold for all bytes and all fields: no panic, and what is written is read back, whatever was before.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// Few names and values, so that they come again, among them odd ones.
fn field() -> impl Strategy<Value = (Vec<u8>, Vec<u8>, Habit)> {
    let name = prop_oneof![
        6 => prop::sample::select(vec!["server", "date", "x-a", "x-b", "cookie", "via", "grpc-status"])
            .prop_map(|name| name.as_bytes().to_vec()),
        1 => "[a-z0-9!#$%&'*+.^_`|~-]{1,40}".prop_map(String::into_bytes),
    ];
    let value = prop_oneof![
        4 => (0..8u8).prop_map(|n| vec![b'0' + n; usize::from(n)]),
        1 => vec(any::<u8>(), 0..120),
        1 => (0..5000usize).prop_map(|n| vec![b'v'; n]),
    ];
    let habit = prop::sample::select(vec![
        Habit::Returns,
        Habit::Returns,
        Habit::Returns,
        Habit::Passes,
        Habit::Secret,
    ]);
    (name, value, habit)
}

#[derive(Clone, Debug)]
enum Step {
    Block(Vec<(Vec<u8>, Vec<u8>, Habit)>),
    Resize(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => vec(field(), 0..12).prop_map(Step::Block),
        1 => (0..6000usize).prop_map(Step::Resize),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(steps in vec(step(), 0..40)) {
        let mut writer = Writer::new();
        let mut reader = Reader::new(4096);
        for step in steps {
            let fields = match step {
                Step::Resize(max) => {
                    writer.set_max_table(max);
                    continue;
                }
                Step::Block(fields) => fields,
            };
            let list: Vec<_> = fields
                .iter()
                .map(|(name, value, habit)| (name.as_slice(), value.as_slice(), *habit))
                .collect();
            let block = written(&mut writer, &list);
            let back = read(&mut reader, &block);
            let expected: Vec<_> = fields.into_iter().map(|(name, value, _)| (name, value)).collect();
            prop_assert_eq!(back, Ok(expected));
        }
    }

    #[test]
    fn any_bytes_are_read_or_refused(blocks in vec(vec(any::<u8>(), 0..200), 0..10)) {
        let mut reader = Reader::new(300);
        for block in blocks {
            let _ = read(&mut reader, &block);
            let (size, entries) = reader.table();
            prop_assert!(size <= 4096 && entries * 32 <= size);
        }
    }

    /// A table that is only ever appended to says what each index means.
    #[test]
    fn indexes_mean_what_came_in(
        size in 0..700usize,
        blocks in vec(vec((0..3u8, "[a-z]{1,9}", "[ -~]{0,90}"), 1..6), 0..30),
    ) {
        let mut reader = Reader::new(4096);
        let mut first = Vec::new();
        integer::write(0x20, 5, size, &mut first);
        read(&mut reader, &first).unwrap();
        let mut all = List::new();
        for fields in blocks {
            for (kind, name, value) in fields {
                let mut block = vec![[0x40, 0x00, 0x10][usize::from(kind)]];
                for text in [&name, &value] {
                    integer::write(0, 7, text.len(), &mut block);
                    block.extend_from_slice(text.as_bytes());
                }
                read(&mut reader, &block).unwrap();
                if kind == 0 {
                    all.push((name.into_bytes(), value.into_bytes()));
                }
            }
            let (mut used, mut live) = (0, Vec::new());
            for (name, value) in all.iter().rev() {
                used += name.len() + value.len() + 32;
                if used > size {
                    used -= name.len() + value.len() + 32;
                    break;
                }
                live.push((name.clone(), value.clone()));
            }
            prop_assert_eq!(reader.table(), (used, live.len()));
            let mut block = Vec::new();
            for at in 0..live.len() {
                integer::write(0x80, 7, 62 + at, &mut block);
            }
            prop_assert_eq!(read(&mut reader, &block), Ok(live));
        }
    }
}

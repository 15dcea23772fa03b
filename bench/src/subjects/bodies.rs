//! Chunked bodies: checked as they are to be passed on, and taken out of their framing.

use std::hint::black_box;

use protocol::http1::{Chunked, Rules, chunk_line};

use crate::Subject;

/// Bytes of payload, in chunks of each of these sizes.
const PAYLOAD: usize = 16 << 10;
const CHUNKS: [usize; 3] = [64, 1_024, 16 << 10];

/// The subjects of this room.
pub fn all() -> Vec<Subject> {
    let each = CHUNKS
        .into_iter()
        .flat_map(|size| [scan(size), unframe(size)]);
    each.map(|subject| subject.bytes(PAYLOAD).counted(1_000))
        .collect()
}

fn scan(size: usize) -> Subject {
    Subject::new(format!("body/chunked/scan/{size}"), move || {
        let bytes = framed(size);
        move || {
            black_box(
                Chunked::new(Rules::Response)
                    .scan(black_box(&bytes))
                    .is_ok(),
            );
        }
    })
}

/// The copy that it works on is part of the operation: unframing moves bytes in place.
fn unframe(size: usize) -> Subject {
    Subject::new(format!("body/chunked/unframe/{size}"), move || {
        let (bytes, mut copy) = (framed(size), Vec::new());
        move || {
            copy.clone_from(&bytes);
            black_box(
                Chunked::new(Rules::Response)
                    .unframe(black_box(&mut copy))
                    .is_ok(),
            );
        }
    })
}

fn framed(chunk: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..PAYLOAD / chunk {
        out.extend_from_slice(chunk_line(chunk, &mut [0; 18]));
        out.resize(out.len() + chunk, b'x');
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

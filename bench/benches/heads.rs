//! Heads: decoding, encoding, editing, timed. What is measured stands in `bench::subjects`, `heads` and `edits`.

use bench::{subjects, time};
use criterion::{Criterion, criterion_group, criterion_main};

fn heads(criterion: &mut Criterion) {
    time(criterion, subjects::heads::all());
    time(criterion, subjects::edits::all());
}

criterion_group!(benches, heads);
criterion_main!(benches);

//! Chunked bodies, timed. What is measured stands in `bench::subjects::bodies`.

use bench::{subjects, time};
use criterion::{Criterion, criterion_group, criterion_main};

fn bodies(criterion: &mut Criterion) {
    time(criterion, subjects::bodies::all());
}

criterion_group!(benches, bodies);
criterion_main!(benches);

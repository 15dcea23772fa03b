//! Token buckets, timed. What is measured stands in `bench::subjects::limits`.

use bench::{subjects, time};
use criterion::{Criterion, criterion_group, criterion_main};

fn limits(criterion: &mut Criterion) {
    time(criterion, subjects::limits::all());
}

criterion_group!(benches, limits);
criterion_main!(benches);

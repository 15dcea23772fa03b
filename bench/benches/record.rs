//! What is left of a request, timed. What is measured stands in `bench::subjects::record`.

use bench::{subjects, time};
use criterion::{Criterion, criterion_group, criterion_main};

fn record(criterion: &mut Criterion) {
    time(criterion, subjects::record::all());
}

criterion_group!(benches, record);
criterion_main!(benches);

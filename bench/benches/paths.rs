//! Canonical paths, timed. What is measured stands in `bench::subjects::paths`.

use bench::{subjects, time};
use criterion::{Criterion, criterion_group, criterion_main};

fn paths(criterion: &mut Criterion) {
    time(criterion, subjects::paths::all());
}

criterion_group!(benches, paths);
criterion_main!(benches);

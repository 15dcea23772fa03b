//! Route look-up, timed. What is measured stands in `bench::subjects::routes`.

use bench::{subjects, time};
use criterion::{Criterion, criterion_group, criterion_main};

fn routes(criterion: &mut Criterion) {
    time(criterion, subjects::routes::all());
}

criterion_group!(benches, routes);
criterion_main!(benches);

//! Routes' policies, timed. What is measured stands in `bench::subjects::chain`.

use bench::{subjects, time};
use criterion::{Criterion, criterion_group, criterion_main};

fn chain(criterion: &mut Criterion) {
    time(criterion, subjects::chain::all());
}

criterion_group!(benches, chain);
criterion_main!(benches);

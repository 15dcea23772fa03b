//! The bodies of refusals, timed. What is measured stands in `bench::subjects::answers`.

use bench::{subjects, time};
use criterion::{Criterion, criterion_group, criterion_main};

fn answers(criterion: &mut Criterion) {
    time(criterion, subjects::answers::all());
}

criterion_group!(benches, answers);
criterion_main!(benches);

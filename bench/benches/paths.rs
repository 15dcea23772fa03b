//! The canonical path: most are canonical already and only looked at.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use protocol::message::canonical_path;

const PATHS: [(&str, &str); 4] = [
    ("short", "/products/17"),
    (
        "long",
        "/api/v2/tenants/acme-industries/projects/1742/documents/quarterly-report/versions/3/pages/12",
    ),
    ("escapes", "/search/%7Ejane/%c3%a4pfel%20und%20birnen"),
    ("dots", "/a/b/../c/./d/../../e"),
];

fn canonical(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("path/canonical");
    let mut out = Vec::with_capacity(256);
    for (name, path) in PATHS {
        group.bench_function(name, |bencher| {
            bencher.iter(|| canonical_path(black_box(path.as_bytes()), &mut out));
        });
    }
    group.finish();
}

criterion_group!(benches, canonical);
criterion_main!(benches);

//! The body of a refusal: as a problem document and as text.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use policy::problem::{Extra, Problem, write_problem, write_text};

fn problem(criterion: &mut Criterion) {
    let problem = Problem {
        status: 429,
        title: "Too many requests",
        detail: "The limit per_user is used up.",
        instance: b"/gw/products/17",
        error: "Rate limit exceeded",
        request_id: b"0198a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
        extra: &[
            ("limit", Extra::Number(100)),
            ("retryAfter", Extra::Number(7)),
        ],
    };
    let mut out = Vec::with_capacity(1024);
    let mut group = criterion.benchmark_group("answer");
    group.bench_function("problem_json", |bencher| {
        bencher.iter(|| {
            out.clear();
            write_problem(&mut out, black_box(&problem));
            black_box(out.len())
        });
    });
    group.bench_function("text", |bencher| {
        bencher.iter(|| {
            out.clear();
            write_text(&mut out, black_box(&problem));
            black_box(out.len())
        });
    });
    group.finish();
}

criterion_group!(benches, problem);
criterion_main!(benches);

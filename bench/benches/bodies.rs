//! Chunked bodies: checked as they are to be passed on, and taken out of their framing.

use std::hint::black_box;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use protocol::http1::{Chunked, Rules, chunk_line};

/// Bytes of payload, in chunks of each of these sizes.
const PAYLOAD: usize = 16 << 10;
const CHUNKS: [usize; 3] = [64, 1_024, 16 << 10];

fn framed(chunk: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for _ in 0..PAYLOAD / chunk {
        out.extend_from_slice(chunk_line(chunk, &mut [0; 18]));
        out.resize(out.len() + chunk, b'x');
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"0\r\n\r\n");
    out
}

fn chunked(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("body/chunked");
    group.throughput(Throughput::Bytes(PAYLOAD as u64));
    for size in CHUNKS {
        let bytes = framed(size);
        group.bench_with_input(BenchmarkId::new("scan", size), &bytes, |bencher, bytes| {
            bencher.iter(|| Chunked::new(Rules::Response).scan(black_box(bytes)));
        });
        group.bench_with_input(
            BenchmarkId::new("unframe", size),
            &bytes,
            |bencher, bytes| {
                let take = |bytes: &mut Vec<u8>| Chunked::new(Rules::Response).unframe(bytes);
                bencher.iter_batched_ref(|| bytes.clone(), take, BatchSize::SmallInput);
            },
        );
    }
    group.finish();
}

criterion_group!(benches, chunked);
criterion_main!(benches);

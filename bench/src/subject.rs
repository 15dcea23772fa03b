//! One thing that is measured: how it is set up, and what one operation is. The same for time and for
//! instructions, so that both figures are of the same work.

use std::time::Instant;

use criterion::{Criterion, Throughput};

/// Does so many operations.
pub type Run = Box<dyn FnMut(u64)>;

/// One thing that is measured.
pub struct Subject {
    name: String,
    bytes: Option<u64>,
    counted: u64,
    make: Box<dyn FnOnce() -> Run>,
}

impl Subject {
    /// A subject whose name is a path (`head/decode/plain`). `make` sets it up and gives the operation.
    pub fn new<O: FnMut() + 'static>(
        name: impl Into<String>,
        make: impl FnOnce() -> O + 'static,
    ) -> Subject {
        Subject {
            name: name.into(),
            bytes: None,
            counted: 10_000,
            make: Box::new(move || {
                let mut operation = make();
                Box::new(move |count| {
                    for _ in 0..count {
                        operation();
                    }
                })
            }),
        }
    }

    /// How many bytes an operation goes through.
    pub fn bytes(mut self, bytes: usize) -> Subject {
        self.bytes = Some(bytes as u64);
        self
    }

    /// How many operations are counted, where the usual number is too dear or too few.
    pub fn counted(mut self, operations: u64) -> Subject {
        self.counted = operations;
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many operations are enough for counting instructions.
    pub fn operations(&self) -> u64 {
        self.counted
    }

    /// Sets it up.
    pub fn prepare(self) -> Run {
        (self.make)()
    }
}

/// The operations that a profiler is to count: it is told this function's name.
#[inline(never)]
pub fn measured(run: &mut Run, operations: u64) {
    run(operations);
}

/// Has criterion time the subjects. One that a filter leaves out is not set up.
pub fn time(criterion: &mut Criterion, subjects: Vec<Subject>) {
    for subject in subjects {
        let (group, name) = match subject.name.rsplit_once('/') {
            Some((group, name)) => (group.to_owned(), name.to_owned()),
            None => ("bench".to_owned(), subject.name.clone()),
        };
        let mut group = criterion.benchmark_group(group);
        if let Some(bytes) = subject.bytes {
            group.throughput(Throughput::Bytes(bytes));
        }
        let mut make = Some(subject.make);
        let mut run = None;
        group.bench_function(name, |bencher| {
            if let Some(make) = make.take() {
                run = Some(make());
            }
            let run = run.as_mut().expect("it was just made");
            bencher.iter_custom(|count| {
                let begun = Instant::now();
                run(count);
                begun.elapsed()
            });
        });
        group.finish();
    }
}

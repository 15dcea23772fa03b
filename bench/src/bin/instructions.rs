//! Runs one subject for `tools/instructions`, which counts the instructions of [`bench::measured`] under
//! valgrind. Without arguments: lists the subjects, and for each how many operations are enough.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        for subject in bench::subjects::all() {
            println!("{} {}", subject.name(), subject.operations());
        }
        return ExitCode::SUCCESS;
    };
    let mut subjects = bench::subjects::all().into_iter();
    let Some(subject) = subjects.find(|subject| subject.name() == name) else {
        eprintln!("instructions: no subject is called {name}");
        return ExitCode::FAILURE;
    };
    let operations = match arguments.next().map(|text| text.parse()) {
        None => subject.operations(),
        Some(Ok(operations)) => operations,
        Some(Err(why)) => {
            eprintln!("instructions: the number of operations: {why}");
            return ExitCode::FAILURE;
        }
    };
    let mut run = subject.prepare();
    // What is made on first use is made now.
    run(operations / 10);
    bench::measured(&mut run, operations);
    ExitCode::SUCCESS
}

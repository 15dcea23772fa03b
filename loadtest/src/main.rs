//! The binary: it hands the command line to the library and ends with the status that this gives back.

use std::process::ExitCode;

use clap::Parser;
use loadtest::args::Cli;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    loadtest::run::command::main(&Cli::parse())
}

//! The command line: what may be said, and what `--help` says about it.

//! `portcullis check`: every problem of a configuration, or one line that says it is sound.

use std::process::ExitCode;

use crate::{Configured, EX_CONFIG, source};

pub(crate) fn check(configured: &Configured, json: bool) -> anyhow::Result<ExitCode> {
    match source::load(configured) {
        Ok(snapshot) => {
            for warning in &snapshot.warnings {
                eprintln!("{warning}");
            }
            if json {
                println!("[]");
            } else {
                println!(
                    "sound: {} listeners, {} routes, {} upstreams, hash {}",
                    snapshot.listeners.len(),
                    snapshot.routes.len(),
                    snapshot.upstreams.len(),
                    snapshot.hash
                );
            }
            Ok(ExitCode::SUCCESS)
        }
        Err(problems) => {
            if json {
                println!("{}", problems.to_json());
            } else {
                eprintln!("{problems}");
            }
            Ok(ExitCode::from(EX_CONFIG))
        }
    }
}

//! `portcullis check`: every problem of a configuration, or that it is sound, where it would listen and what it would show.

use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::{Configured, EX_CONFIG, listeners, source};

pub(crate) fn check(configured: &Configured, json: bool) -> anyhow::Result<ExitCode> {
    match source::load(configured) {
        Ok(snapshot) => {
            for warning in &snapshot.warnings {
                eprintln!("{warning}");
            }
            let now = SystemTime::now().duration_since(UNIX_EPOCH);
            for line in engine_control::dated(&snapshot, now.unwrap_or_default().as_secs()) {
                eprintln!("{line}");
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
                for listener in &snapshot.listeners {
                    println!("{}", listeners::line(listener, &listener.address));
                }
                for certificate in engine_control::listed(&snapshot) {
                    println!("{certificate}");
                }
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

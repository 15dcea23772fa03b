//! `portcullis explain`: what would happen to a request, without sending one.

use std::net::IpAddr;
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use engine_config::explain::{self, Question};

use crate::{Configured, EX_CONFIG, source};

/// Reads the URL of the command line.
pub(crate) fn url(text: &str) -> Result<String, String> {
    explain::is_url(text).map(|()| text.to_owned())
}

pub(crate) fn explain(
    configured: &Configured,
    method: &str,
    url: &str,
    headers: &[String],
    from: IpAddr,
    listener: Option<&str>,
    client_cert: Option<&Path>,
) -> anyhow::Result<ExitCode> {
    let snapshot = match source::load(configured) {
        Ok(snapshot) => snapshot,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(EX_CONFIG));
        }
    };
    let mut fields = Vec::new();
    for header in headers {
        let (name, value) = header
            .split_once(':')
            .ok_or_else(|| anyhow::anyhow!("-H takes 'Name: value', not '{header}'"))?;
        fields.push((name.trim().to_owned(), value.trim().to_owned()));
    }
    let unix = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let shown = match client_cert {
        None => Vec::new(),
        Some(path) => {
            let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
            explain::certificates(&bytes)
                .map_err(|why| anyhow::anyhow!("{}: {why}", path.display()))?
        }
    };
    let question = Question {
        method,
        url,
        headers: &fields,
        client: from,
        listener,
        shown: &shown,
        unix,
    };
    println!("{}", explain::explain(&snapshot, &question));
    Ok(ExitCode::SUCCESS)
}

//! An explanation as an operator reads it.

use super::{Chosen, Explanation, Outcome};
use std::fmt;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "request   {}", self.request)?;
        let chosen = match self.chosen {
            Chosen::Said => "",
            Chosen::Scheme => " (the first of the URL's scheme; --listener names another)",
            Chosen::First => {
                " (the first by name, since the URL does not say which; --listener names another)"
            }
        };
        let (client, listener) = (self.client, &self.listener);
        writeln!(f, "from      {client} on listener {listener}{chosen}")?;
        if let Some(tls) = &self.tls {
            writeln!(f, "tls       {tls}")?;
        }
        if !self.path.is_empty() {
            writeln!(f, "path      {}", self.path)?;
        }
        let route = match &self.outcome {
            Outcome::Answered { route, .. } => route.as_deref(),
            Outcome::Forwarded { route, .. } => Some(route.as_str()),
        };
        writeln!(f, "route     {}", route.unwrap_or("none"))?;
        for candidate in &self.candidates {
            let why = match candidate.reasons.is_empty() {
                true => "chosen".to_owned(),
                false => candidate.reasons.join("; "),
            };
            writeln!(
                f,
                "          {} ({}): {why}",
                candidate.route, candidate.path
            )?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            let label = if index == 0 { "policies" } else { "" };
            writeln!(f, "{label:<9} {}: {}", step.what, step.verdict)?;
        }
        match &self.outcome {
            Outcome::Answered { status: 0, why, .. } => write!(f, "answer    none: {why}"),
            Outcome::Answered { status, why, .. } => write!(f, "answer    {status}: {why}"),
            Outcome::Forwarded {
                upstream,
                endpoints,
                sent,
                ..
            } => {
                write!(f, "upstream  {upstream}: {endpoints}")?;
                for (index, line) in sent.iter().enumerate() {
                    let label = if index == 0 { "sent" } else { "" };
                    write!(f, "\n{label:<9} {line}")?;
                }
                Ok(())
            }
        }
    }
}

//! The command line laid over a scenario's text, before either is understood: what it says is checked by the same code,
//! and told of in the same way.

use super::problem::Report;
use super::said::{self, Entry, Kind, Value};

/// What the command line says beside a scenario's file; all as it was typed.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--url`: another target.
    pub url: Option<String>,
    /// `--http2`: `on`.
    pub http2: Option<String>,
    /// `--cacert`.
    pub cacert: Option<String>,
    /// `--tls-name`.
    pub tls_name: Option<String>,
    /// `--tls-resume`.
    pub tls_resume: Option<String>,
    /// `--tls-groups`.
    pub tls_groups: Option<String>,
    /// `--connections`.
    pub connections: Option<String>,
    /// `--streams`.
    pub streams: Option<String>,
    /// `--requests`: of a closed loop, or of an open one at a constant rate.
    pub requests: Option<String>,
    /// `--duration`.
    pub duration: Option<String>,
    /// `--rate`: an open loop.
    pub rate: Option<String>,
    /// `--stages`: an open loop in stages.
    pub stages: Option<String>,
    /// `--arrivals`: `even` or `poisson`.
    pub arrivals: Option<String>,
    /// `--think`.
    pub think: Option<String>,
    /// `--timeout`.
    pub timeout: Option<String>,
    /// `--warmup`.
    pub warmup: Option<String>,
    /// `--requests-per-connection`.
    pub requests_per_connection: Option<String>,
    /// `--seed`.
    pub seed: Option<String>,
    /// `--method`, of every request.
    pub method: Option<String>,
    /// `--header "Name: value"`, each replacing the headers of this name in every request.
    pub headers: Vec<String>,
    /// `--body`, of every request.
    pub body: Option<String>,
    /// `--body-file`, of every request.
    pub body_file: Option<String>,
    /// `--body-size`, of every request.
    pub body_size: Option<String>,
    /// `--grpc`: the method that is called.
    pub grpc: Option<String>,
    /// `--expect-status`, of every request, such as `200,204,3xx`.
    pub expect_status: Option<String>,
    /// `--threshold "p99 < 2ms"`, beside those of the file.
    pub thresholds: Vec<String>,
}

/// What it says of every request, and the thresholds.
#[derive(Default)]
pub(super) struct Over {
    pub method: Option<Value>,
    /// Lists of one.
    pub headers: Vec<Value>,
    pub body: Option<Value>,
    pub body_file: Option<Value>,
    pub body_size: Option<Value>,
    pub grpc: Option<Value>,
    pub expect_status: Option<Value>,
    pub thresholds: Vec<Value>,
    /// Whether it asks for an open loop.
    pub open: bool,
}

impl Overrides {
    /// Lays `[target]` and `[load]` over what the file says, and gives the rest.
    pub(super) fn lay(&self, root: &mut Vec<Entry>, report: &mut Report) -> Over {
        let target = [
            ("url", &self.url),
            ("http2", &self.http2),
            ("cacert", &self.cacert),
            ("tls_name", &self.tls_name),
            ("tls_resume", &self.tls_resume),
            ("tls_groups", &self.tls_groups),
        ];
        for (key, text) in target {
            if let Some(text) = text {
                let flag = format!("--{}", key.replace('_', "-"));
                let text = Value::text(text, report.text(flag, text));
                said::set(root, "target", key, text);
            }
        }
        self.lay_load(root, report);
        let mut every = |flag: &str, text: &Option<String>| {
            let text = text.as_ref()?;
            Some(Value::text(text, report.text(flag, text)))
        };
        let mut over = Over {
            method: every("--method", &self.method),
            body: every("--body", &self.body),
            body_file: every("--body-file", &self.body_file),
            body_size: every("--body-size", &self.body_size),
            grpc: every("--grpc", &self.grpc),
            expect_status: every("--expect-status", &self.expect_status),
            open: self.rate.is_some() || self.stages.is_some(),
            ..Over::default()
        };
        for header in &self.headers {
            let place = report.text("--header", header);
            over.headers.push(Value {
                kind: Kind::List(vec![Value::text(header, place)]),
                place,
            });
        }
        for threshold in &self.thresholds {
            let place = report.text("--threshold", threshold);
            over.thresholds.push(Value::text(threshold, place));
        }
        over
    }

    /// What says the same thing in other words goes: `--rate` takes the file's `stages` away, `--duration` its
    /// `requests`.
    fn lay_load(&self, root: &mut Vec<Entry>, report: &mut Report) {
        let flags: [(&str, &Option<String>, &[&str]); 12] = [
            ("connections", &self.connections, &[]),
            ("streams", &self.streams, &[]),
            (
                "stages",
                &self.stages,
                &["rate", "duration", "requests", "think"],
            ),
            ("rate", &self.rate, &["stages", "think"]),
            ("requests", &self.requests, &["duration", "stages"]),
            ("duration", &self.duration, &["requests", "stages"]),
            ("arrivals", &self.arrivals, &[]),
            ("think", &self.think, &[]),
            ("timeout", &self.timeout, &[]),
            ("warmup", &self.warmup, &[]),
            (
                "requests_per_connection",
                &self.requests_per_connection,
                &[],
            ),
            ("seed", &self.seed, &[]),
        ];
        for (_, _, others) in flags.iter().filter(|(_, said, _)| said.is_some()) {
            others
                .iter()
                .for_each(|other| said::unset(root, "load", other));
        }
        for (key, text) in flags
            .iter()
            .filter_map(|(key, text, _)| Some((key, text.as_ref()?)))
        {
            let flag = format!("--{}", key.replace('_', "-"));
            let text = Value::text(text, report.text(flag, text));
            said::set(root, "load", key, text);
        }
    }
}

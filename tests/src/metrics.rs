//! Reading the metrics page, independently of what writes it.

use std::time::Instant;

use crate::PATIENCE;
use crate::gateway::Gateway;

/// A page of metrics.
pub struct Metrics(String);

impl Metrics {
    /// The page as it is now.
    #[track_caller]
    pub fn of(gateway: &Gateway) -> Metrics {
        let (status, page) = gateway.admin("/metrics");
        assert_eq!(status, 200, "{page}");
        Metrics(page)
    }

    /// The value of one series: `gateway_requests_total{route="a"}`. Its labels may stand in any order
    /// and there may be more of them; several series that fit are added up.
    pub fn value(&self, series: &str) -> Option<f64> {
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let wanted: Vec<&str> = labels
            .trim_end_matches('}')
            .split(',')
            .filter(|l| !l.is_empty())
            .collect();
        let values = self.0.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = match rest.strip_prefix('{') {
                Some(rest) => rest.split_once("} ")?,
                None => ("", rest.strip_prefix(' ')?),
            };
            let has = |label: &&&str| labels.split(',').any(|it| it == **label);
            (wanted.iter().filter(has).count() == wanted.len())
                .then(|| value.parse::<f64>().ok())?
        });
        let values: Vec<f64> = values.collect();
        (!values.is_empty()).then(|| values.iter().sum())
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// Asks for the page until a series has a value; counters are written just after the answer.
#[track_caller]
pub fn wait(gateway: &Gateway, series: &str, value: f64) {
    let start = Instant::now();
    loop {
        let page = Metrics::of(gateway);
        let found = page.value(series);
        if found == Some(value) {
            return;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{series} is {found:?}, not {value}:\n{}",
            page.text()
        );
        std::thread::yield_now();
    }
}

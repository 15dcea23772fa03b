//! Runs beside each other: the first is the base, and the others are told as ratios to it.
//!
//! Spread: for what is known second by second, the figures of the lowest and the highest whole second stand beside the
//! run's. A difference that lies within the spread of both says nothing, and is marked so.

use crate::results::text::{Align, PERCENTILES, Table, course, printable};
use crate::results::units::{rate, ratio, share, size, time};
use crate::results::{Results, Second};

#[cfg(test)]
mod tests;

/// One of the runs.
#[derive(Clone, Debug)]
pub struct Run {
    /// What it is called; [`name`] finds one.
    pub name: String,
    /// What it measured.
    pub results: Results,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    More,
    Less,
}

/// One figure of every run.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) better: Better,
    pub(crate) cells: Vec<Cell>,
}

/// One figure of one run; none when it has none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Cell {
    pub(crate) value: Option<f64>,
    /// For people.
    pub(crate) shown: String,
    /// The lowest and the highest second, where they are known.
    pub(crate) spread: Option<(f64, f64)>,
    /// The same for people.
    pub(crate) spread_shown: String,
}

/// What a comparison with the base says.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Verdict {
    /// `0.65 ×`; empty when the base is nothing.
    pub(crate) ratio: String,
    pub(crate) is: Is,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Is {
    Better,
    Worse,
    /// Within the spread of both, or the same.
    Even,
}

/// Names for runs that are all different: their own, and with the file's where two have the same.
pub fn names(runs: Vec<(String, Results)>) -> Vec<Run> {
    let own: Vec<String> = runs.iter().map(|(_, it)| it.about.name.clone()).collect();
    let name = |file: &str, results: &Results| {
        let name = &results.about.name;
        match own.iter().filter(|it| *it == name).count() {
            1 => name.clone(),
            _ => file.to_owned(),
        }
    };
    runs.into_iter()
        .map(|(file, results)| Run {
            name: printable(&name(&file, &results)),
            results,
        })
        .collect()
}

/// The comparison as a table for a terminal.
pub fn text(runs: &[Run]) -> String {
    let mut out = String::new();
    for (at, run) in runs.iter().enumerate() {
        let role = if at == 0 { " (base)" } else { "" };
        out.push_str(&format!("{}{role}\n  {}\n", run.name, course(&run.results)));
        if run.results.generator.limited {
            out.push_str("  Beware: the generator was the limit\n");
        }
    }
    out.push('\n');
    let mut table = Table::new(&[Align::Left]);
    let mut heads = vec![String::new()];
    for (at, run) in runs.iter().enumerate() {
        heads.push(run.name.clone());
        heads.extend((at > 0).then(|| "ratio".to_owned()));
    }
    table.row(heads);
    let rows = rows(runs);
    for row in &rows {
        let mut cells = vec![row.name.clone()];
        let mut spreads = vec!["  by second".to_owned()];
        for (at, cell) in row.cells.iter().enumerate() {
            cells.push(cell.shown.clone());
            spreads.push(cell.spread_shown.clone());
            if at > 0 {
                cells.push(row.verdict(at).map_or_else(String::new, |it| it.shown()));
                spreads.push(String::new());
            }
        }
        table.row(cells);
        if row.cells.iter().any(|it| it.spread.is_some()) {
            table.row(spreads);
        }
    }
    out.push_str(&table.show());
    out.push_str("\n+ better, - worse, ~ within the spread of the seconds of both runs\n");
    out
}

impl Verdict {
    fn shown(&self) -> String {
        let mark = match self.is {
            Is::Better => "+",
            Is::Worse => "-",
            Is::Even => "~",
        };
        format!("{} {mark}", self.ratio).trim_start().to_owned()
    }
}

impl Row {
    /// How the run at `at` compares with the base; none when one of them has no figure.
    pub(crate) fn verdict(&self, at: usize) -> Option<Verdict> {
        let (base, other) = (self.cells.first()?, self.cells.get(at)?);
        let (a, b) = (base.value?, other.value?);
        let overlap = match (base.spread, other.spread) {
            (Some(one), Some(two)) => one.0 <= two.1 && two.0 <= one.1,
            _ => false,
        };
        let is = match self.better {
            _ if overlap || a == b => Is::Even,
            Better::More if b > a => Is::Better,
            Better::Less if b < a => Is::Better,
            _ => Is::Worse,
        };
        Some(Verdict {
            ratio: ratio(b, a).unwrap_or_default(),
            is,
        })
    }
}

/// The figures that are compared.
pub(crate) fn rows(runs: &[Run]) -> Vec<Row> {
    let row = |name: &str, better, cell: &dyn Fn(&Results) -> Cell| Row {
        name: name.to_owned(),
        better,
        cells: runs.iter().map(|it| cell(&it.results)).collect(),
    };
    let mut all = vec![row("Answers", Better::More, &|it| {
        let by_second = spread(it, |second| Some(second.answered as f64 / second.length));
        Cell::of(Some(it.rate()), rate).with(by_second, rate)
    })];
    all.push(row("Failed", Better::Less, &|it| {
        Cell::of(Some(it.error_share()), share)
    }));
    for (name, at) in PERCENTILES {
        let by_second: fn(&Second) -> u64 = match name {
            "p50" => |second| second.p50_ns,
            "p90" => |second| second.p90_ns,
            "p99" => |second| second.p99_ns,
            _ => |_| 0,
        };
        all.push(row(name, Better::Less, &|it| {
            let known = |second: &Second| Some(by_second(second) as f64).filter(|it| *it > 0.0);
            let value = (!it.latency.is_empty()).then(|| it.latency.quantile(at) as f64);
            Cell::of(value, time).with(spread(it, known), time)
        }));
    }
    let times = |of: fn(&Results) -> f64| {
        move |it: &Results| Cell::of((!it.latency.is_empty()).then(|| of(it)), time)
    };
    all.push(row(
        "max",
        Better::Less,
        &times(|it| it.latency.max() as f64),
    ));
    all.push(row("mean", Better::Less, &times(|it| it.latency.mean())));
    all.push(row("First byte, p50", Better::Less, &|it| {
        let value = (!it.first_byte.is_empty()).then(|| it.first_byte.quantile(0.5) as f64);
        Cell::of(value, time)
    }));
    all.push(row("TCP connect, p50", Better::Less, &|it| {
        let value = (!it.connect.is_empty()).then(|| it.connect.quantile(0.5) as f64);
        Cell::of(value, time)
    }));
    all.push(row("Read", Better::More, &|it| {
        Cell::of(Some(it.bytes_in_rate()), |value| {
            format!("{}/s", size(value))
        })
    }));
    all.push(row("Generator CPU each", Better::Less, &|it| {
        let each = it.generator.cpu_ns as f64 / it.counts.answered.max(1) as f64;
        Cell::of(Some(each).filter(|it| *it > 0.0), time)
    }));
    if runs.iter().any(|it| it.results.sweep.is_some()) {
        all.push(row("Highest rate kept", Better::More, &|it| {
            Cell::of(it.sweep.as_ref().and_then(|it| it.best), rate)
        }));
    }
    all.retain(|row| row.cells.iter().any(|it| it.value.is_some()));
    all
}

impl Cell {
    fn of(value: Option<f64>, show: impl Fn(f64) -> String) -> Cell {
        Cell {
            shown: value.map_or_else(|| "none".to_owned(), show),
            value,
            ..Cell::default()
        }
    }

    fn with(mut self, spread: Option<(f64, f64)>, show: impl Fn(f64) -> String) -> Cell {
        if let Some((low, high)) = spread {
            self.spread_shown = format!("{} to {}", show(low), show(high));
        }
        self.spread = spread;
        self
    }
}

/// The lowest and the highest of the whole seconds; none when there are not two.
fn spread(results: &Results, of: impl Fn(&Second) -> Option<f64>) -> Option<(f64, f64)> {
    let whole = results.seconds.iter().filter(|it| it.length >= 1.0);
    let all: Vec<f64> = whole.filter_map(of).collect();
    let low = all.iter().copied().fold(f64::INFINITY, f64::min);
    let high = all.iter().copied().fold(0.0, f64::max);
    (all.len() > 1).then_some((low, high))
}

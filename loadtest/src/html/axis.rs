//! Scales of charts and their ticks: where a figure stands between 0 and 1, and what is written where.

/// One axis of a chart.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    scale: Scale,
    /// What stands beside it.
    pub(super) title: String,
    pub(super) ticks: Vec<Tick>,
}

/// A line across the chart and what is written at it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) label: String,
    /// Whether it is left out on a narrow screen.
    pub(super) minor: bool,
}

#[derive(Clone, Copy, Debug)]
enum Scale {
    Linear {
        low: f64,
        high: f64,
    },
    Log {
        low: f64,
        high: f64,
    },
    /// Shares of a whole, the distance to which shrinks tenfold from step to step; up to so many tens.
    Nines {
        tens: f64,
    },
}

impl Axis {
    /// From 0 to a little more than `high`.
    pub(super) fn linear(title: &str, high: f64, label: impl Fn(f64) -> String) -> Axis {
        let step = step(high / 5.0);
        let steps = (high / step).ceil().max(1.0);
        let values = (0..=steps as u64).map(|n| n as f64 * step);
        Axis {
            scale: Scale::Linear {
                low: 0.0,
                high: steps * step,
            },
            title: title.to_owned(),
            ticks: ticks(values, label),
        }
    }

    /// Exactly from 0 to `high`, in seconds of a run.
    pub(super) fn seconds(title: &str, high: f64) -> Axis {
        const STEPS: [f64; 15] = [
            0.001, 0.01, 0.1, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0,
            3600.0,
        ];
        let high = high.max(0.000_001);
        let fits = |step: &&f64| high / **step <= 8.0;
        let days = step(high / 8.0);
        let step = STEPS.iter().find(fits).copied().unwrap_or(days);
        let values = (0..=(high / step + 1e-9) as u64).map(|n| n as f64 * step);
        Axis {
            scale: Scale::Linear { low: 0.0, high },
            title: title.to_owned(),
            ticks: ticks(values, |value| match value {
                it if it >= 120.0 && step >= 60.0 => format!("{} min", short(it / 60.0)),
                it if step < 1.0 => format!("{} ms", short(it * 1e3)),
                it => format!("{} s", short(it)),
            }),
        }
    }

    /// Between two positive figures, each step as many times the last.
    pub(super) fn log(title: &str, low: f64, high: f64, label: impl Fn(f64) -> String) -> Axis {
        let low = low.max(f64::MIN_POSITIVE);
        let (low, high) = (round_down(low), round_up(high.max(low * 1.1)));
        let inside = |it: &f64| *it >= low * 0.999_999 && *it <= high * 1.000_001;
        let first = low.log10().floor() as i32;
        let last = high.log10().ceil() as i32;
        // As fine as leaves room for what is written.
        let steps: [&[f64]; 3] = [&ROUND, &[1.0, 2.0, 5.0], &[1.0]];
        let values = steps.map(|steps| {
            let tens = (first..=last).map(|power| 10_f64.powi(power));
            let all = tens.flat_map(|ten| steps.iter().map(move |it| it * ten));
            all.filter(inside).collect::<Vec<f64>>()
        });
        let few = values.iter().find(|it| it.len() <= 8);
        let values = few.or(values.last()).cloned().unwrap_or_default();
        Axis {
            scale: Scale::Log { low, high },
            title: title.to_owned(),
            ticks: ticks(values.into_iter(), label),
        }
    }

    /// Shares from 0 up to that of one in `count`.
    pub(super) fn nines(title: &str, count: u64) -> Axis {
        let tens = (count.max(10) as f64).log10().min(7.0);
        let mut ticks = vec![
            (0.0, "0 %"),
            (0.5, "50 %"),
            (0.9, "90 %"),
            (0.99, "99 %"),
            (0.999, "99.9 %"),
        ];
        ticks.extend([
            (0.9999, "99.99 %"),
            (0.99999, "99.999 %"),
            (0.999999, "99.9999 %"),
        ]);
        ticks.push((0.9999999, "99.99999 %"));
        Axis {
            scale: Scale::Nines { tens },
            title: title.to_owned(),
            ticks: ticks
                .into_iter()
                .filter(|(share, _)| *share < 1.0 - 0.95 * 10_f64.powf(-tens))
                // On a long axis the middle is too close to the start.
                .filter(|(share, _)| *share != 0.5 || tens < 5.0)
                .enumerate()
                .map(|(at, (value, label))| Tick {
                    value,
                    label: label.to_owned(),
                    minor: value == 0.5 || (tens >= 5.0 && at > 0 && at % 2 == 0),
                })
                .collect(),
        }
    }

    /// The largest share on an axis of nines.
    pub(super) fn last_share(&self) -> f64 {
        match self.scale {
            Scale::Nines { tens } => 1.0 - 10_f64.powf(-tens),
            _ => 1.0,
        }
    }

    /// Where a figure stands: 0 at the start, 1 at the end, and never beyond.
    pub(super) fn place(&self, value: f64) -> f64 {
        let at = match self.scale {
            Scale::Linear { low, high } => (value - low) / (high - low),
            Scale::Log { low, high } => (value.max(low) / low).ln() / (high / low).ln(),
            Scale::Nines { tens } => -(1.0 - value).max(1e-9).log10() / tens,
        };
        if at.is_finite() {
            at.clamp(0.0, 1.0)
        } else {
            0.0
        }
    }
}

fn ticks(values: impl Iterator<Item = f64>, label: impl Fn(f64) -> String) -> Vec<Tick> {
    let tick = |(at, value)| Tick {
        value,
        label: label(value),
        minor: at % 2 == 1,
    };
    values.enumerate().map(tick).collect()
}

/// A round step that is no smaller.
fn step(least: f64) -> f64 {
    if least <= 0.0 || !least.is_finite() {
        return 1.0;
    }
    let power = 10_f64.powf(least.log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0].map(|it| it * power);
    steps
        .into_iter()
        .find(|it| *it >= least * 0.999_999)
        .unwrap_or(power * 10.0)
}

/// What a logarithmic axis may begin and end with, times a power of ten.
const ROUND: [f64; 7] = [1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.0];

fn round_down(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = ROUND.iter().rev().map(|it| it * power);
    steps
        .into_iter()
        .find(|it| *it <= value * 1.000_001)
        .unwrap_or(power)
}

fn round_up(value: f64) -> f64 {
    let power = 10_f64.powf(value.log10().floor());
    let steps = ROUND.iter().map(|it| it * power);
    steps
        .into_iter()
        .find(|it| *it >= value * 0.999_999)
        .unwrap_or(power * 10.0)
}

/// A figure without needless digits.
pub(super) fn short(value: f64) -> String {
    let text = format!("{value:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

/// A time for a tick, given in nanoseconds.
pub(super) fn time(ns: f64) -> String {
    match ns {
        0.0 => "0".to_owned(),
        it if it < 0.999e3 => format!("{} ns", short(it)),
        it if it < 0.999e6 => format!("{} µs", short(it / 1e3)),
        it if it < 0.999e9 => format!("{} ms", short(it / 1e6)),
        it => format!("{} s", short(it / 1e9)),
    }
}

/// A rate for a tick.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        it if it >= 999_999.0 => format!("{}M/s", short(it / 1e6)),
        it if it >= 999.9 => format!("{}k/s", short(it / 1e3)),
        it => format!("{}/s", short(it)),
    }
}

/// A share for a tick, given from 0 to 1.
pub(super) fn percent(share: f64) -> String {
    format!("{} %", short(share * 100.0))
}

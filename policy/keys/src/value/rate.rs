//! Rates: `"100/s"`, `"1000/min"`, `"5000/h"`, `"1000000/day"`.

use super::{Mismatch, Raw, Shape, Value, text};
use std::time::Duration;

/// So many events in each stretch of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many events; at least 1.
    pub count: u64,
    /// In how long; one of a second, a minute, an hour and a day.
    pub per: Duration,
}

impl Rate {
    /// Reads a rate; `None` when the text is not one.
    pub fn parse(text: &str) -> Option<Rate> {
        let (count, unit) = text.split_once('/')?;
        let seconds = match unit {
            "s" => 1,
            "min" => 60,
            "h" => 3_600,
            "day" => 86_400,
            _ => return None,
        };
        if !count.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let count = count.parse().ok().filter(|count| *count > 0)?;
        Some(Rate {
            count,
            per: Duration::from_secs(seconds),
        })
    }
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = match self.per.as_secs() {
            1 => "s",
            60 => "min",
            3_600 => "h",
            _ => "day",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

impl Value for Rate {
    const SHAPE: Shape = Shape::text(
        "rate",
        "a rate such as \"100/s\", \"1000/min\", \"5000/h\" or \"1000000/day\"",
        "^[0-9]+/(s|min|h|day)$",
    );

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        let text = match raw {
            Raw::Integer(count) if *count > 0 => {
                return Err(Mismatch::form(&Self::SHAPE, raw).hint(format!("write \"{count}/s\"")));
            }
            other => text(&Self::SHAPE, other)?,
        };
        Rate::parse(text).ok_or_else(|| {
            let mismatch = Mismatch::text(&Self::SHAPE, text);
            match text.split_once('/') {
                Some(("0", _)) => {
                    mismatch.hint("a rate is at least 1; to close a route, leave it out")
                }
                Some((count, "m" | "minute" | "mins")) => {
                    mismatch.hint(format!("write \"{count}/min\""))
                }
                Some((count, "sec" | "second")) => mismatch.hint(format!("write \"{count}/s\"")),
                Some((count, "hour" | "hr")) => mismatch.hint(format!("write \"{count}/h\"")),
                Some((count, "d")) => mismatch.hint(format!("write \"{count}/day\"")),
                None if text.parse::<u64>().is_ok() => mismatch.hint(format!("write \"{text}/s\"")),
                _ => mismatch,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_a_count_and_one_unit_of_time() {
        for (text, count, seconds) in [
            ("100/s", 100, 1),
            ("1000/min", 1000, 60),
            ("5000/h", 5000, 3600),
            ("1000000/day", 1_000_000, 86400),
        ] {
            let rate = Rate::parse(text).unwrap();
            assert_eq!((rate.count, rate.per.as_secs()), (count, seconds));
            assert_eq!(rate.to_string(), text);
        }
        for wrong in [
            "", "100", "/s", "100/", "0/s", "1.5/s", "-1/s", "100/m", "100 /s", "+1/s",
        ] {
            assert_eq!(Rate::parse(wrong), None, "{wrong}");
        }
        let hint = Rate::read(&Raw::Text("100/m".into())).unwrap_err().hint;
        assert_eq!(hint.as_deref(), Some("write \"100/min\""));
    }
}

//! Durations: `"250ms"`, `"5s"`, `"1m"`.

use super::{Mismatch, Raw, Shape, Value};
use std::time::Duration;

/// Unit and its length in nanoseconds, smallest first.
const UNITS: [(&str, u64); 6] = [
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// Reads a duration; `None` when the text is not one (or is longer than 500 years).
pub fn parse_duration(text: &str) -> Option<Duration> {
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(split);
    let (_, length) = UNITS.iter().find(|(name, _)| *name == unit)?;
    let nanos = count.parse::<u64>().ok()?.checked_mul(*length)?;
    Some(Duration::from_nanos(nanos))
}

/// The shortest text that [`parse_duration`] reads as this duration.
pub fn duration_text(duration: Duration) -> String {
    let nanos = duration.as_nanos();
    let unit = UNITS
        .iter()
        .rev()
        .find(|(_, length)| nanos.is_multiple_of(u128::from(*length)) && nanos > 0);
    match unit {
        Some((name, length)) => format!("{}{name}", nanos / u128::from(*length)),
        None => format!("{}us", nanos / 1000),
    }
}

impl Value for Duration {
    const SHAPE: Shape = Shape::text(
        "duration",
        "a duration such as \"250ms\", \"5s\" or \"1m\"",
        "^[0-9]+(us|ms|s|m|h|d)$",
    );

    fn read(raw: &Raw) -> Result<Self, Mismatch> {
        let text = match raw {
            Raw::Text(text) => text,
            Raw::Integer(count) if *count >= 0 => {
                return Err(Mismatch::form(&Self::SHAPE, raw).hint(format!("write \"{count}s\"")));
            }
            other => return Err(Mismatch::form(&Self::SHAPE, other)),
        };
        parse_duration(text).ok_or_else(|| {
            let mismatch = Mismatch::text(&Self::SHAPE, text);
            let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
            match text[digits.len()..].trim() {
                _ if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) => mismatch,
                "" => mismatch.hint(format!("say the unit: \"{digits}s\" or \"{digits}ms\"")),
                "sec" | "secs" | "second" | "seconds" => {
                    mismatch.hint(format!("write \"{digits}s\""))
                }
                "min" | "mins" | "minute" | "minutes" => {
                    mismatch.hint(format!("write \"{digits}m\""))
                }
                "hour" | "hours" => mismatch.hint(format!("write \"{digits}h\"")),
                "day" | "days" => mismatch.hint(format!("write \"{digits}d\"")),
                _ => mismatch.hint("the units are us, ms, s, m, h and d"),
            }
        })
    }

    fn within(&self, low: &str, high: &str) -> bool {
        parse_duration(low).is_some_and(|low| *self >= low)
            && (high.is_empty() || parse_duration(high).is_some_and(|high| *self <= high))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u64>) {
        assert_eq!(
            parse_duration(text).map(|d| d.as_nanos() as u64),
            expected,
            "{text}"
        );
    }

    #[test]
    fn durations_are_one_number_and_one_unit() {
        check("0s", Some(0));
        check("7us", Some(7_000));
        check("250ms", Some(250_000_000));
        check("5s", Some(5_000_000_000));
        check("1m", Some(60_000_000_000));
        check("2h", Some(7_200_000_000_000));
        check("1d", Some(86_400_000_000_000));
        for wrong in [
            "",
            "5",
            "s",
            "5 s",
            " 5s",
            "5S",
            "-5s",
            "1.5s",
            "1m30s",
            "5x",
            "300000d",
            "99999999999999999999s",
        ] {
            check(wrong, None);
        }
    }

    #[test]
    fn text_is_read_back() {
        for text in ["250ms", "5s", "1m", "90s", "36h", "1d", "15us", "0us"] {
            assert_eq!(duration_text(parse_duration(text).unwrap()), text);
        }
    }

    #[test]
    fn a_missing_or_foreign_unit_gets_a_hint() {
        let hint = |raw| Duration::read(&raw).unwrap_err().hint;
        assert_eq!(hint(Raw::Integer(5)).as_deref(), Some("write \"5s\""));
        assert_eq!(
            hint(Raw::Text("5".into())).as_deref(),
            Some("say the unit: \"5s\" or \"5ms\"")
        );
        assert_eq!(
            hint(Raw::Text("5min".into())).as_deref(),
            Some("write \"5m\"")
        );
        assert_eq!(hint(Raw::Text("fast".into())), None);
    }
}

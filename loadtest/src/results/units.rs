//! Figures as people read them: times, rates, sizes, counts, shares. Four characters or so, and always a unit.

/// Three digits, without needless ones: `1.23`, `12.3`, `123`, `1,234`.
pub fn digits(value: f64) -> String {
    // The digits depend on what rounding gives: 9.999 is 10.0 and not 10.00.
    match value.abs() {
        0.0 => "0".to_owned(),
        it if it < 9.995 => format!("{value:.2}"),
        it if it < 99.95 => format!("{value:.1}"),
        _ => grouped(&format!("{value:.0}")),
    }
}

/// A time given in nanoseconds: `640 ns`, `12.3 µs`, `1.50 ms`, `2.00 s`.
pub fn time(ns: f64) -> String {
    match ns {
        it if it < 999.5 => format!("{it:.0} ns"),
        it if it < 999.5e3 => format!("{} µs", digits(it / 1e3)),
        it if it < 999.5e6 => format!("{} ms", digits(it / 1e6)),
        it => format!("{} s", digits(it / 1e9)),
    }
}

/// A length of time given in nanoseconds: `250 ms`, `30.0 s`, `2 min 05 s`, `1 h 02 min`.
pub fn span(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match seconds {
        0..120 => time(ns as f64),
        120..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// A rate: `812/s`, `52,310/s`, `1.20 million/s`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        it if it >= 999_999.5 => format!("{} million/s", digits(it / 1e6)),
        it => format!("{}/s", digits(it)),
    }
}

/// A size: `512 B`, `1.50 KiB`, `2.00 GiB`.
pub fn size(bytes: f64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1023.5 {
        return format!("{bytes:.0} B");
    }
    let mut value = bytes / 1024.0;
    for unit in UNITS {
        if value < 1023.5 || unit == "TiB" {
            return format!("{} {unit}", digits(value));
        }
        value /= 1024.0;
    }
    String::new()
}

/// A number of things: `1,234,567`.
pub fn count(count: u64) -> String {
    grouped(&count.to_string())
}

/// A share of a whole, given from 0 to 1: `0 %`, `0.13 %`, `99.9 %`.
pub fn share(share: f64) -> String {
    let percent = share * 100.0;
    match percent {
        0.0 => "0 %".to_owned(),
        100.0 => "100 %".to_owned(),
        // Something is never shown as nothing.
        it if it < 0.005 => "< 0.01 %".to_owned(),
        it if it < 9.995 => format!("{it:.2} %"),
        it => format!("{it:.1} %"),
    }
}

/// How often one figure is another: `0.65 ×`; none when the other is nothing.
pub fn ratio(figure: f64, base: f64) -> Option<String> {
    (base > 0.0).then(|| format!("{} ×", digits(figure / base)))
}

/// Commas between thousands of a whole number.
fn grouped(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", digits),
    };
    let mut out = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

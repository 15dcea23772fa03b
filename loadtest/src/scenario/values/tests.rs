//! Tests of the kinds of values.

use super::*;

#[test]
fn durations_have_a_unit_and_may_have_a_fraction() {
    let nanos = |text| parse_duration(text).map(|it| it.as_nanos());
    assert_eq!(nanos("250ms"), Some(250_000_000));
    assert_eq!(nanos("1.5s"), Some(1_500_000_000));
    assert_eq!(nanos("5m"), Some(300_000_000_000));
    assert_eq!(nanos("200us"), Some(200_000));
    assert_eq!(nanos("1d"), Some(86_400_000_000_000));
    for wrong in [
        "",
        "5",
        "s",
        "5 s",
        "-5s",
        "1.s",
        ".5s",
        "1m30s",
        "5x",
        "1e3s",
        "99999999999999999d",
    ] {
        assert_eq!(nanos(wrong), None, "{wrong}");
    }
}

#[test]
fn counts_may_be_thousands_and_millions() {
    assert_eq!(parse_count("100000"), Some(100_000));
    assert_eq!(parse_count("100_000"), Some(100_000));
    assert_eq!(parse_count("50k"), Some(50_000));
    assert_eq!(parse_count("2.5M"), Some(2_500_000));
    for wrong in [
        "",
        "k",
        "-1",
        "0.5",
        "1.2345k",
        "1G",
        "99999999999999999999",
    ] {
        assert_eq!(parse_count(wrong), None, "{wrong}");
    }
}

#[test]
fn rates_are_per_second_at_last() {
    assert_eq!(parse_rate("20k/s"), Some(20_000.0));
    assert_eq!(parse_rate("20000"), Some(20_000.0));
    assert_eq!(parse_rate("90/min"), Some(1.5));
    assert_eq!(parse_rate("3600/h"), Some(1.0));
    for wrong in ["", "/s", "1/day", "1 /s", "fast", "-1/s", "NaN/s", "inf"] {
        assert_eq!(parse_rate(wrong), None, "{wrong}");
    }
}

#[test]
fn sizes_are_powers_of_two() {
    assert_eq!(parse_size("2KiB"), Some(2048));
    assert_eq!(parse_size("1.5MiB"), Some(1_572_864));
    assert_eq!(parse_size("17"), Some(17));
    assert_eq!(parse_size("17B"), Some(17));
    for wrong in ["", "1KB", "KiB", "0.5B", "-1KiB"] {
        assert_eq!(parse_size(wrong), None, "{wrong}");
    }
    assert_eq!(size_text(&(64 << 20)), "64MiB");
    assert_eq!(size_text(&1500), "1500B");
}

#[test]
fn durations_are_shown_as_they_are_written() {
    for text in ["0s", "250ms", "5m", "36h", "1d", "7us", "90s"] {
        let duration = parse_duration(text).expect("a duration");
        let shown = duration_text(&duration);
        assert_eq!(parse_duration(&shown), Some(duration), "{text}");
    }
    assert_eq!(duration_text(&Duration::from_secs(90)), "90s");
    assert_eq!(duration_text(&Duration::from_secs(3600)), "1h");
}

#[test]
fn a_secret_may_come_from_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("secret"), "s3cret\n").expect("written");
    let mut report = Report::default();
    let mut read = |said: &str, a_line| {
        let place = report.text("x", said);
        let bytes = secret(
            &mut report,
            &Value::text(said, place),
            folder.path(),
            a_line,
        );
        bytes.map(|it| String::from_utf8(it).expect("text"))
    };
    assert_eq!(read("file:secret", true).as_deref(), Some("s3cret"));
    assert_eq!(read("file:secret", false).as_deref(), Some("s3cret\n"));
    assert_eq!(read("as it stands", true).as_deref(), Some("as it stands"));
    assert_eq!(read("file:other", true), None);
    assert_eq!(read("file:.", true), None);
    assert_eq!(read("${NO_SUCH_VARIABLE_HERE}", true), None);
    assert_eq!(report.len(), 3);
}

//! Tests of thresholds.

use super::*;

fn check(text: &str, metric: Metric, comparison: Comparison, limit: Limit) {
    let read = Threshold::parse(text).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(
        (read.metric, read.comparison, read.limit),
        (metric, comparison, limit),
        "{text}"
    );
}

#[test]
fn thresholds_are_read() {
    use Series::{Connect, FirstByte, Latency, Service};
    let ms = |ms| Limit::Time(Duration::from_millis(ms));
    check(
        "p99 < 2ms",
        Metric::Percentile(Latency, 99.0),
        Comparison::Below,
        ms(2),
    );
    check(
        "p99.9<=1s",
        Metric::Percentile(Latency, 99.9),
        Comparison::AtMost,
        ms(1000),
    );
    check(
        "service_p50 < 0.5s",
        Metric::Percentile(Service, 50.0),
        Comparison::Below,
        ms(500),
    );
    check(
        "first_byte_max < 1s",
        Metric::Max(FirstByte),
        Comparison::Below,
        ms(1000),
    );
    check(
        "connect_mean < 1ms",
        Metric::Mean(Connect),
        Comparison::Below,
        ms(1),
    );
    check("min > 0s", Metric::Min(Latency), Comparison::Above, ms(0));
    check(
        "errors == 0",
        Metric::Errors,
        Comparison::Equal,
        Limit::Count(0),
    );
    check(
        "errors < 50%",
        Metric::Errors,
        Comparison::Below,
        Limit::Share(0.5),
    );
    check(
        "rate >= 50k/s",
        Metric::Rate,
        Comparison::AtLeast,
        Limit::Rate(50e3),
    );
    check(
        "requests != 1M",
        Metric::Requests,
        Comparison::NotEqual,
        Limit::Count(1_000_000),
    );
}

#[test]
fn what_is_no_threshold_is_told() {
    for wrong in [
        "",
        "p99",
        "p99 2ms",
        "p99 = 2ms",
        "p99 =< 2ms",
        "p99 < ",
        "p99 < 2",
        "p0 < 1s",
        "p101 < 1s",
        "pp < 1s",
        "errors < 101%",
        "errors < 0.5",
        "rate > 1ms",
        "service_errors == 0",
        "< 2ms",
        "p99 < 2ms, p50 < 1ms",
        "p1e1 < 1s",
        "p-1 < 1s",
    ] {
        assert!(Threshold::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_request_has_its_own() {
    let of = |text| Threshold::parse(text).map(|it| (it.template, it.text));
    assert_eq!(
        of("get.p99.9 < 2ms"),
        Ok((Some("get".into()), "get.p99.9 < 2ms".into()))
    );
    assert_eq!(of("p99.9 <2ms"), Ok((None, "p99.9 < 2ms".into())));
}

#[test]
fn what_a_sweep_holds_on_to_is_at_most() {
    let texts = |text| {
        Threshold::until(text).map(|all| all.into_iter().map(|it| it.text).collect::<Vec<_>>())
    };
    assert_eq!(
        texts("p99=5ms,errors=0.1%"),
        Ok(vec!["p99 <= 5ms".to_owned(), "errors <= 0.1%".to_owned()])
    );
    assert_eq!(texts("p99.9 < 5ms"), Ok(vec!["p99.9 < 5ms".to_owned()]));
    assert_eq!(
        texts("errors==0,rate=1k"),
        Ok(vec!["errors == 0".to_owned(), "rate >= 1k".to_owned()])
    );
    assert!(texts("p99").is_err());
    assert!(texts("p99=").is_err());
    assert!(texts("").is_err());
}

#[test]
fn comparisons_hold_as_their_signs_say() {
    let holds = |sign: &str| {
        let found = COMPARISONS
            .iter()
            .find(|(it, _)| *it == sign)
            .map(|(_, it)| *it);
        let comparison = found.expect("a comparison");
        [1, 2, 3].map(|value| comparison.holds(value, 2))
    };
    assert_eq!(holds("<"), [true, false, false]);
    assert_eq!(holds("<="), [true, true, false]);
    assert_eq!(holds(">"), [false, false, true]);
    assert_eq!(holds(">="), [false, true, true]);
    assert_eq!(holds("=="), [false, true, false]);
    assert_eq!(holds("!="), [true, false, true]);
}

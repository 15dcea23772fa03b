//! Tests of the two formats: the negotiation and the exact text.

use super::{Format, Page};
use crate::metrics::histogram::{DURATION, Histogram, Totals};
use crate::metrics::names;

#[test]
fn the_accept_header_decides() {
    let check = |accept: &str, expected| assert_eq!(Format::accepted(accept), expected, "{accept}");
    check("", Format::Prometheus);
    check("*/*", Format::Prometheus);
    check("text/plain", Format::Prometheus);
    check("application/openmetrics-text", Format::OpenMetrics);
    check("application/openmetrics-text;q=0", Format::Prometheus);
    check(
        "application/openmetrics-text;q=0.1,text/plain;q=0.5",
        Format::Prometheus,
    );
    check(
        "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
         text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
        Format::OpenMetrics,
    );
}

#[test]
fn labels_are_escaped() {
    let mut page = Page::new(Format::Prometheus);
    page.count(&names::CONFIG_INFO, &["a\"b\\c\nd"], 1);
    assert!(
        page.finish()
            .ends_with("gateway_config_info{hash=\"a\\\"b\\\\c\\nd\"} 1\n")
    );
}

#[test]
fn counters_and_gauges_in_both_formats() {
    let text = |format| {
        let mut page = Page::new(format);
        page.count(&names::CONFIG_RELOADS, &["invalid"], 1);
        page.count(&names::CONFIG_RELOADS, &["ok"], 2);
        page.float(&names::PROCESS_CPU, &[], 1.25);
        page.level(&names::PROCESS_OPEN_FDS, &[], 7);
        page.finish()
    };
    assert_eq!(
        text(Format::Prometheus),
        "# HELP gateway_config_reloads_total Reloads by result: ok, invalid (what was read is wrong), refused (a worker can't), timeout.\n\
         # TYPE gateway_config_reloads_total counter\n\
         gateway_config_reloads_total{result=\"invalid\"} 1\n\
         gateway_config_reloads_total{result=\"ok\"} 2\n\
         # HELP process_cpu_seconds_total Processor time used, user and system.\n\
         # TYPE process_cpu_seconds_total counter\n\
         process_cpu_seconds_total 1.25\n\
         # HELP process_open_fds Open file descriptors.\n\
         # TYPE process_open_fds gauge\n\
         process_open_fds 7\n"
    );
    assert_eq!(
        text(Format::OpenMetrics),
        "# HELP gateway_config_reloads Reloads by result: ok, invalid (what was read is wrong), refused (a worker can't), timeout.\n\
         # TYPE gateway_config_reloads counter\n\
         gateway_config_reloads_total{result=\"invalid\"} 1\n\
         gateway_config_reloads_total{result=\"ok\"} 2\n\
         # HELP process_cpu_seconds Processor time used, user and system.\n\
         # TYPE process_cpu_seconds counter\n\
         process_cpu_seconds_total 1.25\n\
         # HELP process_open_fds Open file descriptors.\n\
         # TYPE process_open_fds gauge\n\
         process_open_fds 7\n\
         # EOF\n"
    );
}

#[test]
fn a_histogram_is_cumulative() {
    let one = Histogram::new(&DURATION);
    for nanoseconds in [0, 50_000, 50_001, 2_500_000, 10_000_000_001] {
        one.observe(nanoseconds);
    }
    let mut totals = Totals::new(&DURATION);
    totals.add(&one);
    let text = |format| {
        let mut page = Page::new(format);
        page.histogram(&names::REQUEST_DURATION, &["gw"], &totals);
        page.finish()
    };
    let expected = "\
# HELP gateway_request_duration_seconds Time from a request's first byte to its answer's last.
# TYPE gateway_request_duration_seconds histogram
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.00005\"} 2
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.0001\"} 3
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.00025\"} 3
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.0005\"} 3
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.001\"} 3
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.0025\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.005\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.01\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.025\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.05\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.1\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.25\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"0.5\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"1\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"2.5\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"5\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"10\"} 4
gateway_request_duration_seconds_bucket{route=\"gw\",le=\"+Inf\"} 5
gateway_request_duration_seconds_sum{route=\"gw\"} 10.002600002
gateway_request_duration_seconds_count{route=\"gw\"} 5
";
    assert_eq!(text(Format::Prometheus), expected);
    assert!(text(Format::OpenMetrics).contains("{route=\"gw\",le=\"1.0\"} 4\n"));
}

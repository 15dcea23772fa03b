//! The table as it is printed.

use expect_test::{Expect, expect};

use crate::results::samples;
use crate::results::units;

use super::*;

fn check(results: &Results, expected: Expect) {
    expected.assert_eq(&text(results));
}

#[test]
fn a_closed_loop() {
    check(
        &samples::closed(),
        expect![[r#"
            http://127.0.0.1:8080/1k: closed loop, 64 connections, 1 worker, 7.00 s

            Answers        14,000     2,000/s
            Failures            0         0 %
            Read         14.7 MiB  2.10 MiB/s
            Written       547 KiB  78.1 KiB/s
            Connections        64

            Time            p50     p75     p90     p99    p99.9      max    mean
            Latency      250 µs  275 µs  290 µs  299 µs  2.20 ms  2.30 ms  252 µs
            First byte   230 µs  255 µs  270 µs  279 µs  2.18 ms  2.28 ms  232 µs
            TCP connect  111 µs  127 µs  137 µs  143 µs   143 µs   143 µs  112 µs

            Status 200  14,000  100 %

            Generator CPU  0.29 cores, 143 µs for each answer
            Workers busy   28.5 %
        "#]],
    );
}

#[test]
fn an_open_loop_with_everything() {
    check(
        &samples::open(),
        expect![[r#"
            orders<script>�[31m.toml: open loop at 5s@1k, 1 connection, 2 workers, 5.50 s (interrupted)

            Answers         4,990                   907/s
            Failures           31                  0.62 %
            Never sent          7  no connection was free
            Read         1.43 MiB               266 KiB/s
            Written      9.77 MiB              1.78 MiB/s
            Connections         1               1 resumed

            Time                    p50      p75      p90      p99    p99.9      max     mean
            Latency, from due    861 µs  1.10 ms  1.25 ms  1.38 ms  1.41 ms  1.42 ms   874 µs
            Latency, from sent   802 µs  1.04 ms  1.20 ms  1.29 ms  1.30 ms  1.30 ms   814 µs
            First byte           752 µs   993 µs  1.15 ms  1.24 ms  1.25 ms  1.25 ms   764 µs
            TCP connect          120 µs   120 µs   120 µs   120 µs   120 µs   120 µs   120 µs
            TLS handshake       1.50 ms  1.50 ms  1.50 ms  1.50 ms  1.50 ms  1.50 ms  1.50 ms

            Status 200  4,970  99.6 %
            Status 503     20  0.40 %

            Failed: timed out          10
            Failed: connection reset    1
            Failed: unexpected status  20

            Request   answers  failures     p50      p75      p90      p99    p99.9      max    mean
            get         4,490        31  861 µs  1.10 ms  1.25 ms  1.38 ms  1.41 ms  1.42 ms  874 µs
            post <&>      500         0  861 µs  1.09 ms  1.27 ms  1.35 ms  1.39 ms  1.39 ms  870 µs

            Generator CPU  1.64 cores, 1.80 ms for each answer
            Workers busy   90.0 %, 95.0 %
            Sent late by   p50 60.0 µs, p99 120 µs, max 120 µs
            Beware         the generator was the limit: workers were busy 93 % of the time

            ✓  p99 < 2ms    1.40 ms
            ✗  errors == 0       31
        "#]],
    );
}

#[test]
fn a_sweep() {
    check(
        &samples::sweep(),
        expect![[r#"
            http://127.0.0.1:8080/1k: best step of a sweep, 64 connections, 1 worker, 7.00 s

            Answers        14,000     2,000/s
            Failures            0         0 %
            Read         14.7 MiB  2.10 MiB/s
            Written       547 KiB  78.1 KiB/s
            Connections        64

            Time                  p50     p75     p90     p99    p99.9      max    mean
            Latency, from due  250 µs  275 µs  290 µs  299 µs  2.20 ms  2.30 ms  252 µs
            First byte         230 µs  255 µs  270 µs  279 µs  2.18 ms  2.28 ms  232 µs
            TCP connect        111 µs  127 µs  137 µs  143 µs   143 µs   143 µs  112 µs

            Status 200  14,000  100 %

            Generator CPU  0.29 cores, 143 µs for each answer
            Workers busy   28.5 %

            55,000/s is the highest rate found that keeps p99=5ms,errors=0.1%
                Rate   reached      p50      p99  failed    p99, logarithmic
            10,000/s   9,990/s   133 µs   400 µs     0 %  ✓ █
            20,000/s  19,980/s   167 µs   500 µs     0 %  ✓ ██
            40,000/s  39,960/s   300 µs   900 µs     0 %  ✓ █████
            55,000/s  54,945/s  1.33 ms  4.00 ms     0 %  ✓ ████████████
            60,000/s  59,940/s  6.67 ms  20.0 ms  2.00 %  ✗ ███████████████████
            80,000/s  59,940/s   100 ms   300 ms  2.00 %  ✗ ████████████████████████████████ (generator)
        "#]],
    );
}

#[test]
fn nothing_was_answered() {
    check(
        &samples::nothing(),
        expect![[r#"
            http://127.0.0.1:1/: closed loop, 1 connection, 1 worker, 1.00 ms

            Answers        0    0/s
            Failures       1  100 %
            Read         0 B  0 B/s
            Written      0 B  0 B/s
            Connections    0

            Time        p50  p75  p90  p99  p99.9  max  mean
            no answers

            Failed: could not connect  1

            Generator CPU  0.00 cores
        "#]],
    );
}

#[test]
fn figures_have_three_digits_and_a_unit() {
    let check = |shown: Vec<String>, expected: Expect| expected.assert_eq(&shown.join(" | "));
    let times = [
        0.0, 999.0, 1000.0, 9994.0, 9995.0, 99_949.0, 99_950.0, 999_499.0, 999_500.0, 1.5e9, 6e10,
    ];
    check(
        times.map(units::time).to_vec(),
        expect![
            "0 ns | 999 ns | 1.00 µs | 9.99 µs | 10.0 µs | 99.9 µs | 100 µs | 999 µs | 1.00 ms | 1.50 s | 60.0 s"
        ],
    );
    let spans = [
        0,
        5_000_000,
        10_000_000_000,
        119_999_000_000,
        120_000_000_000,
        3_725_000_000_000,
    ];
    check(
        spans.map(units::span).to_vec(),
        expect!["0 ns | 5.00 ms | 10.0 s | 120 s | 2 min 00 s | 1 h 02 min"],
    );
    let rates = [0.0, 0.5, 12.34, 999.6, 52_310.4, 999_999.4, 1_234_567.0];
    check(
        rates.map(units::rate).to_vec(),
        expect!["0/s | 0.50/s | 12.3/s | 1,000/s | 52,310/s | 999,999/s | 1.23 million/s"],
    );
    let sizes = [0.0, 1023.0, 1024.0, 1_048_575.0, 1_048_576.0, 5e9, 7e15];
    check(
        sizes.map(units::size).to_vec(),
        expect!["0 B | 1023 B | 1.00 KiB | 1.00 MiB | 1.00 MiB | 4.66 GiB | 6,366 TiB"],
    );
    let shares = [0.0, 0.000_01, 0.001, 0.0999, 0.5, 1.0];
    check(
        shares.map(units::share).to_vec(),
        expect!["0 % | < 0.01 % | 0.10 % | 9.99 % | 50.0 % | 100 %"],
    );
    let ratios = [(1.0, 3.0), (3.0, 0.0), (500.0, 2.0)];
    let ratios = ratios.map(|(a, b)| units::ratio(a, b).unwrap_or_default());
    check(ratios.to_vec(), expect!["0.33 × |  | 250 ×"]);
}

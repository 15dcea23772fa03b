//! Comparing, in figures and as text.

use expect_test::expect;

use super::*;
use crate::results::samples;

fn runs(all: [Results; 2]) -> Vec<Run> {
    let [base, other] = all;
    names(vec![
        ("base.json".to_owned(), base),
        ("other.json".to_owned(), other),
    ])
}

#[test]
fn runs_of_one_name_are_told_apart_by_their_files() {
    let shown = |all| runs(all).into_iter().map(|it| it.name).collect::<Vec<_>>();
    let same = shown([samples::closed(), samples::sweep()]);
    assert_eq!(same, ["base.json", "other.json"]);
    let different = shown([samples::closed(), samples::nothing()]);
    assert_eq!(
        different,
        ["http://127.0.0.1:8080/1k", "http://127.0.0.1:1/"]
    );
}

#[test]
fn a_difference_within_the_spread_is_none() {
    let cell = |value, spread| Cell {
        value,
        spread,
        ..Cell::default()
    };
    let check = |better, base: Cell, other: Cell, expected: Option<(&str, Is)>| {
        let row = Row {
            name: String::new(),
            better,
            cells: vec![base, other],
        };
        let verdict = row.verdict(1);
        let found = verdict.as_ref().map(|it| (it.ratio.as_str(), it.is));
        assert_eq!(found, expected);
    };
    let ten = || cell(Some(10.0), None);
    let about_ten = || cell(Some(10.0), Some((9.0, 11.0)));
    check(
        Better::Less,
        ten(),
        cell(Some(5.0), None),
        Some(("0.50 ×", Is::Better)),
    );
    check(
        Better::More,
        ten(),
        cell(Some(5.0), None),
        Some(("0.50 ×", Is::Worse)),
    );
    check(Better::More, ten(), ten(), Some(("1.00 ×", Is::Even)));
    let apart = cell(Some(12.0), Some((11.5, 13.0)));
    check(
        Better::Less,
        about_ten(),
        apart,
        Some(("1.20 ×", Is::Worse)),
    );
    let near = cell(Some(12.0), Some((10.5, 13.0)));
    check(Better::Less, about_ten(), near, Some(("1.20 ×", Is::Even)));
    check(Better::Less, ten(), cell(None, None), None);
    check(
        Better::Less,
        cell(Some(0.0), None),
        ten(),
        Some(("", Is::Worse)),
    );
}

#[test]
fn the_table() {
    expect![[r#"
        http://127.0.0.1:8080/1k (base)
          closed loop, 64 connections, 1 worker, 7.00 s
        orders<script>�[31m.toml
          open loop at 5s@1k, 1 connection, 2 workers, 5.50 s (interrupted)
          Beware: the generator was the limit

                            http://127.0.0.1:8080/1k  orders<script>�[31m.toml     ratio
        Answers                              2,000/s                     907/s  0.45 × -
          by second               2,000/s to 2,000/s            998/s to 998/s
        Failed                                   0 %                    0.62 %         -
        p50                                   250 µs                    861 µs  3.44 × -
          by second                 249 µs to 250 µs          659 µs to 942 µs
        p75                                   275 µs                   1.10 ms  4.01 × -
        p90                                   290 µs                   1.25 ms  4.32 × -
          by second                 289 µs to 289 µs        1.18 ms to 1.27 ms
        p99                                   299 µs                   1.38 ms  4.60 × -
          by second                 297 µs to 299 µs        1.35 ms to 1.38 ms
        p99.9                                2.20 ms                   1.41 ms  0.64 × +
        max                                  2.30 ms                   1.42 ms  0.62 × +
        mean                                  252 µs                    874 µs  3.47 × -
        First byte, p50                       230 µs                    752 µs  3.27 × -
        TCP connect, p50                      111 µs                    120 µs  1.08 × -
        Read                              2.10 MiB/s                 266 KiB/s  0.12 × -
        Generator CPU each                    143 µs                   1.80 ms  12.6 × -

        + better, - worse, ~ within the spread of the seconds of both runs
    "#]]
    .assert_eq(&text(&runs([samples::closed(), samples::open()])));
}

#[test]
fn runs_that_came_to_nothing() {
    expect![[r#"
        base.json (base)
          closed loop, 1 connection, 1 worker, 1.00 ms
        other.json
          closed loop, 1 connection, 1 worker, 1.00 ms

                 base.json  other.json     ratio
        Answers        0/s         0/s         ~
        Failed       100 %       100 %  1.00 × ~
        Read         0 B/s       0 B/s         ~

        + better, - worse, ~ within the spread of the seconds of both runs
    "#]]
    .assert_eq(&text(&runs([samples::nothing(), samples::nothing()])));
}

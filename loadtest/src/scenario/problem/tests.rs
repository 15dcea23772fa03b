//! Tests of how problems are shown.

use super::*;
use expect_test::expect;

fn shown(text: &str, start: usize, end: usize) -> String {
    let mut report = Report::default();
    let whole = report.text("a.toml", text);
    report.add(
        Fault::at(
            Place {
                start,
                end,
                ..whole
            },
            "it is wrong",
        )
        .note("do it right"),
    );
    show(&report.into_problems())
}

#[test]
fn the_source_line_is_underlined() {
    expect![[r#"
        a.toml:2:5: error: it is wrong
          |
        2 | x = 5
          |     ^
          = do it right

        1 problem
    "#]]
    .assert_eq(&shown("[load]\nx = 5\n", 11, 12));
}

#[test]
fn places_out_of_the_text_and_amid_characters_are_survived() {
    shown("", 5, 9);
    shown("ä", 1, 2);
    shown("a\nb", 0, 3);
}

#[test]
fn secrets_are_starred_out() {
    let mut report = Report::default();
    let whole = report.text("a.toml", "key = \"secret\"");
    report.hide(Place { start: 6, ..whole });
    report.add(Fault::at(
        Place {
            start: 0,
            end: 3,
            ..whole
        },
        "it is wrong",
    ));
    let text = show(&report.into_problems());
    assert!(
        text.contains("key = ********") && !text.contains("secret"),
        "{text}"
    );
}

#[test]
fn near_words_are_found() {
    let words = ["connections", "requests", "expect_status", "rate"];
    assert_eq!(nearest("conections", words), Some("connections"));
    assert_eq!(nearest("status", words), Some("expect_status"));
    assert_eq!(nearest("rat", words), Some("rate"));
    assert_eq!(nearest("zebra", words), None);
}

#[test]
fn the_same_problem_is_told_once_and_all_in_order() {
    let mut report = Report::default();
    let whole = report.text("a.toml", "abc");
    for start in [2, 0, 2] {
        report.add(Fault::at(
            Place {
                start,
                end: 3,
                ..whole
            },
            "it is wrong",
        ));
    }
    report.add(Fault::nowhere("nothing is said"));
    let problems = report.into_problems();
    let columns: Vec<usize> = problems.iter().map(|it| it.column).collect();
    assert_eq!(columns, [1, 3, 0]);
    assert!(problems[2].file.is_none());
}

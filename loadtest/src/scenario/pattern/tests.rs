//! Tests of texts with values in braces.

use super::*;

/// The pieces, values as their index in angle brackets, and the problems.
fn parsed(texts: &[&str], spot: Spot) -> (Vec<String>, Vec<String>) {
    let tokens = ["users".to_owned()];
    let mut names = Names::new(&tokens, Path::new(""));
    let mut report = Report::default();
    let one = |text: &&str| {
        let place = report.text("t", text);
        let parts = names.parse(&mut report, &Value::text(text, place), text, spot);
        let shown = parts.iter().map(|part| match part {
            Part::Literal(text) => text.clone(),
            Part::Value(slot) => format!("<{slot}>"),
        });
        shown.collect::<String>()
    };
    let shown = texts.iter().map(one).collect();
    let problems = report.into_problems().into_iter().map(|it| it.message);
    (shown, problems.collect())
}

fn check(text: &str, expected: &str) {
    let (shown, problems) = parsed(&[text], Spot::Body);
    assert_eq!(problems, Vec::<String>::new(), "{text}");
    assert_eq!(shown, [expected]);
}

fn told(text: &str, expected: &str) {
    let (_, problems) = parsed(&[text], Spot::Body);
    assert!(
        problems.iter().any(|it| it.contains(expected)),
        "{text}: {problems:?}"
    );
}

#[test]
fn values_stand_in_braces() {
    check("/items/{id:1..10000}", "/items/<0>");
    check("{id:1..9}{name:a|b|c}{uuid}{counter}", "<0><1><2><3>");
    check("{id:1..9}-{id}-{ id }", "<0>-<0>-{ id }");
    check(
        "{a:counter:5..} {b:counter:1..9} {counter:01..09} {c:text:8} {text:9} {d:uuid}",
        "<0> <1> <2> <3> <4> <5>",
    );
    check("{token.users} {token.users}", "<0> <0>");
    check("{n:|x}", "<0>");
}

#[test]
fn json_needs_nothing() {
    for text in [
        "{}",
        "{\"a\":{\"b\":{}}}",
        "{ \"a\": 1 }",
        "[{},{}]",
        "}",
        "{",
        "a{",
        "{1..2}",
        "${",
        "$",
        "{\n  \"a\": []\n}",
    ] {
        check(text, text);
    }
    check("{\"id\":{id:1..2}}", "{\"id\":<0>}");
    check("{{id}", "{id}");
    check("${{id}", "${id}");
    check("{{{id:1..2}}", "{<0>}");
}

#[test]
fn what_makes_no_sense_is_told() {
    told("{id}", "there is no value `id`");
    told("{id:}", "is neither");
    told("{id:5}", "is neither");
    told("{id:a}", "is neither");
    told("{id:1..}", "where the range ends");
    told("{id:..5}", "is not a range");
    told("{id:5..1}", "ends before it begins");
    told("{id:-1..1}", "is not a range");
    told("{id:1..99999999999999999999}", "is not a range");
    told("{id:1..9223372036854775807}", "is not a range");
    told("{a b:1..2}", "is not a name");
    told("{id:1..2}{id:1..2}", "said before");
    told("{text}", "how long");
    told("{text:0}", "1 to 65536");
    told("{text:99999}", "1 to 65536");
    told("{token.admins}", "no tokens `admins`");
    told("{token.}", "is not a name");
    told("{x:file:nowhere}", "can't read `nowhere`");
    told("${NO_SUCH_VARIABLE_HERE}", "no variable");
    let many: String = (0..65).map(|at| format!("{{v{at}:1..2}}")).collect();
    told(&many, "at most 64 values");
}

#[test]
fn a_name_means_the_same_value_in_the_whole_request() {
    let (shown, problems) = parsed(
        &["/{id:1..9}", "{id} {other:1..9}", "{other}{id}"],
        Spot::Body,
    );
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(shown, ["/<0>", "<0> <1>", "<1><0>"]);
}

#[test]
fn nothing_stands_where_it_would_mean_something_else() {
    let bad = |texts: &[&str], spot| !parsed(texts, spot).1.is_empty();
    for text in ["a b", "a\r\nb", "ä", "a#b", "{x:a b|c}", "\u{7f}"] {
        assert!(bad(&[text], Spot::Path), "{text:?}");
    }
    for text in ["a\r\nb", "a\nb", "\0", "{x:a\nb|c}"] {
        assert!(bad(&[text], Spot::Header), "{text:?}");
    }
    assert!(!bad(&["a b\tä#"], Spot::Header));
    assert!(!bad(&["a\r\n\0ä"], Spot::Body));
}

#[test]
fn lines_of_a_file_are_values() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ids"), "a\r\n\nb b\nc").expect("written");
    let mut names = Names::new(&[], folder.path());
    let mut report = Report::default();
    let text = "{id:file:ids}";
    let place = report.text("t", text);
    names.parse(&mut report, &Value::text(text, place), text, Spot::Header);
    assert_eq!(report.len(), 0);
    assert!(matches!(&names.draws[..], [Draw::List(list)] if list.len() == 3));
    // What may stand in a header may not stand in a path.
    names.parse(&mut report, &Value::text("{id}", place), "{id}", Spot::Path);
    assert_eq!(report.len(), 1);
}

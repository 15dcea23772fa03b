//! t

use crate::results::samples;

#[test]
fn write_samples() {
    for (name, results) in [
        ("closed", samples::closed()),
        ("open", samples::open()),
        ("sweep", samples::sweep()),
        ("nothing", samples::nothing()),
    ] {
        std::fs::write(format!("/tmp/l2m/{name}.html"), super::report(&results)).expect("written");
    }
    let runs = crate::compare::names(vec![
        ("a".into(), samples::closed()),
        ("b".into(), samples::open()),
        ("c".into(), samples::sweep()),
    ]);
    std::fs::write("/tmp/l2m/compare.html", super::comparison(&runs)).expect("written");
    println!("{}", crate::compare::text(&runs));
}

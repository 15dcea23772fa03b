//! The header table as an exchange edits it: every field looked at, some left out, the rest and a route's
//! own lines written. The loop is like that of the gateway's `heads`, of the parts that are pure.

use std::hint::black_box;

use policy::headers::Edits;
use policy::identity::HeaderNames;

use super::heads::{BROWSER, PLAIN};
use crate::{Sample, Subject};
use protocol::http1::encode::Passed;

/// The subjects of this room.
pub fn all() -> Vec<Subject> {
    vec![edit("plain", PLAIN), edit("browser", BROWSER)]
}

fn edit(name: &str, text: &'static str) -> Subject {
    Subject::new(format!("head/edit/{name}"), move || {
        let sample = Sample::new(text);
        let lines = |lines: &[&str]| {
            lines
                .iter()
                .map(|line| (*line).to_owned())
                .collect::<Vec<_>>()
        };
        let edits = Edits::compile(
            &lines(&["X-Environment: production", "Cache-Control: no-store"]),
            &lines(&["X-Gateway: portcullis"]),
            &lines(&["X-Debug"]),
        );
        let edits = edits.expect("good edits");
        let names = HeaderNames::default();
        let mut out = Vec::with_capacity(4096);
        move || {
            out.clear();
            let request = black_box(&sample).request();
            let mut passed = Passed::new(request.bytes, &mut out);
            for (field, name, _) in request.fields() {
                if !(field.hop_by_hop || names.matches(name) || edits.drops(name)) {
                    passed.field(field);
                }
            }
            passed.finish();
            out.extend_from_slice(edits.lines());
            black_box(out.len());
        }
    })
}

//! The body of a refusal: as a problem document and as text.

use std::hint::black_box;

use policy::problem::{Extra, Problem, write_problem, write_text};

use crate::Subject;

const PROBLEM: Problem<'static> = Problem {
    status: 429,
    title: "Too many requests",
    detail: "The limit per_user is used up.",
    instance: b"/gw/products/17",
    error: "Rate limit exceeded",
    request_id: b"0198a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b",
    extra: &[
        ("limit", Extra::Number(100)),
        ("retryAfter", Extra::Number(7)),
    ],
};

/// The subjects of this room.
pub fn all() -> Vec<Subject> {
    vec![
        answer("answer/problem", write_problem),
        answer("answer/text", write_text),
    ]
}

fn answer(name: &str, write: fn(&mut Vec<u8>, &Problem<'_>)) -> Subject {
    Subject::new(name, move || {
        let mut out = Vec::with_capacity(1024);
        move || {
            out.clear();
            write(&mut out, black_box(&PROBLEM));
            black_box(out.len());
        }
    })
}

//! Properties: any bytes at all, and any JSON at all.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// JSON of every kind, not deeper than what is accepted.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(|b| json!(b)),
        any::<i64>().prop_map(|n| json!(n)),
        any::<u64>().prop_map(|n| json!(n)),
        any::<f32>()
            .prop_filter("finite", |n| n.is_finite())
            .prop_map(|n| json!(f64::from(n))),
        any::<String>().prop_map(Value::String),
    ];
    leaf.prop_recursive(6, 48, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn strict_json_reads_what_json_says(value in any_json()) {
        let text = serde_json::to_vec(&value).unwrap();
        let expected: Value = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!(json::value(&text).unwrap(), expected);
        let doubled = format!(r#"{{"a":{0},"a":{0}}}"#, String::from_utf8(text).unwrap());
        prop_assert!(json::value(doubled.as_bytes()).is_err());
    }

    #[test]
    fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(secret(|_| ()).verify_bytes(&bytes, NOW).is_err());
    }

    #[test]
    fn any_three_segments_are_refused(
        header in any_json(),
        claims in any_json(),
        signature in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let token = format!("{}.{}.{}", encode(header.to_string()), encode(claims.to_string()), encode(signature));
        prop_assert!(secret(|_| ()).verify_bytes(token.as_bytes(), NOW).is_err());
    }

    #[test]
    fn any_claims_that_are_signed_do_no_harm(claims in any_json(), unix in any::<u64>()) {
        let verifier = secret(|s| s.required_claims.clear());
        if let Ok(verified) = verifier.verify_bytes(hs256(&claims.to_string()).as_bytes(), unix) {
            let lines = verified.forward_lines();
            prop_assert!(lines.is_empty() || lines.ends_with(b"\r\n"));
            prop_assert_eq!(lines.split(|b| *b == b'\n').count() - 1, lines.windows(2).filter(|w| w == b"\r\n").count());
        }
    }

    /// `now < exp + leeway` and `nbf <= now + leeway`, by arithmetic on the numbers themselves.
    #[test]
    fn times_are_those_of_the_numbers(exp in 0..4_000_u32, nbf in 0..4_000_u32, leeway in 0..40_u32, now in 0..1_100_u32) {
        // In quarters of a second, which are exact.
        let verifier = secret(|s| s.leeway = Duration::from_millis(u64::from(leeway) * 250));
        let claims = format!(r#"{{"exp":{},"nbf":{}}}"#, f64::from(exp) / 4.0, f64::from(nbf) / 4.0);
        let expected = if now * 4 >= exp + leeway {
            "expired"
        } else if now * 4 + leeway < nbf {
            "not_yet_valid"
        } else {
            "ok"
        };
        prop_assert_eq!(outcome_at(&verifier, &hs256(&claims), u64::from(now)), expected);
    }
}

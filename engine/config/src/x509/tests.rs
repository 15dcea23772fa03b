//! What is read out of real files, and that nothing is read out of others.

use super::*;
use crate::snapshot::{KeyForm, KeyKind};
use crate::testing::cert;
use proptest::prelude::*;

fn facts(name: &str) -> Vec<Facts> {
    let ders = certificates(cert(name)).unwrap();
    ders.iter().map(|der| Facts::of(der).unwrap()).collect()
}

#[test]
fn a_chain_is_read_with_names_dates_and_issuers() {
    let [edge, inter] = &facts("edge.pem")[..] else {
        panic!()
    };
    let names = [
        "edge.example",
        "*.Edge.example",
        "192.0.2.1",
        "[2001:db8::1]",
    ];
    assert_eq!(edge.names, names);
    assert_eq!(edge.issuer, inter.subject);
    assert_ne!(edge.subject, inter.subject);
    // 20000 and 30000 days: the one date is written with two digits of its year, the other with four.
    assert_eq!(edge.not_after - edge.not_before, 20_000 * 86_400);
    assert_eq!(inter.not_after - inter.not_before, 30_000 * 86_400);
    assert!(edge.not_before > 1_700_000_000 && edge.not_before < 2_524_608_000);
    assert!(edge.not_after > 2_524_608_000);
}

#[test]
fn the_common_name_stands_in_for_a_list_of_names() {
    assert_eq!(facts("p384.pem")[0].names, ["plain.example"]);
    assert_eq!(facts("ed25519.pem")[0].names, Vec::<String>::new());
}

#[test]
fn keys_of_every_form_give_their_public_key() {
    let cases = [
        ("edge", KeyForm::Pkcs8, KeyKind::P256),
        ("rsa", KeyForm::Pkcs1, KeyKind::Rsa),
        ("p384", KeyForm::Sec1, KeyKind::P384),
        ("ed25519", KeyForm::Pkcs8, KeyKind::Ed25519),
    ];
    for (name, form, kind) in cases {
        let (key, public) = private_key(cert(&format!("{name}.key"))).unwrap();
        assert_eq!((key.form, key.kind), (form, kind), "{name}");
        assert_eq!(
            public,
            facts(&format!("{name}.pem"))[0].public_key,
            "{name}"
        );
        assert_eq!(format!("{:?}", key.der), "Secret(…)");
    }
    let (key, _) = private_key(cert("p521.key")).unwrap();
    assert_eq!((key.form, key.kind), (KeyForm::Sec1, KeyKind::P521));
}

#[test]
fn a_file_may_hold_chain_and_key() {
    let both = [cert("edge.key"), cert("edge.pem")].concat();
    assert_eq!(certificates(&both).unwrap().len(), 2);
    assert_eq!(private_key(&both).unwrap().0.kind, KeyKind::P256);
}

#[test]
fn revocation_lists_come_as_pem_or_der() {
    let lists = revocation_lists(cert("ca.crl")).unwrap();
    assert_eq!(lists.len(), 1);
    assert_eq!(revocation_lists(&lists[0]).unwrap(), lists);
    let two = [cert("ca.crl"), cert("ca.crl")].concat();
    assert_eq!(revocation_lists(&two).unwrap().len(), 2);
    assert_eq!(
        revocation_lists(cert("ca.pem")).unwrap_err(),
        "holds no revocation list"
    );
    assert!(revocation_lists(&lists[0][..100]).is_err());
}

#[test]
fn an_ocsp_response_says_successful() {
    assert!(ocsp_response(&[0x30, 3, 0x0a, 1, 0]).is_ok());
    let error = ocsp_response(&[0x30, 3, 0x0a, 1, 6]).unwrap_err();
    assert_eq!(
        error,
        "holds an OCSP error, not an answer about a certificate"
    );
    for wrong in [
        &b""[..],
        b"-----BEGIN",
        &[0x30, 3, 0x0a, 1, 0, 0],
        &[0x30, 0],
    ] {
        assert_eq!(
            ocsp_response(wrong).unwrap_err(),
            "is not an OCSP response (DER)"
        );
    }
}

#[test]
fn authorities_are_held_against_the_rules_of_verifying() {
    for name in ["ca.pem", "rsa.pem", "v1.pem"] {
        let der = &certificates(cert(name)).unwrap()[0];
        assert_eq!(check_authority(der), Ok(()), "{name}");
    }
    assert!(check_authority(&Der::new(b"\x30\x00")).is_err());
}

/// The one certificate of a file, its bytes to be changed.
fn bytes_of(name: &str) -> Vec<u8> {
    certificates(cert(name)).unwrap()[0].to_vec()
}

#[test]
fn what_is_shown_first_is_held_against_the_rules_too() {
    let own = |name: &str| check_own(&certificates(cert(name)).unwrap()[0]);
    for name in ["edge.pem", "rsa.pem", "p384.pem", "ed25519.pem", "ca.pem"] {
        assert_eq!(own(name), Ok(()), "{name}");
    }
    assert_eq!(own("v1.pem").unwrap_err(), "it is not of X.509 version 3");
    assert_eq!(facts("v1.pem")[0].names, ["old.example"]);
}

#[test]
fn every_cut_of_a_certificate_is_refused() {
    let whole = bytes_of("edge.pem");
    for end in 0..whole.len() {
        assert!(Facts::of(&Der::new(&whole[..end])).is_err(), "{end}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Facts::of(&Der::new(&bytes));
        let _ = certificates(&bytes);
        let _ = private_key(&bytes);
        let _ = revocation_lists(&bytes);
        let _ = ocsp_response(&bytes);
        let mut reader = der::Reader::new(&bytes);
        let mut left = bytes.len();
        while let Some((_, content)) = reader.next() {
            prop_assert!(content.len() + 2 <= left);
            left -= content.len() + 2;
        }
    }

    #[test]
    fn a_changed_certificate_is_answered(at in 0usize..500, to in any::<u8>()) {
        let mut bytes = bytes_of("edge.pem");
        let length = bytes.len();
        bytes[at % length] = to;
        let _ = Facts::of(&Der::new(&bytes));
    }
}

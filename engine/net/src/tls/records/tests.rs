//! Sealing against rustls' own opening, for every layout; nothing opens that was changed, moved or repeated.

use rustls::crypto::cipher::{AeadKey, Iv};

use super::super::provider::chosen::cipher_suite as suites;
use super::*;

fn secrets(chacha: bool) -> ConnectionTrafficSecrets {
    let (key, iv) = (AeadKey::from([7; 32]), Iv::from([9; 12]));
    match chacha {
        true => ConnectionTrafficSecrets::Chacha20Poly1305 { key, iv },
        false => ConnectionTrafficSecrets::Aes256Gcm { key, iv },
    }
}

/// The two ends of one direction.
fn ends(suite: SupportedCipherSuite, sequence: u64) -> (Sealer, Opener) {
    let name = format!("{:?}", suite.suite());
    let secrets = || secrets(name.contains("CHACHA"));
    (
        Sealer::new(suite, (sequence, secrets())).expect("a sealer"),
        Opener::new(suite, (sequence, secrets())).expect("an opener"),
    )
}

fn sealed(sealer: &mut Sealer, kind: ContentType, plain: &[u8]) -> Vec<u8> {
    let mut record = vec![0; sealer.front()];
    record.extend(plain);
    record.extend(vec![0; sealer.back()]);
    sealer.seal(kind, &mut record).expect("sealed");
    record
}

fn open(opener: &mut Opener, record: &mut [u8]) -> Result<(ContentType, Vec<u8>), Error> {
    let header = Header::of(record).expect("a header")?;
    let body = &mut record[HEADER..];
    assert_eq!(header.len, body.len());
    let (kind, plain) = opener.open(header, body)?;
    Ok((kind, body[plain].to_vec()))
}

impl Sealer {
    pub(in super::super) fn wear_for_test(&mut self, left: u64) -> u64 {
        self.sequence = self.limit - left;
        self.sequence
    }

    pub(in super::super) fn sealed_for_test(&self) -> u64 {
        self.sequence
    }
}

impl Opener {
    pub(in super::super) fn catch_up_for_test(&mut self, sequence: u64) {
        self.sequence = sequence;
    }
}

const SUITES: [SupportedCipherSuite; 4] = [
    suites::TLS13_AES_256_GCM_SHA384,
    suites::TLS13_CHACHA20_POLY1305_SHA256,
    suites::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    suites::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
];

#[test]
fn what_is_sealed_opens_in_order() {
    for suite in SUITES {
        for sequence in [0, 1, 1 << 20] {
            let (mut sealer, mut opener) = ends(suite, sequence);
            for len in [0, 1, 2, 100, 1_350, MAX_PLAIN] {
                let plain: Vec<u8> = (0..len).map(|i| i as u8).collect();
                for kind in [ContentType::ApplicationData, ContentType::Alert] {
                    let mut record = sealed(&mut sealer, kind, &plain);
                    assert!(
                        len < 16
                            || !record
                                .windows(16)
                                .any(|it| plain.windows(16).next() == Some(it))
                    );
                    let opened = open(&mut opener, &mut record).expect("opened");
                    assert_eq!(opened, (kind, plain.clone()), "{suite:?} {len}");
                }
            }
        }
    }
}

#[test]
fn what_was_changed_moved_or_repeated_does_not_open() {
    for suite in SUITES {
        let fresh = || {
            let (mut sealer, opener) = ends(suite, 5);
            let records =
                [b"one", b"two"].map(|it| sealed(&mut sealer, ContentType::ApplicationData, it));
            (records, opener)
        };
        let (records, _) = fresh();
        for at in HEADER..records[0].len() {
            let (mut records, mut opener) = fresh();
            records[0][at] ^= 1;
            assert!(
                open(&mut opener, &mut records[0]).is_err(),
                "{suite:?} byte {at}"
            );
        }
        let (mut records, mut opener) = fresh();
        assert!(open(&mut opener, &mut records[1]).is_err(), "moved");
        let (mut records, mut opener) = fresh();
        let mut again = records[0].clone();
        assert!(open(&mut opener, &mut records[0]).is_ok());
        assert!(open(&mut opener, &mut again).is_err(), "repeated");
        // Another type outside.
        let (mut records, mut opener) = fresh();
        records[0][0] = 22;
        assert!(open(&mut opener, &mut records[0]).is_err(), "{suite:?}");
    }
}

#[test]
fn a_key_seals_no_more_than_it_may() {
    let suite = suites::TLS13_AES_256_GCM_SHA384;
    let limit = suite.tls13().map(|it| it.common.confidentiality_limit);
    let limit = limit.expect("a limit");
    let (mut sealer, _) = ends(suite, limit - 2);
    assert!(sealer.lasts(1) && !sealer.lasts(2));
    let mut record = vec![0; sealer.front() + sealer.back()];
    let mut seal = || sealer.seal(ContentType::ApplicationData, &mut record);
    assert!(seal().is_ok());
    assert!(seal().is_ok());
    assert!(seal().is_err());
    assert!(seal().is_err());
}

#[test]
fn headers_are_judged_before_anything_is_opened() {
    assert_eq!(Header::of(&[23, 3, 3, 0]), None);
    let good = Header { kind: 23, len: 256 };
    assert_eq!(Header::of(&[23, 3, 3, 1, 0, 9]), Some(Ok(good)));
    let long = Some(Err(Error::PeerSentOversizedRecord));
    assert_eq!(Header::of(&[23, 3, 3, 0x48, 1]), long);
    assert!(matches!(Header::of(&[23, 2, 0, 0, 1]), Some(Err(_))));
    // TLS 1.3 allows less than the header does.
    let (_, mut opener) = ends(suites::TLS13_AES_256_GCM_SHA384, 0);
    let mut record = vec![23, 3, 3, 0x41, 1];
    record.extend(vec![0; 0x4101]);
    assert_eq!(
        open(&mut opener, &mut record),
        Err(Error::PeerSentOversizedRecord)
    );
}

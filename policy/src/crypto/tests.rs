//! Digests, and the vectors of RFC 7515 and RFC 8037.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

/// Whether a compact token's signature holds.
fn holds(key: &Key, algorithm: Algorithm, token: &str) -> bool {
    let (message, text) = token.rsplit_once('.').unwrap();
    let bytes = decode(text);
    let signature = Signature {
        text,
        bytes: &bytes,
    };
    key.verify(algorithm, message.as_bytes(), signature)
}

/// Holds as it is, and under no other algorithm nor with any byte changed.
fn check_vector(key: &Key, algorithm: Algorithm, token: &str) {
    assert!(holds(key, algorithm, token));
    for other in Algorithm::ALL {
        assert_eq!(holds(key, other, token), other == algorithm, "{other:?}");
    }
    let changed = token.replacen('.', ".A", 1);
    assert!(!holds(key, algorithm, &changed));
}

#[test]
fn sha256_and_hex() {
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(unhex(abc), Some(sha256(b"abc")));
    assert_eq!(unhex(&abc.to_uppercase()), Some(sha256(b"abc")));
    assert_eq!(unhex(&abc[1..]), None);
    assert_eq!(unhex(&abc.replace('b', "g")), None);
    assert!(equal(&sha256(b"abc"), &sha256(b"abc")));
    assert!(!equal(&sha256(b"abc"), &sha256(b"abd")));
}

#[test]
fn algorithm_names_are_exact() {
    for algorithm in Algorithm::ALL {
        assert_eq!(Algorithm::parse(algorithm.as_str()), Some(algorithm));
    }
    for name in [
        "none", "None", "hs256", "RS256 ", "ES512", "ES256K", "", "RSA-OAEP",
    ] {
        assert_eq!(Algorithm::parse(name), None, "{name}");
    }
}

#[test]
fn rfc_7515_appendix_a_1_hs256() {
    let key =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\
        .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
        .dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    check_vector(&Key::secret(&decode(key)).unwrap(), Algorithm::Hs256, token);
}

#[test]
fn rfc_7515_appendix_a_2_rs256() {
    let token = "eyJhbGciOiJSUzI1NiJ9\
        .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
        .cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let key = Key::rsa(&decode(crate::testing::keys::RSA_N), &[1, 0, 1]).unwrap();
    check_vector(&key, Algorithm::Rs256, token);
}

#[test]
fn rfc_7515_appendix_a_3_es256() {
    let token = "eyJhbGciOiJFUzI1NiJ9\
        .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ\
        .DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let x = decode("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    let y = decode("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    let key = Key::ec(Curve::P256, &x, &y).unwrap();
    check_vector(&key, Algorithm::Es256, token);
    let (message, signature) = token.rsplit_once('.').unwrap();
    // CVE-2022-21449: a signature of zeros, and one in DER, are no signatures.
    let zeros = URL_SAFE_NO_PAD.encode([0; 64]);
    assert!(!holds(
        &key,
        Algorithm::Es256,
        &format!("{message}.{zeros}")
    ));
    let short = URL_SAFE_NO_PAD.encode(&decode(signature)[..63]);
    assert!(!holds(
        &key,
        Algorithm::Es256,
        &format!("{message}.{short}")
    ));
}

#[test]
fn rfc_8037_appendix_a_4_eddsa() {
    let token = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc\
        .hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let key = Key::ed25519(&decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")).unwrap();
    check_vector(&key, Algorithm::EdDsa, token);
}

#[test]
fn small_or_odd_keys_are_refused() {
    let n = decode(crate::testing::keys::RSA_N);
    let e = [1, 0, 1];
    assert!(Key::rsa(&n, &e).is_ok());
    assert!(Key::rsa(&n[..128], &e).is_err(), "1024 bits");
    assert!(Key::rsa(&[0x7f; 256], &e).is_err(), "2047 bits");
    assert!(Key::rsa(&[0xff; 1025], &e).is_err(), "8200 bits");
    assert!(Key::rsa(&[0xfe; 256], &e).is_err(), "even");
    assert!(Key::rsa(&n, &[1]).is_err(), "exponent 1");
    assert!(Key::rsa(&n, &[2]).is_err(), "even exponent");
    assert!(Key::rsa(&n, &[]).is_err(), "no exponent");
    assert!(Key::rsa(&[], &e).is_err(), "no modulus");
    assert!(Key::secret(&[7; 31]).is_err());
    assert!(Key::ec(Curve::P256, &[1; 32], &[1; 31]).is_err());
    assert!(Key::ec(Curve::P384, &[1; 32], &[1; 32]).is_err());
    assert!(Key::ed25519(&[1; 31]).is_err());
}

#[test]
fn a_secret_fits_only_the_hashes_it_is_long_enough_for() {
    let fits = |length: usize| {
        let key = Key::secret(&vec![7; length]).unwrap();
        Algorithm::ALL
            .into_iter()
            .filter(|a| key.fits(*a))
            .map(Algorithm::as_str)
            .collect::<Vec<_>>()
    };
    assert_eq!(fits(32), ["HS256"]);
    assert_eq!(fits(48), ["HS256", "HS384"]);
    assert_eq!(fits(64), ["HS256", "HS384", "HS512"]);
}

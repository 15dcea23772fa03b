//! Files of certificates and keys that can't be used.

use crate::Source;
use crate::testing::{LEAST, World, cert};
use expect_test::{Expect, expect};

/// With these files beside those of the world.
fn with_files(files: &[(&str, &[u8])], text: &str, expected: Expect) {
    let mut world = World::new();
    for (name, bytes) in files {
        world.files.insert(name.into(), bytes.to_vec());
    }
    let loaded = world.load(&[Source::new("gateway.toml", format!("{LEAST}{text}"))]);
    expected.assert_eq(&loaded.err().unwrap().to_string());
}

#[test]
fn certificates() {
    let der = crate::x509::certificates(cert("edge.pem")).unwrap()[0].to_vec();
    let torn = cert("edge.pem");
    let torn = &torn[..torn.len() - 40];
    let swapped = [cert("ca.pem"), cert("edge.pem")].concat();
    with_files(
        &[
            ("text.pem", b"hello"),
            ("der.pem", &der),
            ("torn.pem", torn),
            ("swapped.pem", &swapped),
            (
                "none.pem",
                b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
            ),
            ("glued.key", b"-----BEGIN PRIVATE KEY-----MIGHAgEAMBM\n"),
        ],
        r#"[certificate.a]
chain = "certs/nowhere.pem"
key = "certs/edge.pem"
[certificate.b]
chain = "text.pem"
key = "certs/encrypted.key"
[certificate.c]
chain = "der.pem"
key = "certs/encrypted-old.key"
[certificate.d]
chain = "torn.pem"
key = "certs/k256.key"
[certificate.e]
chain = "swapped.pem"
key = "certs/edge.key"
[certificate.f]
chain = "certs/edge.pem"
key = "certs/rsa.key"
[certificate.g]
chain = "certs/v1.pem"
key = "glued.key"
[certificate.h]
chain = ""
key = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBM"""
[certificate.i]
chian = "certs/edge.pem"
names = ["a.example", "A.example", "*", "a b"]
ocsp = "certs/edge.pem"
[certificate.j]
chain = "certs/edge.pem"
key = "certs/edge.key"
names = []
[upstream.u]
endpoints = ["10.0.0.1:443"]
tls = true
tls_ca = "none.pem"
"#,
        expect![[r#"
            gateway.toml:4:9: error: can't read certs/nowhere.pem: No such file
              |
            4 | chain = "certs/nowhere.pem"
              |         ^^^^^^^^^^^^^^^^^^^

            gateway.toml:5:7: error: certs/edge.pem holds no private key (PEM)
              |
            5 | key = "certs/edge.pem"
              |       ^^^^^^^^^^^^^^^^

            gateway.toml:7:9: error: text.pem holds no certificate
              |
            7 | chain = "text.pem"
              |         ^^^^^^^^^^

            gateway.toml:8:7: error: certs/encrypted.key holds an encrypted private key: decrypt it with `openssl pkey`, or the gateway can't start by itself
              |
            8 | key = "certs/encrypted.key"
              |       ^^^^^^^^^^^^^^^^^^^^^

            gateway.toml:10:9: error: der.pem is not PEM; it looks like DER (`openssl x509 -inform der` turns it into PEM)
               |
            10 | chain = "der.pem"
               |         ^^^^^^^^^

            gateway.toml:11:7: error: certs/encrypted-old.key holds an encrypted private key: decrypt it with `openssl pkey`, or the gateway can't start by itself
               |
            11 | key = "certs/encrypted-old.key"
               |       ^^^^^^^^^^^^^^^^^^^^^^^^^

            gateway.toml:13:9: error: torn.pem is broken after the 1st certificate: a section has no `-----END …-----` line
               |
            13 | chain = "torn.pem"
               |         ^^^^^^^^^^

            gateway.toml:14:7: error: certs/k256.key holds a private key that can't be used: RSA of 2048 to 8192 bits, ECDSA on P-256, P-384 or P-521, or Ed25519 is needed
               |
            14 | key = "certs/k256.key"
               |       ^^^^^^^^^^^^^^^^

            gateway.toml:17:7: error: certs/edge.key is not the key of the certificate in swapped.pem
               |
            17 | key = "certs/edge.key"
               |       ^^^^^^^^^^^^^^^^
               = it is that of the 2nd certificate there: the server's own comes first

            gateway.toml:20:7: error: certs/rsa.key is not the key of the certificate in certs/edge.pem
               |
            20 | key = "certs/rsa.key"
               |       ^^^^^^^^^^^^^^^

            gateway.toml:22:9: error: the 1st certificate in certs/v1.pem can't be used as one: it is not of X.509 version 3
               |
            22 | chain = "certs/v1.pem"
               |         ^^^^^^^^^^^^^^

            gateway.toml:23:7: error: glued.key is broken: a `-----BEGIN …` line does not end in `-----`
               |
            23 | key = "glued.key"
               |       ^^^^^^^^^^^

            gateway.toml:25:9: error: the path of a file belongs here
               |
            25 | chain = ""
               |         ^^

            gateway.toml:26:7: error: the path of a file belongs here
               |
            26 | key = ******************************
               |       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

            gateway.toml:28:1: error: [certificate.i] lacks `chain`
               |
            28 | [certificate.i]
               | ^^^^^^^^^^^^^^^
               = expected chain = "certs/edge.pem"

            gateway.toml:28:1: error: [certificate.i] lacks `key`
               |
            28 | [certificate.i]
               | ^^^^^^^^^^^^^^^
               = expected key = "certs/edge.key"

            gateway.toml:29:1: error: unknown key `chian` in [certificate.i]
               |
            29 | chian = "certs/edge.pem"
               | ^^^^^
               = did you mean `chain`?

            gateway.toml:30:36: error: `*` is no name; a certificate is shown for every name where it comes first in a listener's `certificates`
               |
            30 | names = ["a.example", "A.example", "*", "a b"]
               |                                    ^^^

            gateway.toml:30:41: error: `a b`: ' ' can't stand in a host
               |
            30 | names = ["a.example", "A.example", "*", "a b"]
               |                                         ^^^^^

            gateway.toml:31:8: error: certs/edge.pem is not an OCSP response (DER)
               |
            31 | ocsp = "certs/edge.pem"
               |        ^^^^^^^^^^^^^^^^

            gateway.toml:35:9: error: an empty list names nothing
               |
            35 | names = []
               |         ^^
               = leave the key out to take the names in the certificate

            gateway.toml:39:10: error: the 1st certificate in none.pem can't be used as an authority: BadDer
               |
            39 | tls_ca = "none.pem"
               |          ^^^^^^^^^^

            22 problems"#]],
    );
}

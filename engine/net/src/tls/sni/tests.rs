//! Names in hellos: real ones, made ones, broken ones, and any split of them.

use proptest::prelude::*;

use super::*;

/// A ClientHello as rustls sends it.
fn real(name: Option<&'static str>) -> Vec<u8> {
    use rustls_pki_types::ServerName;
    let mut config =
        rustls::ClientConfig::builder_with_provider(crate::tls::provider::provider(&[]))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
    config.enable_sni = name.is_some();
    let name = ServerName::try_from(name.unwrap_or("unnamed.example")).expect("a name");
    let mut client = rustls::ClientConnection::new(config.into(), name).expect("a client");
    let mut hello = Vec::new();
    client.write_tls(&mut hello).expect("a hello");
    hello
}

/// A hello with these extensions, cut into records of at most so many bytes.
fn made(extensions: &[u8], record: usize) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend([7; 32]);
    body.extend([0, 0, 2, 0x13, 1, 1, 0]);
    body.extend((extensions.len() as u16).to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1];
    message.extend(&(body.len() as u32).to_be_bytes()[1..]);
    message.extend(body);
    let mut hello = Vec::new();
    for part in message.chunks(record) {
        hello.extend([22, 3, 1]);
        hello.extend((part.len() as u16).to_be_bytes());
        hello.extend(part);
    }
    hello
}

/// The extension that names a host.
fn naming(name: &[u8]) -> Vec<u8> {
    let len = name.len() as u16;
    let mut extension = vec![0, 0];
    extension.extend((len + 5).to_be_bytes());
    extension.extend((len + 3).to_be_bytes());
    extension.push(0);
    extension.extend(len.to_be_bytes());
    extension.extend(name);
    extension
}

fn named(name: &str) -> SniPeek {
    SniPeek::Name(name.into())
}

#[test]
fn names_are_found_however_the_hello_is_cut() {
    let other = [0, 10, 0, 2, 0, 29];
    for record in [1, 2, 3, 4, 5, 50, 51, 16_384] {
        let extensions = [&other[..], &naming(b"Some.Example"), &other].concat();
        assert_eq!(sni(&made(&extensions, record)), named("some.example"));
        assert_eq!(sni(&made(&other, record)), SniPeek::None);
        assert_eq!(sni(&made(&[], record)), SniPeek::None);
    }
    assert_eq!(sni(&real(Some("host.example"))), named("host.example"));
    assert_eq!(sni(&real(None)), SniPeek::None);
}

#[test]
fn what_breaks_the_rules_is_not_tls() {
    let long = [b'a'; 254];
    let bad_names: [&[u8]; 5] = [b"", b"a b", b"a\0b", b"\xff", &long];
    for name in bad_names {
        assert_eq!(sni(&made(&naming(name), 100)), SniPeek::NotTls, "{name:?}");
    }
    // An extension that reaches beyond all of them; a list of another kind.
    assert_eq!(sni(&made(&[0, 0, 0, 9, 1], 100)), SniPeek::NotTls);
    let mut other = naming(b"host");
    other[6] = 1;
    assert_eq!(sni(&made(&other, 100)), SniPeek::NotTls);
    let bad: [&[u8]; 8] = [
        b"GET / HTTP/1.1\r\n",
        &[22, 2],
        &[22, 3, 1, 0, 0],
        &[22, 3, 1, 0x40, 1],
        &[22, 3, 1, 0, 4, 2],
        &[22, 3, 1, 0, 4, 1, 2, 0, 0],
        &[23],
        &[22, 3, 1, 0, 1, 1, 23],
    ];
    for bytes in bad {
        assert_eq!(sni(bytes), SniPeek::NotTls, "{bytes:?}");
    }
    for bytes in [
        &[][..],
        &[22],
        &[22, 3],
        &[22, 3, 1, 0, 4],
        &[22, 3, 1, 0, 4, 1, 0],
    ] {
        assert_eq!(sni(bytes), SniPeek::More, "{bytes:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        sni(&bytes);
        // And behind a good beginning.
        let hello = [&[22, 3, 1, 1, 0, 1, 0, 0, 252][..], &bytes].concat();
        sni(&hello);
    }

    #[test]
    fn a_changed_hello_gives_some_answer(at in 0usize..300, byte in any::<u8>(), record in 1usize..300) {
        let mut hello = made(&naming(b"host.example"), record);
        let at = at % hello.len();
        hello[at] = byte;
        sni(&hello);
    }

    #[test]
    fn an_answer_is_final(cut in 0usize..2000, record in 1usize..300, behind in any::<[u8; 4]>()) {
        for whole in [made(&naming(b"host.example"), record), real(Some("host.example"))] {
            let cut = cut % whole.len();
            prop_assert_eq!(sni(&whole[..cut]), SniPeek::More);
            let more = [&whole[..], &behind].concat();
            prop_assert_eq!(sni(&more), named("host.example"));
        }
    }

    #[test]
    fn no_split_changes_the_answer(bytes in proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(3), Just(22), any::<u8>()], 1..60)) {
        let mut before = SniPeek::More;
        for end in 0..=bytes.len() {
            let now = sni(&bytes[..end]);
            if before != SniPeek::More {
                prop_assert_eq!(&now, &before, "{} bytes", end);
            }
            before = now;
        }
    }
}

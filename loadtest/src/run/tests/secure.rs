//! Runs over TLS against the origin.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{CertificateParams, KeyPair};

use super::*;
use crate::origin::{Options, Origin};

/// An origin with a certificate of its own making, and the folder that holds it.
struct Secure {
    origin: Origin,
    folder: tempfile::TempDir,
}

fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    format!("-----BEGIN {label}-----\n{base64}\n-----END {label}-----\n")
}

impl Secure {
    fn start() -> Secure {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "origin.test".to_owned()];
        let made = CertificateParams::new(names).unwrap();
        let made = made.self_signed(&key).unwrap();
        let file = |name: &str, text: String| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let options = Options {
            certificate: Some(file("cert.pem", pem("CERTIFICATE", made.der()))),
            key: Some(file("key.pem", pem("PRIVATE KEY", &key.serialize_der()))),
            ..Options::default()
        };
        let origin = Origin::start(&options).unwrap();
        Secure { origin, folder }
    }

    fn certificate(&self) -> Option<String> {
        let path = self.folder.path().join("cert.pem");
        Some(path.to_string_lossy().into_owned())
    }

    fn scenario(&self, over: Overrides) -> Scenario {
        let url = format!("https://{}/1k", self.origin.address());
        let over = Overrides {
            cacert: over.cacert.clone().or(self.certificate()),
            ..over
        };
        Scenario::single(&url, &over)
            .unwrap_or_else(|why| panic!("{}", crate::scenario::show(&why)))
    }

    fn run(&self, over: Overrides) -> Result<Results, Failure> {
        run_with(&self.scenario(over), &setup(2))
    }
}

#[test]
fn handshakes_are_measured() {
    let server = Secure::start();
    let results = server.run(closed("200", "4")).unwrap();
    assert_eq!(errors(&results), []);
    assert_eq!(results.counts.answered, 200);
    assert_eq!(results.connect.count(), 4);
    assert_eq!(results.tls.count(), 4);
    assert_eq!(results.counts.resumed, 0);
    let agreed = results.about.tls.expect("a handshake");
    assert!(agreed.starts_with("TLSv1.3, TLS_"), "{agreed}");
    assert!(agreed.ends_with(", http/1.1"), "{agreed}");
}

#[test]
fn sessions_are_resumed_unless_they_are_not_to_be() {
    let server = Secure::start();
    let each = |resume| Overrides {
        requests_per_connection: some("1"),
        tls_resume: some(resume),
        ..closed("30", "3")
    };
    let results = server.run(each("on")).unwrap();
    assert_eq!(errors(&results), []);
    assert_eq!(results.counts.connections, 30);
    // The first of each of the three has nothing to resume.
    assert_eq!(results.counts.resumed, 27);
    let results = server.run(each("off")).unwrap();
    assert_eq!(errors(&results), []);
    assert_eq!(results.tls.count(), 30);
    assert_eq!(results.counts.resumed, 0);
}

#[test]
fn an_open_loop_runs_over_tls_too() {
    let server = Secure::start();
    let over = Overrides {
        rate: some("400/s"),
        duration: some("250ms"),
        connections: some("8"),
        ..Overrides::default()
    };
    let results = server.run(over).unwrap();
    assert_eq!(errors(&results), []);
    assert_eq!(results.counts.sent + results.counts.unsent, 100);
}

#[test]
fn a_group_is_chosen() {
    let server = Secure::start();
    for group in ["X25519", "P-256"] {
        let over = Overrides {
            tls_groups: some(group),
            ..closed("1", "1")
        };
        let agreed = server.run(over).unwrap().about.tls.expect("a handshake");
        assert!(agreed.contains(&format!(", {group}, ")), "{agreed}");
    }
}

#[test]
fn servers_are_verified() {
    let server = Secure::start();
    let other = Secure::start();
    let refused = |over: Overrides| match server.run(over) {
        Err(failure) => failure.to_string(),
        Ok(_) => panic!("it was trusted"),
    };
    let stranger = Overrides {
        cacert: other.certificate(),
        ..closed("1", "1")
    };
    let why = refused(stranger);
    assert!(why.contains("TLS: invalid peer certificate"), "{why}");
    let misnamed = Overrides {
        tls_name: some("elsewhere.test"),
        ..closed("1", "1")
    };
    let why = refused(misnamed);
    assert!(why.contains("not valid for name"), "{why}");
    let named = Overrides {
        tls_name: some("origin.test"),
        ..closed("1", "1")
    };
    assert_eq!(server.run(named).unwrap().counts.answered, 1);
    // By ALPN.
    let http2 = Overrides {
        http2: some("on"),
        ..closed("1", "1")
    };
    let results = server.run(http2).unwrap();
    assert_eq!(results.counts.answered, 1);
    assert!(results.about.tls.is_some_and(|it| it.ends_with(", h2")));
}

#[test]
fn a_handshake_that_fails_fails_its_request() {
    let secure = Secure::start();
    let origin = secure.origin.address();
    // The connection that the run begins with is served, those after it meet no TLS.
    let address = server(move |number, mut conn| {
        if number > 0 {
            let _ = conn.write_all(OK.as_bytes());
            return;
        }
        let mut there = TcpStream::connect(origin).unwrap();
        let (mut back, mut answers) = (conn.try_clone().unwrap(), there.try_clone().unwrap());
        std::thread::spawn(move || std::io::copy(&mut answers, &mut back));
        let _ = std::io::copy(&mut conn, &mut there);
        let _ = there.shutdown(std::net::Shutdown::Both);
    });
    let mut scenario = secure.scenario(Overrides {
        requests_per_connection: some("1"),
        ..closed("3", "1")
    });
    scenario.target.port = address.port();
    let results = run_with(&scenario, &setup(1)).unwrap();
    assert_eq!(results.counts.answered, 1);
    assert_eq!(errors(&results), [(ErrorKind::Tls, 2)]);
}

#[test]
fn what_is_wrong_with_the_settings_is_told() {
    let problem = |url: &str, over: Overrides| {
        let problems = Scenario::single(url, &over).expect_err("a problem");
        problems.into_iter().next().unwrap().message
    };
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "nothing").unwrap();
    let with = |path: &Path| Overrides {
        cacert: Some(path.to_string_lossy().into_owned()),
        ..Overrides::default()
    };
    let said = problem("https://h/", with(&empty));
    assert!(said.contains("no certificate is in it"), "{said}");
    let said = problem("https://h/", with(&folder.path().join("none.pem")));
    assert!(said.contains("can't read"), "{said}");
    let said = problem("http://h/", with(&empty));
    assert_eq!(said, "this is about TLS, and the target has none");
    let over = Overrides {
        tls_groups: some("X448"),
        ..Overrides::default()
    };
    assert_eq!(problem("https://h/", over), "there is no group `X448`");
}

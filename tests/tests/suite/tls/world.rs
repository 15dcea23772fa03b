//! Certificates made on the spot, and OpenSSL's client that says what it was shown.

use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SerialNumber, date_time_ymd,
};
use tempfile::TempDir;

/// The kind of a certificate's key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Ecdsa,
    Rsa,
    /// With ECDSA, and long run out.
    Expired,
}

/// An authority (`ca.pem`, `ca.key`) and what it has issued, in a folder.
pub(super) struct World {
    dir: TempDir,
    issuer: Issuer<'static, KeyPair>,
}

impl World {
    pub(super) fn new() -> World {
        let dir = TempDir::new().expect("a temporary folder");
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        // Two of one name could not be told apart.
        params.distinguished_name = named(&format!("authority of {}", dir.path().display()));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let own = params.self_signed(&key).expect("a certificate");
        pem(&dir.path().join("ca.pem"), "CERTIFICATE", own.der());
        pem(
            &dir.path().join("ca.key"),
            "PRIVATE KEY",
            &key.serialize_der(),
        );
        World {
            dir,
            issuer: Issuer::new(params, key),
        }
    }

    /// Puts a certificate for these hosts, whose common name is its own, into `NAME.pem`, and its key into `NAME.key`;
    /// either file is replaced at once.
    pub(super) fn issue(&self, name: &str, hosts: &[&str], kind: Kind) {
        self.issue_as(name, name, hosts, kind);
    }

    /// The same in files of another name.
    pub(super) fn issue_as(&self, file: &str, name: &str, hosts: &[&str], kind: Kind) {
        let algorithm = match kind {
            Kind::Rsa => &PKCS_RSA_SHA256,
            Kind::Ecdsa | Kind::Expired => &PKCS_ECDSA_P256_SHA256,
        };
        let key = KeyPair::generate_for(algorithm).expect("a key");
        let hosts: Vec<String> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).expect("names of hosts");
        params.distinguished_name = named(name);
        params.serial_number = Some(SerialNumber::from(1_u64));
        if kind == Kind::Expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let issued = params.signed_by(&key, &self.issuer).expect("a certificate");
        let path = |ending: &str| self.path(&format!("{file}.{ending}"));
        for (ending, what, der) in [
            ("key", "PRIVATE KEY", &*key.serialize_der()),
            ("pem", "CERTIFICATE", issued.der().as_ref()),
        ] {
            let new = path("new");
            pem(&new, what, der);
            std::fs::rename(&new, path(ending)).expect("the folder is writable");
        }
    }

    /// Puts an OCSP response (RFC 6960) that a certificate is good into `NAME.ocsp`.
    pub(super) fn staple(&self, name: &str) {
        let index = format!("V\t490101000000Z\t\t01\tunknown\t/CN={name}\n");
        std::fs::write(self.path("index"), index).expect("the folder is writable");
        let mut command = Command::new("openssl");
        command.current_dir(self.dir.path());
        command.args(["ocsp", "-index", "index", "-ndays", "2", "-CA", "ca.pem"]);
        command.args(["-rsigner", "ca.pem", "-rkey", "ca.key", "-issuer", "ca.pem"]);
        command.args(["-cert", &format!("{name}.pem")]);
        command.args(["-respout", &format!("{name}.ocsp")]);
        let output = command.output().expect("openssl can be started");
        assert!(output.status.success(), "{output:?}");
    }

    /// A file of it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The section of a certificate that lies here.
    pub(super) fn section(&self, name: &str, keys: &str) -> String {
        let dir = self.dir.path().display();
        format!(
            "[certificate.{name}]\nchain = \"{dir}/{name}.pem\"\nkey = \"{dir}/{name}.key\"\n{keys}\n"
        )
    }

    /// GETs `/` of a host over a connection of its own, on which that host is named too.
    pub(super) fn ask(&self, to: SocketAddr, host: &str, more: &[&str]) -> Said {
        let named = [&["-servername", host], more].concat();
        self.client(to, host, &named)
    }

    /// GETs `/` of a host with these arguments for OpenSSL's client.
    pub(super) fn client(&self, to: SocketAddr, host: &str, more: &[&str]) -> Said {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-ign_eof", "-connect", &to.to_string()]);
        command.arg("-CAfile").arg(self.path("ca.pem")).args(more);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().expect("openssl");
        let mut stdin = child.stdin.take().expect("it is piped");
        let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        // It may have ended already, refused.
        let _ = stdin.write_all(request.as_bytes());
        drop(stdin);
        let output = child
            .wait_with_output()
            .expect("it ends with its connection");
        Said(String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    }
}

/// What OpenSSL's client has said.
pub(super) struct Said(pub(super) String);

impl Said {
    /// The status of the answer and its body; none if there was no answer.
    pub(super) fn answer(&self) -> Option<(&str, &str)> {
        let (_, from) = self.0.split_once("HTTP/1.1 ")?;
        let (head, body) = from.split_once("\r\n\r\n")?;
        // Behind it stand its own words.
        Some((head.get(..3)?, body))
    }

    /// Whether it was answered 200 with this text, which begins like no other of its test.
    pub(super) fn says(&self, text: &str) -> bool {
        self.answer()
            .is_some_and(|(status, body)| status == "200" && body.starts_with(text))
    }

    /// Fails unless that was so, and the certificate in order; the common name that it has.
    #[track_caller]
    pub(super) fn shown(&self, text: &str) -> &str {
        assert!(self.says(text), "{}", self.0);
        assert!(self.0.contains("Verify return code: 0 (ok)"), "{}", self.0);
        let (_, subject) = self.0.split_once("subject=CN = ").expect("a certificate");
        subject.lines().next().unwrap_or_default()
    }

    /// Whether the session of before went on; it was answered in any case.
    #[track_caller]
    pub(super) fn is_resumed(&self) -> bool {
        assert!(self.answer().is_some(), "{}", self.0);
        let (new, reused) = (self.0.contains("\nNew, "), self.0.contains("\nReused, "));
        assert!(new != reused, "{}", self.0);
        reused
    }
}

fn named(name: &str) -> DistinguishedName {
    let mut of = DistinguishedName::new();
    of.push(DnType::CommonName, name);
    of
}

fn pem(path: &Path, what: &str, der: &[u8]) {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).expect("ASCII"))
        .collect();
    let whole = format!(
        "-----BEGIN {what}-----\n{}\n-----END {what}-----\n",
        lines.join("\n")
    );
    std::fs::write(path, whole).expect("the folder is writable");
}

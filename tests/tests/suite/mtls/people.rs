//! Who takes part: two authorities, the certificates that they issue, and curl and Python's TLS as clients that show them.
//!
//! Nothing here is TLS of the gateway's own library: certificates are rcgen's, the clients are OpenSSL's.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::string::Ia5String;
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DnType, IsCa, Issuer,
    KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};
use tempfile::TempDir;

/// The name that the gateway's certificate is for.
pub(super) const HOST: &str = "edge.example";

/// An authority, and where it puts what it issues.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    dir: PathBuf,
    name: &'static str,
}

/// Whom a certificate is about.
#[derive(Default)]
pub(super) struct Person<'a> {
    pub(super) common_name: &'a str,
    pub(super) organisation: &'a str,
    pub(super) dns: &'a [&'a str],
    pub(super) uri: &'a [&'a str],
    pub(super) email: &'a [&'a str],
    pub(super) serial: u64,
    pub(super) expired: bool,
}

/// All that the tests show each other, in a folder of its own.
pub(super) struct World {
    dir: TempDir,
    pub(super) people: Authority,
    pub(super) strangers: Authority,
}

impl World {
    /// With a server's certificate in `edge.pem` and `edge.key`, issued by the authority in `root.pem`; and one for
    /// people, whose certificate is in `people.pem` and whose list of the revoked, serial numbers 13 alone, in `people.crl`.
    pub(super) fn new() -> World {
        let dir = TempDir::new().expect("a temporary folder");
        let authority = |name| Authority::new(dir.path(), name);
        let (root, people) = (authority("root"), authority("people"));
        let edge = Person {
            dns: &[HOST],
            serial: 1,
            ..Person::default()
        };
        root.issue("edge", &edge);
        people.revoke(&[13]);
        World {
            strangers: authority("strangers"),
            people,
            dir,
        }
    }

    /// A file of it.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// GETs a path with curl, which shows the certificate of this name, or none.
    pub(super) fn curl(
        &self,
        to: SocketAddr,
        person: Option<&str>,
        path: &str,
        more: &[&str],
    ) -> Output {
        let mut command = Command::new("curl");
        command
            .args(["-q", "-sS", "-i", "--noproxy", "*", "--max-time", "30"])
            .args(["--resolve", &format!("{HOST}:{}:{}", to.port(), to.ip())])
            .arg("--cacert")
            .arg(self.path("root.pem"));
        if let Some(name) = person {
            command
                .arg("--cert")
                .arg(self.path(&format!("{name}.pem")))
                .arg("--key")
                .arg(self.path(&format!("{name}.key")));
        }
        command
            .args(more)
            .arg(format!("https://{HOST}:{}{path}", to.port()));
        command.output().expect("curl can be started")
    }

    /// The same, and what came back.
    #[track_caller]
    pub(super) fn ask(
        &self,
        to: SocketAddr,
        person: Option<&str>,
        path: &str,
        more: &[&str],
    ) -> Heard {
        let output = self.curl(to, person, path, more);
        assert!(output.status.success(), "{output:?}");
        Heard::of(&output.stdout)
    }

    /// The DER of a certificate.
    pub(super) fn der(&self, name: &str) -> Vec<u8> {
        let text = std::fs::read_to_string(self.path(&format!("{name}.pem"))).expect("issued");
        let lines = text.lines().filter(|line| !line.starts_with('-'));
        STANDARD.decode(lines.collect::<String>()).expect("base64")
    }
}

impl Authority {
    fn new(dir: &Path, name: &'static str) -> Authority {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let own = params.self_signed(&key).expect("a certificate");
        pem(&dir.join(format!("{name}.pem")), "CERTIFICATE", own.der());
        Authority {
            issuer: Issuer::new(params, key),
            dir: dir.to_owned(),
            name,
        }
    }

    /// Puts a certificate and its key into `NAME.pem` and `NAME.key`.
    pub(super) fn issue(&self, name: &str, person: &Person<'_>) {
        let key = KeyPair::generate().expect("a key");
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, text) in [
            (DnType::OrganizationName, person.organisation),
            (DnType::CommonName, person.common_name),
        ] {
            if !text.is_empty() {
                params.distinguished_name.push(kind, text);
            }
        }
        let text = |text: &&str| Ia5String::try_from(*text).expect("ASCII");
        let names = &mut params.subject_alt_names;
        names.extend(person.dns.iter().map(text).map(SanType::DnsName));
        names.extend(person.uri.iter().map(text).map(SanType::URI));
        names.extend(person.email.iter().map(text).map(SanType::Rfc822Name));
        params.serial_number = Some(SerialNumber::from(person.serial));
        if person.expired {
            params.not_before = date_time_ymd(2001, 1, 1);
            params.not_after = date_time_ymd(2002, 1, 1);
        }
        let issued = params.signed_by(&key, &self.issuer).expect("a certificate");
        let file = |ending: &str| self.dir.join(format!("{name}.{ending}"));
        pem(&file("pem"), "CERTIFICATE", issued.der());
        pem(&file("key"), "PRIVATE KEY", &key.serialize_der());
    }

    fn revoke(&self, serials: &[u64]) {
        let revoked = |serial: &u64| RevokedCertParams {
            serial_number: SerialNumber::from(*serial),
            revocation_time: date_time_ymd(2020, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let list = CertificateRevocationListParams {
            this_update: date_time_ymd(2020, 1, 1),
            next_update: date_time_ymd(4000, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: serials.iter().map(revoked).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        let list = list.signed_by(&self.issuer).expect("a list");
        let file = self.dir.join(format!("{}.crl", self.name));
        pem(&file, "X509 CRL", list.der());
    }
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

/// An answer, of whatever version.
#[derive(Debug)]
pub(super) struct Heard {
    /// The first line.
    pub(super) line: String,
    fields: Vec<(String, String)>,
    pub(super) body: String,
}

impl Heard {
    fn of(bytes: &[u8]) -> Heard {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        let mut lines = head.lines();
        let line = lines.next().unwrap_or_default().to_owned();
        let fields = lines.filter_map(|line| line.split_once(':'));
        Heard {
            line,
            fields: fields
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect(),
            body: body.to_owned(),
        }
    }

    /// Fails unless this is the status.
    #[track_caller]
    pub(super) fn is(&self, status: u16) -> &Heard {
        let found = self.line.split(' ').nth(1);
        assert_eq!(found, Some(&*status.to_string()), "{self:?}");
        self
    }

    /// The value of a field.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let mut found = self.fields.iter().filter(|(known, _)| known == name);
        let (_, value) = found.next()?;
        assert!(found.next().is_none(), "{name} stands twice: {self:?}");
        Some(value)
    }
}

/// A connection of Python's that stays: it asks when it is told to.
pub(super) struct Staying {
    child: Child,
    says: ChildStdin,
    hears: BufReader<ChildStdout>,
}

/// Reads a path for each request; `!` begins another connection with the session of the last.
const SCRIPT: &str = r"
import socket, ssl, sys
port, root, own, key = int(sys.argv[1]), *sys.argv[2:5]
context = ssl.create_default_context(cafile=root)
context.load_cert_chain(own, key)
def connect(session):
    plain = socket.create_connection(('127.0.0.1', port), timeout=30)
    return context.wrap_socket(plain, server_hostname='edge.example', session=session)
def ask(path):
    connection.sendall(f'GET {path} HTTP/1.1\r\nHost: edge.example\r\n\r\n'.encode())
    answer = b''
    while b'\r\n\r\n' not in answer:
        more = connection.recv(65536)
        if not more:
            return 'closed'
        answer += more
    head, body = answer.split(b'\r\n\r\n', 1)
    fields = dict(line.split(b': ', 1) for line in head.lower().split(b'\r\n')[1:])
    while len(body) < int(fields[b'content-length']):
        body += connection.recv(65536)
    return head.split(b' ')[1].decode()
connection = connect(None)
for line in sys.stdin:
    path = line.strip()
    if path.startswith('!'):
        session = connection.session
        connection.close()
        connection = connect(session)
        path = path[1:]
    said = ask(path)
    print(said, 'resumed' if connection.session_reused else 'new', flush=True)
";

impl Staying {
    /// Connects with the certificate of this name.
    pub(super) fn connect(world: &World, to: SocketAddr, person: &str) -> Staying {
        let mut child = Command::new("python3")
            .args(["-c", SCRIPT, &to.port().to_string()])
            .arg(world.path("root.pem"))
            .arg(world.path(&format!("{person}.pem")))
            .arg(world.path(&format!("{person}.key")))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 can be started");
        Staying {
            says: child.stdin.take().expect("it is piped"),
            hears: BufReader::new(child.stdout.take().expect("it is piped")),
            child,
        }
    }

    /// Asks: the status, and whether the connection's session was `new` or `resumed`.
    #[track_caller]
    pub(super) fn ask(&mut self, path: &str) -> String {
        writeln!(self.says, "{path}").expect("it listens");
        let mut line = String::new();
        self.hears.read_line(&mut line).expect("it answers");
        line.trim().to_owned()
    }

    /// Asks over another connection, with the session of this one.
    #[track_caller]
    pub(super) fn ask_anew(&mut self, path: &str) -> String {
        self.ask(&format!("!{path}"))
    }
}

impl Drop for Staying {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

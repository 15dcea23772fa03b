//! TLS for raw peers, by OpenSSL's client and its tools: certificates made on the spot, and connections whose plain
//! text goes through a socket of the harness.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::wire::Wire;

/// The host that [`certificate`] is for.
pub const HOST: &str = "edge.example";

/// A certificate for [`HOST`] that vouches for itself, as `edge.pem` and `edge.key` in a folder.
///
/// # Panics
/// When `openssl` is missing or refuses.
pub fn certificate(dir: &Path) {
    let asked = format!(
        "[req]\nprompt = no\ndistinguished_name = who\nx509_extensions = what\n[who]\nCN = edge\n\
         [what]\nbasicConstraints = CA:FALSE\nsubjectAltName = DNS:{HOST}\n"
    );
    std::fs::write(dir.join("edge.cnf"), asked).expect("the folder is writable");
    let mut command = Command::new("openssl");
    command.current_dir(dir).args(["req", "-x509", "-nodes"]);
    command.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
    command.args(["-keyout", "edge.key", "-out", "edge.pem", "-days", "3"]);
    command.args(["-config", "edge.cnf"]);
    let output = command.output().expect("openssl is there");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// OpenSSL's client on a connection: what goes over its [`Wire`] is plain text here and TLS there.
pub struct Secure {
    child: Child,
}

impl Secure {
    /// Connects and agrees on this protocol (ALPN) for [`HOST`]. It lives as long as the first of both.
    ///
    /// # Panics
    /// When `openssl` is missing.
    pub fn connect(address: SocketAddr, protocol: &str) -> (Secure, Wire) {
        let mut command = Command::new("openssl");
        command.args(["s_client", "-quiet", "-alpn", protocol]);
        command.args(["-servername", HOST, "-connect", &address.to_string()]);
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::null()).spawn().expect("openssl");
        let (mut stdin, mut stdout) = (
            child.stdin.take().expect("it is piped"),
            child.stdout.take().expect("it is piped"),
        );
        // A socket between, for the time-outs of the harness.
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let near = listener.local_addr().expect("it is bound");
        let wire = Wire::new(TcpStream::connect(near).expect("it listens"));
        let (mut far, _) = listener.accept().expect("it has connected");
        far.set_nodelay(true).expect("TCP");
        let mut other = far.try_clone().expect("a descriptor");
        std::thread::spawn(move || copy(&mut far, &mut stdin));
        std::thread::spawn(move || {
            // Either end may be gone already.
            copy(&mut stdout, &mut other);
            let _ = other.shutdown(Shutdown::Write);
        });
        (Secure { child }, wire)
    }
}

impl Drop for Secure {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Byte for byte as they come, until either end is gone.
fn copy(from: &mut impl Read, to: &mut impl Write) {
    let mut some = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut some) {
        if to.write_all(&some[..n]).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}

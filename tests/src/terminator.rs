//! TLS in front of origins that speak plain text, by Python's `ssl`: which of them a connection comes to is agreed on by
//! ALPN, and handshakes can be held up.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A server that ends TLS with the certificate of [`crate::secure::certificate`].
pub struct Terminator {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    says: ChildStdin,
    hears: BufReader<ChildStdout>,
}

/// Takes `go` and `count` as lines; a connection that agrees on nothing is closed.
const SCRIPT: &str = r"
import select, socket, ssl, sys, threading
folder, held, origins = sys.argv[1], sys.argv[2] == 'held', [it.split('=') for it in sys.argv[3:]]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + '/edge.pem', folder + '/edge.key')
context.set_alpn_protocols([name for name, _ in origins])
go, count = threading.Event(), 0
if not held:
    go.set()
def pump(one, other):
    some = one.recv(65536)
    if some:
        other.sendall(some)
    return bool(some)
def serve(plain):
    go.wait()
    try:
        secure = context.wrap_socket(plain, server_side=True)
        port = int(dict(origins)[secure.selected_alpn_protocol()])
        origin = socket.create_connection(('127.0.0.1', port))
        while True:
            ready = [secure] if secure.pending() else select.select([secure, origin], [], [])[0]
            if not all(pump(it, origin if it is secure else secure) for it in ready):
                break
        origin.close()
        secure.close()
    except (OSError, KeyError):
        plain.close()
def accept(listener):
    global count
    while True:
        plain, _ = listener.accept()
        count += 1
        threading.Thread(target=serve, args=(plain,), daemon=True).start()
listener = socket.create_server(('127.0.0.1', 0))
print(listener.getsockname()[1], flush=True)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
for line in sys.stdin:
    if line.strip() == 'go':
        go.set()
    print(count, flush=True)
";

impl Terminator {
    /// Starts one in front of these origins, each for one protocol, the preferred one first. The certificate lies in the
    /// folder.
    ///
    /// # Panics
    /// When `python3` is missing.
    pub fn start(dir: &Path, origins: &[(&str, SocketAddr)]) -> Terminator {
        Terminator::spawn(dir, "free", origins)
    }

    /// The same, but no handshake is gone on with before [`Terminator::go`].
    pub fn held(dir: &Path, origins: &[(&str, SocketAddr)]) -> Terminator {
        Terminator::spawn(dir, "held", origins)
    }

    fn spawn(dir: &Path, held: &str, origins: &[(&str, SocketAddr)]) -> Terminator {
        let mut command = Command::new("python3");
        command.args(["-c", SCRIPT]).arg(dir).arg(held);
        command.args(
            origins
                .iter()
                .map(|(name, to)| format!("{name}={}", to.port())),
        );
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3 can be started");
        let says = child.stdin.take().expect("it is piped");
        let mut hears = BufReader::new(child.stdout.take().expect("it is piped"));
        let port = number(&mut hears);
        Terminator {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            child,
            says,
            hears,
        }
    }

    /// Handshakes go on from now on.
    pub fn go(&mut self) {
        self.tell("go");
    }

    /// Connections so far.
    pub fn connections(&mut self) -> u16 {
        self.tell("count")
    }

    fn tell(&mut self, word: &str) -> u16 {
        writeln!(self.says, "{word}").expect("it listens");
        number(&mut self.hears)
    }
}

impl Drop for Terminator {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn number(from: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    from.read_line(&mut line).expect("it answers");
    line.trim().parse().expect("a number")
}

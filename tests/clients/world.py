"""What the scripts beside this file share: the gateway started on a configuration, certificates, and the runner of cases.

Only the standard library and the openssl command are needed. The origin is in origin.py.
"""

import atexit
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import traceback

from origin import Origin

PATIENCE = 20
ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = []

CONFIG = """
[gateway]
workers = 1
pin = false
[listener.plain]
address = "127.0.0.1:0"
[listener.h2c]
address = "127.0.0.1:0"
protocols = ["h2c"]
[listener.secure]
address = "127.0.0.1:0"
certificates = ["site", "site_rsa", "other"]
[listener.strict]
address = "127.0.0.1:0"
certificates = ["site"]
tls_min_version = "1.3"
[listener.mutual]
address = "127.0.0.1:0"
certificates = ["site"]
client_auth = "required"
client_ca = "ca.pem"
[listener.redirect]
address = "127.0.0.1:0"
http_to_https = true
[certificate.site]
chain = "site.pem"
key = "site.key"
ocsp = "site.ocsp"
[certificate.site_rsa]
chain = "site-rsa.pem"
key = "site-rsa.key"
[certificate.other]
chain = "other.pem"
key = "other.key"
[access_log.main]
path = "access.log"
[upstream.origin]
endpoints = ["127.0.0.1:@PORT@"]
[auth.people]
kind = "mtls"
forward_claims = ["cn -> X-Client-Name"]
[route.all]
path = "/*"
upstream = "origin"
auth = "none"
websocket = true
access_log = "main"
max_body_bytes = "64MiB"
[route.people]
path = "/people/*"
upstream = "origin"
auth = "people"
listeners = ["mutual"]
@MORE@
"""


def case(function):
    """Marks a case; it is called with the world, and fails by raising."""
    CASES.append(function)
    return function


def skip(why):
    """Ends the script before any case was run; tools/conformance counts it as skipped."""
    print(f"skipped: {why}")
    sys.exit(0)


class World:
    """The gateway before the origin; `address[listener]` is (host, port)."""

    def __init__(self, binary, more="", config=CONFIG, port=None, host="127.0.0.1"):
        self.keep = tempfile.TemporaryDirectory()
        self.dir = pathlib.Path(self.keep.name)
        self.origin = Origin()
        certificates(self.dir)
        text = config.replace("@PORT@", str(port or self.origin.port)).replace("@MORE@", more)
        (self.dir / "gateway.toml").write_text(text)
        command = [str(binary), "run", "--config", str(self.dir / "gateway.toml")]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        atexit.register(self.end)
        self.said, self.address = [], {}
        for line in self.process.stderr:
            self.said.append(line)
            found = re.search(r"listener (\w+): https?://([\d.]+):(\d+)", line)
            if found:
                self.address[found[1]] = (found[2], int(found[3]))
            if "is live" in line:
                break
        else:
            sys.exit("the gateway does not start:\n" + "".join(self.said))
        threading.Thread(target=lambda: self.said.extend(self.process.stderr), daemon=True).start()

    def port(self, listener):
        return self.address[listener][1]

    def url(self, listener, path="/", host="localhost", scheme=None):
        secure = listener in ("secure", "strict", "mutual")
        scheme = scheme or ("https" if secure else "http")
        return f"{scheme}://{host}:{self.port(listener)}{path}"

    def logged(self):
        return (self.dir / "access.log").read_text().splitlines()

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                # Something is still in flight; a case that minds says so itself.
                self.process.kill()
                self.process.wait(PATIENCE)


def openssl(folder, *arguments, text=None):
    done = subprocess.run(["openssl", *arguments], cwd=folder, input=text, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"openssl {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def certificates(folder):
    """An authority (ca.pem), and under it: site and site-rsa for localhost, other for other.example, client for alice;
    and an OCSP response for site."""
    def config(name, common_name, kind):
        names = {"server": "subjectAltName=DNS:localhost,DNS:site.example,IP:127.0.0.1\nextendedKeyUsage=serverAuth",
                 "other": "subjectAltName=DNS:other.example\nextendedKeyUsage=serverAuth",
                 "client": "extendedKeyUsage=clientAuth"}.get(kind, "")
        text = f"[req]\nprompt=no\ndistinguished_name=dn\n[dn]\nCN={common_name}\n[ca]\nbasicConstraints=critical,CA:TRUE\n" \
               f"keyUsage=critical,keyCertSign,cRLSign,digitalSignature\nsubjectKeyIdentifier=hash\n[leaf]\n" \
               f"basicConstraints=CA:FALSE\nkeyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\n" \
               f"authorityKeyIdentifier=keyid\n{names}\n"
        (folder / f"{name}.cnf").write_text(text)

    def key(name, kind):
        how = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] if kind == "rsa" else \
            ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
        openssl(folder, "genpkey", *how, "-out", f"{name}.key")

    config("ca", "Test authority", "ca")
    key("ca", "ec")
    openssl(folder, "req", "-x509", "-new", "-key", "ca.key", "-out", "ca.pem", "-days", "3", "-config", "ca.cnf",
            "-extensions", "ca")
    leaves = (("site", "localhost", "server", "ec"), ("site-rsa", "localhost", "server", "rsa"),
              ("other", "other.example", "other", "ec"), ("client", "alice", "client", "ec"))
    for number, (name, common_name, kind, algorithm) in enumerate(leaves, 1):
        config(name, common_name, kind)
        key(name, algorithm)
        openssl(folder, "req", "-new", "-key", f"{name}.key", "-out", f"{name}.csr", "-config", f"{name}.cnf")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial",
                str(number), "-days", "3", "-extfile", f"{name}.cnf", "-extensions", "leaf", "-out", f"{name}.pem")
    (folder / "index.txt").write_text("V\t320101000000Z\t\t01\tunknown\t/CN=localhost\n")
    openssl(folder, "ocsp", "-index", "index.txt", "-rsigner", "ca.pem", "-rkey", "ca.key", "-CA", "ca.pem", "-issuer",
            "ca.pem", "-cert", "site.pem", "-ndays", "2", "-respout", "site.ocsp")


def gateway():
    """The binary: the first argument, PORTCULLIS_BIN, or the debug build."""
    path = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PORTCULLIS_BIN", ROOT / "target/debug/portcullis")
    if not os.access(path, os.X_OK):
        sys.exit(f"no gateway at {path}: build it (cargo build), or say where it is")
    return path


def play(world, cases=None):
    """Runs the cases (or those named on the command line), prints what failed and the sums, and ends the script."""
    passed = failed = 0
    for function in cases or CASES:
        if sys.argv[2:] and function.__name__ not in sys.argv[2:]:
            continue
        try:
            function(world)
            passed += 1
        except Exception:
            failed += 1
            print(f"FAILED {function.__name__}")
            traceback.print_exc(limit=4, file=sys.stdout)
    if world.process.poll() is not None:
        failed += 1
        print(f"FAILED the gateway ended with {world.process.returncode}:\n" + "".join(world.said[-20:]))
    world.end()
    panics = [line for line in world.said if "panic" in line]
    if panics:
        failed += 1
        print("FAILED the gateway panicked:\n" + "".join(panics))
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)

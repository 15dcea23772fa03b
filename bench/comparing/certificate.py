"""The certificate that all contenders show over TLS: one ECDSA P-256 key, made for one run.

It is its own authority, so that clients are told to trust it by name; `CA:FALSE`, since verifiers refuse an authority's
certificate as a server's.
"""

import subprocess
from dataclasses import dataclass

from .processes import Failed

GROUP = "X25519"  # for the key exchange, the same for all
SUITE = "TLS_AES_128_GCM_SHA256"


@dataclass
class Certificate:
    chain: str
    key: str
    both: str  # one file, as HAProxy wants it


def make(folder):
    made = Certificate(f"{folder}/site.pem", f"{folder}/site.key", f"{folder}/site-both.pem")
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", made.key)
    _openssl("req", "-x509", "-new", "-key", made.key, "-out", made.chain, "-days", "7", "-subj", "/CN=compare.test",
             "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE")
    with open(made.both, "w") as both:
        for it in (made.chain, made.key):
            with open(it) as part:
                both.write(part.read())
    return made


def _openssl(*command):
    try:
        done = subprocess.run(["openssl", *command], capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Failed("openssl is missing here: certificates are made with it") from error
    if done.returncode != 0:
        raise Failed(f"openssl {command[0]} failed:\n{done.stderr.strip()}")

"""The certificates that contenders show over TLS, all the same one: of an ECDSA P-256 key, or of RSA-2048; made for a run.

Each is its own authority, so that clients are told to trust it by name; `CA:FALSE`, since verifiers refuse an authority's
certificate as a server's.
"""

import subprocess
from dataclasses import dataclass

from .processes import Failed

GROUP = "X25519"  # for the key exchange, the same for all
POST_QUANTUM = "X25519MLKEM768"  # reported beside it for the gateway
SUITE = "TLS_AES_128_GCM_SHA256"

KEYS = {"p256": "ECDSA P-256", "rsa2048": "RSA-2048"}
MADE = {"p256": ("EC", "ec_paramgen_curve:P-256"), "rsa2048": ("RSA", "rsa_keygen_bits:2048")}


@dataclass
class Certificate:
    chain: str
    key: str
    both: str  # one file, as HAProxy wants it


def make(folder, key="p256"):
    """The certificate of a new key of this kind."""
    made = Certificate(*(f"{folder}/site-{key}{it}" for it in (".pem", ".key", "-both.pem")))
    algorithm, option = MADE[key]
    _openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", made.key)
    _openssl("req", "-x509", "-new", "-key", made.key, "-out", made.chain, "-days", "7", "-subj", "/CN=compare.test",
             "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE")
    _join((made.chain, made.key), made.both)
    return made


def trusted(folder, all):
    """One file with all of these certificates, for clients."""
    _join([it.chain for it in all], f"{folder}/trusted.pem")
    return f"{folder}/trusted.pem"


def _join(parts, path):
    with open(path, "w") as out:
        for it in parts:
            with open(it) as part:
                out.write(part.read())


def _openssl(*command):
    try:
        done = subprocess.run(["openssl", *command], capture_output=True, text=True)
    except FileNotFoundError as error:
        raise Failed("openssl is missing here: certificates are made with it") from error
    if done.returncode != 0:
        raise Failed(f"openssl {command[0]} failed:\n{done.stderr.strip()}")

"""A key pair, its JWK set and signed tokens for the gateway job, made by the openssl command."""

import base64
import json
import subprocess
import time

ISSUER = "https://issuer.example"
AUDIENCE = "api"


def _base64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _openssl(*arguments, text=b""):
    return subprocess.run(["openssl", *arguments], input=text, check=True, capture_output=True).stdout


class Tokens:
    """RS256 tokens of `count` users; key and tokens live in the folder of the run and go with it."""

    def __init__(self, folder, count):
        self.private, self.public, self.jwks = (f"{folder}/{name}" for name in ("key.pem", "public.pem", "jwks.json"))
        _openssl("genrsa", "-out", self.private, "2048")
        _openssl("rsa", "-in", self.private, "-pubout", "-out", self.public)
        modulus = bytes.fromhex(_openssl("rsa", "-in", self.private, "-noout", "-modulus").decode().strip().split("=")[1])
        key = {"kty": "RSA", "kid": "k1", "use": "sig", "alg": "RS256", "n": _base64(modulus), "e": "AQAB"}
        with open(self.jwks, "w") as out:
            json.dump({"keys": [key]}, out)
        self.all = [self._signed(f"user-{n}") for n in range(count)]
        # The right signature of another token: what verifies must refuse it.
        self.forged = self.all[0].rsplit(".", 1)[0] + "." + self.all[1].rsplit(".", 1)[1]

    def _signed(self, subject):
        head = _base64(json.dumps({"alg": "RS256", "kid": "k1", "typ": "JWT"}).encode())
        claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "exp": int(time.time()) + 86400}
        text = f"{head}.{_base64(json.dumps(claims).encode())}"
        return f"{text}.{_base64(_openssl('dgst', '-sha256', '-sign', self.private, text=text.encode()))}"

"""A TLS scan by sslyze, and resumption by openssl, of a listener with TLS 1.2 and 1.3 and of one with 1.3 alone.

    python3 tests/clients/tls_scan.py [path of the portcullis binary] [cases]

Needs `pip install sslyze`, and openssl; without them nothing is run and the exit status is 0.
"""

import importlib.util
import json
import shutil
import subprocess
import sys

from world import PATIENCE, World, case, gateway, play, skip

if not importlib.util.find_spec("sslyze") or not shutil.which("openssl"):
    skip("sslyze or openssl is missing")

TLS13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
TLS12 = {f"TLS_ECDHE_{key}_WITH_{cipher}" for key in ("ECDSA", "RSA")
         for cipher in ("AES_128_GCM_SHA256", "AES_256_GCM_SHA384", "CHACHA20_POLY1305_SHA256")}
# The listener, and the suites that it must take by version.
LISTENERS = (("secure", {"tls_1_2": TLS12, "tls_1_3": TLS13}),
             ("strict", {"tls_1_3": TLS13}))
SCANS = {}


def scan(world, listener):
    """What sslyze says of a listener, by the name of its part."""
    if listener not in SCANS:
        told = world.dir / f"{listener}.json"
        subprocess.run([sys.executable, "-W", "ignore", "-m", "sslyze", "--json_out", str(told), "--mozilla_config", "disable",
                        "--certinfo", "--sslv2", "--sslv3", "--tlsv1", "--tlsv1_1", "--tlsv1_2", "--tlsv1_3",
                        "--compression", "--reneg", "--heartbleed", "--openssl_ccs", "--fallback", "--robot",
                        "--elliptic_curves", "--early_data", "--ems", "--certinfo_ca_file", str(world.dir / "ca.pem"),
                        f"localhost:{world.port(listener)}"], capture_output=True, timeout=6 * PATIENCE)
        SCANS[listener] = json.loads(told.read_text())["server_scan_results"][0]["scan_result"]
    return SCANS[listener]


def part(world, listener, name):
    found = scan(world, listener)[name]
    assert found["status"] == "COMPLETED", f"{listener}: {name}: {(found['error_trace'] or '')[-300:]}"
    return found["result"]


@case
def versions_and_suites(world):
    for listener, suites in LISTENERS:
        for version in ("ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1", "tls_1_2", "tls_1_3"):
            took = part(world, listener, f"{version}_cipher_suites")["accepted_cipher_suites"]
            names = {it["cipher_suite"]["name"] for it in took}
            assert names == suites.get(version, set()), f"{listener}: {version}: {sorted(names)}"


@case
def forward_secrecy_and_groups(world):
    # Every suite above agrees on a key for the connection alone; and only on these curves.
    for listener, _ in LISTENERS:
        curves = {it["name"] for it in part(world, listener, "elliptic_curves")["supported_curves"] or ()}
        assert curves == {"X25519", "secp256r1", "secp384r1"}, f"{listener}: {curves}"


@case
def no_compression_renegotiation_nor_early_data(world):
    for listener, _ in LISTENERS:
        assert not part(world, listener, "tls_compression")["supports_compression"], listener
        assert not part(world, listener, "tls_1_3_early_data")["supports_early_data"], listener
        again = part(world, listener, "session_renegotiation")
        assert not again["is_vulnerable_to_client_renegotiation_dos"] and again["client_renegotiations_success_count"] == 0
    assert part(world, "secure", "session_renegotiation")["supports_secure_renegotiation"]
    assert part(world, "secure", "tls_extended_master_secret")["supports_ems_extension"]


@case
def no_known_vulnerability(world):
    for listener, _ in LISTENERS:
        assert not part(world, listener, "heartbleed")["is_vulnerable_to_heartbleed"], listener
        assert not part(world, listener, "openssl_ccs_injection")["is_vulnerable_to_ccs_injection"], listener
    robot = part(world, "secure", "robot")["robot_result"]
    assert robot == "NOT_VULNERABLE_RSA_NOT_SUPPORTED", robot


@case
def certificates_and_stapling(world):
    for listener, _ in LISTENERS:
        shown = part(world, listener, "certificate_info")["certificate_deployments"]
        kinds = {it["received_certificate_chain"][0]["public_key"]["algorithm"] for it in shown}
        assert len(shown) == (2 if listener == "secure" else 1), f"{listener}: {kinds}"
        for it in shown:
            assert it["received_chain_has_valid_order"] and it["verified_certificate_chain"], listener
        stapled = [it for it in shown if it["ocsp_response"]]
        # The one with a file of that kind, and no other.
        assert len(stapled) == 1 and stapled[0]["ocsp_response_is_trusted"], listener
        assert stapled[0]["ocsp_response"]["certificate_status"] == "GOOD", listener


@case
def resumption(world):
    # By openssl: sslyze compares tickets, which here are never used twice.
    for listener, version in (("secure", "-tls1_2"), ("secure", "-tls1_3"), ("strict", "-tls1_3")):
        kept = world.dir / "session"
        kept.unlink(missing_ok=True)
        first = connect(world, listener, version, "-sess_out", str(kept))
        assert "New, TLSv1" in first and "Verify return code: 0" in first, (listener, version, first[-1500:])
        again = connect(world, listener, version, "-sess_in", str(kept))
        assert "Reused, TLSv1" in again, (listener, version, again[-1500:])
        # A ticket of one listener is worth nothing on another.
        other = {"secure": "mutual", "strict": "secure"}[listener]
        assert "Reused" not in connect(world, other, version, "-sess_in", str(kept)), (listener, version)


def connect(world, listener, *more):
    # The answer has come, and with TLS 1.3 the tickets before it, when the gateway closes.
    command = ["openssl", "s_client", "-CAfile", str(world.dir / "ca.pem"), "-servername", "localhost", "-ign_eof",
               "-connect", f"127.0.0.1:{world.port(listener)}", *more]
    asked = "GET /hello HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    return subprocess.run(command, input=asked, capture_output=True, text=True, timeout=PATIENCE).stdout


if __name__ == "__main__":
    play(World(gateway()))

"""A TLS scan by testssl.sh: nothing that it finds in protocols, ciphers or vulnerabilities may be worse than OK.

    python3 tests/clients/tls_testssl.py [path of the portcullis binary] [cases]

Needs testssl.sh (`apt-get install testssl.sh`, or what the variable TESTSSL names), and openssl; without them nothing is
run and the exit status is 0. It takes a minute for each listener.
"""

import json
import os
import shutil
import subprocess

from world import PATIENCE, World, case, gateway, play, skip

TESTSSL = os.environ.get("TESTSSL") or shutil.which("testssl") or shutil.which("testssl.sh")
if not TESTSSL or not shutil.which("openssl"):
    skip("testssl.sh or openssl is missing")

# What it says of the test's own certificates (three days, no authority behind them that revokes), of this machine's
# openssl, and of tickets, which it looks for by an openssl with SSLv2.
OURS = ("cert_", "engine_problem", "sessionresumption_ticket", "scanProblem")
VULNERABILITIES = ("heartbleed", "CCS", "ticketbleed", "ROBOT", "secure_client_renego", "CRIME_TLS", "POODLE_SSL",
                   "SWEET32", "FREAK", "DROWN", "LOGJAM", "BEAST", "LUCKY13", "RC4")


def scan(world, listener):
    told = world.dir / f"testssl-{listener}.json"
    subprocess.run([TESTSSL, "--jsonfile", str(told), "--warnings", "off", "--color", "0", "--nodns", "none", "--ip",
                    "127.0.0.1", "-p", "-s", "-f", "-S", "-P", "-U", "--add-ca", str(world.dir / "ca.pem"),
                    f"https://localhost:{world.port(listener)}"], stdin=subprocess.DEVNULL, capture_output=True,
                   timeout=30 * PATIENCE)
    found = {it["id"]: (it["severity"], it["finding"]) for it in json.loads(told.read_text())}
    bad = {name: it for name, it in found.items()
           if it[0] not in ("OK", "INFO") and not name.startswith(OURS)}
    assert not bad, f"{listener}: {bad}"
    # It asks for some of them only where there is something older than TLS 1.3.
    asked = [name for name in VULNERABILITIES if name in found]
    assert {"heartbleed", "CCS", "ROBOT", "CRIME_TLS"} <= set(asked), sorted(found)
    for name in asked:
        assert found[name][0] == "OK", f"{listener}: {name}: {found[name]}"
    return {name: text for name, (_, text) in found.items()}


@case
def versions_1_2_and_1_3(world):
    found = scan(world, "secure")
    for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1"):
        assert found[name] == "not offered", (name, found[name])
    assert found["TLS1_2"] == "offered" and "offered" in found["TLS1_3"] and found["PFS"] == "offered"
    assert sorted(found["PFS_ECDHE_curves"].split()) == ["X25519", "prime256v1", "secp384r1"]
    assert sorted(text for name, text in found.items() if name.startswith("OCSP_stapling")) == ["not offered", "offered"]


@case
def version_1_3_alone(world):
    found = scan(world, "strict")
    for name in ("SSLv2", "SSLv3", "TLS1", "TLS1_1", "TLS1_2"):
        assert found[name].startswith("not offered"), (name, found[name])
    assert "offered" in found["TLS1_3"] and found["OCSP_stapling"] == "offered"


if __name__ == "__main__":
    play(World(gateway()))

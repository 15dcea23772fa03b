"""Node as client: starts the gateway, then node_calls.mjs, where the cases are.

    python3 tests/clients/node_calls.py [path of the portcullis binary]

Needs node (18 or newer) and openssl; without them nothing is run and the exit status is 0.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys

from world import World, gateway, skip

if not shutil.which("node") or not shutil.which("openssl"):
    skip("node or openssl is missing")
VERSION = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout.strip()
MAJOR = int(re.match(r"v(\d+)", VERSION)[1])
if MAJOR < 18:
    skip(f"node {VERSION} is older than 18")

if __name__ == "__main__":
    world = World(gateway())
    addresses = {name: world.url(name, "") for name in ("plain", "h2c", "secure", "mutual")}
    cases = pathlib.Path(__file__).with_name("node_calls.mjs")
    flags = ["--experimental-websocket"] if 20 <= MAJOR < 22 else []
    command = ["node", "--no-warnings", *flags, str(cases), json.dumps({**addresses, "dir": str(world.dir)})]
    status = subprocess.run(command).returncode
    world.end()
    sys.exit(status)

"""h2spec against the gateway: without TLS by prior knowledge, and with TLS.

    python3 tests/clients/h2spec_run.py [path of the portcullis binary]

Needs h2spec (`go install github.com/summerwind/h2spec/cmd/h2spec@latest`, or a release of it) in the PATH or named by the
variable H2SPEC; without it nothing is run and the exit status is 0. For TLS openssl is needed too.
"""

import os
import re
import shutil
import subprocess
import sys

from world import PATIENCE, World, gateway, skip

H2SPEC = os.environ.get("H2SPEC") or shutil.which("h2spec")
if not H2SPEC or not shutil.which("openssl"):
    skip("h2spec or openssl is missing")


def main():
    world = World(gateway())
    passed = failed = 0
    # h2c speaks nothing else: a broken preface would be a request of HTTP/1.1 elsewhere. What is asked for is
    # not answered before its request has ended, so that streams live long enough to be abused, and has a body.
    for listener, more in (("h2c", []), ("secure", ["--tls", "--insecure"])):
        done = subprocess.run([H2SPEC, "--host", "127.0.0.1", "--port", str(world.port(listener)), "--path", "/bytes/100",
                               "--strict", *more], capture_output=True, text=True, timeout=15 * PATIENCE)
        sums = re.search(r"(\d+) tests, (\d+) passed, (\d+) skipped, (\d+) failed", done.stdout)
        if not sums:
            print(f"FAILED {listener}: h2spec says\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
            failed += 1
            continue
        passed += int(sums[2])
        failed += int(sums[4])
        if int(sums[4]):
            print(f"FAILED {listener}:\n" + done.stdout[done.stdout.find("Failures:"):])
            print("the gateway said:\n" + "".join(world.said[-20:]))
        print(f"{listener}: {sums[0]}")
    world.end()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()

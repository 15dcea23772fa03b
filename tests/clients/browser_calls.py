"""Headless Chromium as client: fetch, uploads, cookies, EventSource and WebSocket, over HTTP/2 with TLS and over HTTP/1.1.

    python3 tests/clients/browser_calls.py [path of the portcullis binary] [cases]

Needs chromium (or what the variable CHROMIUM names), and openssl; without them nothing is run and the exit status is 0.
The page is browser.html; it posts what came of it to the origin, through the gateway.
"""

import os
import queue
import shutil
import subprocess
import tempfile

from world import PATIENCE, World, case, gateway, play, skip

CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, ("chromium", "chromium-browser",
                                                                               "google-chrome"))), None)
if not CHROMIUM or not shutil.which("openssl"):
    skip("chromium or openssl is missing")

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-proxy-server",
         "--ignore-certificate-errors"]


def visit(world, listener, protocol):
    """Opens the page; every line that it says must be a good one."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        url = world.url(listener, f"/page?protocol={protocol}")
        command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--remote-debugging-port=0", url]
        browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            said = world.origin.finished.get(timeout=3 * PATIENCE).splitlines()
        except queue.Empty:
            raise AssertionError("the page never finishes") from None
        finally:
            browser.kill()
            browser.wait(PATIENCE)
    assert len(said) == 8 and all(line.startswith("ok ") for line in said), said


@case
def a_page_over_http2_and_tls(world):
    visit(world, "secure", "h2")


@case
def a_page_over_http1(world):
    visit(world, "plain", "http/1.1")


@case
def a_page_where_only_tls_1_3_is_spoken(world):
    visit(world, "strict", "h2")


if __name__ == "__main__":
    play(World(gateway()))

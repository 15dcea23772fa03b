"""Tests of how the generators are measured themselves; `comparing.tests` runs them, too."""

import json
import os
import sys
import tempfile
import unittest

from . import contest
from .samples import MACHINE

WRK = """Running 1s test @ http://127.0.0.1:1/
  {count} requests in 1.50s, 38.40MB read
{more}Requests/sec:  29514.21
"""
H2LOAD = """finished in {took}, 24272.00 req/s, 30.32MB/s
requests: 24272 total, 24276 started, 24272 done, 24270 succeeded, 2 failed, 2 errored, 0 timeout
"""


class Contest(unittest.TestCase):
    def test_what_they_print_is_read(self):
        found = contest.Wrk().sample(WRK.format(count=3000, more=""), None)
        self.assertEqual((found.requests, found.seconds, found.failed), (3000, 1.5, 0))
        more = "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 5\n"
        self.assertEqual(contest.Wrk().sample(WRK.format(count=3000, more=more), None).failed, 15)
        found = contest.H2load().sample(H2LOAD.format(took="2.00s"), None)
        self.assertEqual((found.requests, found.seconds, found.failed), (24270, 2.0, 2))
        self.assertEqual(contest.H2load().sample(H2LOAD.format(took="500.00ms"), None).seconds, 0.5)
        for it in (contest.Wrk(), contest.H2load()):
            self.assertIsNone(it.sample("unable to connect", None))
        with tempfile.TemporaryDirectory() as folder:
            ours = contest.PortcullisLoad()
            self.assertIsNone(ours.sample("", folder))
            with open(os.path.join(folder, "contest.json"), "w") as out:
                json.dump({"counts": {"answered": 7, "failed": 1}, "duration_ns": 2_000_000_000}, out)
            found = ours.sample("", folder)
            self.assertEqual((found.requests, found.seconds, found.failed), (7, 2.0, 1))

    def test_both_are_told_the_same(self):
        h2 = contest.cases([8, 64])[-1]
        self.assertEqual([it.spoken for it in contest.cases([8, 64])], ["http1", "http1", "h2c", "h2"])
        ours = contest.PortcullisLoad().command(h2, 9, 2, "/", "trusted.pem")
        other = contest.H2load().command(h2, 9, 2, "/", "trusted.pem")
        for command, said in ((ours, ["--connections 8", "--streams 8", "--duration 2s", "--threads 1", "--cacert trusted.pem"]),
                              (other, ["-c8", "-m8", "-D2", "-t1"])):
            for it in [*said, "https://127.0.0.1:9/"]:
                self.assertIn(it, " ".join(command))

    def test_cpu_time_is_of_the_whole_process(self):
        busy = "import time\nwhile time.process_time() < 0.05: pass\nprint('done')"
        output, status, used = contest.spent([sys.executable, "-c", busy])
        self.assertEqual((output, status), ("done\n", 0))
        self.assertGreaterEqual(used, 50_000_000)
        self.assertEqual(contest.spent([sys.executable, "-c", "raise SystemExit(3)"])[1], 3)

    def test_ratios_are_of_the_same_rounds(self):
        def series(rps, us):
            return {"rps": rps, "us": us, "busy": [0.9] * 2, "server_busy": [1.0] * 2}

        case = contest.compared({"title": "HTTP/1.1, 8 connections", "other": "wrk", "generators": {
            "portcullis-load": series([10, 40], [4.0, 2.0]), "wrk": series([10, 20], [6.0, 2.0])}})
        self.assertEqual(case["ratios"]["requests_per_second"], {"median": 1.5, "min": 1, "max": 2})
        self.assertEqual(case["ratios"]["requests_per_cpu_second"], {"median": 1.25, "min": 1, "max": 1.5})
        found = {"machine": MACHINE, "versions": {"wrk": "4"}, "date": "2026-01-02", "rounds": 2, "seconds": 1, "command": "it",
                 "cores": {"server": "0", "generators": "1"}, "cases": [case]}
        said = contest.text(found)
        self.assertIn("requests per CPU-second 1.25 (1.00-1.50); at least 1: met", said)
        json.dumps(found)
        case["generators"]["wrk"]["us"] = [3.0, 1.9]
        contest.compared(case)
        self.assertIn("at least 1: not met", contest.text(found))

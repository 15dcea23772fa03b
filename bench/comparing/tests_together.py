"""Tests of jobs that are measured together, and of limits; `comparing.tests` runs them, too."""

import tempfile
import unittest
from unittest import mock

from . import certificate, command, contenders, figures, jobs, limits, results, stage, text
from .samples import job, row


class Limits(unittest.TestCase):
    def held(self, found):
        return {what: met for what, _, _, met in limits.held(figures.derive(found))}

    def test_each_limit_is_of_a_job_that_is_there(self):
        labels = {it.with_key(key).label for it in jobs.ALL for key in certificate.KEYS}
        kinds = {"cost_to", "added", "idle", "idle_to", "workers"}
        for it in limits.ALL:
            self.assertIn(it["job"], labels)
            self.assertEqual(len(kinds & it.keys()), 1, it)
            self.assertEqual(len({"at_most", "at_least"} & it.keys()), 1, it)

    def test_the_median_decides_and_what_is_missing_is_said(self):
        found = job([row("portcullis", "ours", [6, 6, 9]), row("nginx", "peer", [10, 10, 10]), row("haproxy", "peer", [10, 9, 9])])
        self.assertEqual(self.held(found), {
            "cost to nginx": True, "cost to haproxy": False, "cost to envoy": None, "cost to l4-floor": None,
            "cost to nginx (on the own ring)": False, "cost to haproxy (on the own ring)": False,
            "cost to l4-floor (on the own ring)": None, "added p50 to the L4 floor's": None, "added p99 to the L4 floor's": None})

    def test_of_several_the_cheapest_counts(self):
        found = {**job([row("portcullis", "ours", [6, 6]), row("nginx", "peer", [10, 10]), row("haproxy", "peer", [9, 9])]), "job": "tls"}
        self.assertEqual(self.held(found), {"cost to the cheaper of nginx and haproxy": False})
        found = {**job([row("portcullis", "ours", [6, 6]), row("nginx", "peer", [10, 10])]), "job": "tls"}
        self.assertEqual(self.held(found), {"cost to the cheaper of nginx and haproxy": None})

    def test_resumed_is_held_against_full_of_the_same_rounds(self):
        ours = row("portcullis", "ours", [3, 5])
        ours["cost"]["full_us"] = [10, 8]
        found = figures.derive({**job([ours]), "job": "resume-rsa2048"})
        self.assertAlmostEqual(found["rows"][0]["times"]["full"]["max"], 0.625)
        self.assertEqual(self.held(found), {"cost, resumed to full": True})
        self.assertIn("resumed to full", text.job(found))
        self.assertIn("not met", text.job(figures.derive({**job([row("portcullis", "ours", [9, 9]), row("nginx", "peer", [9, 9])])})))

    def test_memory_and_workers(self):
        idle = {"rss_empty": 20_000, "rss_full": 30_000, "bytes": 1024.0}
        found = {**job([{"name": "portcullis", "kind": "ours", "note": "", "idle": idle}]), "job": "idle", "connections": 10_000}
        self.assertEqual(self.held(found), {"resident KiB after the start": False, "bytes for each connection": True})
        two = {key: {"us": [value]} for key, value in (("one", 9.0), ("two", 10.0), ("apart", 10.0))}
        found = {**job([{"name": "portcullis", "kind": "ours", "note": "", "workers": two}]), "job": "workers"}
        self.assertEqual(self.held(found), {"requests per CPU-second, two workers to one": True})


    def test_the_own_ring_is_held_against_the_other_where_that_is_there(self):
        found = job([row("portcullis", "ours", [9, 9]), row("portcullis-monoio", "floor", [10, 10])])
        held = self.held(found)
        self.assertTrue(next(met for what, met in held.items() if "to portcullis-monoio" in what))
        rows = [{"name": name, "kind": kind, "note": "", "idle": {"rss_empty": 1, "rss_full": 2, "bytes": size}}
                for name, kind, size in (("portcullis", "ours", 600.0), ("portcullis-monoio", "floor", 1000.0))]
        held = self.held({**job(rows), "job": "idle", "connections": 10_000})
        self.assertEqual([met for what, met in held.items() if "to portcullis-monoio" in what], [False])
        held = self.held({**job(rows[:1]), "job": "idle", "connections": 10_000})
        self.assertFalse([what for what in held if "monoio" in what])


class Together(unittest.TestCase):
    def comparison(self, *names, check=False):
        made = command.Comparison.__new__(command.Comparison)
        made.args = mock.Mock(check=check)
        made.jobs = [it for it in jobs.ALL if it.name in names]
        return [[it.name for it in together] for together in made._together()]

    def test_full_and_resumed_handshakes_share_their_rounds(self):
        self.assertEqual(self.comparison("plain", "handshake", "resume", "h2"), [["plain"], ["handshake", "resume"], ["h2"]])
        self.assertEqual(self.comparison("plain", "resume"), [["plain"], ["resume"]])
        self.assertEqual(self.comparison("handshake", "resume", check=True), [["handshake"], ["resume"]])

    def test_one_program_does_both(self):
        place = contenders.Place("/", 8001, 9001, None, None)
        ours = stage.Standing(command.PostQuantum("program"), place, None, jobs.ALL[0])
        full, resumed = (ours.doing(it) for it in jobs.ALL if it.name in ("handshake", "resume"))
        self.assertEqual((full.port, full.name), (8001, f"{ours.name}, handshake"))
        self.assertTrue(resumed.job.resume)
        self.assertEqual(resumed.job.group, certificate.POST_QUANTUM)

    def test_what_stands_behind_what_in_reports(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = results.Results(folder)
            for name in ("h2", "resume-rsa2048", "resume", "handshake-rsa2048", "handshake"):
                kept.put("cost", {**job([row("portcullis", "ours", [1])]), "key": f"{name}@64", "job": name})
            self.assertEqual([it["job"] for it in kept.ordered()],
                             ["handshake", "handshake-rsa2048", "resume", "resume-rsa2048", "h2"])

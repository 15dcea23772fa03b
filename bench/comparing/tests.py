"""Tests of what needs no proxy: `cd bench && python3 -B -m unittest comparing.tests`."""

import email.message
import os
import shutil
import ssl
import tempfile
import unittest
from unittest import mock
from xml.etree import ElementTree

from . import answers, bars, certificate, chart, command, contenders, figures, jobs, machine, options, page, processes, results, rounds, text, workers
from .generators import Sample, percentile
from .samples import MACHINE, job, row
from .tests_command import Command, Starting  # noqa: F401 (run with these)
from .tests_contest import Contest  # noqa: F401 (run with these)
from .tests_together import Limits, Together  # noqa: F401 (run with these)

class Figures(unittest.TestCase):
    def test_ratio_is_the_median_of_the_rounds(self):
        # The medians' ratio would be 1.0: the machine was slow in the second round for both.
        self.assertEqual(figures.ratio([1, 20, 3], [2, 10, 3]), {"median": 1.0, "min": 0.5, "max": 2.0})
        self.assertEqual(figures.ratio([1.0, 8.0], [2.0, 4.0])["median"], 1.25)

    def test_no_figure_where_something_is_missing(self):
        self.assertIsNone(figures.ratio([1, None], [1, 1]))
        self.assertIsNone(figures.ratio([1, 1], [1]))
        self.assertIsNone(figures.ratio([1, 1], [1, 0]))
        self.assertIsNone(figures.spread([]))

    def test_best_peer_is_neither_ours_nor_a_floor(self):
        rows = [row("portcullis", "ours", [1, 1]), row("a", "peer", [3, 3]), row("b", "peer", [2, 9]), row("l4-floor", "floor", [0.5, 0.5])]
        self.assertEqual(figures.best_peer(rows), "a")
        found = figures.derive(job(rows))
        self.assertAlmostEqual(found["rows"][1]["times"]["ours_to_it"]["median"], 1 / 3)
        self.assertEqual(found["rows"][0]["times"]["floor"]["median"], 2)

    def test_added_latency_is_beyond_direct_and_compared_with_the_floor(self):
        def at(*p50):
            return {"p50": list(p50), "p99": [9.0, 9.0], "p999": [9.0, 9.0], "us": [1, 1]}

        rows = [row("portcullis", "ours", [1, 1], latency=at(130, 140)), row("l4-floor", "floor", [1, 1], latency=at(120, 120)),
                row("direct", "floor", [None, None], latency=at(100, 100))]
        added = figures.derive(job(rows))["rows"][0]["added"]
        self.assertEqual(added["p50"], {"median": 35, "min": 30, "max": 40})
        self.assertEqual(added["p50_times_floor"]["median"], 1.75)
        self.assertIsNone(added["p99_times_floor"])  # the floor adds nothing to compare with

    def test_percentile(self):
        # The nearest rank: of the values 1 to 100 the 50th, the 99th, the last; never one before the first.
        self.assertEqual([percentile(list(range(1, 101)), it) for it in (0, 0.07, 0.5, 0.99, 0.999, 1)], [1, 7, 50, 99, 100, 100])
        self.assertEqual([percentile([1, 2, 3], it) for it in (0.5, 0.99)], [2, 3])
        self.assertEqual(percentile([5], 0.5), 5)
        self.assertIsNone(percentile([], 0.5))


class Order(unittest.TestCase):
    def test_each_has_every_place(self):
        names = ["a", "b", "c"]
        found = [rounds.order(names, it) for it in range(6)]
        self.assertEqual(found[0], names)
        self.assertEqual(found[1], names[::-1])
        for it in names:
            self.assertEqual({order.index(it) for order in found}, {0, 1, 2})


class Kept(unittest.TestCase):
    def test_a_part_is_replaced_for_all_rows_and_others_stay(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = results.Results(folder)
            kept.put("cost", job([row("portcullis", "ours", [1, 1]), row("a", "peer", [2, 2])]))
            kept.put("latency", job([{"name": "a", "kind": "peer", "note": "", "latency": {}}], part="latency"))
            kept.save()
            kept = results.Results(folder)
            self.assertEqual(set(kept.get("plain@64")["measured"]), {"cost", "latency"})
            kept.put("cost", job([row("portcullis", "ours", [1, 1])]))
            rows = {it["name"]: it for it in kept.get("plain@64")["rows"]}
            self.assertNotIn("cost", rows["a"])
            self.assertIn("latency", rows["a"])

    def test_another_build_starts_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = results.Results(folder)
            kept.put("cost", job([row("a", "peer", [2, 2])]))
            kept.put("cost", job([row("portcullis", "ours", [1, 1])], version="2"))
            self.assertEqual([it["name"] for it in kept.get("plain@64")["rows"]], ["portcullis"])

    def test_other_peers_leave_the_other_parts(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = results.Results(folder)
            ours = {"name": "portcullis", "kind": "ours", "note": ""}
            kept.put("latency", job([{**ours, "latency": {}}, {"name": "a", "kind": "peer", "note": "", "latency": {}}],
                                    part="latency", a="1", floor="1"))
            kept.put("cost", job([row("portcullis", "ours", [1, 1]), row("b", "peer", [2, 2])], b="7"))
            found = kept.get("plain@64")
            self.assertEqual({it["name"]: {"cost", "latency"} & it.keys() for it in found["rows"]},
                             {"portcullis": {"cost", "latency"}, "a": {"latency"}, "b": {"cost"}})
            # Of the run before, the versions of what still has figures; all of this run's.
            self.assertEqual(found["about"]["versions"], {"portcullis": "1", "wrk": "4", "a": "1", "b": "7"})
            kept.put("latency", job([{**ours, "latency": {}}], part="latency"))
            found = kept.get("plain@64")
            self.assertEqual([it["name"] for it in found["rows"]], ["portcullis", "b"])
            self.assertEqual(set(found["measured"]), {"cost", "latency"})

    def test_other_cores_or_a_peer_of_another_version_start_anew(self):
        for other in ({"cores": "1"}, {"a": "2"}):
            with tempfile.TemporaryDirectory() as folder:
                kept = results.Results(folder)
                kept.put("cost", job([row("a", "peer", [2, 2])], a="1"))
                kept.put("latency", job([{"name": "a", "kind": "peer", "note": "", "latency": {}}], part="latency", **other))
                self.assertEqual(set(kept.get("plain@64")["measured"]), {"latency"})


    def test_what_is_no_result_is_an_error_in_words(self):
        for wrong in ("{", "[]", '{"format": 1}', '{"format": 1, "jobs": [1]}'):
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, "results.json"), "w") as out:
                    out.write(wrong)
                with self.assertRaisesRegex(processes.Failed, "results.json can't be read: .*--fresh"):
                    results.Results(folder)
                self.assertEqual(results.Results(folder, fresh=True).jobs, {})

    def test_nothing_to_report_is_said(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(SystemExit, "nothing to report"):
            command.main(["--report", "--out", os.path.join(folder, "none")])

    def test_who_ends_it_hears_what_is_there(self):
        with tempfile.TemporaryDirectory() as folder:
            kept = results.Results(folder)
            self.assertIn("nothing was written", command._so_far(kept))
            kept.put("cost", job([row("a", "peer", [2, 2])]))
            kept.save()
            self.assertIn("plain@64 is in", command._so_far(kept))
            # What an earlier run left is not this one's.
            self.assertIn("nothing was written", command._so_far(results.Results(folder)))


class Workers(unittest.TestCase):
    def test_two_processes_are_late_when_one_is(self):
        late = workers.of_both(Sample(10, 2.0, 0), Sample(5, 2.5, 1, late=True))
        self.assertEqual((late.requests, late.seconds, late.failed, late.late), (15, 2.5, 1, True))
        self.assertFalse(workers.of_both(Sample(1, 1.0, 0), Sample(1, 1.0, 0)).late)

    def test_notes_say_who_was_late(self):
        found = {key: {"late": [False, key == "apart"]} for key in ("one", "two", "apart")}
        rows = [{"name": "a", "note": "", "latency": {"late": [True, True]}}, {"name": "b", "note": "", "workers": found}]
        self.assertEqual(list(text.notes({"rows": rows})), [
            "a: the rate was not held in 2 of 2 rounds", "b: the rate was not held in 1 of 2 rounds (two processes)"])


class Reports(unittest.TestCase):
    found = figures.derive(job([row("portcullis", "ours", [1, 2]), row("a<b", "peer", [20, 30]), row("direct", "floor", [None, None])]))

    def test_charts_are_well_formed(self):
        for svg in (chart.svg([self.found]), bars.bars("a & b", [("x", "ours", figures.spread([1, 2]))]), chart.svg([])):
            ElementTree.fromstring(svg)

    def test_page_fetches_nothing_and_escapes(self):
        html = page.html([self.found])
        self.assertNotIn("<cpu>", html)
        self.assertNotIn("a<b", html)
        for it in ("src=", "<link", "@import", "url("):
            self.assertNotIn(it, html)

    def test_chart_has_machine_and_date_of_one_job(self):
        newer = {**self.found, "about": {**self.found["about"], "machine": {**MACHINE, "cpu": "another"}},
                 "measured": {"cost": {**self.found["measured"]["cost"], "date": "2026-02-03T04:05+00:00"}}}
        for order in ([self.found, newer], [newer, self.found]):
            svg = chart.svg(order)
            self.assertIn("2026-02-03; another", svg)
            self.assertNotIn("2026-01-02", svg)

    def test_kernel_is_said_by_two_numbers(self):
        self.assertIn("Linux 6.1, a system", machine.in_words(MACHINE))

    def test_text_has_where_and_when(self):
        said = text.job(self.found)
        for it in ("a <cpu>", "portcullis 1", "2026-01-02", "2 rounds of 1 s"):
            self.assertIn(it, said)


class Protocols(unittest.TestCase):
    jobs = {it.name: it for it in jobs.ALL}

    def place(self, folder):
        shown = certificate.Certificate("site.pem", "site.key", "both.pem")
        return contenders.Place(folder, 8001, 9001, None, shown)

    def written(self, contender, job):
        """All that it writes for a job."""
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(type(contender), "program", return_value="program"):
            contender.command(self.place(folder), self.jobs[job])
            texts = []
            for name in sorted(os.listdir(folder)):
                with open(os.path.join(folder, name)) as file:
                    texts.append(file.read())
            return "\n".join(texts)

    def test_everyone_shows_the_certificate_over_tls_and_nowhere_else(self):
        ours = command.Portcullis("program")
        for it in (ours, options.Nginx(), options.Haproxy(), options.Envoy(), options.Traefik()):
            for job in ("tls", "handshake", "resume", "h2"):
                text = self.written(it, job)
                self.assertIn("both.pem" if it.name == "haproxy" else "site.key", text, (it.name, job))
                self.assertIn("X25519", text, (it.name, job))
            text = self.written(it, "plain")
            self.assertNotIn("site.key", text, it.name)
            self.assertNotIn("both.pem", text, it.name)

    def test_the_driver_is_said_to_one_alone(self):
        for job in ("plain", "idle", "workers", "h2"):
            self.assertIn('io = "monoio"', self.written(command.Monoio("program"), job))
            self.assertNotIn("io =", self.written(command.Portcullis("program"), job))

    def test_who_asks_the_backend_in_http2(self):
        for it, said in ((command.Portcullis("program"), 'protocol = "h2"'), (options.Haproxy(), "server one 127.0.0.1:9001 proto h2"),
                         (options.Envoy(), "http2_protocol_options"), (options.Traefik(), "h2c://127.0.0.1:9001")):
            self.assertIn(said, self.written(it, "h2c"), it.name)
            self.assertNotIn(said, self.written(it, "h2"), it.name)
        self.assertTrue(options.Nginx().does(self.jobs["h2c"]))

    def test_grpc_is_asked_and_passed_on_as_such(self):
        for it, said in ((command.Portcullis("program"), 'protocol = "h2"'), (options.Haproxy(), "server one 127.0.0.1:9001 proto h2"),
                         (options.Envoy(), "http2_protocol_options"), (options.Traefik(), "h2c://127.0.0.1:9001"),
                         (options.Nginx(), "grpc_pass grpc://up")):
            self.assertFalse(it.does(self.jobs["grpc"]), it.name)
            self.assertIn(said, self.written(it, "grpc"), it.name)
        for it in (command.Forwarder("program"), command.Direct()):
            self.assertFalse(it.does(self.jobs["grpc"]))
        self.assertEqual(answers.framed(b"abc"), b"\0\0\0\0\3abc")

    def test_answers_of_grpc_are_checked_to_the_status(self):
        job = self.jobs["grpc"]
        job.prepare(None)
        right = answers.framed(job.requests[0].body)
        for body, status, good in ((right, "0", True), (right, "14", False), (right, None, False), (right[:-1], "0", False)):
            headers = email.message.Message()
            if status is not None:
                headers["grpc-status"] = status
            with mock.patch.object(answers, "ask", return_value=(200, headers, body)):
                if good:
                    answers.check(options.Envoy(), job, None)
                else:
                    with self.assertRaises(processes.Failed):
                        answers.check(options.Envoy(), job, None)

    def test_a_key_makes_jobs_over_tls_others(self):
        other = self.jobs["resume"].with_key("rsa2048")
        self.assertEqual((other.label, other.name, other.key), ("resume-rsa2048", "resume", "rsa2048"))
        self.assertIn("RSA-2048", other.title)
        self.assertIs(self.jobs["plain"].with_key("rsa2048"), self.jobs["plain"])
        self.assertIs(self.jobs["tls"].with_key("p256"), self.jobs["tls"])

    def test_the_hybrid_group_is_asked_of_one_alone(self):
        ours = command.PostQuantum("program")
        self.assertEqual([name for name, it in self.jobs.items() if not ours.does(it)], ["handshake", "resume"])
        fitted = ours.fitted(self.jobs["resume"])
        self.assertIn(f'tls_groups = ["{certificate.POST_QUANTUM}", "X25519"]', self.written(ours, "resume"))
        shown = certificate.Certificate("site.pem", "site.key", "both.pem")
        fitted.prepare(None)
        asked = options.PortcullisLoad("0", "/", "program", shown)._scenario(8001, fitted)
        self.assertIn(f'tls_groups = "{certificate.POST_QUANTUM}"', asked)
        self.assertEqual(command.Portcullis("program").fitted(self.jobs["resume"]).group, "X25519")

    def test_generators_say_what_they_can_not(self):
        wrk, h2load, ours = (it("0", "/", "program") for it in (options.Wrk, options.H2load, options.PortcullisLoad))
        able = {name: [it.name for it in (wrk, h2load, ours) if not it.cannot(job)] for name, job in self.jobs.items()}
        self.assertEqual(able["plain"], ["wrk", "h2load", "portcullis-load"])
        self.assertEqual(able["tls"], ["wrk", "h2load", "portcullis-load"])
        self.assertEqual(able["connect"], ["wrk", "portcullis-load"])
        self.assertEqual(able["handshake"], ["portcullis-load"])
        self.assertEqual(able["h2"], ["h2load", "portcullis-load"])
        self.assertEqual(able["grpc"], ["h2load", "portcullis-load"])

    def test_our_generator_is_told_the_protocol(self):
        shown = certificate.Certificate("site.pem", "site.key", "both.pem")
        ours = options.PortcullisLoad("0", "/", "program", shown)

        class Tokens:
            all = ["t"]

        def scenario(name):
            self.jobs[name].prepare(Tokens)
            return ours._scenario(8001, self.jobs[name])

        self.assertIn('url = "http://127.0.0.1:8001"\nhttp2 = true\n[load]\nstreams = 8\n', scenario("h2c"))
        for it in ("grpc = true", 'body_size = "100B"', 'path = "/compare.Echo/Get"', "http2 = true"):
            self.assertIn(it, scenario("grpc"))
        for it in ('cacert = "site.pem"', "tls_resume = false", "requests_per_connection = 1", 'url = "https://'):
            self.assertIn(it, scenario("handshake"))
        self.assertIn("tls_resume = true", scenario("resume"))
        self.assertNotIn("Connection", scenario("resume"))
        self.assertNotIn("cacert", scenario("plain"))

    def test_a_run_that_resumed_what_it_should_not_ends(self):
        shown = certificate.Certificate("site.pem", "site.key", "both.pem")
        ours = options.PortcullisLoad("0", "/", "program", shown)

        def check(name, opened, resumed, agreed=f"TLSv1.3, {certificate.SUITE}, {certificate.GROUP}, http/1.1"):
            ours._check_handshakes(self.jobs[name], {"counts": {"connections": opened, "resumed": resumed},
                                                     "about": {"connections": 64, "tls": agreed}})

        check("plain", 64, 0, agreed=None)
        check("tls", 64, 0)
        check("handshake", 1000, 0)
        check("resume", 1000, 936)
        for wrong in (("handshake", 1000, 1), ("resume", 1000, 800), ("tls", 64, 0, "TLSv1.2, X, X25519")):
            with self.assertRaises(processes.Failed):
                check(*wrong)

    @unittest.skipUnless(shutil.which("openssl"), "openssl is missing")
    def test_the_certificates_are_for_servers(self):
        with tempfile.TemporaryDirectory() as folder:
            all = [certificate.make(folder, key) for key in certificate.KEYS]
            for made in all:
                with open(made.both) as file:
                    both = file.read()
                self.assertEqual(both.count("-----BEGIN"), 2)
                # What a client needs to trust it by name.
                ssl.create_default_context(cafile=made.chain)
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(made.chain, made.key)
            with open(certificate.trusted(folder, all)) as file:
                self.assertEqual(file.read().count("-----BEGIN CERTIFICATE"), 2)

    def test_ports_differ(self):
        self.assertEqual(len(set(processes.free_ports(50))), 50)


if __name__ == "__main__":
    unittest.main()

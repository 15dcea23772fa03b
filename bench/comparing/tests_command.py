"""Tests of the command line and of how a run begins and ends; `comparing.tests` runs them, too."""

import contextlib
import os
import tempfile
import unittest
from unittest import mock

from . import command, contenders, idle, jobs, options, origin, processes, stage


class Starting(unittest.TestCase):
    def test_a_stage_that_fails_to_start_leaves_no_folder(self):
        with tempfile.TemporaryDirectory() as place:
            folder = os.path.join(place, "run")
            os.mkdir(folder)
            with mock.patch.object(stage.os, "sched_setaffinity"), mock.patch.object(stage.tempfile, "mkdtemp", return_value=folder), \
                    mock.patch.object(stage.tokens, "Tokens"), mock.patch.object(stage.origin, "start", side_effect=processes.Failed("no")):
                with self.assertRaises(processes.Failed), stage.Stage(options.Cores("0", "0", "0", "0")):
                    self.fail("it did not start")
            self.assertFalse(os.path.exists(folder))

    def test_what_failed_is_kept_once_something_was_started(self):
        with tempfile.TemporaryDirectory() as place:
            kept = os.path.join(place, "out", "failed")
            for started, text in ((0, None), (1, "first"), (1, "second")):
                made = stage.Stage(options.Cores("0", "0", "0", "0"), None, kept)
                made.folder, made.backends, made.count = os.path.join(place, "run"), [], started
                os.mkdir(made.folder)
                with open(os.path.join(made.folder, "output.log"), "w") as out:
                    out.write(text or "")
                with mock.patch.object(stage, "say") as said:
                    made.__exit__(processes.Failed, processes.Failed("no"), None)
                self.assertFalse(os.path.exists(made.folder))
                self.assertEqual(said.called, bool(started))
                if text is None:
                    self.assertFalse(os.path.exists(kept))
                else:
                    with open(os.path.join(kept, "output.log")) as log:
                        self.assertEqual(log.read(), text)

    def test_a_core_that_is_not_there_is_refused_by_its_name(self):
        before = os.sched_getaffinity(0)
        with self.assertRaisesRegex(processes.Failed, "--proxy-core: core 4000 .* may use"):
            processes.check_cores({"--client-core": str(min(before)), "--proxy-core": "4000"})
        self.assertEqual(os.sched_getaffinity(0), before)

    def test_a_backend_that_does_not_listen_is_ended(self):
        program = mock.Mock(wait_for=mock.Mock(side_effect=processes.Failed("no")))
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(origin.contenders, "found", return_value="nginx"), \
                mock.patch.object(origin.processes, "Program", return_value=program):
            with self.assertRaises(processes.Failed):
                origin.start(folder, "0", 1024)
        program.end.assert_called_once()


class Command(unittest.TestCase):
    def test_names_are_checked(self):
        self.assertEqual(options.parse(["--jobs", "plain,1m"]).jobs, ["plain", "1m"])
        self.assertEqual(options.parse(["--connections", "8,64"]).connections, [8, 64])
        for wrong in (["--jobs", "plane"], ["--connections", "0"], ["--rounds", "0"], ["--seconds", "0"], ["--peers", "apache"],
                      ["--proxy-core", "x"], ["--worker-cores", "0"], ["--idle-connections", "0"], ["--generators", "--check"],
                      ["--report", "--fresh"]):
            with self.assertRaises(SystemExit), open("/dev/null", "w") as null:

                with contextlib.redirect_stderr(null):
                    options.parse(wrong)

    def test_the_gateway_by_the_other_driver_is_there_by_name_alone(self):
        for said, wanted in (("all", list(options.PEERS)), ("none", []), ("portcullis-monoio", ["portcullis-monoio"]),
                             ("portcullis-monoio,all", [*options.PEERS, "portcullis-monoio"]), ("nginx", ["nginx"])):
            self.assertEqual(options.parse(["--peers", said]).peers, wanted)

        def found(peers):
            made = command.Comparison.__new__(command.Comparison)
            made.args = options.parse(["--peers", peers])
            with mock.patch.object(contenders, "found", return_value="program"), mock.patch.object(command, "say"), \
                    mock.patch.object(command.Portcullis, "program", return_value="program"):
                return [it.name for it in made._contenders()]

        self.assertNotIn("portcullis-monoio", found("none"))
        self.assertEqual(found("portcullis-monoio")[:2], ["portcullis", "portcullis-monoio"])

    def test_idle_connections_fit_the_descriptors(self):
        self.assertEqual(idle.connections_possible(20_000, 10_000), 10_000)
        self.assertLess(idle.connections_possible(1024, 10_000), 1024)

    def test_jobs_have_requests(self):
        class Tokens:
            all = ["t"] * 3

        for it in jobs.ALL:
            it.prepare(Tokens)
            self.assertTrue(it.requests)
        routes = next(it for it in jobs.ALL if it.name == "routes").requests
        self.assertEqual(len({it.path for it in routes}), jobs.ROUTES)

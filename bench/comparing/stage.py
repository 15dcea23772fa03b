"""What surrounds every measurement: a folder, the backend, tokens, and contenders started and checked on it."""

import contextlib
import os
import shutil
import tempfile
import threading

from . import answers, certificate, contenders, origin, processes, tokens
from .jobs import USERS


def say(text):
    """Progress goes to standard error: standard output is for results."""
    import sys

    print(text, file=sys.stderr, flush=True)


def _no_file(folder, names):
    """Sockets and the like, which can't be copied."""
    return [it for it in names if not os.path.isfile(path := os.path.join(folder, it)) and not os.path.isdir(path)]


class Standing:
    """A contender that runs and does its job rightly."""

    def __init__(self, contender, place, program, job):
        self.contender, self.place, self.program, self.job = contender, place, program, job
        self.name, self.port = contender.name, place.port

    def run_time(self):
        return self.program.run_time() if self.program else 0

    def resident_kib(self):
        return self.program.resident_kib() if self.program else 0

    def doing(self, job):
        """The same program at another job that it is configured for, too."""
        other = Standing(self.contender, self.place, self.program, self.contender.fitted(job))
        other.name = f"{self.name}, {job.name}"
        return other

    def end(self):
        if self.program:
            self.program.end()


class Stage:
    """Use as a context: leaving it ends what was started and removes the folder.

    After a failure of something that was started, what is in it (configurations, logs) is moved to `kept`, where it takes
    the place of the failure before.
    """

    def __init__(self, cores, load_binary=None, kept=None):
        """`load_binary`: portcullis-load, whose origin is the backend of gRPC."""
        self.cores, self.load_binary, self.kept = cores, load_binary, kept
        self.descriptors = processes.raise_descriptor_limit()
        self.standing = []
        self.count = 0

    def __enter__(self):
        # Ourselves away from the measured core.
        os.sched_setaffinity(0, {int(it) for it in (self.cores.client, self.cores.backend)})
        self.folder = tempfile.mkdtemp(prefix="portcullis-compare-")
        # Nobody leaves what was never entered: a failure in here undoes what was done.
        with contextlib.ExitStack() as undo:
            undo.callback(shutil.rmtree, self.folder, ignore_errors=True)
            os.chmod(self.folder, 0o755)  # nginx' workers run as somebody else when we are root
            self.tokens = tokens.Tokens(self.folder, USERS)
            self.certificates = {it: certificate.make(self.folder, it) for it in certificate.KEYS}
            self.trusted = certificate.trusted(self.folder, self.certificates.values())
            backend, self.backend_ports = origin.start(self.folder, self.cores.backend, self.descriptors)
            self.backends = [backend]
            undo.pop_all()
        return self

    def __exit__(self, kind, error, trace):
        self.clear()
        for it in self.backends:
            it.end()
        if self.kept and self.count and kind not in (None, KeyboardInterrupt):
            self._keep()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _keep(self):
        try:
            shutil.rmtree(self.kept, ignore_errors=True)
            shutil.copytree(self.folder, self.kept, ignore=_no_file)
            say(f"configurations and logs of the failed run are in {self.kept}")
        except (OSError, shutil.Error) as error:
            say(f"configurations and logs of the failed run could not be kept in {self.kept}: {error}")

    def start(self, contender, job, workers=1, cores=None, rate=contenders.RATE):
        """Starts it, waits until it listens, and checks its answers."""
        job = contender.fitted(job)
        self.count += 1
        folder = f"{self.folder}/{self.count}-{job.name}-{contender.name}"
        os.makedirs(f"{folder}/tmp")
        os.chmod(f"{folder}/tmp", 0o777)
        backend = self._backend(job.upstream)
        place = contenders.Place(folder, processes.free_port(), backend, self.tokens, self.certificates[job.key], workers, rate)
        command = contender.command(place, job)
        program = None
        if command is None:
            place.port = backend
        else:
            program = processes.Program(command, cores or self.cores.proxy, folder, f"{folder}/output.log",
                                        contender.environment)
        standing = Standing(contender, place, program, job)
        self.standing.append(standing)
        if program:
            program.wait_for(place.port)
        answers.check(contender, job, place)
        return standing

    def _backend(self, upstream):
        """The port of the backend that speaks this; the one of gRPC is started when it is first asked for."""
        if upstream not in self.backend_ports:
            running, port = origin.start_grpc(self.folder, self.cores.backend, self.load_binary)
            self.backends.append(running)
            self.backend_ports[upstream] = port
        return self.backend_ports[upstream]

    def clear(self):
        """Ends all contenders, side by side, since some take their time."""
        ends = [threading.Thread(target=it.end) for it in self.standing]
        for it in ends:
            it.start()
        for it in ends:
            it.join()
        self.standing = []

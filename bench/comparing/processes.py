"""Programs under measurement: started on their cores, waited for, their CPU time and memory read, ended.

CPU time is the kernel's run time of every thread, also of those that have ended meanwhile (the process clock,
which is the sum of /proc/PID/task/*/schedstat and of the threads that are gone). It does not know requests.
"""

import contextlib
import glob
import os
import resource
import signal
import socket
import subprocess
import time


class Failed(Exception):
    """Something that makes the rest of a run pointless, in words for its user."""


def raise_descriptor_limit():
    """The soft limit to the hard one, for us and all that we start; returns it."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def check_cores(cores):
    """That each of `{option: core}` can be had; what we may use ourselves stays as it is."""
    before = os.sched_getaffinity(0)
    for option, core in cores.items():
        try:
            os.sched_setaffinity(0, {int(core)})
        except (OSError, OverflowError) as error:
            listed = ", ".join(map(str, sorted(before)))
            raise Failed(f"{option}: core {core} can't be had here; this process may use {listed}") from error
        finally:
            os.sched_setaffinity(0, before)


def free_port():
    return free_ports(1)[0]


def free_ports(count):
    """Different ones: none is given back before all are known."""
    with contextlib.ExitStack() as held:
        listeners = [held.enter_context(socket.socket()) for _ in range(count)]
        for it in listeners:
            it.bind(("127.0.0.1", 0))
        return [it.getsockname()[1] for it in listeners]


def run_time(pid):
    """Nanoseconds that all threads of a process have run, the ended ones too."""
    try:
        return time.clock_gettime_ns((~pid << 3) | 2)
    except OSError:
        return sum(_first_number(path) for path in glob.glob(f"/proc/{pid}/task/*/schedstat"))


def _first_number(path):
    try:
        with open(path) as file:
            return int(file.read().split()[0])
    except (OSError, IndexError):
        return 0


class Program:
    """A running process, its children included."""

    def __init__(self, command, cores, folder, log, environment=None):
        self.log = log
        self.command = command
        with open(log, "ab") as out:
            self.process = subprocess.Popen(
                ["taskset", "-c", cores] + command, cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})})

    def wait_for(self, port, seconds=20):
        """Until it accepts on a port; one that ends instead is an error with its last words."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failed(f"{self.command[0]} does not listen on port {port}:\n{self.last_words()}")

    def last_words(self, lines=12):
        with open(self.log, errors="replace") as file:
            return "".join(file.readlines()[-lines:])

    def pids(self):
        """The process and all its descendants."""
        children = {}
        for path in glob.glob("/proc/[0-9]*/stat"):
            try:
                with open(path) as file:
                    parent = int(file.read().rsplit(")", 1)[1].split()[1])
                children.setdefault(parent, []).append(int(path.split("/")[2]))
            except (OSError, IndexError):
                pass
        found, queue = [], [self.process.pid]
        while queue:
            pid = queue.pop()
            found.append(pid)
            queue += children.get(pid, [])
        return found

    def run_time(self):
        return sum(run_time(pid) for pid in self.pids())

    def resident_kib(self):
        total = 0
        for pid in self.pids():
            try:
                with open(f"/proc/{pid}/status") as file:
                    total += sum(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
            except OSError:
                pass
        return total

    def end(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(3)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()

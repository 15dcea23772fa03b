"""What is measured: the gateway, its peers, and two floors: the way without a proxy, and a bare forwarder of bytes.

A contender knows how its program is found and told to do a job, as its own experts would tell it: one worker,
enough idle connections to the backend for all clients, no log or statistics that the job does not ask for.
Each has one file. It does not know how it is measured.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass

from .. import processes

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
RATE = 1_000_000  # requests/s of one user: counted, never reached
DESCRIPTORS = 20_000  # connections that each is told to be ready for


def found(name, folder=f"{ROOT}/target/peers/bin"):
    """Where a program is: tools/peers' folder first, then the path and the administrators' folders."""
    places = os.pathsep.join([folder, os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"])
    return shutil.which(name, path=places)


def says(*command):
    """What a program prints about its version, wherever it prints it."""
    done = subprocess.run(command, capture_output=True, text=True)
    return (done.stdout + done.stderr).strip()


@dataclass
class Place:
    """Where a contender runs in one job."""

    folder: str
    port: int
    backend: int
    tokens: object
    certificate: object
    workers: int = 1
    rate: int = RATE

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as out:
            out.write(text)
        return self.path(name)


class Contender:
    """`kind`: ours, peer, or floor. `name` is unique in a run."""

    name = ""
    kind = "peer"
    verifies = False  # whether the gateway job checks signatures
    limits = True  # whether the gateway job counts per user
    environment = {}
    log = "access.log"  # where the gateway job's log lines go, in its folder

    def program(self):
        """The path of its program, or None when it is not installed."""
        return found(self.name)

    def version(self):
        return ""

    def does(self, job):
        """Why it can't do a job, or None when it can."""
        return None

    def fitted(self, job):
        """The job as it is given to this one."""
        return job

    def note(self, job):
        """What a reader must know about how it does this job."""
        return ""

    def command(self, place, job):
        """Writes its configuration and returns the command that runs it."""
        raise NotImplementedError

"""results.json: what was measured, kept between runs, so that a comparison can be made in parts.

A run replaces the jobs that it measured and leaves the others; each job carries its own date, machine, versions
and settings, and says so in every report.
"""

import json
import os

from . import figures
from .jobs import ALL
from .processes import Failed

FORMAT = 1


class Results:
    def __init__(self, folder, fresh=False):
        self.path = os.path.join(folder, "results.json")
        self.folder = folder
        self.jobs = {}
        self.fresh = set()  # the keys of jobs that this run has measured something of
        self.written = []  # those of them that are saved
        if not fresh and os.path.exists(self.path):
            self.jobs = self._stored()

    def _stored(self):
        try:
            with open(self.path) as file:
                stored = json.load(file)
            return {it["key"]: it for it in stored["jobs"]} if stored.get("format") == FORMAT else {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            what = error.strerror if isinstance(error, OSError) else f"it is not what bench/compare wrote ({type(error).__name__}: {error})"
            raise Failed(f"{self.path} can't be read: {what}; --fresh begins without it") from error

    def put(self, part, job):
        """Adds a freshly measured part (`cost`, `latency`, …) of a job.

        Other parts stay if they were measured on the same machine and cores, with the same versions of what both
        runs had. The part itself is replaced for all rows, the ones not measured now too: rounds of different runs
        must never meet in a ratio.
        """
        before = self.jobs.get(job["key"])
        if before and _alike(before["about"], job["about"]):
            measured = {**before["measured"], **job["measured"]}
            rows = {it["name"]: {key: value for key, value in it.items() if key != part} for it in before["rows"]}
            for row in job["rows"]:
                rows[row["name"]] = {**rows.get(row["name"], {}), **row}
            rows = {name: it for name, it in rows.items() if any(key in it for key in measured)}
            # Of what this run did not have: the versions of whatever still has figures here.
            still = {*rows, *(it.get("generator") for it in measured.values())}
            versions = {name: it for name, it in before["about"]["versions"].items() if name in still}
            about = {**job["about"], "versions": {**versions, **job["about"]["versions"]}}
            job = {**job, "about": about, "measured": measured, "rows": list(rows.values())}
        self.jobs[job["key"]] = figures.derive(job)
        self.fresh.add(job["key"])

    def get(self, key):
        return self.jobs.get(key)

    def save(self):
        half = f"{self.path}.new"
        try:
            os.makedirs(self.folder, exist_ok=True)
            with open(half, "w") as out:
                json.dump({"format": FORMAT, "tool": "bench/compare", "jobs": self.ordered()}, out, indent=1)
            os.replace(half, self.path)
        except OSError as error:
            raise Failed(f"{self.path} can't be written: {error.strerror}") from error
        self.written = [key for key in self.jobs if key in self.fresh]

    def ordered(self):
        places = {it.name: n for n, it in enumerate(ALL)}
        # One with another key stands behind its own.
        place = lambda it: places.get(it["job"], places.get(it["job"].partition("-")[0], 99))  # noqa: E731
        return sorted(self.jobs.values(), key=lambda it: (place(it), it["job"], it["connections"]))


def _alike(before, now):
    """Whether parts of two runs may stand in one job; one may have had other peers or generators."""
    both = before["versions"].keys() & now["versions"].keys()
    return (before["machine"] == now["machine"] and before["cores"] == now["cores"]
            and all(before["versions"][name] == now["versions"][name] for name in both))

"""wrk: the fastest way to keep connections busy. It knows no rate; its percentiles count from the sending."""

import json
import subprocess

from .. import contenders
from . import Generator, Sample, failure, url

# What is said at the end: one line that is ours to read.
DONE = """
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests": %d, "seconds": %f, "failed": %d, "p50": %f, "p99": %f, "p999": %f}\\n',
    summary.requests, summary.duration / 1e6, e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
"""

TURNS = """
local made, n = {}, 0
init = function() for i, r in ipairs(requests) do made[i] = wrk.format(r[1], r[2], r[3], r[4]) end end
request = function() n = n % #made + 1; return made[n] end
"""


def _lua(value):
    return json.dumps(value)  # the strings here are plain ASCII, which both write alike


class Wrk(Generator):
    name = "wrk"

    def version(self):
        return contenders.says(self.path, "-v").splitlines()[0].split()[1]

    def cannot(self, job):
        if job.http2:
            return "it has no HTTP/2"
        if job.tls and job.close:
            return "it does not say whether a session was resumed"
        return None

    def closed(self, port, job, connections, seconds):
        command = self.pinned("-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s", "-s", self._script(job),
                              url(port, job, job.requests[0].path))
        done = subprocess.run(command, capture_output=True, text=True)
        line = next((it for it in done.stdout.splitlines() if it.startswith("RESULT ")), None)
        if line is None:
            raise failure(self.name, done.stdout + done.stderr)
        return Sample(**json.loads(line.removeprefix("RESULT ")))

    def _script(self, job):
        """One request is left to wrk, which then runs no Lua for it; several are made ready before the start."""
        path = f"{self.folder}/{job.name}.lua"
        with open(path, "w") as out:
            if len(job.requests) == 1:
                it = job.requests[0]
                out.write(f"wrk.method = {_lua(it.method)}\n")
                out.writelines(f"wrk.headers[{_lua(name)}] = {_lua(value)}\n" for name, value in it.headers.items())
                if it.body:
                    out.write(f"wrk.body = {_lua(it.body.decode())}\n")
            else:
                out.write("local requests = {\n")
                for it in job.requests:
                    headers = ", ".join(f"[{_lua(name)}] = {_lua(value)}" for name, value in it.headers.items())
                    body = _lua(it.body.decode()) if it.body else "nil"
                    out.write(f"  {{{_lua(it.method)}, {_lua(it.path)}, {{{headers}}}, {body}}},\n")
                out.write("}\n" + TURNS)
            out.write(DONE)
        return path

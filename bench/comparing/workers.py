"""What a second worker costs: the same total rate on one worker and on two, each with as many connections.

Two workers that share nothing should serve as many requests per second of CPU as one. What is less has two causes,
which a third arrangement tells apart: two processes of one worker each, which certainly share nothing, but wake up
as often for as little, and have one of them on the core of client and backend where there are only two. Two
workers beside two processes is the price of what workers share.
"""

from concurrent.futures import ThreadPoolExecutor

from . import rounds
from .generators import Sample


class Apart:
    """Two processes under the load of one; to the rounds it looks like a single contender."""

    name = "apart"
    program = True

    def __init__(self, first, second):
        self.both = (first, second)
        self.port = (first.port, second.port)

    def run_time(self):
        return sum(it.run_time() for it in self.both)

    def resident_kib(self):
        return sum(it.resident_kib() for it in self.both)


def measure(stage, contender, job, args, load):
    """`{"one": …, "two": …, "apart": …}`, taken in the same rounds.

    `load(port, share, workers)` gives the Sample of `share` of the rate on the connections of so many workers.
    """
    cores = args.cores.workers.split(",")
    one = stage.start(contender, job, workers=1, cores=cores[0])
    two = stage.start(contender, job, workers=2, cores=args.cores.workers)
    apart = Apart(one, stage.start(contender, job, workers=1, cores=cores[1]))
    one.name, two.name = "one", "two"

    def of(it):
        if it is apart:
            with ThreadPoolExecutor(2) as pool:
                return of_both(*pool.map(lambda port: load(port, 0.5, 1), it.port))
        return load(it.port, 1, 2 if it is two else 1)

    found = rounds.run(f"workers, {contender.name}", [one, two, apart], of, args.rounds)
    stage.clear()
    return found


def of_both(first, second):
    """Two halves of a load at the same time as one Sample; percentiles of two don't make one of both."""
    return Sample(first.requests + second.requests, max(first.seconds, second.seconds), first.failed + second.failed,
                  late=first.late or second.late)

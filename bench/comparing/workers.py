"""What a second worker costs: the same total rate on one worker and on two, each with as many connections.

Two workers that share nothing serve as many requests per second of CPU as one; what is less is the price of
what they share, and of waking up twice as often for half as much. Cores are shared with client and backend
where there are only two, so that cost is compared and not the highest rate.
"""

from . import rounds


def measure(stage, contender, job, args, load):
    """`{"one": figures, "two": figures}`, taken in the same rounds. `load(port, connections)` gives a Sample."""
    pair = []
    for workers, name in ((1, "one"), (2, "two")):
        it = stage.start(contender, job, workers=workers, cores=args.cores.workers)
        it.name, it.workers = name, workers
        pair.append(it)
    at = {it.port: it.workers for it in pair}
    found = rounds.run(f"workers, {contender.name}", pair, lambda port: load(port, at[port]), args.rounds)
    stage.clear()
    return found

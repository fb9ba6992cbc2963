"""Measures how long training takes to start with each kind of updates.

Runs `examples/train.py` in a process of its own for one short epoch: eager, traced, compiled with
an empty cache, and compiled with what that left there. They take turns, so that a busy machine
slows all of them. Prints wall and CPU time of the whole process and of the compiler it starts: each
round, then the medians and the medians of the differences to eager updates in the same round. On a
busy machine only CPU times can be compared.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from side_by_side import conditions

TRAIN = Path(__file__).resolve().parents[1] / "examples" / "train.py"
TINY = ("seed=0", "save=false", "epochs=1", "cycles=1", "rollouts=1", "batches=1", "evals=1")
KINDS = {
    "eager": ["--eager"],
    "traced": [],
    "compiled, cold": ["--compile"],
    "compiled, warm": ["--compile"],
}


def start(arguments: list[str], env: str, cache: str) -> tuple[float, float]:
    """Returns the seconds of wall and CPU time that a short training takes."""
    settings = [word for change in TINY for word in ("--set", change)]
    wall, cpu = time.perf_counter(), children_cpu()
    subprocess.run(
        [sys.executable, str(TRAIN), "--env", env, *settings, *arguments],
        env={**os.environ, "XDG_CACHE_HOME": cache},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - wall, children_cpu() - cpu


def children_cpu() -> float:
    """Returns the CPU seconds of all processes that this one has started and that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def medians(times: list[tuple[float, float]]) -> str:
    """Returns the medians of wall and CPU time as text."""
    wall, cpu = (statistics.median(column) for column in zip(*times, strict=True))
    return f"{wall:+7.2f} s (CPU {cpu:+6.2f})"


def main() -> None:
    """Prints a line for each kind of updates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="FlatPJCube-v0", metavar="ID")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    args = parser.parse_args()
    seconds: dict[str, list[tuple[float, float]]] = {kind: [] for kind in KINDS}
    for _ in range(args.rounds):
        # Cold comes before warm, in a cache that begins empty.
        with tempfile.TemporaryDirectory() as cache:
            for kind, arguments in KINDS.items():
                seconds[kind].append(start(arguments, args.env, cache))
                print(f"{kind:15} {medians(seconds[kind][-1:])}", flush=True)
    print(f"\n{args.env}, medians of {args.rounds} rounds, {conditions()}")
    for kind, times in seconds.items():
        pairs = zip(times, seconds["eager"], strict=True)
        over = [(wall - base[0], cpu - base[1]) for (wall, cpu), base in pairs]
        print(f"{kind:15} {medians(times)}   over eager {medians(over)}")


if __name__ == "__main__":
    main()

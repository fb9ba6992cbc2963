"""Measures how long training cycles take on 1 and 2 processes, and predicts it for more cores.

The run is the shipped one: 16 workers, hosted by n processes. The prediction adds measured parts:
the work of the workers, which n processes share; what every process does for itself; and what they
do together. It ignores memory bandwidth and lower clock speeds of busy CPUs.
"""

import argparse
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# So that it runs from a checkout.
sys.path.insert(0, str(ROOT))
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import side_by_side

import envs  # noqa: F401
from grasp_func.config.load import load_config
from grasp_func.runtime.comm import connect
from grasp_func.shipped import DEFAULT_CONFIG
from grasp_func.training import loop, session, setup
from grasp_func.training.evaluation import evaluate_agent
from grasp_func.training.progress import Reporter
from grasp_func.training.schedule import ScheduleState

PROCESSES = (1, 2, 4, 8, 16)


class Figures(NamedTuple):
    """Medians of a job, in seconds.

    Attributes:
        cycle: a training cycle.
        spread: standard deviation of a cycle.
        mean: the mean over all workers, once per gradient step.
        barrier: a barrier.
        episode: an evaluation episode, of each process.
        updates: gradient steps of a cycle.
        cycles: cycles of an epoch.
        evals: evaluation episodes of an epoch.
    """

    cycle: float
    spread: float
    mean: float
    barrier: float
    episode: float
    updates: int
    cycles: int
    evals: int

    def epoch(self, processes: int) -> float:
        """Returns the seconds of an epoch, without confirmations and saving."""
        return self.cycles * self.cycle + self.episode * self.evals / processes


def measure(env_id: str, workers: int, cycles: int) -> None:
    """Runs on each rank of a job; rank 0 prints its figures."""
    comm: Any = connect()
    cfg = load_config(DEFAULT_CONFIG, env_id, ["seed=0", f"workers={workers}"])
    run = session.prepare(session.decided(cfg, comm), f"envs:{env_id}", comm)
    session.compile_updates(run)
    in_means: list[float] = []

    def mean(values: Any) -> Any:
        start = time.perf_counter()
        result = run.workers.mean(values)
        in_means.append(time.perf_counter() - start)
        return result

    timed = setup.make_run(run.cfg, run.env, run.workers._replace(mean=mean))
    state, buffers = setup.initial_state(timed), setup.empty_buffers(timed)
    seconds = []
    for number in range(cycles + 2):
        start = time.perf_counter()
        state, _ = loop.run_cycle(timed, state, buffers, number, ScheduleState(), Reporter())
        seconds.append(time.perf_counter() - start)
    barriers = []
    for _ in range(200 if comm.Get_size() > 1 else 0):
        start = time.perf_counter()
        comm.Barrier()
        barriers.append(time.perf_counter() - start)
    start = time.perf_counter()
    evaluate_agent(timed, state, 0, 2 * workers, lambda *_: None)
    episode = (time.perf_counter() - start) / 2 / len(run.workers.local_workers)
    if run.workers.is_root:
        figures = Figures(
            cycle=statistics.median(seconds[2:]),
            spread=statistics.stdev(seconds[2:]),
            mean=statistics.median(in_means),
            barrier=statistics.median(barriers or [0.0]),
            episode=episode,
            updates=cfg.batches,
            cycles=cfg.cycles,
            evals=cfg.evals * workers,
        )
        print(json.dumps(figures._asdict()))


def job(env_id: str, workers: int, processes: int, cycles: int) -> Figures:
    """Returns the figures of a run with some number of workers on some number of processes."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    mpirun = shutil.which("mpirun", path=path)
    if mpirun is None:
        sys.exit("mpirun not found")
    command = [mpirun, "--oversubscribe", "-n", str(processes), sys.executable, __file__]
    command += ["--env", env_id, "--cycles", str(cycles), "--measure", str(workers)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Figures(**json.loads(out.splitlines()[-1]))


def predict(n: int, one_worker: Figures, alone: Figures, pair: Figures, workers: int) -> Figures:
    """Returns the predicted figures of n processes.

    A cycle is the sum of the work of a process's workers; of what a process does once, from the
    normalizers to the optimizer; of the copies and sums of each update's mean, of which every
    process does an equal part; of two barriers an update, whose cost grows with log2(n); and of the
    wait for the slowest of n processes, about sqrt(2 ln n) standard deviations of their work.
    """
    per_worker = (alone.cycle - one_worker.cycle) / (workers - 1)
    once = one_worker.cycle - per_worker
    adding = max(0.0, pair.mean - 2 * pair.barrier)
    together = alone.updates * (adding + 2 * pair.barrier * math.log2(n))
    wait = alone.spread / math.sqrt(n) * math.sqrt(2 * math.log(n))
    return pair._replace(cycle=once + per_worker * workers / n + together + wait)


def main() -> None:
    """Prints a table of measured and of predicted figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--env", default="FlatPJCube-v0")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--measure", type=int, default=0, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.env, args.measure, args.cycles)
        return
    one_worker = job(args.env, 1, 1, args.cycles)
    alone = job(args.env, args.workers, 1, args.cycles)
    pair = job(args.env, args.workers, 2, args.cycles)
    print(f"{side_by_side.conditions()}; wall time, medians of {args.cycles} cycles")
    print(f"{args.env}, {args.workers} workers; one worker alone: {one_worker.cycle:.3f} s a cycle")
    print(f"{'processes':>9}{'s a cycle':>11}{'s an epoch':>12}{'speedup':>9}{'efficiency':>12}")
    for n in PROCESSES:
        measured = {1: alone, 2: pair}.get(n)
        found = measured or predict(n, one_worker, alone, pair, args.workers)
        speedup = alone.epoch(1) / found.epoch(n)
        print(f"{n:>9}{found.cycle:>11.3f}{found.epoch(n):>12.1f}", end="")
        note = "" if measured else "  predicted, not measured"
        print(f"{speedup:>9.2f}{speedup / n:>12.2f}{note}")


if __name__ == "__main__":
    main()

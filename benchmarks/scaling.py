"""Measures training cycles per second over processes, and predicts them for more cores.

Every process has one worker of FlatPJCube-v0 with the shipped configuration, as by default. Then n
processes play n times the episodes of one process and take the same gradient steps, so a cycle
should take the same time. Efficiency is the time of one process over the time of n. The prediction
adds measured parts; it ignores memory bandwidth and lower clock speeds of busy CPUs.
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
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
# So that it runs from a checkout.
sys.path.insert(0, str(ROOT))
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import gymnasium
import side_by_side

import envs  # noqa: F401
from grasp_func.config.load import load_config
from grasp_func.runtime import matmul_precision
from grasp_func.runtime.comm import connect
from grasp_func.runtime.process import tune_process
from grasp_func.runtime.workers import make_workers
from grasp_func.training import loop, setup
from grasp_func.training.goal_env import GymGoalEnv
from grasp_func.training.progress import Reporter
from grasp_func.training.schedule import ScheduleState

ENV = "FlatPJCube-v0"
PREDICTED = (16, 64)


def measure(cycles: int) -> None:
    """Runs on each rank of a job; rank 0 prints its figures in seconds."""
    tune_process()
    comm: Any = connect()
    cfg = load_config(ROOT / "configs" / "experiment_config.yaml", ENV, ["seed=0"])
    matmul_precision.use(matmul_precision.choose())
    workers = make_workers(comm, None)
    in_means: list[float] = []

    def mean(values: Any) -> Any:
        start = time.perf_counter()
        result = workers.mean(values)
        in_means.append(time.perf_counter() - start)
        return result

    env = GymGoalEnv(gymnasium.make(ENV, **cfg.kwargs))
    run = setup.make_run(cfg, env, workers._replace(mean=mean))
    state, buffers = setup.initial_state(run), setup.empty_buffers(run)
    seconds = []
    for number in range(cycles + 2):
        start = time.perf_counter()
        state, _ = loop.run_cycle(run, state, buffers, number, ScheduleState(), Reporter())
        seconds.append(time.perf_counter() - start)
    barriers = []
    for _ in range(200 if comm.Get_size() > 1 else 0):
        start = time.perf_counter()
        comm.Barrier()
        barriers.append(time.perf_counter() - start)
    if workers.is_root:
        figures = {
            "cycle": statistics.median(seconds[2:]),
            "spread": statistics.stdev(seconds[2:]),
            "mean": statistics.median(in_means),
            "barrier": statistics.median(barriers or [0.0]),
            "updates": cfg.batches,
        }
        print(json.dumps(figures))


def job(processes: int, cycles: int) -> dict[str, float]:
    """Returns the figures of a run on some number of processes."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    mpirun = shutil.which("mpirun", path=path)
    if mpirun is None:
        sys.exit("mpirun not found")
    command = [mpirun, "--oversubscribe", "-n", str(processes), sys.executable, __file__]
    command += ["--cycles", str(cycles), "--measure"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    figures: dict[str, float] = json.loads(out.splitlines()[-1])
    return figures


def predict(n: int, alone: dict[str, float], most: dict[str, float]) -> float:
    """Returns the predicted seconds of a cycle on n processes.

    It is the sum of the cycle of one process, the copies and sums of each update's mean (constant,
    since each process sums n parts of length N / n), two barriers per update whose cost grows with
    log2(n), and the wait for the slowest of n processes, about sqrt(2 ln n) standard deviations of
    a cycle.
    """
    work = max(0.0, most["mean"] - alone["mean"] - 2 * most["barrier"])
    meeting = 2 * most["barrier"] * math.log2(n)
    wait = alone["spread"] * math.sqrt(2 * math.log(n))
    return alone["cycle"] + alone["updates"] * (work + meeting) + wait


def main() -> None:
    """Prints a table of measured and of predicted figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cycles", type=int, default=20)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.cycles)
        return
    cores = len(os.sched_getaffinity(0))
    print(f"{side_by_side.conditions()}; wall time, medians of {args.cycles} cycles")
    print(f"{'processes':>9}{'s a cycle':>11}{'cycles/s':>10}{'efficiency':>12}{'ms a mean':>11}")
    counts = sorted({2**power for power in range(cores.bit_length())} | {cores})
    figures = {n: job(n, args.cycles) for n in counts}
    for n, found in figures.items():
        efficiency = figures[1]["cycle"] / found["cycle"]
        print(
            f"{n:>9}{found['cycle']:>11.3f}{1 / found['cycle']:>10.2f}{efficiency:>12.2f}", end=""
        )
        print(f"{found['mean'] * 1e3:>11.2f}")
    for n in PREDICTED if cores > 1 else ():
        seconds = predict(n, figures[1], figures[max(counts)])
        print(f"{n:>9}{seconds:>11.3f}{1 / seconds:>10.2f}", end="")
        print(f"{figures[1]['cycle'] / seconds:>12.2f}  predicted, not measured")


if __name__ == "__main__":
    main()

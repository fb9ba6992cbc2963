"""What each process of an MPI job runs: `python job.py train|raise|desync`."""

import os
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).parents[1]))

from grasp_func import train
from grasp_func.comm import connect
from helpers import make_run, tiny_config


def main(mode: str) -> None:
    """Trains 16 workers for two epochs; `mode` may ask the second process for an accident."""
    world = connect()
    rank = world.Get_rank()
    if mode == "raise" and rank == 1:
        print(time.time(), flush=True)
        raise KeyError("this process has a bug")
    run = make_run(tiny_config(workers=16, cycles=2, evals=3), world)
    state = train.initial_state(run)
    if mode == "desync" and rank == 1:
        state = state.replace(target=state.target + 1e-6)
    for report in train.train(run, state):
        if rank == 0:
            print(report.params_hash, report.progress, report.score, report.metrics, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

"""Measures the fraction of an epoch that saving takes: checkpoint, agent and statistics.

Trains a few epochs with the shipped configuration, but one worker, and times training and saving in
turn, so that a busy machine slows both alike. Before the last epoch is saved, the replay buffer is
filled. Wall and CPU time are printed, since saving waits for the disk and training does not. The
first epoch includes the import of orbax and matplotlib.
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TypeVar

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    # As in examples/train.py.
    os.environ[_name] = "1"
os.environ.setdefault("JAX_PLATFORMS", "cpu")

ROOT = Path(__file__).resolve().parents[1]
# So that it runs from a checkout.
sys.path.insert(0, str(ROOT))

from envs import ENV_IDS
from grasp_func.config.load import load_config
from grasp_func.core.replay import ReplayBuffer
from grasp_func.runtime import comm
from grasp_func.runtime.process import tune_process
from grasp_func.runtime.workers import make_workers
from grasp_func.storage import run_dir
from grasp_func.training import loop, recorder, resume, setup
from grasp_func.training.goal_env import GymGoalEnv, make_env

T = TypeVar("T")


def timed(action: Callable[..., T], *arguments: object) -> tuple[T, float, float]:
    """Returns the result of an action and its wall and CPU time in seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = action(*arguments)
    return result, time.perf_counter() - wall, time.process_time() - cpu


def fill(buffer: ReplayBuffer) -> None:
    """Repeats the newest episode until the buffer is full."""
    newest = [field[0] for field in buffer.newest(1)]
    while len(buffer) < buffer.capacity:
        buffer.append(type(buffer.episodes)(*newest))


def main() -> None:
    """Prints the seconds of training and of saving in each epoch, and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--env", default="FlatPJCube-v0", choices=ENV_IDS, metavar="ID")
    parser.add_argument("--epochs", type=int, default=3, metavar="N")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--save-dir", type=Path, metavar="DIR", help="default: a temporary folder")
    args = parser.parse_args()
    tune_process()
    changes = ["seed=0", *args.set, f"epochs={args.epochs + 1}"]
    cfg = load_config(ROOT / "configs" / "experiment_config.yaml", args.env, changes)
    workers = make_workers(comm.SoloComm(), cfg.workers)
    run = setup.make_run(cfg, GymGoalEnv(make_env(args.env, cfg.kwargs)), workers)
    with tempfile.TemporaryDirectory() as folder:
        paths = run_dir.open_run(args.save_dir or Path(folder), args.env, datetime.now())
        start = resume.fresh(run)
        save = recorder.Recorder(run, recorder.describe(run, args.env), paths, start)
        results = iter(loop.train(run, start.state))
        for epoch in range(args.epochs + 1):
            result, *training = timed(next, results)
            if epoch == args.epochs:
                for buffer in result.buffers:
                    fill(buffer)
            _, *saving = timed(save, result)
            ratios = [s / t for s, t in zip(saving, training, strict=True)]
            print(
                f"training {training[0]:6.1f} s (CPU {training[1]:6.1f})  "
                f"saving {saving[0]:5.2f} s (CPU {saving[1]:5.2f})  "
                f"ratio {ratios[0]:6.2%} (CPU {ratios[1]:6.2%})"
                f"{'  buffer full' if epoch == args.epochs else ''}",
                flush=True,
            )


if __name__ == "__main__":
    main()

"""What each MPI rank runs: `python job.py train|compiled|raise|desync|mixed|workers=N`."""

import os
import sys
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).parents[1]))

from grasp_func.runtime.comm import SoloComm, connect
from grasp_func.runtime.consistency import assert_alike
from grasp_func.runtime.process import user_errors
from grasp_func.training import loop
from grasp_func.training.setup import initial_state
from helpers import make_run, tiny_config


def main(mode: str) -> None:
    """Trains 16 or N workers for two epochs; some modes inject a fault on the last rank."""
    with user_errors(SoloComm()):
        world = connect()
    rank, last = world.Get_rank(), world.Get_size() - 1
    if mode == "raise" and rank == last:
        print(time.time(), flush=True)
        raise KeyError("this process has a bug")
    with user_errors(world):
        version = "2.12.0" if mode == "mixed" and rank == last else "2.13.0"
        assert_alike(world, {"torch": version}, "some host")
        workers = int(mode.partition("=")[2] or 16)
        updates = "compiled" if mode == "compiled" else "traced"
        cfg = tiny_config(workers=workers, cycles=2, evals=3, updates=updates)
        run = make_run(cfg, world)
    state = initial_state(run)
    if mode == "desync" and rank == last:
        state = state.replace(target=state.target + 1e-6)
    for result in loop.train(run, state):
        if rank == 0:
            numbers = result.schedule, result.eval_result, result.metrics
            print(result.params_hash, *numbers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])

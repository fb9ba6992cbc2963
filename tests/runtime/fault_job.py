"""What each rank of an MPI job runs: `python fault_job.py KIND RANK PLACE`.

All ranks average vectors without end. In its third step, RANK raises KIND: inside `on_each`,
`on_root` or outside of both ("alone"). With the place "everywhere" all ranks raise it.
"""

import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import torch

from grasp_func.errors import UserError
from grasp_func.runtime.comm import SoloComm, connect, on_each, on_root
from grasp_func.runtime.process import tune_process, user_errors
from grasp_func.runtime.workers import make_workers

KINDS = {
    "ValueError": ValueError("injected"),
    "RuntimeError": RuntimeError("injected"),
    "UserError": UserError("injected"),
    "KeyboardInterrupt": KeyboardInterrupt(),
    "SystemExit": SystemExit(3),
}


def main(kind: str, faulty: int, place: str) -> None:
    with user_errors(SoloComm()):
        world = connect()
    with user_errors(world):
        tune_process()
        workers = make_workers(world, None)

        def fail() -> None:
            if world.Get_rank() == faulty or place == "everywhere":
                print(time.time(), flush=True)
                raise KINDS[kind]

        for step in range(10**9):
            workers.mean([torch.ones(1000)])
            if step < 3:
                continue
            if place == "on_each":
                on_each(world, fail)
            elif place == "on_root":
                on_root(world, fail)
            else:
                fail()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])

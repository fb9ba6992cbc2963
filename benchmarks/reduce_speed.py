"""Times the mean of a ShadowHand agent's gradients over processes beside other methods.

The agent's networks have width 256, as in `configs/dextgen.yaml`. For each number of processes one
MPI job runs all methods in turns. A turn begins on all processes at once and ends when the last
process has its mean. Ours adds in worker order for any number of processes; the others do not.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# So that it runs from a checkout.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np
import side_by_side
import torch

from grasp_func.runtime.allreduce import ExchangedMean, make_mean
from grasp_func.runtime.comm import connect
from grasp_func.runtime.process import tune_process

# Numbers in the gradients of the networks, and tensors in each.
ACTOR, CRITIC = 152_080, 153_104
LAYERS = 8
OURS = "ours: shared memory, worker order"


def methods(comm: Any, store: str, gradient: torch.Tensor) -> dict[str, Callable[[], Any]]:
    """Returns functions that average the gradients of all ranks; some overwrite `gradient`."""
    from mpi4py import MPI
    from torch import distributed

    rank, size = comm.Get_rank(), comm.Get_size()
    distributed.init_process_group("gloo", f"file://{store}", rank=rank, world_size=size)
    mean, exchanged = make_mean(comm, size), ExchangedMean(comm, size)
    networks = [part.chunk(LAYERS) for part in gradient.split([ACTOR, CRITIC])]

    def one_allreduce() -> None:
        comm.Allreduce(MPI.IN_PLACE, gradient.numpy())
        gradient.div_(size)

    def two_allreduces() -> None:
        for tensors in networks:
            flat = np.concatenate([tensor.numpy() for tensor in tensors])
            total = np.empty_like(flat)
            comm.Allreduce(flat, total)
            total /= size
            start = 0
            for tensor in tensors:
                tensor.copy_(torch.from_numpy(total[start : start + len(tensor)]))
                start += len(tensor)

    def through_gloo() -> None:
        distributed.all_reduce(gradient)
        gradient.div_(size)

    return {
        OURS: lambda: mean([gradient]),
        "ours between hosts: exchange, worker order": lambda: exchanged([gradient]),
        "one Allreduce, in place": one_allreduce,
        "two Allreduces, flattened and put back": two_allreduces,
        "torch.distributed, Gloo": through_gloo,
    }


def measure(rounds: int, store: str) -> None:
    """Runs on each rank of a job; rank 0 prints the median milliseconds of every method."""
    tune_process()
    comm: Any = connect()
    seconds: dict[str, list[float]] = {}
    computed = torch.randn(ACTOR + CRITIC, generator=torch.Generator().manual_seed(comm.Get_rank()))
    gradient = torch.empty_like(computed)
    functions = methods(comm, store, gradient)
    turns = list(functions.items())
    for number in range(rounds + 3):
        # The previous method leaves traces in caches, so the order changes.
        turns.append(turns.pop(0))
        for name, function in turns:
            # Freshly written, as at the end of a backward pass.
            gradient.copy_(computed)
            comm.Barrier()
            start = time.perf_counter()
            function()
            slowest = max(comm.allgather(time.perf_counter() - start))
            if number >= 3:
                seconds.setdefault(name, []).append(slowest)
    if comm.Get_rank() == 0:
        for name in functions:
            times = seconds[name]
            relative = side_by_side.ratio(times, seconds[OURS])
            print(f"{name}\t{statistics.median(times) * 1e3:.3f}\t{relative:.2f}")
    # Gloo aborts a process whose peers close their connections first.
    comm.Barrier()
    torch.distributed.destroy_process_group()


def main() -> None:
    """Starts a job for each number of processes and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--processes", type=int, nargs="*", default=[2, 4, 8, 16])
    parser.add_argument("--measure", metavar="FILE", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        measure(args.rounds, args.measure)
        return
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    mpirun = shutil.which("mpirun", path=path) or parser.error("mpirun not found")
    print(
        f"{(ACTOR + CRITIC) * 4 / 1e6:.2f} MB, {side_by_side.conditions()}; wall time of the last"
    )
    print("more processes than cores: they take turns, and only ratios count")
    for n in args.processes:
        with tempfile.TemporaryDirectory() as folder:
            command = [mpirun, "--oversubscribe", "-n", str(n), sys.executable, __file__]
            command += ["--rounds", str(args.rounds), "--measure", f"{folder}/store"]
            out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        print(f"{f'{n} processes':<44}{'median ms':>10}{'time / ours':>13}")
        for name, milliseconds, relative in (line.split("\t") for line in out.splitlines()):
            print(f"  {name:<42}{milliseconds:>10}{relative:>13}", flush=True)


if __name__ == "__main__":
    main()

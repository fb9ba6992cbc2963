"""What each rank of an MPI job runs: compares every mean over workers with the reference."""

import os
import sys
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["JAX_PLATFORMS"] = "cpu"
sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from grasp_func.core.ddpg import mean_of_workers
from grasp_func.runtime.allreduce import ExchangedMean, SharedMean, on_one_host
from grasp_func.runtime.comm import connect
from grasp_func.runtime.workers import make_workers
from helpers import assert_same, vectors


def main() -> None:
    """Prints on rank 0 which classes were compared; an unequal bit is an exception."""
    world = connect()
    kinds = [ExchangedMean] + [SharedMean] * on_one_host(world)
    for total in (world.Get_size(), 16):
        local_workers = make_workers(world, total).local_workers
        means = [kind(world, total) for kind in kinds]
        for length in (1, 7, 1001, 20_011):
            for dtype in (torch.float32, torch.float64):
                values = vectors(total, length, dtype)
                expected = mean_of_workers(values)
                mine = [values[worker] for worker in local_workers]
                negated = [-value for value in mine]
                for mean in means:
                    first = mean(mine)
                    second = mean(negated)
                    if world.Get_rank() > 0:
                        # Rank 0 alone still refers to its results.
                        del first, second
                    for _ in range(3):
                        assert_same(mean(mine), expected)
                        assert_same(mean(negated), -expected)
                    if world.Get_rank() == 0:
                        assert_same([first, second], [expected, -expected])
                    assert_same(mine, [vectors(total, length, dtype)[i] for i in local_workers])
    if world.Get_rank() == 0:
        print("equal:", ", ".join(kind.__name__ for kind in kinds))


if __name__ == "__main__":
    main()

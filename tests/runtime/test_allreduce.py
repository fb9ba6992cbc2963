"""Means over workers: by hand, and the same bits on any number of fake processes.

`tests/mpi` runs them on real processes.
"""

import numpy as np
import pytest
import torch

from grasp_func.core.ddpg import mean_of_workers
from grasp_func.runtime.allreduce import ExchangedMean, make_mean, on_one_host, ordered_mean
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.workers import make_workers
from helpers import assert_same, run_twins, vectors


def test_the_order_of_the_vectors_matters():
    assert not torch.equal(mean_of_workers(vectors(4, 64)), mean_of_workers(vectors(4, 64)[::-1]))


def test_ordered_mean_by_hand():
    # 1 + 1e8 - 1e8 + 3 in float32: 1e8 swallows the 1, so (0 + 3) / 4
    slots = np.array([[1.0], [1e8], [-1e8], [3.0]], np.float32)
    out = np.empty(1, np.float32)
    assert ordered_mean(slots, out) is out
    assert out.tolist() == [0.75]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("length", [1, 3, 64, 1001])
@pytest.mark.parametrize("workers", [1, 2, 3, 7])
def test_numpy_and_torch_agree_to_the_bit(workers, length, dtype):
    values = vectors(workers, length, dtype)
    found = ordered_mean([value.numpy() for value in values], np.empty_like(values[0].numpy()))
    assert_same(torch.from_numpy(found), mean_of_workers(values))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("length", [1, 3, 1001])
@pytest.mark.parametrize("size", [1, 2, 4])
def test_the_same_bits_on_any_number_of_processes(size, length, dtype):
    values = vectors(4, length, dtype)

    def program(comm):
        local_workers = make_workers(comm, 4).local_workers
        return ExchangedMean(comm, 4)([values[worker] for worker in local_workers])

    for found in run_twins(size, program):
        assert_same(found, mean_of_workers(values))
    assert_same(values, vectors(4, length, dtype))


def test_the_hosts_in_use_decide_the_implementation():
    assert make_mean(SoloComm(), 4) is mean_of_workers
    # Threads that act as processes have no MPI communicator.
    assert run_twins(2, on_one_host) == [False, False]
    assert all(isinstance(mean, ExchangedMean) for mean in run_twins(2, lambda c: make_mean(c, 2)))

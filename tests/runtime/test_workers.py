"""Logical workers on fake processes: their distribution, their order, diverged states."""

import pytest
import torch

from grasp_func.errors import ConfigError
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.workers import DesyncError, make_workers, tree_hash
from helpers import run_twins

SIZES = (1, 2, 4)


# --- distribution


@pytest.mark.parametrize("size", SIZES)
def test_each_process_has_an_equal_contiguous_block_of_workers(size):
    local_workers = run_twins(size, lambda comm: make_workers(comm, 4).local_workers)
    assert [worker for part in local_workers for worker in part] == [0, 1, 2, 3]
    assert {len(part) for part in local_workers} == {4 // size}


def test_one_worker_per_process_is_the_default():
    assert make_workers(SoloComm(), None).total == 1
    assert [workers.total for workers in run_twins(2, lambda c: make_workers(c, None))] == [2, 2]


@pytest.mark.parametrize(("total", "size"), [(3, 2), (1, 2), (4, 3)])
def test_workers_must_be_a_multiple_of_the_processes(total, size):
    for error in run_twins(size, lambda comm: make_workers(comm, total)):
        assert isinstance(error, ConfigError)
        assert f"workers = {total}: expected a multiple of {size}" in str(error)


def test_only_the_first_process_is_root():
    assert run_twins(3, lambda comm: make_workers(comm, None).is_root) == [True, False, False]
    assert make_workers(SoloComm(), 5).is_root


# --- collectives


@pytest.mark.parametrize("size", SIZES)
def test_gather_collects_in_worker_order(size):
    def program(comm):
        workers = make_workers(comm, 4)
        return workers.gather([f"worker {worker}" for worker in workers.local_workers])

    assert run_twins(size, program) == [[f"worker {worker}" for worker in range(4)]] * size


# --- synchrony


def test_equal_states_are_in_sync():
    tree = {"a": torch.arange(3.0), "b": torch.ones((), dtype=torch.int64)}
    hashes = run_twins(3, lambda comm: make_workers(comm, None).assert_synced(tree))
    assert hashes == [tree_hash(tree)] * 3


@pytest.mark.parametrize("wrong", [1, 2])
def test_one_different_bit_is_an_error_on_every_process(wrong):
    def program(comm):
        x = torch.ones(3)
        if comm.Get_rank() == wrong:
            x[1] += 2**-23
        return make_workers(comm, None).assert_synced([x])

    for error in run_twins(3, program):
        assert isinstance(error, DesyncError)
        assert f"rank [{wrong}]" in str(error)


def test_tree_hash_sees_every_bit_and_only_bits():
    x = torch.arange(12.0).reshape(3, 4)
    assert tree_hash({"x": x}) == tree_hash({"x": x.clone()})
    assert tree_hash(x.T.contiguous().T) == tree_hash(x)
    for other in (-x, x.T, x.double(), [x, torch.ones(1)]):
        assert tree_hash(other) != tree_hash(x)
    assert tree_hash(torch.tensor([0.0])) != tree_hash(torch.tensor([-0.0]))
    assert len(tree_hash(x)) == 16

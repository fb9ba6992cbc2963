"""Logical workers on fake processes: shares, sums in worker order, errors that reach everybody."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from grasp_func.comm import (
    SIZE_VARIABLES,
    DesyncError,
    SoloComm,
    connect,
    host_names,
    make_workers,
    on_each,
    on_root,
    tree_hash,
)
from grasp_func.config import ConfigError
from helpers import Board, TwinComm, assert_same, run_twins

SIZES = (1, 2, 4)


def rows(hosted):
    """Gradients of four workers whose float32 sum depends on the order."""
    values = torch.tensor([[1.0, 0.1], [1e8, 0.2], [-1e8, 0.3], [3.0, 0.7]])
    return values[list(hosted)]


# --- shares


@pytest.mark.parametrize("size", SIZES)
def test_workers_are_shared_in_contiguous_equal_parts(size):
    hosted = run_twins(size, lambda comm: make_workers(comm, 4).hosted)
    assert [worker for part in hosted for worker in part] == [0, 1, 2, 3]
    assert {len(part) for part in hosted} == {4 // size}


def test_one_worker_per_process_is_the_default():
    assert make_workers(SoloComm(), None).total == 1
    assert [workers.total for workers in run_twins(2, lambda c: make_workers(c, None))] == [2, 2]


@pytest.mark.parametrize(("total", "size"), [(3, 2), (1, 2), (4, 3)])
def test_workers_that_cannot_be_shared_equally(total, size):
    for error in run_twins(size, lambda comm: make_workers(comm, total)):
        assert isinstance(error, ValueError)
        assert f"workers = {total} cannot be shared equally by {size} processes" in str(error)


def test_only_the_first_process_is_root():
    assert run_twins(3, lambda comm: make_workers(comm, None).is_root) == [True, False, False]
    assert make_workers(SoloComm(), 5).is_root


# --- collectives


def test_mean_by_hand():
    # 1 + 1e8 - 1e8 + 3 in float32: 1e8 swallows the 1, so (0 + 3) / 4
    found = make_workers(SoloComm(), 4).mean(rows(range(4)))
    assert float(found[0]) == 0.75
    assert float(found[1]) == pytest.approx(1.3 / 4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("size", SIZES)
def test_mean_has_the_same_bits_on_any_number_of_processes(size, dtype):
    def program(comm):
        workers = make_workers(comm, 4)
        return workers.mean(rows(workers.hosted).to(dtype))

    expected = program(SoloComm())
    for found in run_twins(size, program):
        assert_same(found, expected)


def test_mean_does_not_write_to_its_input():
    values = rows(range(4))
    make_workers(SoloComm(), 4).mean(values)
    assert_same(values, rows(range(4)))


@pytest.mark.parametrize("size", SIZES)
def test_gather_collects_in_worker_order(size):
    def program(comm):
        workers = make_workers(comm, 4)
        return workers.gather([f"worker {worker}" for worker in workers.hosted])

    assert run_twins(size, program) == [[f"worker {worker}" for worker in range(4)]] * size


# --- synchrony


def test_equal_replicas_are_in_sync():
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
    assert tree_hash(x.T.contiguous().T) == tree_hash(x)  # the values count, not how they lie
    for other in (-x, x.T, x.double(), [x, torch.ones(1)]):
        assert tree_hash(other) != tree_hash(x)
    assert tree_hash(torch.tensor([0.0])) != tree_hash(torch.tensor([-0.0]))
    assert len(tree_hash(x)) == 16


# --- on_root


def test_on_root_acts_once_and_tells_all():
    calls = []

    def program(comm):
        return on_root(comm, lambda: calls.append(comm.Get_rank()) or "result")

    assert run_twins(3, program) == ["result"] * 3
    assert calls == [0]


def test_a_value_error_of_the_root_is_raised_everywhere():
    def refuse():
        raise ConfigError("gamma = 2")

    errors = run_twins(3, lambda comm: on_root(comm, refuse))
    assert [repr(error) for error in errors] == ["ConfigError('gamma = 2')"] * 3


def test_on_each_acts_everywhere_and_the_first_error_is_raised_everywhere():
    assert run_twins(3, lambda comm: on_each(comm, comm.Get_rank)) == [0, 1, 2]

    def refuse(rank):
        if rank > 0:
            raise ConfigError(f"rank {rank} cannot")

    errors = run_twins(3, lambda comm: on_each(comm, lambda: refuse(comm.Get_rank())))
    assert [repr(error) for error in errors] == ["ConfigError('rank 1 cannot')"] * 3


# --- connecting


@pytest.fixture
def mpi4py(monkeypatch):
    """Returns a function that puts a fake in the place of mpi4py; None: it cannot be imported."""
    for name in SIZE_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "excepthook", sys.__excepthook__)

    def install(world):
        fake = world and SimpleNamespace(MPI=SimpleNamespace(COMM_WORLD=world))
        monkeypatch.setitem(sys.modules, "mpi4py", fake)

    return install


def test_connect_returns_mpis_world(mpi4py):
    world = TwinComm(Board(2), 1)
    mpi4py(world)
    assert connect() is world
    assert sys.excepthook is not sys.__excepthook__  # an exception here must end the other process


def test_one_process_needs_neither_mpi_nor_a_hook(mpi4py):
    mpi4py(None)
    assert isinstance(connect(), SoloComm)
    assert sys.excepthook is sys.__excepthook__


@pytest.mark.parametrize("variable", ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE"])
def test_processes_that_do_not_find_each_other(mpi4py, monkeypatch, variable):
    monkeypatch.setenv(variable, "2")
    mpi4py(SoloComm())
    with pytest.raises(RuntimeError, match="2 processes were launched, MPI sees 1"):
        connect()
    mpi4py(None)
    with pytest.raises(RuntimeError, match="2 processes were launched, but MPI does not load"):
        connect()
    mpi4py(TwinComm(Board(2), 0))
    assert connect().Get_size() == 2


# --- one process


def test_a_single_twin_is_the_solo_communicator():
    def program(comm):
        received = np.empty((1, 2))
        comm.Allgather(np.array([[1.0, 2.0]]), received)
        ranks = comm.Get_rank(), comm.Get_size()
        return *ranks, comm.bcast("x"), comm.allgather(7), received.tolist()

    expected = (0, 1, "x", [7], [[1.0, 2.0]])
    assert program(SoloComm()) == expected
    assert run_twins(1, program) == [expected]


def test_host_names_are_listed_once():
    assert len(host_names(SoloComm())) == 1
    assert run_twins(3, host_names) == [host_names(SoloComm())] * 3

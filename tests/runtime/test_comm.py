"""Fake processes act together, and mistakes of users reach all ranks; connecting to MPI."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from grasp_func.errors import ConfigError
from grasp_func.runtime.comm import SIZE_VARIABLES, SoloComm, connect, host_names, on_each, on_root
from helpers import Board, TwinComm, run_twins

# --- on_root


def test_on_root_acts_once_and_all_ranks_get_the_result():
    calls = []

    def program(comm):
        return on_root(comm, lambda: calls.append(comm.Get_rank()) or "result")

    assert run_twins(3, program) == ["result"] * 3
    assert calls == [0]


def test_a_user_error_on_the_root_is_raised_everywhere():
    def refuse():
        raise ConfigError("gamma = 2")

    errors = run_twins(3, lambda comm: on_root(comm, refuse))
    assert [repr(error) for error in errors] == ["ConfigError('gamma = 2')"] * 3


@pytest.mark.parametrize("together", [on_root, on_each])
def test_other_exceptions_stay_on_their_rank(together):
    """A defect must end the job with its own traceback, not pass for a mistake of the user."""

    def fail(rank):
        if rank == 0:
            raise ValueError("a defect")

    errors = run_twins(2, lambda comm: together(comm, lambda: fail(comm.Get_rank())))
    assert [repr(error) for error in errors] == [
        "ValueError('a defect')",
        "RuntimeError('another process has left')",
    ]


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
    """Returns a function that replaces mpi4py by a fake; None: it cannot be imported."""
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
    # An uncaught exception here must end the other process.
    assert sys.excepthook is not sys.__excepthook__


def test_one_process_needs_neither_mpi_nor_a_hook(mpi4py):
    mpi4py(None)
    assert isinstance(connect(), SoloComm)
    assert sys.excepthook is sys.__excepthook__


@pytest.mark.parametrize("variable", ["OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_SIZE"])
def test_processes_that_do_not_find_each_other(mpi4py, monkeypatch, variable):
    monkeypatch.setenv(variable, "2")
    mpi4py(SoloComm())
    with pytest.raises(ConfigError, match="2 processes were launched, but MPI sees 1"):
        connect()
    mpi4py(None)
    with pytest.raises(ConfigError, match="2 processes were launched, but MPI does not load"):
        connect()
    mpi4py(TwinComm(Board(2), 0))
    assert connect().Get_size() == 2


# --- one process


def test_a_single_process_shares_no_memory():
    program = (
        "from grasp_func.runtime.comm import connect\n"
        "assert connect().Get_size() == 1\n"
        "assert 'sm_segment' not in open('/proc/self/maps').read()\n"
    )
    unset = {*SIZE_VARIABLES, "OMPI_MCA_btl"}
    variables = {name: value for name, value in os.environ.items() if name not in unset}
    subprocess.run([sys.executable, "-c", program], env=variables, check=True)


def test_a_single_twin_is_the_solo_communicator():
    def program(comm):
        ranks = comm.Get_rank(), comm.Get_size()
        return *ranks, comm.bcast("x"), comm.allgather(7)

    expected = (0, 1, "x", [7])
    assert program(SoloComm()) == expected
    assert run_twins(1, program) == [expected]


def test_host_names_are_listed_once():
    assert len(host_names(SoloComm())) == 1
    assert run_twins(3, host_names) == [host_names(SoloComm())] * 3

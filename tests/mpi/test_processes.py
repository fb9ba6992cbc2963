"""Real processes under mpirun: the same bits on any number of them, and no fault that hangs.

`tests/runtime/test_faults.py` injects faults of all kinds.
"""

import time

import pytest

from mpi_jobs import MEANS, lines, needs_compiler, needs_mpirun, run_job

pytestmark = pytest.mark.mpi
SLOW = [pytest.param(n, marks=pytest.mark.slow) for n in (4, 8, 16)]
ON_MANY = pytest.mark.parametrize("processes", [2, *SLOW])


@pytest.fixture(scope="module")
def alone():
    """Returns what one process, started without mpirun, prints after each epoch."""
    return lines(run_job("train"))


@needs_mpirun
@ON_MANY
def test_sixteen_workers_give_the_same_bits(processes, alone):
    assert len(alone) == 2
    assert lines(run_job("train", processes=processes)) == alone


@needs_mpirun
@needs_compiler
@pytest.mark.slow
def test_compiled_updates_give_the_same_bits_on_any_number_of_processes(alone):
    """Both jobs compile for themselves."""
    compiled = lines(run_job("compiled"))
    assert lines(run_job("compiled", processes=2)) == compiled
    assert len(compiled) == 2
    assert compiled != alone


@needs_mpirun
@ON_MANY
def test_means_equal_the_reference_and_stay_valid(processes):
    job = run_job(processes=processes, script=MEANS)
    assert lines(job) == ["equal: ExchangedMean, SharedMean"]


@needs_mpirun
def test_an_uncaught_exception_ends_all_ranks_with_its_traceback():
    """Here nothing but the hook of `connect` catches it."""
    job = run_job("raise", processes=2, timeout=60)
    assert time.time() - float(job.stdout.split()[0]) < 10
    assert job.returncode != 0
    assert "Traceback" in job.stderr
    assert "KeyError: 'this process has a bug'" in job.stderr


@needs_mpirun
def test_a_rank_whose_state_diverges_is_named():
    job = run_job("desync", processes=2)
    assert job.returncode != 0
    assert "DesyncError: the agent's state on rank [1] differs from that on rank 0" in job.stderr


@needs_mpirun
@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("workers=3", "workers = 3: expected a multiple of 2"),
        ("workers=1", "workers = 1: expected a multiple of 2"),
        ("mixed", "torch: '2.12.0' on rank 1 (some host), '2.13.0' on rank 0 (some host)"),
    ],
)
def test_a_mistake_of_the_user_is_one_line_and_ends_all_ranks(mode, message):
    job = run_job(mode, processes=2, timeout=60)
    assert job.returncode == 2
    assert job.stderr.count("error:") == 1
    assert f"error: {message}" in job.stderr
    assert "Traceback" not in job.stderr


@needs_mpirun
def test_processes_that_do_not_find_each_other_are_an_error():
    """With an mpirun and an mpi4py of different MPI libraries, each process is alone."""
    job = run_job("train", OMPI_COMM_WORLD_SIZE="2")
    assert job.returncode == 2
    assert job.stderr.startswith("error: 2 processes were launched, but MPI sees 1")

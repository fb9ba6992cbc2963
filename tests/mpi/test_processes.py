"""Real processes under mpirun: the same bits on any number of them, and no failure that hangs."""

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
def test_sixteen_workers_end_in_the_same_bits(processes, alone):
    assert len(alone) == 2
    assert lines(run_job("train", processes=processes)) == alone


@needs_mpirun
@needs_compiler
@pytest.mark.slow
def test_compiled_updates_end_in_the_same_bits_on_any_number_of_processes(alone):
    """Each of the two jobs compiles anew, too."""
    compiled = lines(run_job("compiled"))
    assert lines(run_job("compiled", processes=2)) == compiled
    assert len(compiled) == 2
    assert compiled != alone


@needs_mpirun
@ON_MANY
def test_all_ways_to_a_mean_give_the_same_bits(processes):
    job = run_job(processes=processes, script=MEANS)
    assert lines(job) == ["equal: ExchangedMean, SharedMean"]


@needs_mpirun
def test_a_process_that_raises_ends_the_job_with_its_traceback():
    job = run_job("raise", processes=2, timeout=60)
    assert time.time() - float(job.stdout.split()[0]) < 10
    assert job.returncode != 0
    assert "Traceback" in job.stderr
    assert "KeyError: 'this process has a bug'" in job.stderr


@needs_mpirun
def test_a_replica_that_goes_astray_is_named():
    job = run_job("desync", processes=2)
    assert job.returncode != 0
    assert "DesyncError: the agent's state on rank [1] differs from that on rank 0" in job.stderr


@needs_mpirun
@pytest.mark.parametrize(
    ("mode", "message"),
    [
        ("workers=3", "workers = 3 cannot be shared equally by 2 processes"),
        ("workers=1", "workers = 1 cannot be shared equally by 2 processes"),
        ("mixed", "torch: '2.12.0' on process 1 (some host), '2.13.0' on process 0 (some host)"),
    ],
)
def test_what_cannot_work_is_one_line_and_the_end_of_all_processes(mode, message):
    job = run_job(mode, processes=2, timeout=60)
    assert job.returncode == 2
    assert job.stderr.count("error:") == 1
    assert f"error: {message}" in job.stderr
    assert "Traceback" not in job.stderr


@needs_mpirun
def test_processes_that_do_not_find_each_other_are_told_so():
    """As when mpirun is of one MPI and mpi4py of another: each process believes it is alone."""
    job = run_job("train", OMPI_COMM_WORLD_SIZE="2")
    assert job.returncode != 0
    assert "RuntimeError: 2 processes were launched, MPI sees 1" in job.stderr

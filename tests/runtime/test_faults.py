"""Whatever is raised on one rank in the middle of training, all ranks end within seconds."""

import itertools
import time
from pathlib import Path

import pytest

from mpi_jobs import needs_mpirun, run_job

FAULT_JOB = Path(__file__).with_name("fault_job.py")
CODES = {
    "ValueError": 1,
    "RuntimeError": 1,
    "UserError": 2,
    "KeyboardInterrupt": 130,
    "SystemExit": 3,
}
ALL = {
    *itertools.product(CODES, (0, 1), ("on_each", "alone")),
    *((kind, 0, "on_root") for kind in CODES),
}
QUICK = {
    ("ValueError", 0, "on_each"),
    ("UserError", 1, "on_each"),
    ("UserError", 1, "alone"),
    ("KeyboardInterrupt", 1, "alone"),
    ("SystemExit", 0, "alone"),
}
CASES = [*sorted(QUICK), *(pytest.param(*c, marks=pytest.mark.slow) for c in sorted(ALL - QUICK))]


def run_fault(kind, rank, place, processes=2):
    """Returns the job after asserting that it ended within 10 s of the fault."""
    job = run_job(kind, str(rank), place, script=FAULT_JOB, processes=processes, timeout=60)
    assert time.time() - max(map(float, job.stdout.split())) < 10
    assert job.returncode == CODES[kind], job.stderr
    return job


def assert_one_line(job, line):
    """Asserts that our programs print nothing but `line`; mpirun may add its own lines."""
    assert line in job.stderr.splitlines()
    assert job.stderr.count(line) == 1
    assert "Traceback" not in job.stderr


@pytest.mark.mpi
@needs_mpirun
@pytest.mark.parametrize(("kind", "rank", "place"), CASES)
def test_a_fault_on_one_rank_ends_all_ranks(kind, rank, place):
    job = run_fault(kind, rank, place)
    if kind == "KeyboardInterrupt":
        assert_one_line(job, "interrupted")
    elif kind == "UserError" and place != "alone":
        assert_one_line(job, "error: injected")
    else:
        assert "Traceback" in job.stderr and kind in job.stderr


@pytest.mark.mpi
@needs_mpirun
@pytest.mark.parametrize("kind", [pytest.param(k, marks=pytest.mark.slow) for k in sorted(CODES)])
def test_a_fault_on_every_rank_ends_all_ranks(kind):
    job = run_fault(kind, 0, "everywhere")
    if kind == "UserError":
        assert_one_line(job, "error: injected")
    elif kind == "SystemExit":
        assert "Traceback" not in job.stderr

"""Starts real processes under mpirun, and marks tests that need mpirun or a compiler."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

JOB, MEANS = (Path(__file__).parent / "mpi" / name for name in ("job.py", "means.py"))
MPIRUN = shutil.which("mpirun", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
needs_mpirun = pytest.mark.skipif(MPIRUN is None, reason="no mpirun: pip install 'grasp_func[mpi]'")

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")


def environment(**variables):
    """Returns this process's environment, in which Open MPI also runs as root."""
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    return {**os.environ, **(root if os.geteuid() == 0 else {}), **variables}


def run_job(*arguments, processes=None, script=JOB, launcher=None, timeout=180, **variables):
    """Runs a script on some processes under mpirun, or under `launcher`, or by itself."""
    if launcher is None:
        launcher = [MPIRUN, "--oversubscribe", "-n", str(processes)] if processes else []
    return subprocess.run(
        [*launcher, sys.executable, str(script), *arguments],
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def lines(job):
    """Returns the lines that a job printed, after asserting that it succeeded."""
    assert job.returncode == 0, job.stderr
    return job.stdout.splitlines()

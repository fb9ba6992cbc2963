"""The options that mpirun needs, by machine, user and MPI."""

import os
import subprocess
import sys

import pytest

from grasp_func.errors import UserError
from grasp_func.runtime import launch
from mpi_jobs import needs_mpirun

ROOT = ("OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM")


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Returns a function that sets up mpirun, user and CPUs, and returns a command line."""

    def command(n, says="mpirun (Open MPI) 5.0.11\n\nReport bugs", user=1000, cpus=(2, 4)):
        program = tmp_path / "mpirun"
        program.write_text(f"#!/bin/sh\nprintf '{says}'\n")
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
        monkeypatch.setattr(os, "geteuid", lambda: user)
        monkeypatch.setattr(launch, "cpus", lambda: cpus)
        return str(launch.mpirun(n, ["python", "a b.py"])).replace(f"{tmp_path}/", "")

    for name in ROOT:
        monkeypatch.delenv(name, raising=False)
    return command


@pytest.mark.parametrize(
    ("n", "options"), [(2, ""), (3, "--use-hwthread-cpus "), (5, "--oversubscribe ")]
)
def test_open_mpi_is_told_to_start_more_processes_than_cores(n, options, machine):
    assert machine(n) == f"mpirun -n {n} {options}python 'a b.py'"


def test_open_mpi_is_told_to_run_as_root(machine, monkeypatch):
    assert machine(1, user=0) == f"{ROOT[0]}=1 {ROOT[1]}=1 mpirun -n 1 python 'a b.py'"
    monkeypatch.setenv(ROOT[0], "1")
    assert machine(1, user=0) == f"{ROOT[1]}=1 mpirun -n 1 python 'a b.py'"


def test_mpich_is_told_nothing(machine):
    says = "HYDRA build details:\n    Version: 4.3\n"
    assert machine(9, says=says, user=0) == "mpirun -n 9 python 'a b.py'"


def test_a_missing_mpirun_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="pip install"):
        launch.mpirun(2, ["python"])


@needs_mpirun
@pytest.mark.mpi
def test_this_machines_mpirun_accepts_its_options(monkeypatch):
    for name in ROOT:
        monkeypatch.delenv(name, raising=False)
    for n in (1, 3, 9):
        command = str(launch.mpirun(n, [sys.executable, "-c", "print('here')"]))
        done = subprocess.run(command, shell=True, capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (0, "here\n" * n), done.stderr

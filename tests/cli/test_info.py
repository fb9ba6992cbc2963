"""`grasp-func info` and `grasp-func schema`."""

import json
import subprocess
import sys
from importlib.metadata import version

from command_line import COMMAND, ROOT
from grasp_func.cli import info
from grasp_func.cli.main import main
from grasp_func.config.schema import config_schema
from grasp_func.runtime import launch, machine
from mpi_jobs import needs_mpirun


def facts(text):
    """Returns the lines of `info` by their names."""
    return {name: fact.strip() for name, _, fact in (line.partition(":") for line in text)}


def test_info_names_versions_and_this_machine():
    command = [sys.executable, COMMAND, "info"]
    found = facts(subprocess.check_output(command, text=True, cwd=ROOT).splitlines())
    for package in ("torch", "numpy", "pybullet", "mpi4py"):
        assert f"{package} {version(package)}" in found["packages"]
    assert found["grasp_func"].endswith(f"Python {sys.version.split()[0]}")
    cores, threads = machine.cpus()
    assert f"{cores} core(s), {threads} hardware thread(s)" in found["CPU"]
    assert found["memory"] == f"{machine.machine_memory() / 2**30:.1f} GiB"
    n = machine.useful_processes()
    assert found["to train"] == f"grasp-func train -n {n} --env FlatPJCube-v0"


@needs_mpirun
def test_info_names_mpirun_with_its_options(capsys):
    assert main(["info"]) == 0
    found = facts(capsys.readouterr().out.splitlines())
    assert "MPI" in found["MPI library"] and launch.find_mpirun() in found["mpirun"]
    assert "mpirun -n 16 --oversubscribe grasp-func train " in found["16 processes"]


def test_info_says_what_is_missing(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setattr(info.comm, "library_version", lambda: None)
    monkeypatch.setattr(
        info, "requires", lambda name: ["torch>=2", 'safe>=1; extra == "export"', "x; extra == 'y'"]
    )
    assert main(["info"]) == 0
    found = facts(capsys.readouterr().out.splitlines())
    assert found["mpirun"] == launch.NO_MPIRUN
    assert found["MPI library"].startswith("none")
    assert "g++" in found["C++ compiler"] and "No such file" in found["C++ compiler"]
    assert found["extra export"] == 'lacks safe: pip install "grasp_func[export]"'


def test_a_compiler_may_say_nothing_of_itself(capsys, monkeypatch, tmp_path):
    (tmp_path / "silent").write_text("#!/bin/sh\n")
    (tmp_path / "silent").chmod(0o755)
    monkeypatch.setenv("CXX", str(tmp_path / "silent"))
    assert main(["info"]) == 0
    found = facts(capsys.readouterr().out.splitlines())
    assert found["C++ compiler"].startswith("unknown")


def test_the_schema_is_printed_as_json(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == config_schema()

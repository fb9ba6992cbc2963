"""Commands answer quickly to help and typos, and under mpirun only once."""

import subprocess
import sys
import time

import pytest

from command_line import COMMAND, EXAMPLES
from grasp_func.cli import commands as program
from grasp_func.cli import export
from grasp_func.cli.main import main
from grasp_func.runtime import launch
from grasp_func.storage.export import FORMATS

HEAVY = ("torch", "jax", "pybullet", "mpi4py", "scipy", "matplotlib")
SEE_MODULES = """
import os, runpy, sys
class SeeThreads:
    def find_spec(self, name, path, target=None):
        if name == "numpy" and os.environ["OMP_NUM_THREADS"] != "1":
            print("NumPy loads before the limit of threads")
            sys.exit(9)
sys.meta_path.insert(0, SeeThreads())
os.environ["OMP_NUM_THREADS"] = "8"
program, *sys.argv[1:] = sys.argv[1:]
sys.argv[0] = program
try:
    runpy.run_path(program, run_name="__main__")
except SystemExit as stop:
    print("exit", stop.code)
print("modules", *sys.modules)
"""


def modules_of(program, *words):
    """Returns the exit code of a program, and the heavy modules that it loads.

    Makes sure that NumPy, where it is loaded, finds the limit of threads.
    """
    command = [sys.executable, "-c", SEE_MODULES, str(EXAMPLES / program), *words]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    code, modules = (line.split()[1:] for line in out.splitlines()[-2:])
    return int(code[0]), {name for name in modules if name in HEAVY}


@pytest.mark.parametrize("program", ["train.py", "evaluate.py", "export.py"])
@pytest.mark.parametrize(
    ("words", "code"),
    [(["--help"], 0), (["--env", "FlatPJCub-v0", "--out", "x"], 2), (["--env"], 2)],
)
def test_help_and_typos_load_nothing_heavy(program, words, code):
    assert modules_of(program, *words) == (code, set())


def test_a_typo_beside_an_imported_module_loads_nothing_heavy():
    words = ["--env", "FlatPJCub-v0", "--import", "json"]
    assert modules_of("train.py", *words) == (2, set())


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--help"], 0),
        ([], 2),
        (["trian"], 2),
        (["train", "--help"], 0),
        (["evaluate", "--env", "FlatPJCub-v0"], 2),
        (["import", "--help"], 0),
        (["import", "--from"], 2),
        (["envs"], 0),
        (["envs", "--task", "lft"], 2),
        (["train", "--env", "FlatPJCube-v0", "--batch-size", "0"], 2),
        (["train", "--env", "FlatPJCube-v0", "--set", "gama=0.9"], 2),
        (["train", "--env", "FlatPJCube-v0", "--config", "none.yaml"], 2),
        (["schema"], 0),
        (["completion", "zsh"], 0),
    ],
)
def test_the_command_answers_without_loading_anything_heavy(words, code):
    assert modules_of(COMMAND, *words) == (code, set())


@pytest.mark.parametrize("variable", launch.RANK_VARIABLES)
@pytest.mark.parametrize("command", ["train", "evaluate", "export"])
def test_other_processes_than_the_first_leave_errors_to_it(variable, command, monkeypatch, capsys):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    for rank in ("0", "1"):
        monkeypatch.setenv(variable, rank)
        for argv, code in ((["--help"], 0), (["--env", "FlatPJCub-v0", "--out", "x"], 2)):
            try:
                assert main([command, *argv]) == code == 0
            except SystemExit as stop:
                assert stop.code == code
            printed = "".join(capsys.readouterr())
            assert bool(printed) == (rank == "0" or code == 2)
        assert slept == [program.GRACE_SECONDS] * int(rank)


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ([], "register environments of other packages with --import MODULE"),
        (["--import", "json"], "nor registered by --import json"),
    ],
)
def test_an_environment_of_no_similar_name(words, remedy, capsys):
    with pytest.raises(SystemExit):
        main(["train", "--env", "zzz", *words])
    expected = (
        f"error: --env zzz is not a known environment, {remedy}; `grasp-func envs` lists ours\n"
    )
    assert capsys.readouterr().err == expected


def test_formats_are_those_of_the_exporter():
    assert tuple(FORMATS) == export.FORMATS

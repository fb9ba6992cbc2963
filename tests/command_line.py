"""Starting the programs as a user does, with settings of which a run lasts seconds."""

import contextlib
import io
import json
import os
import runpy
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
COMMAND = ROOT / "grasp_func" / "__main__.py"
TINY = (
    "cycles=1",
    "rollouts=1",
    "batches=2",
    "evals=3",
    "epochs=1",
    "batch_size=8",
    "confirm_episodes=0",
    "seed=5",
    "min_workers=1",
    "updates=eager",
    "actor_net_layer_width=16",
    "critic_net_layer_width=16",
)
ENV = "FlatPJCube-v0"


def call(program: str | Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    """Runs an example, another script or `grasp-func` in this process.

    That is seconds faster than `launch`, since the libraries are loaded already.
    """
    file = COMMAND if program == "grasp-func" else EXAMPLES / program
    words, out, err, code = [str(file), *arguments], io.StringIO(), io.StringIO(), 0
    with (
        contextlib.chdir(cwd),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch.object(sys, "argv", words),
        mock.patch.dict(os.environ),
    ):
        try:
            runpy.run_path(str(file), run_name="__main__")
        except SystemExit as stop:
            code = stop.code or 0
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def launch(*arguments: str, cwd: Path, processes: int = 0, wait: bool = True):
    """Starts an example, or `grasp-func`; `processes` > 0 starts it under mpirun."""
    folder = Path(__file__).parent if arguments[0] == "point_train.py" else EXAMPLES
    file = [str(folder / arguments[0])] if arguments[0] != "grasp-func" else ["-m", "grasp_func"]
    program = [sys.executable, *file, *arguments[1:]]
    if processes:
        mpirun = Path(sys.executable).with_name("mpirun")
        if not mpirun.exists():
            pytest.skip("mpirun is not installed beside this Python")
        program = [str(mpirun), "--oversubscribe", "-n", str(processes), *program]
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    environment = {**os.environ, **(root if os.getuid() == 0 else {})}
    process = subprocess.Popen(
        program, cwd=cwd, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    if not wait:
        return process
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(program, process.returncode, out, err)


def settings(*changes: str) -> list[str]:
    return [word for change in (*TINY, *changes) for word in ("--set", change)]


def train_tiny(cwd: Path, *arguments: str, processes: int = 0):
    words = ["train.py", "--env", ENV, *settings(), *arguments]
    return launch(*words, cwd=cwd, processes=processes) if processes else call(*words, cwd=cwd)


def wait_for_epochs(stats: Path, n: int, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 90
    while not (stats.exists() and len(json.loads(stats.read_text())["epochs"]) >= n):
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.2)

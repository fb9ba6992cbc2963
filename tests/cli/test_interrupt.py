"""Ctrl-C on a terminal: one line and exit code 130, or how to resume."""

import os
import pty
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from command_line import COMMAND, ENV, ROOT, launch, settings
from mpi_jobs import MPIRUN, environment, needs_mpirun

AGENT = ["--load", str(ROOT / "saves" / "pretrain" / "ParallelJaw")]
CTRL_C = b"\x03"


def interrupted(arguments, cwd, ready):
    """Starts `grasp-func` on a terminal and types Ctrl-C; returns exit code and output.

    Args:
        arguments: of the command.
        cwd: its folder.
        ready: (id of the process, output so far) -> whether it is time.
    """
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(cwd)
        os.execve(sys.executable, [sys.executable, COMMAND, *arguments], environment(TERM="dumb"))
    os.set_blocking(terminal, False)
    output, pressed, deadline = b"", False, time.monotonic() + 150
    while time.monotonic() < deadline:
        try:
            output += os.read(terminal, 4096) or b""
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            # The program has ended.
            break
        # Before, the process is a copy of this one.
        started = str(COMMAND) in Path(f"/proc/{pid}/cmdline").read_text()
        if started and not pressed and ready(pid, output.decode()):
            os.write(terminal, CTRL_C)
            pressed = True
    else:
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert pressed, output.decode()
    return os.waitstatus_to_exitcode(status), output.decode()


@pytest.mark.parametrize("library", ["libtorch_cpu", "pybullet"])
@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "--no-save", "--cycles", "1000000"],
        ["evaluate", *AGENT, "--ntests", "1000000"],
        ["export", *AGENT, "--out", "out"],
    ],
    ids=lambda arguments: arguments[0],
)
def test_ctrl_c_while_libraries_load_or_later_is_one_line(library, arguments, tmp_path):
    def loads(pid, output):
        return library in Path(f"/proc/{pid}/maps").read_text()

    code, output = interrupted([*arguments, "--env", ENV], tmp_path, loads)
    assert code == 130
    *before, last = output.splitlines()
    assert last == "^Cinterrupted" and all(line.startswith(f"{ENV}: ") for line in before)


def test_ctrl_c_while_episodes_are_filmed_completes_the_film(tmp_path):
    pytest.importorskip("imageio_ffmpeg")
    small = ["--set", "kwargs.render_width=64", "--set", "kwargs.render_height=48"]
    film = ["--record", "film.mp4", "--ntests", "1000", "--filmed", "1000"]

    def filming(pid, output):
        return (tmp_path / ".film.unfinished.mp4").exists()

    code, output = interrupted(["evaluate", "--env", ENV, *AGENT, *film, *small], tmp_path, filming)
    assert (code, output.splitlines()) == (130, ["^Cinterrupted"])
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


@needs_mpirun
@pytest.mark.mpi
def test_ctrl_c_under_mpirun_says_how_to_resume(tmp_path):
    def trained(pid, output):
        return any((tmp_path / "saves" / ENV / "checkpoints").glob("*/*/manifest.json"))

    arguments = ["train", "-n", "2", "--env", ENV, *settings("epochs=1000")]
    code, output = interrupted(arguments, tmp_path, trained)
    assert code != 0 and "Traceback" not in output
    assert f"{MPIRUN} -n 2" in output.splitlines()[0] or "mpirun -n 2" in output.splitlines()[0]
    (line,) = [line for line in output.splitlines() if "to resume: " in line]
    assert line.startswith("stopping; if mpirun stops, the epoch in progress is lost; ")
    program, *again = shlex.split(line.partition("to resume: ")[2])
    assert program == "grasp-func" and again[:3] == ["train", "-n", "2"]
    done = launch("grasp-func", *again, "--early-stop", "0", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "resumed after epoch" in done.stdout and "2 process(es)" in done.stdout

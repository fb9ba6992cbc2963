"""A run on a terminal, in a pipe, under mpirun; what else is printed; a terminal left as it was."""

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from command_line import settings
from grasp_func.cli import display
from grasp_func.cli.display import Display
from grasp_func.runtime import process
from mpi_jobs import MPIRUN, environment, needs_mpirun, run_job
from terminal import Terminal

POINT_TRAIN = Path(__file__).parents[1] / "point_train.py"
POINT = (sys.executable, str(POINT_TRAIN))
SHORT = settings("actor_net_type=DDP", "state_norm_exclude=[]", "updates=eager", "evals=20")
MPI = (MPIRUN, "--oversubscribe", "-n", "2")
HIDDEN, ESCAPE = b"\x1b[?25l", b"\x1b["


@pytest.fixture
def start(tmp_path):
    """Returns a function that starts a program in a terminal; it is killed if it still runs."""
    started = []

    def run(*program, **variables):
        started.append(Terminal(program, tmp_path, **environment(**variables)))
        return started[-1]

    yield run
    for terminal in started:
        if terminal.process.poll() is None:
            os.killpg(terminal.process.pid, signal.SIGKILL)


def show(code):
    """Returns a program that has a display and runs some code."""
    head = "import sys, time, warnings\nfrom grasp_func.cli.display import Display\n"
    return sys.executable, "-c", f"{head}show = Display('Env-v0', plain=False)\n{code}"


# --- whole runs


@pytest.mark.parametrize("launcher", [(), pytest.param(MPI, marks=(needs_mpirun, pytest.mark.mpi))])
def test_a_terminal_has_one_live_display(start, launcher):
    terminal = start(*launcher, *POINT, *SHORT, "--set", "epochs=100000")
    terminal.wait_for("to epoch 100000")
    labels = ("cycle", "all goals", "in the air", "best agent", "losses", "speed", "files")

    def one_display(screen):
        lines = [line.split("  ")[0] for line in screen.splitlines()]
        one_of_each = [lines.count(label) for label in labels] == [1] * len(labels)
        return one_of_each and "success 0." in screen  # lines of epochs, above the display

    terminal.wait_until(one_display, "display below lines of epochs")
    stop = signal.SIGUSR1 if launcher else signal.SIGINT
    os.kill(terminal.process.pid, stop)
    text = terminal.finish()
    assert terminal.process.returncode == 0
    end = text[text.index("stopped on request after epoch") :].replace("\n", "")
    processes = "-n 2 " if launcher else ""
    for words in (
        "files: saves/PointReach-v0; those of this run alone: saves/PointReach-v0/backup/",
        "evaluate: grasp-func evaluate --env PointReach-v0 --import helpers --load saves/Point",
        "to resume: ",
        f"{processes}--env PointReach-v0 --import helpers --resume saves/PointReach-v0/",
    ):
        assert words in end
    assert "best agent" in end and "memory" not in text and "all goals" not in text
    assert HIDDEN not in terminal.raw and not terminal.screen.cursor.hidden


def test_a_second_interrupt_leaves_the_terminal_as_it_was(start):
    terminal = start(*POINT, *SHORT, "--set", "cycles=1000000", "--set", "save=false")
    terminal.wait_for("nothing is saved")
    os.kill(terminal.process.pid, signal.SIGINT)
    terminal.wait_for("stopping after this epoch; Ctrl-C ends at once", 10)
    os.kill(terminal.process.pid, signal.SIGINT)
    terminal.finish(10)
    assert terminal.process.returncode == -signal.SIGINT
    assert HIDDEN not in terminal.raw


def test_an_error_comes_after_the_display(start):
    terminal = start(*POINT, *SHORT, "--set", "load_pretrained=true")
    text = terminal.finish()
    assert terminal.process.returncode == 2
    assert text.strip().startswith("error: saves/pretrain/PointReach-v0")
    assert len(text.strip().splitlines()) <= 2  # wrapped


@pytest.mark.parametrize("variables", [{}, {"TERM": "dumb"}])
def test_plain_lines_on_a_terminal(start, variables):
    arguments = () if variables else ("--plain",)
    terminal = start(*POINT, *SHORT, *arguments, **variables)
    terminal.wait_for("PointReach-v0: loading PyTorch and JAX, 0:00:00")
    text = terminal.finish()
    assert "epoch    1/1 " in text and "finished: all 1 epochs are completed" in text
    assert ESCAPE not in terminal.raw


@pytest.mark.mpi
@needs_mpirun
def test_a_pipe_has_lines_also_under_mpirun(tmp_path):
    """Open MPI gives each process a terminal, whatever its own output is."""
    job = run_job(
        *SHORT, "--set", "save=false", processes=2, script=POINT_TRAIN, TERM="xterm-256color"
    )
    assert job.returncode == 0, job.stderr
    assert "\x1b" not in job.stdout and job.stdout.count("epoch    1/1 ") == 1
    assert job.stdout.count("loading PyTorch") == 1


# --- the display alone


def test_what_is_printed_meanwhile_goes_above(start):
    code = "time.sleep(1)\nwarnings.warn('look out')\nprint('hello')\ntime.sleep(1)\n"
    code += "show.say('[b]well[/b]')\n"
    terminal = start(*show(f"{code}time.sleep(3)\nshow.close()\nprint('after')"))
    screen = terminal.wait_for("[b]well[/b]").splitlines()
    found = [next(n for n, line in enumerate(screen) if text in line) for text in
             ("UserWarning: look out", "hello", "[b]well[/b]", "Env-v0  loading")]  # fmt: skip
    assert found == sorted(found)
    text = terminal.finish()
    assert "look out" in text and "loading" not in text and text.endswith("after")


def test_the_display_fits_the_terminal(start):
    code = "show.stage('x' * 300)\ntime.sleep(1)\nshow.stage('short')\ntime.sleep(2)"
    terminal = start(*show(code))
    lines = terminal.wait_for("xxx").splitlines()
    assert len(lines) <= 3 and lines[0].endswith("…")
    assert "xxx" not in terminal.wait_for("short")


def test_silence_is_broken(monkeypatch, capsys):
    monkeypatch.setattr(display, "SILENCE", 0.5)
    shown = Display("Env-v0", plain=True)
    shown.stage("starting the environment")
    time.sleep(1.5)
    shown.close()
    first, *rest = capsys.readouterr().out.splitlines()
    assert first == "Env-v0: loading PyTorch and JAX, 0:00:00"
    assert rest and rest[0] == "Env-v0: starting the environment, 0:00:01"
    time.sleep(1.5)
    assert not capsys.readouterr().out


def test_other_processes_are_silent(monkeypatch, capsys):
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    shown = Display("Env-v0", plain=False)
    shown.say("hello")
    assert not shown.is_live
    shown.close()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("number", "row", "words"),
    [
        (signal.SIGTERM, None, "nothing is saved before the end of the first epoch"),
        (signal.SIGTERM, {}, "to resume: again"),
        # it ends after its epoch, which is saved
        (signal.SIGINT, None, "to resume: again"),
    ],
)
def test_a_run_that_mpirun_may_end_names_only_what_is_saved(monkeypatch, number, row, words):
    said = []
    monkeypatch.setattr(display, "launcher_rank", lambda: 0)
    monkeypatch.setattr(
        process, "write_stop_notice", lambda number, resuming: said.append(resuming)
    )
    shown = Display("Env-v0", plain=True)
    shown.status.row = row
    shown.on_stop_request(number, "to resume: again")
    shown.close()
    assert said == [words]

"""Runs that are asked to stop finish their epoch, on all processes, and go on later."""

import contextlib
import json
import os
import shlex
import signal
import subprocess
from functools import partial
from pathlib import Path

import pytest

from command_line import ENV, EXAMPLES, call, launch, settings, wait_for_epochs
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.process import STOP_SIGNALS, STOPPING, stop_requests, write_stop_notice
from grasp_func.storage.agent_files import read_agent

RESUMING = "to resume: train --resume"
NOTICE = f"{STOPPING}; {RESUMING}\n"
NOTIFY = partial(write_stop_notice, resuming=RESUMING)


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_asks_and_the_old_handlers_come_back(number, capfd):
    before = [signal.getsignal(n) for n in STOP_SIGNALS]
    with stop_requests(SoloComm(), NOTIFY) as asked:
        assert not asked()
        os.kill(os.getpid(), number)
        assert asked() and asked()
        if number != signal.SIGINT:
            os.kill(os.getpid(), number)  # a second one changes nothing
        assert asked() and signal.getsignal(signal.SIGINT) == signal.SIG_DFL
    assert [signal.getsignal(n) for n in STOP_SIGNALS] == before
    assert capfd.readouterr().err == NOTICE


class OtherRank(SoloComm):
    """Rank 1 of 2; rank 0 was asked or not."""

    def __init__(self, other):
        self.other = other

    def Get_rank(self):
        return 1

    def allgather(self, sendobj):
        return [self.other, sendobj]


def test_all_processes_agree(capfd):
    with stop_requests(OtherRank(True), NOTIFY) as asked:
        assert asked()
    with stop_requests(OtherRank(False), NOTIFY) as asked:
        assert not asked()
        os.kill(os.getpid(), signal.SIGTERM)
        assert asked()
    assert capfd.readouterr().err == ""  # the first process alone talks


@pytest.fixture
def start(tmp_path):
    """Returns a function that starts a run; whatever still runs is ended."""
    begun = []

    def run(*changes, processes=0):
        arguments = ["train.py", "--env", ENV, *settings(*changes)]
        begun.append(launch(*arguments, cwd=tmp_path, processes=processes, wait=False))
        return begun[-1]

    yield run
    for process in begun:
        if process.poll() is None:
            process.terminate()  # mpirun ends its processes
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=10)
            process.kill()


def finish(process, cwd):
    """Waits for a stopped run; returns the number of its epochs, and how it says to go on."""
    out, err = process.communicate(timeout=40)
    assert process.returncode == 0, err
    assert err.count(STOPPING) <= 1 and "Traceback" not in err
    stats = json.loads((cwd / "saves" / ENV / "stats.json").read_text())
    epochs = len(stats["epochs"])
    assert out.count(f"stopped on request after epoch {epochs}\n") == 1
    said, _, command = out.splitlines()[-1].partition(": ")
    assert said == "to resume"
    assert not stats["finished"]
    read_agent(cwd / "saves" / ENV)
    return epochs, shlex.split(command)


def test_a_terminated_run_stops_after_its_epoch_and_goes_on(tmp_path, start):
    process = start("epochs=1000")
    wait_for_epochs(tmp_path / "saves" / ENV / "stats.json", 1, process)
    process.terminate()
    epochs, (python, program, *arguments) = finish(process, tmp_path)
    assert python == "python" and Path(program) == EXAMPLES / "train.py"
    done = call("train.py", *arguments, "--epochs", str(epochs + 1), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"epoch {epochs + 1:4d}/" in done.stdout and "stopped" not in done.stdout


def test_a_second_interrupt_ends_at_once(tmp_path, start):
    process = start("cycles=1000000", "save=false")
    while "worker(s)" not in process.stdout.readline():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == f"{STOPPING}; nothing is saved\n"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGINT


@pytest.mark.mpi
@pytest.mark.parametrize("target", ["mpirun", "one process"])
def test_requests_reach_all_processes(tmp_path, start, target):
    process = start("epochs=1000", processes=2)
    wait_for_epochs(tmp_path / "saves" / ENV / "stats.json", 1, process)
    if target == "mpirun":
        process.send_signal(signal.SIGUSR1)
    else:
        ranks = subprocess.check_output(["pgrep", "-P", str(process.pid)], text=True).split()
        assert len(ranks) == 2
        os.kill(int(ranks[1]), signal.SIGTERM)
    _, (_, _, *arguments) = finish(process, tmp_path)
    assert arguments[:2] == ["-n", "2"]


@pytest.mark.mpi
def test_ctrl_c_under_mpirun_without_a_terminal_says_how_to_resume(tmp_path, start):
    process = start("epochs=1000", processes=2)
    wait_for_epochs(tmp_path / "saves" / ENV / "stats.json", 2, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=40)
    assert process.returncode != 0
    assert err.count("to resume: ") == 1 and "-n 2 --env" in err

"""Runs killed at random moments, most while they write, end in the bits of one that was not.

An epoch of the probe environment takes milliseconds and its writing ten times as long, so that a
kill at a random moment nearly always hits a write; the traces that it leaves are counted.
"""

import json
import os
import random
import signal
import subprocess
import time

import numpy as np
import pytest

from grasp_func import resume
from grasp_func.config import recorded_config
from helpers import POINT_REACH, assert_same, make_run
from test_examples import launch, settings

KILLS = 20
TINY = settings("actor_net_type=DDP", "state_norm_exclude=[]", "workers=2", "buffer_size=70")


def start(folder, processes, *arguments, wait=False):
    words = ["point_train.py", "--save-dir", str(folder), *arguments]
    return launch(*words, cwd=folder.parent, processes=processes, wait=wait)


def kill(process, processes, after_epochs, delay):
    """Ends all processes of a run without warning, some time after it has told of an epoch.

    Returns the number of epochs that it told of.
    """
    seen = 0
    while seen < after_epochs:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        seen += line.startswith("epoch ")
    time.sleep(delay)
    ranks = [process.pid]
    if processes:
        ranks = subprocess.check_output(["pgrep", "-P", str(process.pid)], text=True).split()
    for rank in ranks:
        os.kill(int(rank), signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    return seen + out.count("\nepoch ") + out.startswith("epoch ")


def result(folder, epochs):
    """Returns all that the run's last checkpoint holds, times and history aside."""
    (checkpoints,) = (folder / POINT_REACH / "checkpoints").iterdir()
    epoch, facts = resume.read_facts(checkpoints)
    assert epoch == epochs == len(facts["rows"])
    cfg = recorded_config({**facts["config"], "workers": facts["workers"]}, [])
    loaded = resume.restore(make_run(cfg), checkpoints)
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in loaded.rows]
    stats = json.loads((folder / POINT_REACH / "stats.json").read_text())
    assert [row["epoch"] for row in stats["epochs"]] == list(range(1, epochs + 1))
    seconds = [row["seconds"] for row in stats["epochs"]]
    assert seconds == sorted(seconds)
    return loaded.state, loaded.progress, loaded.buffers, rows, stats["params_hash"]


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("processes", [0, pytest.param(2, marks=pytest.mark.mpi)])
def test_kills_at_random_moments_change_no_bit(tmp_path, processes):
    chance = random.Random(processes)
    killed, straight = tmp_path / "killed", tmp_path / "straight"
    arguments, told, traces = [*TINY, "--set", "epochs=1000"], 0, 0
    for _ in range(KILLS):
        process = start(killed, processes, *arguments)
        after_epochs = chance.choice((0, 1, 1, 2)) if told else 2  # the first checkpoint is whole
        told += kill(process, processes, after_epochs, chance.uniform(0, 0.6))
        traces += len([p for p in killed.rglob("*") if p.name.endswith("tmp")]) > 0
        arguments = ["--resume", "--set", "epochs=1000"]
    assert traces > KILLS // 10, f"{traces} kills hit a write"
    (checkpoints,) = (killed / POINT_REACH / "checkpoints").iterdir()
    epochs = resume.read_facts(checkpoints)[0] + 2
    last = ["--set", f"epochs={epochs}"]
    for folder, first in ((killed, ["--resume"]), (straight, TINY)):
        done = start(folder, processes, *first, *last, wait=True)
        assert done.returncode == 0, done.stderr
    print(f"{KILLS} kills, {traces} during a write; {told} epochs told, {epochs} kept")
    assert_same(result(killed, epochs), result(straight, epochs))
    assert np.isfinite(result(killed, epochs)[0].params.numpy()).all()
    assert not [p for p in killed.rglob("*") if p.name.endswith("tmp")]

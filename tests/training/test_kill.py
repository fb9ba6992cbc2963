"""Runs killed at random moments, half while they write, end in the bits of one that was not.

Half of the kills come at a random moment, half as soon as a temporary name is seen on the disk:
that of an agent's file, of a replay shard or of a checkpoint. The files left behind are counted.
"""

import contextlib
import json
import os
import random
import signal
import subprocess
import time

import numpy as np
import pytest

from command_line import launch, settings
from grasp_func.config.load import recorded_config
from grasp_func.storage.agent_files import read_agent
from grasp_func.storage.checkpoint import checkpoints_of, open_checkpoint
from grasp_func.training import resume
from helpers import POINT_REACH, assert_same, make_run

KILLS = 20
WRITES = (
    "**/.*.tmp",
    "*/.*.pt.*.tmp",
    "**/replay/**/.*.tmp",
    "**/checkpoints/*/.*.tmp",
    "**/state.*-tmp/**/d/*",
)
TINY = settings("actor_net_type=DDP", "state_norm_exclude=[]", "workers=2", "buffer_size=70")


def start(folder, processes, *arguments, wait=False):
    words = ["point_train.py", "--save-dir", str(folder), *arguments]
    return launch(*words, cwd=folder.parent, processes=processes, wait=wait)


def wait_for_epochs(process, epochs):
    while epochs:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        epochs -= line.startswith("epoch ")


def wait_for_write(folder, pattern):
    """Returns as soon as a file of that name exists; it is gone milliseconds later."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        # A folder may be renamed meanwhile.
        with contextlib.suppress(FileNotFoundError):
            if any(folder.glob(pattern)):
                return
    raise AssertionError(f"never saw {pattern}")


def kill(process, processes):
    """Ends all processes of a run without warning."""
    ranks = [process.pid]
    if processes:
        ranks = subprocess.check_output(["pgrep", "-P", str(process.pid)], text=True).split()
    for rank in ranks:
        os.kill(int(rank), signal.SIGKILL)
    process.communicate(timeout=60)


def result(folder, epochs):
    """Returns all that the run's last checkpoint holds, times and history aside."""
    (checkpoints,) = (folder / POINT_REACH / "checkpoints").iterdir()
    newest = open_checkpoint(checkpoints_of(checkpoints)[-1])
    assert newest.epoch == epochs
    facts = newest.facts
    cfg = recorded_config({**facts["config"], "workers": facts["workers"]}, [])
    loaded = resume.restore(make_run(cfg), newest.path)
    assert len(loaded.rows) == epochs
    read_agent(folder / POINT_REACH)
    rows = [{k: v for k, v in row.items() if not k.startswith("seconds")} for row in loaded.rows]
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
    arguments, traces = [*TINY, "--set", "epochs=1000"], 0
    for number in range(KILLS):
        process = start(killed, processes, *arguments)
        wait_for_epochs(process, chance.choice((number % 2, 1, 2)) if number else 2)
        time.sleep(chance.uniform(0, 0.6))
        if number % 2:
            wait_for_write(killed, chance.choice(WRITES))
        kill(process, processes)
        traces += any(path.name.endswith("tmp") for path in killed.rglob("*"))
        read_agent(killed / POINT_REACH)
        arguments = ["--resume", "--set", "epochs=1000"]
    assert traces >= KILLS // 4, f"only {traces} kills hit a write"
    (checkpoints,) = (killed / POINT_REACH / "checkpoints").iterdir()
    epochs = int(checkpoints_of(checkpoints)[-1].name) + 2
    last = ["--set", f"epochs={epochs}"]
    for folder, first in ((killed, ["--resume"]), (straight, TINY)):
        done = start(folder, processes, *first, *last, wait=True)
        assert done.returncode == 0, done.stderr
    print(f"{KILLS} kills, {traces} of them left a half-written file; {epochs} epochs")
    assert_same(result(killed, epochs), result(straight, epochs))
    assert np.isfinite(result(killed, epochs)[0].params.numpy()).all()
    assert not [p for p in killed.rglob("*") if p.name.endswith("tmp")]

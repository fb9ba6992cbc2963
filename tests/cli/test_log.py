"""`train --log`: the same bits as without, and a log that goes on with the run."""

import json

import pytest

from command_line import ENV, call, train_tiny

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def hash_in(folder):
    return json.loads((folder / "saves" / ENV / "stats.json").read_text())["params_hash"]


def test_a_log_does_not_change_training_and_continues(tmp_path):
    logged, plain = tmp_path / "logged", tmp_path / "plain"
    for folder in (logged, plain):
        folder.mkdir()
    log = ["--log", "tensorboard", "--film-every", "1"]
    two = ["--set", "epochs=2"]
    assert train_tiny(logged, *log).returncode == 0
    done = call("train.py", "--env", ENV, "--resume", *log, *two, cwd=logged)
    assert done.returncode == 0, done.stderr
    assert train_tiny(plain, *two).returncode == 0
    assert hash_in(logged) == hash_in(plain)
    (folder,) = (logged / "saves" / ENV / "backup").glob("*/tensorboard")
    found = accumulator.EventAccumulator(str(folder)).Reload()
    assert [event.step for event in found.Scalars("progress/epoch")] == [50, 100]
    assert [event.step for event in found.Images("film/greedy")] == [50, 100]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "save=false", "--log", "tensorboard"], "--log tensorboard: save = false"),
        (["--log", "disk"], "'disk' is not one of 'tensorboard', 'wandb'"),
        (["--film-every", "-1"], "-1 is not in the range x>=0"),
    ],
)
def test_a_log_that_cannot_be_written_is_one_line(arguments, words, tmp_path):
    done = train_tiny(tmp_path, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ") and words in done.stderr
    assert len(done.stderr.splitlines()) == 1

"""Checkpoints: every bit comes back, whatever does not fit is refused."""

import numpy as np
import pytest
import torch

from grasp_func.core.types import Episode
from grasp_func.errors import SaveError
from grasp_func.storage import checkpoint, replay_shards
from grasp_func.storage.checkpoint import KEPT, checkpoints_of, load_state, open_checkpoint
from grasp_func.storage.parts import part_of_file
from grasp_func.storage.stats_log import StatsLog
from grasp_func.training.loop import train
from grasp_func.training.setup import initial_state
from helpers import assert_same, make_batch, make_run, tiny_config

FACTS = {"epoch": 3, "promising": 1, "tolerance": 0.1}


@pytest.fixture
def trained(eager):
    run = make_run(tiny_config(epochs=1, cycles=2))
    (report,) = train(run, initial_state(run))
    return run, report.state.replace(lr_scale=torch.tensor(0.3))


def save(directory, epoch, state, facts=FACTS):
    log = StatsLog(directory / "stats.jsonl")
    log.append({"epoch": epoch})
    checkpoint.save_checkpoint(directory, epoch, state, facts, {"stats.jsonl": log.part})
    return directory / str(epoch)


def load(path, like):
    return load_state(open_checkpoint(path), like)


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_every_bit_comes_back_and_training_goes_on_alike(trained, tmp_path, kind):
    run, state = trained
    save(tmp_path, 3, state)
    found = open_checkpoint(kind(tmp_path / "3"))
    loaded = load_state(found, initial_state(run))
    assert (found.epoch, found.facts) == (3, FACTS)
    assert_same(loaded, state)
    batch = [make_batch(run.env_spec)]
    assert_same(run.learner.update(loaded, batch), run.learner.update(state, batch))


def test_the_last_two_are_kept(trained, tmp_path):
    _, state = trained
    for epoch in (1, 9, 10, 11):
        save(tmp_path, epoch, state.replace(step=torch.tensor(epoch)), {"epoch": epoch})
    kept = checkpoints_of(str(tmp_path))
    assert [path.name for path in kept] == ["10", "11"] and KEPT == 2
    assert int(load(kept[-1], state).step) == 11
    assert open_checkpoint(kept[-1]).facts == {"epoch": 11}


def test_a_checkpoint_is_replaced(trained, tmp_path):
    _, state = trained
    for step in (1, 2):
        save(tmp_path, 3, state.replace(step=torch.tensor(step)))
    assert int(load(tmp_path / "3", state).step) == 2


def test_a_checkpoint_of_other_networks_is_refused(trained, tmp_path):
    _, state = trained
    path = save(tmp_path, 1, state)
    wider = initial_state(make_run(tiny_config(actor_net_layer_width=9)))
    with pytest.raises(SaveError, match="resume with the networks and the environment"):
        load(path, wider)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("target", torch.zeros(3)),
        ("lr_scale", torch.ones(1)),
        ("lr_scale", torch.ones((), dtype=torch.float64)),
        ("step", torch.zeros(())),
    ],
)
def test_each_part_is_checked_by_name(trained, tmp_path, field, value):
    _, state = trained
    path = save(tmp_path, 1, state)
    with pytest.raises(SaveError, match=field):
        load(path, state.replace(**{field: value}))


def test_the_state_of_something_else_is_refused(trained, tmp_path):
    _, state = trained
    path = save(tmp_path, 1, state.opt)
    with pytest.raises(SaveError, match="expected an agent's state"):
        load(path, state)


def test_no_checkpoint(tmp_path):
    with pytest.raises(SaveError, match="no checkpoint there"):
        open_checkpoint(tmp_path / "1")


def test_checkpoints_of_older_formats_are_refused_in_one_line(tmp_path):
    (tmp_path / "7" / "facts").mkdir(parents=True)
    (tmp_path / "7" / "facts" / "metadata").write_text('{"format": 3}')
    with pytest.raises(SaveError, match=r"7: format 3 or older, which [^\n]+$"):
        open_checkpoint(tmp_path / "7")


def test_a_failed_write_leaves_nothing(trained, tmp_path, monkeypatch):
    _, state = trained
    save(tmp_path, 1, state)

    def full(*_):
        raise OSError(28, "No space left on device")

    for name in ("write_state", "manifest_bytes", "part_of_file", "flush"):
        with monkeypatch.context() as patch:
            patch.setattr(checkpoint, name, full)
            with pytest.raises(SaveError, match=r"2: checkpoint cannot .*No space left"):
                save(tmp_path, 2, state)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "stats.jsonl"]


@pytest.fixture
def elsewhere(tmp_path):
    """Returns a folder that must stay as it is."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    for name in ("manifest.json", "facts.json", "precious", "epoch_0000001.npy", "1"):
        (folder / name).write_text("mine")
    before = sorted(folder.iterdir())
    yield folder
    assert sorted(folder.iterdir()) == before
    assert {path.read_text() for path in folder.iterdir()} == {"mine"}


@pytest.mark.parametrize("name", ["1", "2", "3", ".3.tmp", ".3.old.tmp", ".1.old.tmp", ".x.tmp"])
def test_links_in_a_runs_folder_are_not_followed(trained, tmp_path, elsewhere, name):
    """Not in writing a checkpoint, nor in removing old ones and what killed runs left."""
    _, state = trained
    run = tmp_path / "run"
    run.mkdir()
    (run / name).symlink_to(elsewhere, target_is_directory=True)
    for epoch in (3, 4, 5):
        save(run, epoch, state)
    assert [path.name for path in checkpoints_of(run)] == ["4", "5"]
    load(run / "5", state)
    checkpoint.rewind(run, 4)
    assert [path.name for path in checkpoints_of(run)] == ["4"]


@pytest.mark.parametrize("place", ["replay", "replay/worker_00000"])
def test_replay_folders_that_are_links_are_refused(tmp_path, elsewhere, place):
    run = tmp_path / "run"
    (run / place).parent.mkdir(parents=True)
    (run / place).symlink_to(elsewhere)
    episodes = Episode(*(np.zeros((1, 2), np.float32) for _ in Episode._fields))
    with pytest.raises(SaveError, match=f"{place}: is a symbolic link, expected a folder"):
        replay_shards.write_shard(run, 0, 1, episodes)
    replay_shards.prune(run, 0, 9)


def test_a_shard_that_is_a_link_is_replaced(tmp_path, elsewhere):
    shard = tmp_path / replay_shards.shard_name(0, 1)
    shard.parent.mkdir(parents=True)
    shard.symlink_to(elsewhere / "precious")
    episodes = Episode(*(np.zeros((1, 2), np.float32) for _ in Episode._fields))
    part = replay_shards.write_shard(str(tmp_path), 0, 1, episodes)
    assert not shard.is_symlink() and part_of_file(str(shard)) == part
    replay_shards.prune(str(tmp_path), 0, 2)
    assert not shard.exists()


def test_statistics_that_are_a_link_are_not_followed(tmp_path, elsewhere):
    (tmp_path / "stats.jsonl").symlink_to(elsewhere / "precious")
    with pytest.raises(SaveError, match="symbolic links"):
        StatsLog(tmp_path / "stats.jsonl").append({"epoch": 1})

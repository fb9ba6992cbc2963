"""Checkpoints: every bit comes back, whatever does not fit is refused."""

import pytest
import torch

from grasp_func.errors import SaveError
from grasp_func.storage import checkpoint
from grasp_func.storage.checkpoint import KEPT, checkpoints_of, load_state, open_checkpoint
from grasp_func.storage.stats_log import StatsLog
from grasp_func.training.loop import initial_state, train
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
    with pytest.raises(SaveError, match=r"7: format 3 or older, this version reads .* 4; [^\n]+$"):
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

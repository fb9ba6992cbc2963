"""Checkpoints: every bit comes back, whatever does not fit is refused."""

import pytest
import torch

from grasp_func.errors import SaveError
from grasp_func.storage.checkpoint import KEPT, load_checkpoint, save_checkpoint
from grasp_func.training.loop import train
from grasp_func.training.setup import initial_state
from helpers import assert_same, make_batch, make_run, tiny_config

FACTS = {"epoch": 3, "promising": 1, "tolerance": 0.1}


@pytest.fixture
def trained(eager):
    run = make_run(tiny_config(epochs=1, cycles=2))
    (report,) = train(run, initial_state(run))
    return run, report.state.replace(lr_scale=torch.tensor(0.3))


def test_every_bit_comes_back_and_training_goes_on_alike(trained, tmp_path):
    run, state = trained
    save_checkpoint(tmp_path, 3, state, FACTS)
    epoch, loaded, facts = load_checkpoint(tmp_path, initial_state(run))
    assert (epoch, facts) == (3, FACTS)
    assert_same(loaded, state)
    batch = [make_batch(run.env_spec)]
    assert_same(run.learner.update(loaded, batch), run.learner.update(state, batch))


def test_the_newest_is_loaded_and_the_last_two_are_kept(trained, tmp_path):
    _, state = trained
    for epoch in range(1, 5):
        numbered = state.replace(step=torch.tensor(epoch))
        save_checkpoint(tmp_path, epoch, numbered, {"epoch": epoch})
    epoch, loaded, facts = load_checkpoint(tmp_path, state)
    assert (epoch, int(loaded.step), facts) == (4, 4, {"epoch": 4})
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.isdigit()) == ["3", "4"]
    assert KEPT == 2


def test_a_checkpoint_of_other_networks_is_refused(trained, tmp_path):
    _, state = trained
    save_checkpoint(tmp_path, 1, state, FACTS)
    wider = initial_state(make_run(tiny_config(actor_net_layer_width=9)))
    with pytest.raises(SaveError, match="resume with the networks and the environment"):
        load_checkpoint(tmp_path, wider)


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
    save_checkpoint(tmp_path, 1, state, FACTS)
    with pytest.raises(SaveError, match=field):
        load_checkpoint(tmp_path, state.replace(**{field: value}))


def test_something_else_is_refused(trained, tmp_path):
    _, state = trained
    save_checkpoint(tmp_path, 1, state.opt, FACTS)
    with pytest.raises(SaveError, match="other parts than an agent's state"):
        load_checkpoint(tmp_path, state)


def test_no_checkpoint(trained, tmp_path):
    _, state = trained
    with pytest.raises(SaveError, match="no checkpoint there"):
        load_checkpoint(tmp_path / "nowhere", state)
    with pytest.raises(SaveError, match="no complete checkpoint there"):
        load_checkpoint(tmp_path, state)

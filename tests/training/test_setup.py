"""Binding a configuration to an environment: what does not fit, and automatic choices."""

import gymnasium
import pytest

import envs  # noqa: F401
from grasp_func.core.rng import Key
from grasp_func.errors import ConfigError
from grasp_func.runtime.comm import SoloComm
from grasp_func.runtime.workers import make_workers
from grasp_func.training import setup
from grasp_func.training.goal_env import GymGoalEnv
from grasp_func.training.setup import ddpg_config
from helpers import make_run, tiny_config


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"seed": None}, "seed = null"),
        ({"actor_net_type": "PosePolicyNet"}, "expected DDP"),
        ({"state_norm_exclude": ["wheels"]}, "no block wheels .* position"),
        ({"state_norm_idx": [0, 4]}, r"state_norm_idx = \[0, 4\]: expected entries of \[0, 4\)"),
        ({"goal_norm_idx": [2]}, r"goal_norm_idx = \[2\]: expected entries of \[0, 2\)"),
    ],
)
def test_configurations_that_do_not_fit_the_environment(changes, message):
    cfg = tiny_config().model_copy(update=changes)
    with pytest.raises(ConfigError, match=message):
        make_run(cfg)


def test_automatic_choices_follow_the_environment():
    plain = make_run(tiny_config(actor_net_type="auto", state_norm_exclude="auto"))
    assert plain.nets.rotation is None
    rotating = make_run(tiny_config(actor_net_type="auto", kwargs={"rotation": True}))
    assert rotating.nets.rotation == slice(2, 11)
    spec = plain.env_spec._replace(obs_blocks={"grip_rot": slice(0, 2), "x": slice(2, 4)})
    assert ddpg_config(plain.cfg, plain.env_spec).obs_exclude == ()
    assert ddpg_config(plain.cfg, spec).obs_exclude == (0, 1)


@pytest.mark.parametrize(("env_id", "n"), [("FlatPJOrient-v0", 36), ("FlatPJCube-v0", 0)])
def test_networks_see_the_products_of_object_and_goal_rotation(env_id, n):
    """The observation begins with 18 entries and two joints, then the object's rotation."""
    env = GymGoalEnv(gymnasium.make(env_id))
    run = setup.make_run(tiny_config(relative_rotation=True), env, make_workers(SoloComm(), 1))
    spec = env.spec
    assert run.learner.products == run.nets.products == ((20, 26, 41, 47) if n else ())
    params = run.learner.unravel(run.learner.init(Key(0)).params)
    assert params["actor"]["layers.0.weight"].shape[1] == spec.obs + spec.goal + n
    assert params["critic"]["layers.0.weight"].shape[1] == spec.obs + spec.goal + spec.action + n


def test_run_key_is_the_seed():
    assert make_run(tiny_config(seed=3)).key == Key(3)

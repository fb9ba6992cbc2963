"""The entries of `info`: their types, and the object's lift."""

import gymnasium
import numpy as np
import pytest
from scripted import LiftPolicy

from envs import ENV_IDS
from envs.suite import SUITE

LIFTING_IDS = ("FlatPJCube-v0", "UnevenPJRotCube-v0")


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_entries_are_numpy_scalars(env_id):
    env = gymnasium.make(env_id)
    _, first = env.reset(seed=0)
    for info in (first, env.step(env.action_space.sample())[-1]):
        types = {name: type(value) for name, value in info.items()}
        assert types == {
            "is_success": np.bool_,
            "air_goal": np.bool_,
            "object_lift": np.float32,
        }
    env.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_lift_of_an_episode_starts_at_zero(env_id):
    env = gymnasium.make(env_id)
    for start in ("default", "pregrasp"):
        _, info = env.reset(seed=1, options={"start": start})
        assert info["object_lift"] == 0.0
    env.close()


@pytest.mark.parametrize("env_id", LIFTING_IDS)
def test_the_lift_is_the_height_above_the_ground_relative_to_the_start(env_id):
    env = gymnasium.make(env_id, air_goal_share=1.0)
    arena = SUITE[env_id].arena
    obs, _ = env.reset(seed=3)
    x, y, z = env.unwrapped.save_reset()["object_position"]
    height_at_start = z - arena.ground(x, y)
    policy, lifts, ground = LiftPolicy(env.unwrapped), [], []
    for _ in range(50):
        obs, _, _, _, info = env.step(policy(obs))
        x, y, z = obs["achieved_goal"].tolist()
        expected = z - arena.ground(x, y) - height_at_start
        assert info["object_lift"] == pytest.approx(expected, abs=1e-4)
        lifts.append(info["object_lift"])
        ground.append(arena.ground(x, y))
    assert info["is_success"] and max(lifts) > 0.1
    # The uneven ground below the object changes, the table top does not.
    assert (np.ptp(ground) > 0.01) == bool(arena.bed)
    env.close()

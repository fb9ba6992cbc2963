"""Pictures."""

import gymnasium
import numpy as np
import pytest

from envs import ENV_IDS


@pytest.fixture
def env():
    made = gymnasium.make("FlatPJCube-v0", render_mode="rgb_array")
    yield made
    made.close()


def test_format_and_content(env):
    env.reset(seed=0)
    picture = env.render()
    assert picture.dtype == np.uint8 and picture.shape == (360, 480, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
    np.testing.assert_array_equal(picture, env.render())
    assert env.metadata["render_fps"] == 25


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_everything_is_seen_in_its_colour(env_id):
    env = gymnasium.make(env_id, render_mode="rgb_array")
    env.reset(seed=0)
    r, g, b = np.moveaxis(env.render().astype(int), 2, 0)
    env.close()
    assert np.sum((r > 2 * g) & (r > 2 * b) & (r > 80)) > 50  # object, red
    assert np.sum((g > 2 * r) & (g > 2 * b) & (g > 80)) > 30  # goal, green
    assert np.sum((b > 2 * r) & (b > 80)) > 30  # a finger, blue
    if env.unwrapped.gripper_type != "ShadowHand":  # its palm hides the thumb
        assert np.sum((r > 1.2 * g) & (g > 1.5 * b) & (r > 150)) > 30  # a finger, orange


def test_the_picture_follows_the_goal(env):
    env.reset(seed=0)
    before = env.render().astype(int)
    inner = env.unwrapped
    for part in inner._marker:
        inner._sim.place(part, (0.5, 0.0, 0.7))
    changed = np.abs(env.render().astype(int) - before).max(axis=2) > 30
    assert changed.sum() > 50


def test_size_on_request():
    env = gymnasium.make(
        "FlatPJCube-v0", render_mode="rgb_array", render_width=64, render_height=48
    )
    env.reset(seed=0)
    assert env.render().shape == (48, 64, 3)
    env.close()


def test_without_a_mode_there_is_no_picture():
    env = gymnasium.make("FlatPJCube-v0").unwrapped
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="rgb_array"):
        assert env.render() is None
    env.close()

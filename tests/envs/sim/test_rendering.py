"""Pictures: their format, their content, and the two renderers."""

import os
import subprocess
import sys

import gymnasium
import numpy as np
import pybullet as p
import pytest

from envs import ENV_IDS
from envs.sim import colours
from envs.suite import SUITE


@pytest.fixture
def env():
    made = gymnasium.make("FlatPJCube-v0", render_mode="rgb_array")
    yield made
    made.close()


def test_a_picture_has_the_documented_format(env):
    env.reset(seed=0)
    picture = env.render()
    assert picture.dtype == np.uint8 and picture.shape == (360, 480, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
    np.testing.assert_array_equal(picture, env.render())
    assert env.metadata["render_fps"] == 25


def pixels_of(picture, colour):
    """Returns the number of pixels with a colour's hue, in any lighting."""
    pixels, hue = picture.reshape(-1, 3) / 255.0, np.array(colour[:3])
    lengths = np.linalg.norm(pixels, axis=1)
    aligned = pixels @ hue > 0.985 * np.linalg.norm(hue) * lengths
    return np.sum(aligned & (lengths > 0.2))


@pytest.mark.parametrize("env_id", ENV_IDS)
@pytest.mark.parametrize("seed", range(2))
def test_every_part_is_visible_in_its_colour(env_id, seed):
    env = gymnasium.make(env_id, render_mode="rgb_array")
    env.reset(seed=seed)
    picture = env.render()
    env.close()
    for name in ("OBJECT", "GOAL", "FINGER", "THUMB"):
        assert pixels_of(picture, getattr(colours, name)) > 30, name


def in_view(camera, points, aspect=4 / 3):
    """Returns whether points [..., 3] (world, m) lie in a camera's picture."""
    eye, target = np.array(camera.eye), np.array(camera.target)
    ahead = (target - eye) / np.linalg.norm(target - eye)
    right = np.cross(ahead, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    rays = np.asarray(points) - eye
    half = np.tan(np.radians(camera.fov / 2.0)) * (rays @ ahead)
    above, beside = rays @ np.cross(right, ahead), rays @ right
    return (np.abs(above) < half) & (np.abs(beside) < aspect * half)


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_camera_shows_gripper_object_and_goal(env_id):
    env = gymnasium.make(env_id, air_goal_share=1.0).unwrapped
    camera, client = SUITE[env_id].arena.camera, env._sim._client
    for seed in range(20):
        obs, _ = env.reset(seed=seed)
        # The bounding box of the palm or forearm.
        low, high = np.array(p.getAABB(env._robot.body, -1, client))
        corners = [np.where(mask, high, low) for mask in np.ndindex(2, 2, 2)]
        shown = [*corners, obs["achieved_goal"][:3], obs["desired_goal"][:3]]
        assert in_view(camera, shown).all(), seed
    env.close()


def test_colours_can_be_told_apart():
    shown = [np.array(c[:3]) for c in (colours.OBJECT, colours.GOAL, colours.FINGER, colours.THUMB)]
    for colour in shown:
        patch = np.broadcast_to(255.0 * colour, (8, 8, 3))
        assert [pixels_of(patch, other) for other in shown].count(64) == 1


def test_the_picture_shows_a_moved_goal(env):
    env.reset(seed=0)
    before = env.render().astype(int)
    inner = env.unwrapped
    inner._marker.show((0.5, 0.0, 0.7))
    changed = np.abs(env.render().astype(int) - before).max(axis=2) > 30
    assert changed.sum() > 50


def test_the_size_of_a_picture_can_be_set():
    env = gymnasium.make(
        "FlatPJCube-v0", render_mode="rgb_array", render_width=64, render_height=48
    )
    env.reset(seed=0)
    assert env.render().shape == (48, 64, 3)
    env.close()


def test_without_a_render_mode_there_is_no_picture():
    env = gymnasium.make("FlatPJCube-v0").unwrapped
    env.reset(seed=0)
    with pytest.warns(UserWarning, match="rgb_array"):
        assert env.render() is None
    env.close()


def test_egl_renders_the_same_scene():
    try:
        env = gymnasium.make("FlatPJCube-v0", render_mode="rgb_array", renderer="egl")
    except ValueError as missing:
        assert "EGL" in str(missing)
        pytest.skip("no EGL on this machine")
    env.reset(seed=0)
    picture = env.render()
    env.close()
    assert picture.shape == (360, 480, 3) and picture.dtype == np.uint8
    assert pixels_of(picture, colours.OBJECT) > 30 and pixels_of(picture, colours.GOAL) > 30


def test_missing_egl_raises_an_error_and_does_not_end_the_process():
    code = (
        "import gymnasium, envs\n"
        "try: gymnasium.make('FlatPJCube-v0', render_mode='rgb_array', renderer='egl')\n"
        "except ValueError as error: print(error)"
    )
    nowhere = {**os.environ, "__EGL_VENDOR_LIBRARY_FILENAMES": "/nonexistent"}
    done = subprocess.run(
        [sys.executable, "-c", code], env=nowhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "renderer = 'egl', expected 'software'" in done.stdout


def test_an_unknown_renderer_is_refused():
    with pytest.raises(ValueError, match=r"renderer = 'gl', expected one of \['software', 'egl'\]"):
        gymnasium.make("FlatPJCube-v0", renderer="gl")

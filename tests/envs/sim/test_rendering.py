"""Pictures: their format, their content, and the two renderers."""

import os
import subprocess
import sys

import gymnasium
import numpy as np
import pybullet as p
import pytest
from scripted import LiftPolicy

from envs import ENV_IDS
from envs.sim import colours, rotations
from envs.sim.rendering import get_poses
from envs.suite import SUITE


def make(env_id, renderer="software"):
    """Makes an environment, or skips the test where its renderer does not work."""
    try:
        return gymnasium.make(env_id, render_mode="rgb_array", renderer=renderer)
    except ValueError as missing:
        assert renderer == "egl" and "EGL" in str(missing)
        pytest.skip("no EGL on this machine")


@pytest.fixture
def env():
    made = make("FlatPJCube-v0")
    yield made
    made.close()


def test_a_picture_has_the_documented_format(env):
    env.reset(seed=0)
    picture = env.render()
    assert picture.dtype == np.uint8 and picture.shape == (480, 640, 3)
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20
    np.testing.assert_array_equal(picture, env.render())
    assert env.metadata["render_fps"] == 25


def pixels_of(picture, colour):
    """Returns the number of pixels with a colour's hue, in any lighting and mixed with any grey."""
    rgb = np.concatenate([picture.reshape(-1, 3) / 255.0, [colour[:3]]])
    chroma = rgb - rgb.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(chroma, axis=1)
    aligned = chroma @ chroma[-1] > 0.95 * lengths[-1] * lengths
    return np.sum((aligned & (lengths > 0.08))[:-1])


@pytest.mark.parametrize("env_id", ENV_IDS)
@pytest.mark.parametrize("seed", range(2))
def test_object_and_goal_are_visible_in_their_colours(env_id, seed):
    env = gymnasium.make(env_id, render_mode="rgb_array")
    env.reset(seed=seed)
    picture = env.render()
    env.close()
    assert pixels_of(picture, colours.OBJECT) > 100 and pixels_of(picture, colours.GOAL) > 100
    assert pixels_of(picture, colours.REACHED) == 0
    assert (pixels_of(picture, colours.OBSTACLE) > 100) == env_id.startswith("Obstacle")


def at_goal(env):
    """Returns a start that is at its goal."""
    start = env.unwrapped.save_reset()
    goal = list(start["goal"])
    goal[:3] = start["object_position"]
    if len(goal) == 9:
        goal[3:] = rotations.rotation_6d(rotations.matrix(start["object_rotation"]))
    return start | {"goal": goal}


@pytest.mark.parametrize("renderer", ["software", "egl"])
@pytest.mark.parametrize("env_id", ["FlatPJCube-v0", "FlatBarrettCube-v0", "FlatSHOrient-v0"])
def test_a_goal_turns_green_while_it_is_achieved(env_id, renderer):
    env = make(env_id, renderer)
    env.reset(seed=0)
    for options, hidden, shown in (
        ({"start": at_goal(env)}, colours.GOAL, colours.REACHED),
        ({}, colours.REACHED, colours.GOAL),
    ):
        achieved = env.reset(seed=0, options=options)[1]["is_success"]
        picture = env.render()
        assert achieved == bool(options)
        assert pixels_of(picture, shown) > max(100, 10 * pixels_of(picture, hidden))
    env.close()


def test_a_goal_turns_green_in_the_middle_of_an_episode_and_back():
    env = make("FlatPJCube-v0")
    env.reset(seed=0)
    marker = env.unwrapped._marker
    for achieved in (True, False):
        marker.update(achieved, (0.5, 0.0, 0.4))
        picture = env.render()
        assert (pixels_of(picture, colours.REACHED) > 100) == achieved
        assert (pixels_of(picture, colours.GOAL) > 100) != achieved
    env.close()


def test_a_goal_is_translucent(env):
    env.reset(seed=0)
    inner = env.unwrapped
    opaque = pixels_of(env.render(), colours.OBJECT)
    x, y, z = inner._object_state.position
    # Towards the camera.
    inner._sim.move_marker(inner._marker._goal, (x + 0.13, y + 0.1, z + 0.08))
    covered = env.render().astype(int)
    inner._sim.move_marker(inner._marker._goal, (x, y, -1.0))
    behind = env.render().astype(int)
    tinted = pixels_of(behind.astype(np.uint8), colours.OBJECT) > opaque - 30
    changed = np.abs(covered - behind).max(axis=2)
    assert tinted and np.sum(changed > 20) > 1000
    # What is behind the goal shines through: its edges are at the same places.
    edges = [np.abs(np.diff(picture.sum(axis=2), axis=1)) > 60 for picture in (covered, behind)]
    inside = changed[:, 1:] > 20
    assert np.sum(edges[0] & edges[1] & inside) > 20


def test_a_picture_moves_nothing(env):
    env.reset(seed=0)
    inner = env.unwrapped
    before = get_poses(inner._sim._client)
    env.render()
    assert get_poses(inner._sim._client) == before


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
        # The bounding box of the palm; the forearm may leave the picture.
        names = [link.name for link in env._robot.spec.links]
        palm = names.index("WRJ0" if "WRJ0" in names else "palm") - 1
        low, high = np.array(p.getAABB(env._robot.body, palm, client))
        corners = [np.where(mask, high, low) for mask in np.ndindex(2, 2, 2)]
        shown = [*corners, obs["achieved_goal"][:3], obs["desired_goal"][:3]]
        assert in_view(camera, shown).all(), seed
    env.close()


def test_colours_can_be_told_apart():
    shown = (colours.OBJECT, colours.GOAL, colours.REACHED, colours.OBSTACLE)
    for colour in shown:
        patch = np.broadcast_to(255.0 * np.array(colour[:3]), (8, 8, 3))
        assert [pixels_of(patch, other) for other in shown].count(64) == 1
    for colour in (colours.SHELL, colours.JOINT, colours.TIP, colours.TABLE, *colours.BACKDROP):
        grey = np.broadcast_to(255.0 * np.array(colour[:3]), (8, 8, 3))
        assert not any(pixels_of(grey, other) for other in shown)


def test_the_path_of_the_object_is_shown_on_request_only():
    pictures = {}
    for trace in (False, True):
        options = {"render_trace": trace, "air_goal_share": 1.0}
        env = gymnasium.make("FlatPJCube-v0", render_mode="rgb_array", **options)
        for seed, steps in ((0, 0), (0, 25), (1, 0)):
            obs, _ = env.reset(seed=seed)
            policy = LiftPolicy(env.unwrapped)
            for _ in range(steps):
                obs = env.step(policy(obs))[0]
            pictures[trace, seed, steps] = env.render()
        env.close()
    for seed in range(2):
        np.testing.assert_array_equal(pictures[True, seed, 0], pictures[False, seed, 0])
    plain, traced = (pixels_of(pictures[t, 0, 25], colours.OBJECT) for t in (False, True))
    assert traced > plain + 100


def test_the_picture_shows_a_moved_goal(env):
    env.reset(seed=0)
    before = env.render().astype(int)
    inner = env.unwrapped
    inner._sim.move_marker(inner._marker._goal, (0.5, 0.0, 0.7))
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
    pictures = []
    for renderer in ("software", "egl"):
        env = make("FlatPJCube-v0", renderer)
        env.reset(seed=0)
        pictures.append(env.render())
        env.close()
    software, egl = pictures
    assert egl.shape == (480, 640, 3) and egl.dtype == np.uint8
    for colour in (colours.OBJECT, colours.GOAL):
        counts = pixels_of(software, colour), pixels_of(egl, colour)
        assert max(counts) < 1.2 * min(counts)


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

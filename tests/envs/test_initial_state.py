"""Saved initial states: another instance or process repeats the same episode."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from envs import ENV_IDS

ROOT = Path(__file__).parents[2]
VARIED = {"object_size_range": (0.9, 1.1)}


@pytest.fixture(scope="module")
def cube():
    made = gymnasium.make("FlatPJCube-v0")
    made.reset(seed=0)
    yield made
    made.close()


def play(env, saved, steps=15):
    """Returns the observations and infos of an episode with random actions as bytes."""
    rng = np.random.default_rng(0)
    obs, info = env.reset(options={"start": saved})
    seen = []
    for _ in range(steps):
        seen += [block.tobytes() for block in obs.values()] + [repr(info).encode()]
        action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
        action[:3] = np.clip(20 * (obs["achieved_goal"][:3] - obs["observation"][:3]), -1, 1)
        obs, *_, info = env.step(action)
    return b"".join(seen)


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_a_saved_initial_state_repeats_the_episode(env_id):
    first, second = gymnasium.make(env_id, **VARIED), gymnasium.make(env_id, **VARIED)
    obs, _ = first.reset(seed=4)
    saved = first.unwrapped.save_reset()
    as_text = json.loads(json.dumps(saved))
    bits = play(first, saved)
    # The saved state is that of the episode, not of the moment.
    assert first.unwrapped.save_reset() == saved
    assert bits.startswith(obs["observation"].tobytes())
    second.reset(seed=9)
    assert play(second, as_text) == bits
    assert play(second, pickle.loads(pickle.dumps(saved))) == bits
    for env in (first, second):
        env.close()


def test_another_process_repeats_the_episode(cube):
    cube.reset(seed=6)
    saved = cube.unwrapped.save_reset()
    code = (
        "import sys, json; sys.path[:0] = sys.argv[1:3]\n"
        "import gymnasium, envs\n"
        "from test_initial_state import play\n"
        "bits = play(gymnasium.make('FlatPJCube-v0'), json.loads(sys.argv[3]))\n"
        "print('bits', bits.hex())\n"
    )
    arguments = [str(ROOT), str(Path(__file__).parent), json.dumps(saved)]
    command = [sys.executable, "-c", code, *arguments]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"bits {play(cube, saved).hex()}" in output


def test_loading_does_not_affect_the_random_sequence(cube):
    cube.reset(seed=1)
    saved = cube.unwrapped.save_reset()
    expected = cube.reset()[0]
    cube.reset(seed=1)
    cube.unwrapped.load_reset(saved)
    np.testing.assert_array_equal(cube.reset()[0]["observation"], expected["observation"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"env_id": "FlatPJSphere-v0"}, "FlatPJSphere-v0.*FlatPJCube-v0"),
        ({"object_name": "Banana"}, "object_name = 'Banana'.*Cube"),
        ({"object_size": 9}, r"object_size = 9, expected a value in \[0.2, 2.0\]"),
        ({"object_size": "1"}, "object_size = '1'"),
        ({"object_position": [0, 0]}, "object_position.*3 numbers"),
        ({"object_position": [0, 0, float("nan")]}, "object_position.*nan"),
        ({"goal": [0.5, 0.0, 7.0]}, r"goal.*\[-3.0, 3.0\]"),
        ({"gripper": "00"}, "gripper = '00'"),
        ({"object_rotation": [0, 0, 0, 0.5]}, "object_rotation.*length 1"),
        ({"pregrasp": [0.1]}, r"pregrasp = \[0.1\], expected 3 numbers"),
        ({"raised": 0.1}, r"raised = 0.1, expected None, or at a pregrasp a number in \[0, 0.15\]"),
        ({"raised": 0.2, "pregrasp": [0, 0, 0]}, "raised = 0.2"),
        ({"raised": "0", "pregrasp": [0, 0, 0]}, "raised = '0'"),
        ({"colour": 1}, "colour.*expected"),
    ],
)
def test_an_invalid_saved_state_is_refused_and_changes_nothing(cube, change, words):
    cube.reset(seed=1)
    saved = cube.unwrapped.save_reset()
    expected = cube.reset()[0]
    cube.reset(seed=1)
    with pytest.raises(ValueError, match=words):
        cube.unwrapped.load_reset({**saved, **change})
    assert cube.unwrapped.save_reset() == saved
    np.testing.assert_array_equal(cube.reset()[0]["observation"], expected["observation"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "midair"}, "start = 'midair'.*'default', 'pregrasp', 'grasp'"),
        ({"start": None}, "start = None"),
        ({"begin": "default"}, r"\['begin'\], expected only 'start'"),
        ({"start": {}}, r"start has the keys \[\], expected \['env_id'"),
    ],
)
def test_invalid_options_of_reset_are_refused(cube, options, words):
    with pytest.raises(ValueError, match=words):
        cube.reset(options=options)


def test_the_default_start_can_be_named(cube):
    plain = cube.reset(seed=3)[0]
    named = cube.reset(seed=3, options={"start": "default"})[0]
    np.testing.assert_array_equal(plain["observation"], named["observation"])

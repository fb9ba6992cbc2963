"""The same (seed, actions) give the same bits, wherever and after whatever they run."""

import hashlib
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from scripted import LiftPolicy

from envs import ENV_IDS

ROOT = Path(__file__).parents[2]
OPTIONS = (
    {},
    {"object_size_range": (0.8, 1.2)},
    {"objects": ["Cube", "Sphere", "Cylinder"], "object_size_multiplier": 1.1},
)


def digest(env, seed):
    """Hash of three episodes from one seed: grasping, random with contacts, grasping."""
    state = hashlib.sha256()
    rng = np.random.default_rng(seed)
    obs, info = env.reset(seed=seed)
    for episode in range(3):
        if episode:
            obs, info = env.reset()
        policy = LiftPolicy(env.unwrapped)
        for step in range(50):
            if episode == 1:
                action = rng.uniform(-1, 1, env.action_space.shape).astype(np.float32)
                action[2] -= 0.5
            else:
                action = policy(obs)
            obs, reward, _, _, info = env.step(action)
            for block in obs.values():
                state.update(block.tobytes())
            state.update(repr((reward, info)).encode())
            if env.render_mode and step == 20:
                env.render()
    return state.hexdigest()


@pytest.mark.parametrize("options", OPTIONS, ids=("plain", "sizes", "objects"))
@pytest.mark.parametrize("env_id", ENV_IDS)
def test_instances_history_and_pictures_change_nothing(env_id, options):
    first = gymnasium.make(env_id, **options)
    second = gymnasium.make(env_id, **options)
    seen = gymnasium.make(
        env_id, render_mode="rgb_array", render_width=32, render_height=24, **options
    )
    reference = {seed: digest(first, seed) for seed in (1, 2, 3)}
    assert len(set(reference.values())) == 3
    assert {seed: digest(second, seed) for seed in (3, 11, 2, 1) if seed in reference} == reference
    assert {seed: digest(seen, seed) for seed in (2, 3, 1)} == reference
    for env in (first, second, seen):
        env.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_processes_agree(env_id):
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "import gymnasium, envs\n"
        "from test_env_determinism import digest\n"
        "print('digest', digest(gymnasium.make(sys.argv[3]), 7))\n"
    )
    command = [sys.executable, "-c", code, str(ROOT), str(Path(__file__).parent), env_id]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    env = gymnasium.make(env_id)
    digest(env, 5)
    assert f"digest {digest(env, 7)}" in output
    env.close()


def test_the_goal_draw_does_not_depend_on_the_episode_before():
    env = gymnasium.make("FlatPJCube-v0")
    env.reset(seed=0)
    once = env.reset()[0]
    env.reset(seed=0)
    for _ in range(10):
        env.step(env.action_space.sample())
    again = env.reset()[0]
    np.testing.assert_array_equal(once["observation"], again["observation"])
    np.testing.assert_array_equal(once["desired_goal"], again["desired_goal"])
    env.close()

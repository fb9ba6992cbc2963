"""The same seed and actions give the same bits, in every process and with every history."""

import functools
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest
from scripted import LiftPolicy

from envs import ENV_IDS
from envs.objects import body
from envs.suite import SUITE

ROOT = Path(__file__).parents[2]
SEED = 7
ONE_OF_EACH = list({row.robot.name: env_id for env_id, row in SUITE.items()}.values())
OPTIONS = (
    {"object_size_range": (0.8, 1.2)},
    {"objects": ["Cube", "Sphere", "Cylinder"], "object_size_multiplier": 1.1},
)


def digest(env, seed):
    """Returns a hash of three episodes: grasping, random with contacts, from a pregrasp."""
    state = hashlib.sha256()
    rng = np.random.default_rng(seed)
    for episode in range(3):
        begin = {"start": "pregrasp"} if episode == 2 else None
        obs, info = env.reset(seed=None if episode else seed, options=begin)
        policy = LiftPolicy(env.unwrapped, hovers=not begin)
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


@functools.cache
def reference(env_id):
    """Returns the digest of a new environment."""
    env = gymnasium.make(env_id)
    found = digest(env, SEED)
    env.close()
    return found


@pytest.fixture(scope="module")
def elsewhere():
    """The digests of all environments, from another process and in another order."""
    code = (
        "import sys; sys.path[:0] = sys.argv[1:3]\n"
        "from test_determinism import ENV_IDS, reference\n"
        "import json\n"
        "print('digests', json.dumps({env_id: reference(env_id) for env_id in ENV_IDS[::-1]}))\n"
    )
    command = [sys.executable, "-c", code, str(ROOT), str(Path(__file__).parent)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(output.split("digests ")[1])


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_instance_and_history_do_not_matter(env_id):
    env = gymnasium.make(env_id)
    # Another seed plays unrelated episodes first.
    assert digest(env, 3) != reference(env_id)
    assert digest(env, SEED) == reference(env_id)
    env.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_the_process_does_not_matter(env_id, elsewhere):
    assert elsewhere[env_id] == reference(env_id)


@pytest.mark.parametrize("trace", [False, True], ids=("plain", "trace"))
@pytest.mark.parametrize("env_id", [*ONE_OF_EACH, "FlatSHOrient-v0", "ObstacleSHCube-v0"])
def test_rendering_does_not_matter(env_id, trace):
    size = {"render_width": 32, "render_height": 24}
    env = gymnasium.make(env_id, render_mode="rgb_array", render_trace=trace, **size)
    assert digest(env, SEED) == reference(env_id)
    env.close()


@pytest.mark.parametrize("options", OPTIONS, ids=("sizes", "objects"))
@pytest.mark.parametrize("env_id", ONE_OF_EACH)
def test_objects_of_earlier_episodes_do_not_matter(env_id, options):
    first, second = gymnasium.make(env_id, **options), gymnasium.make(env_id, **options)
    digest(first, 3)
    assert digest(first, SEED) == digest(second, SEED)
    for env in (first, second):
        env.close()


@pytest.mark.parametrize("env_id", ["FlatPJAll-v0", "UnevenBarrettMesh-v0"])
def test_rebuilding_the_world_does_not_matter(env_id, monkeypatch):
    expected = reference(env_id)
    monkeypatch.setattr(body, "_MAX_BODIES", 2)
    env = gymnasium.make(env_id)
    first = env.unwrapped._sim
    digest(env, 3)
    assert digest(env, SEED) == expected
    assert env.unwrapped._sim is not first
    env.close()


def test_sampling_does_not_depend_on_the_previous_episode():
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

"""What an environment declares as symmetric is so in its physics.

An episode that begins turned (or mirrored) and takes the turned actions is the turned episode. Only
starts above a grasp can be turned, because usual starts fix the gripper's orientation.
"""

import math

import gymnasium
import numpy as np
import pytest
import torch

import envs
from envs.sim import rotations
from grasp_func.core.symmetry import apply
from grasp_func.training.goal_env import GymGoalEnv

STEPS = 4
_FLAT = [env_id for env_id in envs.ENV_IDS if not env_id.startswith("Uneven")]
OTHER_ROTATIONS = ("Euler", "AxisAngle")
SYMMETRIC = [env_id for env_id in _FLAT if not any(name in env_id for name in OTHER_ROTATIONS)]


def image(values, part, angle, element):
    """The image of vectors [..., n] under a turn and at most one involution."""
    rows = np.atleast_2d(np.asarray(values, np.float32))
    flips = np.zeros((len(rows), len(part.involutions), 1), bool)
    if element is not None:
        flips[:, element] = True
    angles = np.full((len(rows), 1), angle)
    return apply(torch.from_numpy(rows), angles, flips, part).numpy()


def play(env, start, actions):
    observation, _ = env.reset(options={"start": start})
    seen, rewards = [observation], []
    for action in actions:
        observation, reward, *_ = env.step(action)
        seen.append(observation)
        rewards.append(reward)
    return seen, rewards


def moved(start, angle, mirrored, center):
    """A saved start above a grasp, mirrored and turned about the axis."""

    def move(vector, origin=(0.0, 0.0)):
        x, y = vector[0] - origin[0], vector[1] - origin[1]
        y = -y if mirrored else y
        c, s = math.cos(angle), math.sin(angle)
        return (c * x - s * y + origin[0], s * x + c * y + origin[1], *vector[2:])

    return start | {
        "object_position": move(start["object_position"], center),
        "object_rotation": rotations.about_z(angle),
        "gripper": move(start["gripper"], center),
        "pregrasp": move(start["pregrasp"]),
    }


def elements(env):
    """(angle, involution) of each symmetry after which a hand above a grasp begins as it must."""
    yield 0.3, None
    for i, involution in enumerate(env.unwrapped.symmetry.involutions):
        # the y component of the second column of the gripper's rotation must stay positive
        signs = involution.observation[1]
        yield (0.0 if signs[7] > 0 else math.pi), i


@pytest.mark.parametrize(
    "env_id",
    [
        "FlatPJCube-v0",
        "FlatPJCylinder-v0",
        "FlatPJOrientQuat-v0",
        "FlatBarrettCube-v0",
        "FlatSHCube-v0",
    ],
)
def test_the_image_of_an_episode_is_the_episode_of_the_image(env_id):
    env = gymnasium.make(env_id)
    spec = GymGoalEnv(env).spec
    assert spec.symmetry is not None
    for angle, element in elements(env):
        errors = []
        for seed in range(5):
            env.reset(seed=seed, options={"start": "pregrasp"})
            start = env.unwrapped.save_reset()
            start |= {
                "object_rotation": (0.0, 0.0, 0.0, 1.0),
                "pregrasp": (*start["pregrasp"][:2], 0.06),
            }
            rng = np.random.default_rng(seed)
            actions = rng.uniform(-0.3, 0.3, (STEPS, spec.action))
            signs = (
                env.unwrapped.symmetry.involutions[element].goal[1] if element is not None else ()
            )
            other = moved(start, angle, bool(signs) and signs[1] < 0, env.unwrapped.symmetry.center)
            goal = image(start["goal"], spec.symmetry.goal, angle, element)[0]
            other["goal"] = tuple(goal.astype(float).tolist())
            seen, rewards = play(env, start, actions.astype(np.float32))
            mirrored, same_rewards = play(
                env, other, image(actions, spec.symmetry.action, angle, element)
            )
            assert rewards == same_rewards
            expected = image([o["observation"] for o in seen], spec.symmetry.obs, angle, element)
            found = np.array([o["observation"] for o in mirrored])
            np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
            errors.append(np.abs(found - expected).max())
        # gears let a follower lag behind its leader, and contacts amplify rounding
        assert np.median(errors) < 0.03, (angle, element, errors)


@pytest.mark.parametrize("env_id", envs.ENV_IDS)
def test_only_flat_tables_with_linear_rotations_are_symmetric(env_id):
    env = gymnasium.make(env_id)
    assert (env.unwrapped.symmetry is not None) == (env_id in SYMMETRIC)


@pytest.mark.parametrize("env_id", SYMMETRIC)
def test_images_of_observations_are_consistent_and_rewards_stay(env_id):
    """Derived blocks follow from the others as `observe` derives them."""
    env = gymnasium.make(env_id)
    unwrapped, spec = env.unwrapped, GymGoalEnv(env).spec
    rng = np.random.default_rng(0)
    env.reset(seed=1)
    seen = [env.step(rng.uniform(-1, 1, spec.action).astype(np.float32))[0] for _ in range(20)]
    obs, achieved, desired = (
        np.array([o[key] for o in seen]) for key in ("observation", "achieved_goal", "desired_goal")
    )
    for element in (None, *range(len(spec.symmetry.obs.involutions))):
        image_obs = image(obs, spec.symmetry.obs, 2.0, element)
        blocks = {name: image_obs[:, place] for name, place in spec.obs_blocks.items()}
        np.testing.assert_allclose(
            blocks["object_rel_pos"], blocks["object_pos"] - blocks["grip_pos"], atol=1e-5
        )
        grip, thing = (_matrices(blocks[name]) for name in ("grip_rot", "object_rot"))
        relative = np.swapaxes(grip, 1, 2) @ thing
        found = np.swapaxes(relative[:, :, :2], 1, 2).reshape(-1, 6)
        np.testing.assert_allclose(blocks["object_rel_rot"], found, atol=1e-4)
        goals = [image(g, spec.symmetry.goal, 2.0, element) for g in (achieved, desired)]
        np.testing.assert_allclose(goals[0][:, :3], blocks["object_pos"], atol=1e-5)
        rewards = unwrapped.compute_reward(achieved, desired, {})
        np.testing.assert_array_equal(unwrapped.compute_reward(*goals, {}), rewards)


def _matrices(columns):
    first, second = columns[:, :3], columns[:, 3:]
    return np.stack([first, second, np.cross(first, second)], axis=2)

"""The methods contacts, gripper_info and object_info."""

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ClosedEnvironmentError, ResetNeeded
from scripted import LiftPolicy, slices

from envs import ENV_IDS
from envs.suite import SUITE

PREGRASP = {"start": "pregrasp"}
# Masses in kg.
CUBES = {"FlatPJCube-v0": 2.0, "FlatBarrettCube-v0": 0.5, "FlatSHCube-v0": 0.2}
GRAVITY = 9.81


def lift(env, look=None, steps=50):
    """Returns the last observation of a scripted episode; calls `look` after each step."""
    obs, _ = env.reset(seed=3, options=PREGRASP)
    policy = LiftPolicy(env.unwrapped, hovers=False)
    for _ in range(steps):
        obs = env.step(policy(obs))[0]
        if look:
            look()
    return obs


@pytest.mark.parametrize(("env_id", "mass"), CUBES.items())
def test_a_held_cube_is_carried_by_its_contacts(env_id, mass):
    env = gymnasium.make(env_id, air_goal_share=1.0)
    inner, pushes = env.unwrapped, []

    def push():
        pushes.append(sum(np.array(c.force) @ np.array(c.frame) for c in inner.contacts()))

    obs = lift(env, push)
    points = inner.contacts()
    links = [link.name for link in SUITE[env_id].robot.links]
    assert {point.link for point in points} <= set(links)
    assert len({point.link for point in points}) >= 2
    for point in points:
        frame, force = np.array(point.frame), np.array(point.force)
        np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-6)
        # Contacts push. Friction is 1 along each tangent.
        assert force[0] >= 0.0
        assert np.hypot(*force[1:]) <= 1.5 * force[0] + 1e-6
        assert np.linalg.norm(point.position - obs["achieved_goal"]) < 0.075
        # The normal points into the cube.
        assert (obs["achieved_goal"] - point.position) @ frame[0] > 0.0
    weight = mass * GRAVITY
    # Averaged over time, because the cube may swing.
    held = np.mean(pushes[-20:], axis=0)
    np.testing.assert_allclose(held, [0.0, 0.0, weight], atol=0.1 * weight)
    env.close()


def test_both_fingers_touch_a_held_cube():
    env = gymnasium.make("FlatPJCube-v0", air_goal_share=1.0)
    lift(env)
    points = env.unwrapped.contacts()
    assert {point.link for point in points} == {"left_finger", "right_finger"}
    env.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_nothing_touches_the_object_when_an_episode_begins(env_id):
    env = gymnasium.make(env_id)
    for options in (None, PREGRASP):
        env.reset(seed=0, options=options)
        assert env.unwrapped.contacts() == []
    env.reset()
    env.step(np.zeros(env.action_space.shape, np.float32))
    assert env.unwrapped.contacts() == []
    env.close()


@pytest.mark.parametrize("env_id", ENV_IDS)
def test_infos_agree_with_the_observation(env_id):
    env = gymnasium.make(env_id, object_size_range=(0.9, 1.1))
    obs, _ = env.reset(seed=1)
    obs = env.step(env.action_space.sample())[0]["observation"]
    inner = env.unwrapped
    see = {name: obs[where] for name, where in slices(inner.observation_layout).items()}
    gripper, obj = inner.gripper_info(), inner.object_info()
    assert gripper.name == inner.gripper_type
    assert list(gripper.joints) == [link.name for link in SUITE[env_id].robot.links[1:]]
    saved = inner.save_reset()
    assert (obj.name, obj.size) == (saved["object_name"], saved["object_size"])
    assert obj.mass == next(s.mass for s in inner._objects if s.name == obj.name)
    for value, block in (
        (gripper.position, "grip_pos"),
        (list(gripper.joints.values()), "grip_state"),
        (np.multiply(gripper.linear, 0.04), "grip_velp"),
        (obj.position, "object_pos"),
        (np.multiply(obj.angular, 0.04), "object_velr"),
    ):
        np.testing.assert_allclose(value, see[block], atol=1e-6)
    assert np.linalg.norm(gripper.rotation) == pytest.approx(1.0)
    assert np.linalg.norm(obj.rotation) == pytest.approx(1.0)
    env.close()


@pytest.mark.parametrize("env_id", CUBES)
def test_calling_them_does_not_affect_the_physics(env_id):
    env = gymnasium.make(env_id)
    inner = env.unwrapped
    quiet = lift(env, steps=20)
    asked = lift(
        env, lambda: (inner.contacts(), inner.gripper_info(), inner.object_info()), steps=20
    )
    np.testing.assert_array_equal(quiet["observation"], asked["observation"])
    env.close()


@pytest.mark.parametrize("name", ["contacts", "gripper_info", "object_info", "save_reset"])
def test_they_need_an_episode(name):
    env = gymnasium.make("FlatPJCube-v0").unwrapped
    with pytest.raises(ResetNeeded, match=name):
        getattr(env, name)()
    env.close()
    with pytest.raises(ClosedEnvironmentError):
        getattr(env, name)()

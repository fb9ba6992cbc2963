"""Joints of the grippers: start postures, ranges and couplings, as seen in observations."""

import gymnasium
import numpy as np
import pytest
from scripted import slices

from envs.robots import ROBOTS
from envs.robots.spec import full_control


@pytest.fixture(params=ROBOTS)
def gripper(request):
    """A gripper's spec, its environment, and the position of the joints in an observation."""
    env = gymnasium.make(f"Flat{request.param}Cube-v0").unwrapped
    yield ROBOTS[request.param], env, slices(env.observation_layout)["grip_state"]
    env.close()


def joints_after(env, where, joint_action, steps=12):
    """Returns the joints after a constant joint action in mid-air."""
    for _ in range(steps):
        action = np.r_[np.zeros(12), joint_action].astype(np.float32)
        joints = env.step(action)[0]["observation"][where]
    return joints


def by_name(spec, joints):
    return dict(zip([link.name for link in spec.links[1:]], joints, strict=True))


def test_specs_are_consistent(gripper):
    spec = gripper[0]
    names = [link.name for link in spec.links]
    assert len(set(names)) == len(names)
    # Parents come first, so the order in the URDF is that of the observation.
    for index, link in enumerate(spec.links[1:], start=1):
        assert link.parent in names[:index]
        assert link.limits[0] < link.limits[1]
    driven = [actuator.joint for actuator in spec.actuators]
    following = [coupling.follower for coupling in spec.couplings]
    assert sorted(driven + following) == sorted(names[1:])
    assert {coupling.leader for coupling in spec.couplings} <= set(driven)
    assert len(spec.start_joints) == len(driven)
    assert np.shape(spec.basis)[1] == len(driven)
    assert {name for pair in spec.touching for name in pair} <= set(names)
    limits = {link.name: link.limits for link in spec.links[1:]}
    for actuator, start in zip(spec.actuators, spec.start_joints, strict=True):
        low, high = limits[actuator.joint]
        assert low <= actuator.control[0] <= start <= actuator.control[1] <= high
    for follower, leader, ratio, _ in spec.couplings:
        low, high = limits[follower]
        ends = dict(zip(driven, [a.control for a in spec.actuators], strict=True))[leader]
        assert low - 1e-6 <= ratio * ends[0] and ratio * ends[1] <= high + 1e-6


def test_episodes_start_in_the_start_posture(gripper):
    spec, env, where = gripper
    joints = by_name(spec, env.reset(seed=0)[0]["observation"][where])
    for actuator, start in zip(spec.actuators, spec.start_joints, strict=True):
        assert joints[actuator.joint] == pytest.approx(start, abs=1e-6)
    for follower, leader, ratio, _ in spec.couplings:
        assert joints[follower] == pytest.approx(ratio * joints[leader], abs=1e-6)


def test_each_actuator_moves_its_joint(gripper):
    """Fingers that lean against each other reach only a part of the commanded change."""
    spec, env, where = gripper
    env.reset(seed=0)
    middle = by_name(spec, joints_after(env, where, np.zeros(len(spec.basis)), steps=25))
    for index in range(len(spec.basis)):
        env.reset(seed=0)
        posture = np.zeros(len(spec.basis))
        posture[index] = -0.5
        joints = by_name(spec, joints_after(env, where, posture, steps=25))
        for change, actuator in zip(np.dot(posture, spec.basis), spec.actuators, strict=True):
            if change:
                low, high = actuator.control
                commanded = change * (high - low) / 2
                moved = joints[actuator.joint] - middle[actuator.joint]
                assert 0.3 < moved / commanded < 1.5


def test_couplings_hold_during_motion(gripper):
    spec, env, where = gripper
    env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(8):
        posture = rng.uniform(-1, 1, len(spec.basis))
        for _ in range(4):
            joints = by_name(spec, joints_after(env, where, posture, steps=1))
            for follower, leader, ratio, _ in spec.couplings:
                assert joints[follower] == pytest.approx(ratio * joints[leader], abs=0.1)


def test_full_control_is_the_identity():
    assert full_control(2) == ((1.0, 0.0), (0.0, 1.0))


def test_listed_links_collide():
    """Two neighbouring fingers that move towards each other block each other."""
    env = gymnasium.make("FlatSHCube-v0").unwrapped
    spec, where = ROBOTS["SH"], slices(env.observation_layout)["grip_state"]
    driven = [actuator.joint for actuator in spec.actuators]
    env.reset(seed=0)
    posture = np.full(len(driven), -1.0)
    for joint, value in {"WRJ1": 0, "WRJ0": 0, "FFJ3": -1, "MFJ3": 1, "RFJ3": 0, "LFJ3": 0}.items():
        posture[driven.index(joint)] = value
    joints = by_name(spec, joints_after(env, where, posture))
    # Without collision it would be -0.7.
    assert joints["FFJ3"] - joints["MFJ3"] > -0.35
    env.close()

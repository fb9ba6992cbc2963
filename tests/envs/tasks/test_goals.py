"""Rewards and goals, compared with values computed by hand and with SciPy."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from envs.tasks.arenas import FLAT, ResetError
from envs.tasks.goals import AVOID, LIFT, ORIENT, Avoid, Orient, Task


def test_success_depends_on_the_distance():
    desired = np.zeros(3)
    # 0.03^2 + 0.0399^2 = 0.00249201 < 0.0025 < 0.03^2 + 0.0401^2 = 0.00250801
    near = np.array([0.03, 0.0, 0.0399])
    far = np.array([0.03, 0.0, 0.0401])
    assert LIFT.success(near, desired) and not LIFT.success(far, desired)
    assert LIFT.reward(near, desired) == 0.0 and LIFT.reward(far, desired) == -1.0
    assert not np.signbit(LIFT.reward(near, desired))


def test_rewards_broadcast_over_leading_dimensions():
    achieved = np.zeros((4, 2, 3), np.float32)
    desired = np.zeros((4, 2, 3), np.float32)
    desired[1, 0, 2] = 0.06
    expected = np.zeros((4, 2), np.float32)
    expected[1, 0] = -1.0
    reward = LIFT.reward(achieved, desired)
    np.testing.assert_array_equal(reward, expected)
    assert reward.dtype == np.float32
    np.testing.assert_array_equal(LIFT.reward(achieved, desired[1, 0]), np.full((4, 2), -1.0))
    assert LIFT.reward(achieved[:0], desired[:0]).shape == (0, 2)


def test_rewards_do_not_modify_their_inputs():
    achieved, desired = np.ones(3), np.zeros(3)
    LIFT.reward(achieved, desired)
    np.testing.assert_array_equal(achieved, 1.0)
    np.testing.assert_array_equal(desired, 0.0)


def test_the_tolerance_can_be_set():
    assert Task(tolerance=0.2).success((0.1, 0.1, 0.1), (0.0, 0.0, 0.0))


# --- orientation

ROTATIONS = Rotation.random(300, random_state=np.random.default_rng(0))


def pose_goal(rotation, position=(0.0, 0.0, 0.0)):
    return np.concatenate([position, rotation.as_matrix()[:, :2].T.ravel()]).astype(np.float32)


def test_success_depends_on_the_angle():
    for a, b in pairwise(ROTATIONS):
        angle = (a.inv() * b).magnitude()
        achieved, desired = pose_goal(a), pose_goal(b)
        assert ORIENT.with_angle_tolerance(angle + 1e-4).success(achieved, desired)
        assert not ORIENT.with_angle_tolerance(angle - 1e-4).success(achieved, desired)


def test_position_and_rotation_must_both_be_right():
    near, rotated = (0.0, 0.0, 0.04), Rotation.from_rotvec([0.0, 0.0, 0.19])
    assert ORIENT.success(pose_goal(rotated, near), pose_goal(Rotation.identity()))
    far = pose_goal(Rotation.identity(), (0.0, 0.0, 0.06))
    assert not ORIENT.success(far, pose_goal(Rotation.identity()))
    askew = pose_goal(Rotation.from_rotvec([0.0, 0.0, 0.21]))
    assert not ORIENT.success(askew, pose_goal(Rotation.identity()))
    # The symmetry of a cube is ignored.
    quarter = pose_goal(Rotation.from_euler("z", 90, degrees=True))
    assert not ORIENT.success(quarter, pose_goal(Rotation.identity()))


def test_a_tolerance_of_pi_accepts_all_rotations():
    task = ORIENT.with_angle_tolerance(np.pi)
    goals = np.stack([pose_goal(rotation) for rotation in ROTATIONS])
    assert task.success(goals, goals[::-1]).all()
    half = pose_goal(Rotation.from_euler("x", 180, degrees=True))
    assert task.success(half, pose_goal(Rotation.identity()))


@pytest.mark.parametrize("task", [ORIENT, ORIENT.with_angle_tolerance(2.0), AVOID])
def test_a_batch_of_rewards_has_the_bits_of_its_goals(task):
    rng = np.random.default_rng(0)
    achieved, desired = (
        np.stack([pose_goal(r, 0.05 * rng.standard_normal(3)) for r in rotations])[
            :, : task.goal_size
        ]
        for rotations in (ROTATIONS, ROTATIONS[::-1])
    )
    desired = np.where(rng.random((len(ROTATIONS), 1)) < 0.3, achieved, desired)
    batch = task.reward(achieved, desired)
    singles = [task.reward(*pair) for pair in zip(achieved, desired, strict=True)]
    np.testing.assert_array_equal(batch, singles)
    assert batch.dtype == np.float32 and len(np.unique(batch)) >= 2


@pytest.mark.parametrize("angle", [0.0, -1.0, 3.2, np.nan, "wide", None])
def test_invalid_angle_tolerances_are_refused(angle):
    with pytest.raises(ValueError, match="angle_tolerance = "):
        ORIENT.with_angle_tolerance(angle)
    with pytest.raises(ValueError, match="goals have no rotation"):
        LIFT.with_angle_tolerance(0.5)


def test_rotations_of_goals_are_within_their_limits():
    rng = np.random.default_rng(0)
    task, start = Orient(tilt=0.5), ROTATIONS[0]
    resting, rotation = (0.5, 0.0, 0.425), tuple(start.as_quat().tolist())
    for _ in range(300):
        goal = task.sample_goal(rng, FLAT, resting, rotation, 0.5)
        rotated = Rotation.from_quat(task.goal_rotation(goal))
        np.testing.assert_allclose(rotated.as_matrix()[:, :2].T.ravel(), goal[3:], atol=1e-9)
        tilt = np.arccos(np.clip((rotated * start.inv()).apply([0, 0, 1])[2], -1, 1))
        assert tilt <= (0.5 if goal[2] - resting[2] > 0.05 else 0.0) + 1e-6
        assert (rotated * start.inv()).magnitude() <= 2.0 + 1e-6


# --- obstacle


def test_the_reward_is_lower_inside_the_obstacle():
    desired = np.array([0.0, 0.0, 0.0, 0.3, 0.0, 0.0])
    assert AVOID.reward([0.0, 0.0, 0.04, 0.3, 0.0, 0.0], desired) == 0.0
    assert AVOID.reward([0.1, 0.0, 0.0, 0.3, 0.0, 0.0], desired) == -1.0
    assert AVOID.reward([0.25, 0.0, 0.0, 0.3, 0.0, 0.0], desired) == -2.0
    assert AVOID.reward([0.3, 0.0999, 0.0, 0.3, 0.0, 0.0], desired) == -2.0
    assert AVOID.reward([0.3, 0.1001, 0.0, 0.3, 0.0, 0.0], desired) == -1.0
    # within 0.7 of the tolerance of 5 cm: the goal is 1.5 cm smaller, the obstacle 1.5 cm larger
    assert AVOID.reward([0.3, 0.1149, 0.0, 0.3, 0.0, 0.0], desired, 0.7) == -2.0
    assert AVOID.reward([0.3, 0.1151, 0.0, 0.3, 0.0, 0.0], desired, 0.7) == -1.0


def test_obstacles_keep_their_distance_from_object_and_goal():
    rng, between = np.random.default_rng(0), 0
    for _ in range(500):
        resting = (*rng.uniform((0.4, -0.15), (0.6, 0.15)), 0.425)
        goal = np.array(AVOID.sample_goal(rng, FLAT, resting, (0, 0, 0, 1), 0.5))
        assert np.linalg.norm(goal[3:] - resting) >= 0.15
        assert np.linalg.norm(goal[3:] - goal[:3]) >= 0.15
        assert 0.425 - 1e-9 <= goal[5] <= 0.825 + 1e-9
        path = resting + np.linspace(0.0, 1.0, 50)[:, None] * (goal[:3] - resting)
        between += np.linalg.norm(path - goal[3:], axis=1).min() < 0.1
    # The obstacle often blocks the straight path.
    assert between > 60


def test_an_obstacle_without_room_raises_an_error():
    with pytest.raises(ResetError, match="no obstacle"):
        Avoid(forbidden=2.0).sample_goal(
            np.random.default_rng(0), FLAT, (0.5, 0.0, 0.425), (0, 0, 0, 1), 0.5
        )

"""Rewards by hand."""

import numpy as np

from envs.tasks import LIFT, Task


def test_distances_by_hand():
    desired = np.zeros(3)
    near = np.array([0.03, 0.0, 0.0399])  # 0.03^2 + 0.0399^2 = 0.00249201 < 0.0025
    far = np.array([0.03, 0.0, 0.0401])  # 0.00250801 > 0.0025
    assert LIFT.success(near, desired) and not LIFT.success(far, desired)
    assert LIFT.reward(near, desired) == 0.0 and LIFT.reward(far, desired) == -1.0
    assert not np.signbit(LIFT.reward(near, desired))


def test_leading_dimensions():
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


def test_inputs_stay_as_they_were():
    achieved, desired = np.ones(3), np.zeros(3)
    LIFT.reward(achieved, desired)
    np.testing.assert_array_equal(achieved, 1.0)
    np.testing.assert_array_equal(desired, 0.0)


def test_tolerance_is_a_parameter():
    assert Task(tolerance=0.2).success((0.1, 0.1, 0.1), (0.0, 0.0, 0.0))

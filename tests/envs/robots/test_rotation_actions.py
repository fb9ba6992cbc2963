"""Orientations defined by actions, against SciPy."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from envs.robots.rotation_actions import AXIS_ANGLE, DOWN, EULER, MATRIX, QUATERNION

ALL = (MATRIX, EULER, QUATERNION, AXIS_ANGLE, DOWN)


def by_scipy(action, entries):
    if action is MATRIX:
        x, y = entries.reshape(3, 3).T[:2]
        x = x / np.linalg.norm(x)
        y = y - (x @ y) * x
        y /= np.linalg.norm(y)
        return Rotation.from_matrix(np.column_stack([x, y, np.cross(x, y)]))
    if action is EULER:
        return Rotation.from_euler("XYZ", np.pi * entries * [1.0, 0.5, 1.0])
    if action is QUATERNION:
        return Rotation.from_quat(entries)
    if action is AXIS_ANGLE:
        return Rotation.from_rotvec(entries[:3] / np.linalg.norm(entries[:3]) * np.pi * entries[3])
    return Rotation.from_euler("y", 90, degrees=True)


@pytest.mark.parametrize("action", ALL, ids=lambda action: action.block)
def test_orientations_are_those_of_scipy(action):
    rng = np.random.default_rng(0)
    for _ in range(200):
        entries = rng.uniform(-1, 1, action.size)
        found = action.orientation(entries.tolist())
        assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-12)
        assert (Rotation.from_quat(found) * by_scipy(action, entries).inv()).magnitude() < 1e-7


@pytest.mark.parametrize("action", ALL[:-1], ids=lambda action: action.block)
def test_every_orientation_can_be_represented(action):
    """Entries computed from SciPy's rotations give these rotations back."""
    for wanted in Rotation.random(100, random_state=np.random.default_rng(1)):
        vector = wanted.as_rotvec()
        angle = np.linalg.norm(vector)
        entries = {
            MATRIX: wanted.as_matrix().ravel(),
            EULER: wanted.as_euler("XYZ") / np.pi * [1.0, 2.0, 1.0],
            QUATERNION: wanted.as_quat(),
            AXIS_ANGLE: np.append(vector / angle, angle / np.pi),
        }[action]
        assert np.abs(entries).max() <= 1.0 + 1e-12
        found = Rotation.from_quat(action.orientation(entries.tolist()))
        assert (found * wanted.inv()).magnitude() < 1e-7


@pytest.mark.parametrize(
    ("action", "entries"),
    [
        (MATRIX, [0.0] * 9),
        (QUATERNION, [0.0] * 4),
        (QUATERNION, [1e-9, 0.0, 0.0, 0.0]),
        (AXIS_ANGLE, [0.0, 0.0, 0.0, 0.7]),
    ],
)
def test_degenerate_entries_define_no_orientation(action, entries):
    assert action.orientation(entries) is None

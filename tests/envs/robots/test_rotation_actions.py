"""Orientations that actions name, against SciPy's."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from envs.robots import rotation_actions as ways

WAYS = (ways.MATRIX, ways.EULER, ways.QUATERNION, ways.AXIS_ANGLE, ways.DOWN)


def by_scipy(way, entries):
    if way is ways.MATRIX:
        x, y = entries.reshape(3, 3).T[:2]
        x = x / np.linalg.norm(x)
        y = y - (x @ y) * x
        y /= np.linalg.norm(y)
        return Rotation.from_matrix(np.column_stack([x, y, np.cross(x, y)]))
    if way is ways.EULER:
        return Rotation.from_euler("XYZ", np.pi * entries * [1.0, 0.5, 1.0])
    if way is ways.QUATERNION:
        return Rotation.from_quat(entries)
    if way is ways.AXIS_ANGLE:
        return Rotation.from_rotvec(entries[:3] / np.linalg.norm(entries[:3]) * np.pi * entries[3])
    return Rotation.from_euler("y", 90, degrees=True)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.block)
def test_orientations(way):
    rng = np.random.default_rng(0)
    for _ in range(200):
        entries = rng.uniform(-1, 1, way.size)
        found = way.orientation(entries.tolist())
        assert np.linalg.norm(found) == pytest.approx(1.0, abs=1e-12)
        assert (Rotation.from_quat(found) * by_scipy(way, entries).inv()).magnitude() < 1e-7


@pytest.mark.parametrize("way", WAYS[:-1], ids=lambda way: way.block)
def test_every_orientation_has_a_name(way):
    """Euler angles and axis-angle entries read off SciPy's rotations give these rotations."""
    for wanted in Rotation.random(100, random_state=np.random.default_rng(1)):
        vector = wanted.as_rotvec()
        angle = np.linalg.norm(vector)
        entries = {
            ways.MATRIX: wanted.as_matrix().ravel(),
            ways.EULER: wanted.as_euler("XYZ") / np.pi * [1.0, 2.0, 1.0],
            ways.QUATERNION: wanted.as_quat(),
            ways.AXIS_ANGLE: np.append(vector / angle, angle / np.pi),
        }[way]
        assert np.abs(entries).max() <= 1.0 + 1e-12
        found = Rotation.from_quat(way.orientation(entries.tolist()))
        assert (found * wanted.inv()).magnitude() < 1e-7


@pytest.mark.parametrize(
    ("way", "entries"),
    [
        (ways.MATRIX, [0.0] * 9),
        (ways.QUATERNION, [0.0] * 4),
        (ways.QUATERNION, [1e-9, 0.0, 0.0, 0.0]),
        (ways.AXIS_ANGLE, [0.0, 0.0, 0.0, 0.7]),
    ],
)
def test_entries_that_name_none(way, entries):
    assert way.orientation(entries) is None

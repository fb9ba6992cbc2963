"""The rotations module against SciPy."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from envs.sim import rotations

RANDOM = Rotation.random(200, random_state=np.random.default_rng(0))
HALF_ROTATIONS = Rotation.from_quat([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0]])
ALL = [*RANDOM, *HALF_ROTATIONS, Rotation.identity()]


def quat(rotation):
    return tuple(rotation.as_quat().tolist())


def test_matrices_are_those_of_scipy():
    for r in ALL:
        np.testing.assert_allclose(
            np.reshape(rotations.matrix(quat(r)), (3, 3)), r.as_matrix(), atol=1e-14
        )


def test_quaternions_of_matrices_are_those_of_scipy():
    for r in ALL:
        q = rotations.quaternion(r.as_matrix().ravel().tolist())
        assert (Rotation.from_quat(q) * r.inv()).magnitude() < 1e-7
        assert np.linalg.norm(q) == pytest.approx(1.0, abs=1e-12)


def test_products_inverses_and_rotated_vectors_are_those_of_scipy():
    for a, b in zip(ALL, reversed(ALL), strict=True):
        product = Rotation.from_quat(rotations.multiply(quat(a), quat(b)))
        assert (product * (a * b).inv()).magnitude() < 1e-7
        back = rotations.rotate(rotations.inverse(quat(a)), rotations.rotate(quat(a), (1, 2, 3)))
        np.testing.assert_allclose(back, (1, 2, 3), atol=1e-13)
        np.testing.assert_allclose(rotations.rotate(quat(a), (1, 2, 3)), a.apply((1, 2, 3)))


def test_6d_representations_hold_two_columns():
    for a, b in zip(ALL, reversed(ALL), strict=True):
        ma, mb = rotations.matrix(quat(a)), rotations.matrix(quat(b))
        np.testing.assert_allclose(
            rotations.rotation_6d(ma), a.as_matrix()[:, :2].T.ravel(), atol=1e-14
        )
        np.testing.assert_allclose(
            rotations.relative_rotation_6d(ma, mb),
            (a.inv() * b).as_matrix()[:, :2].T.ravel(),
            atol=1e-14,
        )


def test_gram_schmidt_uses_the_first_two_columns():
    rng = np.random.default_rng(1)
    for _ in range(100):
        entries = rng.uniform(-1, 1, (3, 3))
        found = np.reshape(rotations.orthonormalise(entries.ravel().tolist()), (3, 3))
        np.testing.assert_allclose(found.T @ found, np.eye(3), atol=1e-12)
        assert np.linalg.det(found) == pytest.approx(1.0)
        np.testing.assert_allclose(found[:, 0], entries[:, 0] / np.linalg.norm(entries[:, 0]))
        assert found[:, 1] @ entries[:, 1] > 0.0
        assert abs(found[:, 2] @ entries[:, 1]) < 1e-12


@pytest.mark.parametrize(
    "entries",
    [
        [0.0] * 9,
        # Parallel columns.
        [1, 2, 0, 0, 0, 0, 0, 0, 1],
        # No second column.
        [1, 0, 5, 0, 0, 5, 0, 0, 5],
        # No first column.
        [0, 1, 0, 0, 0, 0, 0, 0, 0],
    ],
)
def test_gram_schmidt_returns_none_for_degenerate_columns(entries):
    assert rotations.orthonormalise(entries) is None


def test_nlerp_follows_the_shorter_arc():
    for a, b in zip(ALL, reversed(ALL), strict=True):
        whole = (a.inv() * b).magnitude()
        for sign in (1.0, -1.0):
            target = tuple(sign * c for c in quat(b))
            part = Rotation.from_quat(rotations.nlerp(quat(a), target, 0.05))
            if whole < np.pi - 1e-6:
                assert (part * a.inv()).magnitude() <= 0.0501 * whole + 1e-7
                assert (part.inv() * b).magnitude() <= whole + 1e-7
    half = rotations.nlerp((0, 0, 0, 1), rotations.about_z(0.4), 0.5)
    np.testing.assert_allclose(half, rotations.about_z(0.2), atol=1e-12)


def test_roll_pitch_yaw_gives_the_rotation_back():
    poles = [
        Rotation.from_euler("xyz", [x, s * 90, 0], degrees=True) for x in (0, 30) for s in (-1, 1)
    ]
    for r in [*RANDOM, *poles]:
        angles = rotations.roll_pitch_yaw(quat(r))
        assert (Rotation.from_euler("xyz", angles) * r.inv()).magnitude() < 1e-6


def test_rotations_about_axes_are_those_of_scipy():
    functions = (rotations.about_x, rotations.about_y, rotations.about_z)
    for about_axis, axis in zip(functions, np.eye(3), strict=True):
        expected = Rotation.from_rotvec(0.7 * axis)
        assert (Rotation.from_quat(about_axis(0.7)) * expected.inv()).magnitude() < 1e-12

"""Symmetric replay by hand and by its properties."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from grasp_func.core.rng import Key
from grasp_func.core.symmetry import apply, make_vector_symmetry, transform
from grasp_func.core.types import Symmetry, Transition

CENTER = (0.5, -1.0)
NONE = np.zeros((1, 0, 1), bool)
EVERYTHING = (
    ("point", 3),
    ("vector", 3),
    ("invariant", 2),
    ("rotation", 6),
    ("rotation", 9),
    ("rotation", 4),
)
angles = st.floats(-math.pi, math.pi)


def turned(values, degrees, blocks, flips=NONE, involutions=()):
    symmetry = make_vector_symmetry(blocks, CENTER, involutions)
    angle = np.full((1, 1), math.radians(degrees))
    return apply(torch.tensor([values]), angle, flips, symmetry)[0].numpy()


def rotation(seed):
    """A random rotation matrix."""
    matrix, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(3, 3)))
    return matrix * np.linalg.det(matrix)


def test_a_point_turns_about_the_axis():
    # (2, -1) lies 1.5 to the right of (0.5, -1); a quarter turn puts it 1.5 above
    found = turned([2.0, -1.0, 0.7], 90, [("point", 3)])
    np.testing.assert_allclose(found, [0.5, 0.5, 0.7], atol=1e-6)


def test_a_vector_turns_wherever_the_axis_is():
    found = turned([2.0, -1.0, 0.7], 90, [("vector", 3)])
    np.testing.assert_allclose(found, [1.0, 2.0, 0.7], atol=1e-6)


def test_invariant_entries_stay():
    found = turned([2.0, -1.0], 90, [("invariant", 2)])
    np.testing.assert_array_equal(found, np.float32([2.0, -1.0]))


@given(angles, st.integers(0, 99))
def test_both_forms_of_a_rotation_turn_as_a_matrix_does(angle, seed):
    c, s = math.cos(angle), math.sin(angle)
    expected = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]) @ rotation(seed)
    rows = turned(rotation(seed).ravel().tolist(), math.degrees(angle), [("rotation", 9)])
    columns = rotation(seed)[:, :2].T.ravel().tolist()
    six = turned(columns, math.degrees(angle), [("rotation", 6)])
    np.testing.assert_allclose(rows.reshape(3, 3), expected, atol=1e-5)
    np.testing.assert_allclose(six.reshape(2, 3), expected[:, :2].T, atol=1e-5)


@given(angles, st.integers(0, 99))
def test_a_quaternion_turns_as_its_rotation_does(angle, seed):
    start = Rotation.from_matrix(rotation(seed))
    found = turned(start.as_quat().tolist(), math.degrees(angle), [("rotation", 4)])
    left = Rotation.from_quat(found).inv() * Rotation.from_rotvec([0, 0, angle]) * start
    assert left.magnitude() == pytest.approx(0, abs=1e-5)


@given(angles)
def test_a_turn_and_its_inverse_change_nothing(angle):
    values = np.random.default_rng(0).normal(size=27).tolist()
    there = turned(values, math.degrees(angle), EVERYTHING)
    back = turned(there.tolist(), -math.degrees(angle), EVERYTHING)
    np.testing.assert_allclose(back, values, atol=1e-5)


def test_a_mirror_image_by_hand():
    # y changes its sign about the axis at y = -1, and two invariant entries change places
    involution = ([0, 1, 2, 4, 3], [1, -1, 1, 1, 1])
    blocks = [("point", 3), ("invariant", 2)]
    flips = np.ones((1, 1, 1), bool)
    found = turned([2.0, 3.0, 0.7, 8.0, 9.0], 0, blocks, flips, [involution])
    np.testing.assert_allclose(found, [2.0, -5.0, 0.7, 9.0, 8.0], atol=1e-6)


@pytest.mark.parametrize(
    "blocks",
    [[("point", 4)], [("rotation", 3)], [("rotation", 12)], [("angle", 1)]],
)
def test_blocks_that_do_not_turn_are_refused(blocks):
    with pytest.raises(ValueError, match="expected point or vector"):
        make_vector_symmetry(blocks, CENTER)


@pytest.mark.parametrize("source", [[0, 1], [0, 1, 1], [0, 1, 3]])
def test_involutions_must_be_permutations(source):
    with pytest.raises(ValueError, match="involution"):
        make_vector_symmetry([("vector", 3)], CENTER, [(source, [1] * len(source))])


def batch_of(size):
    rng = torch.Generator().manual_seed(0)
    obs, action, reward, next_obs = (torch.randn(size, n, generator=rng) for n in (3, 3, 1, 3))
    return Transition(obs, torch.randn(size, 3, generator=rng), action, reward, next_obs)


POINT, VECTOR = (make_vector_symmetry([(kind, 3)], CENTER) for kind in ("point", "vector"))
POINTS = Symmetry(obs=POINT, goal=POINT, action=VECTOR)


def test_rewards_and_heights_stay_and_the_chosen_part_changes():
    batch = batch_of(2000)
    found = transform(batch, Key(0), POINTS, 0.3)
    changed = (found.obs != batch.obs).any(1)
    assert changed.float().mean() == pytest.approx(0.3, abs=0.04)
    assert torch.equal(found.reward, batch.reward)
    for before, after in zip(batch[:3], found[:3], strict=True):
        assert torch.equal(before[~changed], after[~changed])
        torch.testing.assert_close(before[:, 2], after[:, 2])


def test_all_parts_of_a_transition_turn_alike():
    batch = batch_of(200)
    found = transform(batch, Key(1), POINTS, 1.0)
    for a, b in (("obs", "goal"), ("obs", "next_obs")):
        before = (getattr(batch, a) - getattr(batch, b)).norm(dim=1)
        after = (getattr(found, a) - getattr(found, b)).norm(dim=1)
        torch.testing.assert_close(after, before)
    arm = (batch.obs - batch.goal)[:, :2]
    turned_arm = (found.obs - found.goal)[:, :2]
    torch.testing.assert_close(
        (turned_arm * found.action[:, :2]).sum(1),
        (arm * batch.action[:, :2]).sum(1),
        rtol=1e-4,
        atol=1e-5,
    )


def test_angles_cover_the_circle():
    batch = batch_of(4000)
    found = transform(batch, Key(2), POINTS, 1.0)
    center = torch.tensor(CENTER)
    angle = [torch.atan2(*(x[:, :2] - center).T.flip(0)) for x in (batch.obs, found.obs)]
    counts = torch.histc((angle[1] - angle[0]).remainder(2 * math.pi), 8, 0, 2 * math.pi)
    np.testing.assert_allclose(counts / 4000, 1 / 8, atol=0.03)

"""Representations of the target orientation in an action.

Each representation is a pure function from entries in [-1, 1] to an orientation. Departs from
Dext-Gen in two respects. Entries that define no orientation, such as a zero quaternion, keep the
present one. The middle Euler angle is the one limited to +-pi/2, so that orientations are unique.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..sim import rotations
from ..sim.rotations import Quaternion

# +90 degrees about y.
POINTING_DOWN: Quaternion = (0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5))


class RotationAction(NamedTuple):
    """The block of an action that sets the target orientation.

    Attributes:
        block: its name in the layout of the action.
        size: its number of entries.
        orientation: maps `size` entries in [-1, 1] to the orientation of the grip frame (world,
            quaternion xyzw), or to None if they define no orientation.
    """

    block: str
    size: int
    orientation: Callable[[Sequence[float]], Quaternion | None]


def _from_matrix(entries: Sequence[float]) -> Quaternion | None:
    """From a rotation matrix, row-major, whose first two columns are orthonormalised."""
    matrix = rotations.orthonormalise(entries)
    return None if matrix is None else rotations.quaternion(matrix)


def _from_euler(entries: Sequence[float]) -> Quaternion:
    """From intrinsic Euler angles about x, y and z, divided by pi, pi/2 and pi."""
    x, y, z = entries
    about_xy = rotations.multiply(
        rotations.about_x(math.pi * x), rotations.about_y(0.5 * math.pi * y)
    )
    return rotations.multiply(about_xy, rotations.about_z(math.pi * z))


def _from_quaternion(entries: Sequence[float]) -> Quaternion | None:
    """From a quaternion xyzw of any length but zero."""
    x, y, z, w = entries
    square = x * x + y * y + z * z + w * w
    if square < rotations.DEGENERATE:
        return None
    s = 1.0 / math.sqrt(square)
    return x * s, y * s, z * s, w * s


def _from_axis_angle(entries: Sequence[float]) -> Quaternion | None:
    """From an axis of any length but zero, and an angle divided by pi."""
    x, y, z, angle = entries
    square = x * x + y * y + z * z
    if square < rotations.DEGENERATE:
        return None
    s = math.sin(0.5 * math.pi * angle) / math.sqrt(square)
    return x * s, y * s, z * s, math.cos(0.5 * math.pi * angle)


def _down(entries: Sequence[float]) -> Quaternion:
    return POINTING_DOWN


MATRIX = RotationAction("grip_rot_matrix", 9, _from_matrix)
EULER = RotationAction("grip_rot_euler", 3, _from_euler)
QUATERNION = RotationAction("grip_rot_quat", 4, _from_quaternion)
AXIS_ANGLE = RotationAction("grip_rot_axis_angle", 4, _from_axis_angle)
DOWN = RotationAction("grip_rot_fixed", 0, _down)

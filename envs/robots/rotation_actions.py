"""How an action names the orientation that a gripper turns towards.

Each way is a row of data with one pure function from entries in [-1, 1] to an orientation. Departs
from Dext-Gen: entries that name none (a zero quaternion, say) keep the present orientation, and the
middle Euler angle is the one that spans half a turn, so that no orientation has two names.
"""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ..sim import rotations
from ..sim.rotations import Quaternion

POINTING_DOWN: Quaternion = (0.0, math.sqrt(0.5), 0.0, math.sqrt(0.5))  # +90 degrees about y


class RotationAction(NamedTuple):
    """A block of an action.

    Attributes:
        block: its name in the action's layout.
        size: number of its entries.
        orientation: of the grip frame (world, quaternion xyzw) from `size` entries in [-1, 1]; None
            where they name none.
    """

    block: str
    size: int
    orientation: Callable[[Sequence[float]], Quaternion | None]


def _from_matrix(entries: Sequence[float]) -> Quaternion | None:
    """Rotation matrix, row by row, of which the first two columns are orthonormalised."""
    matrix = rotations.orthonormalise(entries)
    return None if matrix is None else rotations.quaternion(matrix)


def _from_euler(entries: Sequence[float]) -> Quaternion:
    """Turns about x, then the turned y, then the turned z, by pi, pi/2 and pi times the entries."""
    x, y, z = entries
    about_xy = rotations.multiply(
        rotations.about_x(math.pi * x), rotations.about_y(0.5 * math.pi * y)
    )
    return rotations.multiply(about_xy, rotations.about_z(math.pi * z))


def _from_quaternion(entries: Sequence[float]) -> Quaternion | None:
    """Quaternion xyzw of any length but zero."""
    x, y, z, w = entries
    square = x * x + y * y + z * z + w * w
    if square < rotations.DEGENERATE:
        return None
    s = 1.0 / math.sqrt(square)
    return x * s, y * s, z * s, w * s


def _from_axis_angle(entries: Sequence[float]) -> Quaternion | None:
    """Axis of any length but zero, then the angle over pi."""
    x, y, z, turn = entries
    square = x * x + y * y + z * z
    if square < rotations.DEGENERATE:
        return None
    s = math.sin(0.5 * math.pi * turn) / math.sqrt(square)
    return x * s, y * s, z * s, math.cos(0.5 * math.pi * turn)


def _down(entries: Sequence[float]) -> Quaternion:
    return POINTING_DOWN


MATRIX = RotationAction("grip_rot_matrix", 9, _from_matrix)
EULER = RotationAction("grip_rot_euler", 3, _from_euler)
QUATERNION = RotationAction("grip_rot_quat", 4, _from_quaternion)
AXIS_ANGLE = RotationAction("grip_rot_axis_angle", 4, _from_axis_angle)
DOWN = RotationAction("grip_rot_fixed", 0, _down)

"""Observations: their blocks, their bounds, and their values.

Positions and rotations are in the world frame unless they are relative. A rotation is the first,
then the second column of its matrix. Velocities are per control step.
"""

import numpy as np

from .robots.spec import ObservationLayout, RobotSpec
from .sim import rotations
from .sim.types import BodyState

# In m.
POSITION_BOUND = 3.0
# In m per control step.
_VELOCITY_BOUND = 0.5
# In rad per control step; PyBullet limits it to 4.
_ANGULAR_BOUND = 5.0
_ROTATION_BOUND = 1.0


def observation_layout(spec: RobotSpec) -> ObservationLayout:
    """Returns the blocks (name, size, unit) of an observation, in order."""
    return (
        ("grip_pos", 3, "m"),
        ("grip_rot", 6, "-"),
        ("grip_state", len(spec.links) - 1, spec.joint_unit),
        ("grip_velp", 3, "m/step"),
        ("object_pos", 3, "m"),
        ("object_rel_pos", 3, "m"),
        ("object_rot", 6, "-"),
        ("object_rel_rot", 6, "-"),
        ("object_velp", 3, "m/step"),
        ("object_velr", 3, "rad/step"),
    )


def block_slices(layout: ObservationLayout) -> dict[str, slice]:
    """Returns the position of each block of a layout by name."""
    slices, start = {}, 0
    for name, size, _ in layout:
        slices[name] = slice(start, start + size)
        start += size
    return slices


def bounds(spec: RobotSpec) -> tuple[np.ndarray, np.ndarray]:
    """Returns the least and the greatest observation, float32 [S] each.

    A joint may exceed its limits by half of its range, which happens when an object is crushed.
    """
    by_unit = {
        "m": POSITION_BOUND,
        "m/step": _VELOCITY_BOUND,
        "rad/step": _ANGULAR_BOUND,
        "-": _ROTATION_BOUND,
    }
    joints = np.array([link.limits for link in spec.links[1:]])
    slack = 0.5 * (joints[:, 1] - joints[:, 0])
    low, high = [], []
    for name, size, unit in observation_layout(spec):
        bound = np.full(size, by_unit.get(unit, 0.0))
        low.append(joints[:, 0] - slack if name == "grip_state" else -bound)
        high.append(joints[:, 1] + slack if name == "grip_state" else bound)
    return np.concatenate(low).astype(np.float32), np.concatenate(high).astype(np.float32)


def observe(grip: BodyState, joints: list[float], obj: BodyState, period: float) -> list[float]:
    """Returns the values of an observation in the order of `observation_layout`.

    Args:
        grip: state of the grip frame (world).
        joints: positions of all joints (m or rad).
        obj: state of the object (world).
        period: duration of a control step (s).
    """
    gx, gy, gz = grip.position
    ox, oy, oz = obj.position
    gvx, gvy, gvz = grip.linear
    ovx, ovy, ovz = obj.linear
    wx, wy, wz = obj.angular
    grip_matrix, obj_matrix = rotations.matrix(grip.rotation), rotations.matrix(obj.rotation)
    return [
        gx, gy, gz,
        *rotations.rotation_6d(grip_matrix),
        *joints,
        gvx * period, gvy * period, gvz * period,
        ox, oy, oz,
        ox - gx, oy - gy, oz - gz,
        *rotations.rotation_6d(obj_matrix),
        *rotations.relative_rotation_6d(grip_matrix, obj_matrix),
        (ovx - gvx) * period, (ovy - gvy) * period, (ovz - gvz) * period,
        wx * period, wy * period, wz * period,
    ]  # fmt: skip

"""What a policy sees: the blocks of an observation, their bounds, and the numbers from states.

Positions and orientations are in the world frame, orientations as the first, then the second column
of the rotation matrix, velocities per control step.
"""

import numpy as np

from .robots.spec import ObservationLayout, RobotSpec
from .sim import rotations
from .sim.types import BodyState

POSITION_BOUND = 3.0  # m
_VELOCITY_BOUND = 0.5  # m per control step
_SPIN_BOUND = 5.0  # rad per control step; the engine's cap is 4
_ROTATION_BOUND = 1.0


def layout(spec: RobotSpec) -> ObservationLayout:
    """Blocks (name, size, unit) of an observation, in order."""
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


def bounds(spec: RobotSpec) -> tuple[np.ndarray, np.ndarray]:
    """Least and greatest observation (float32) that `observe` gives.

    Joints may overshoot their limits by half of the range while an object is crushed.
    """
    by_unit = {
        "m": POSITION_BOUND,
        "m/step": _VELOCITY_BOUND,
        "rad/step": _SPIN_BOUND,
        "-": _ROTATION_BOUND,
    }
    joints = np.array([link.limits for link in spec.links[1:]])
    slack = 0.5 * (joints[:, 1] - joints[:, 0])
    low, high = [], []
    for name, size, unit in layout(spec):
        bound = np.full(size, by_unit.get(unit, 0.0))
        low.append(joints[:, 0] - slack if name == "grip_state" else -bound)
        high.append(joints[:, 1] + slack if name == "grip_state" else bound)
    return np.concatenate(low).astype(np.float32), np.concatenate(high).astype(np.float32)


def observe(grip: BodyState, joints: list[float], thing: BodyState, period: float) -> list[float]:
    """The numbers of an observation, in the order of `layout`.

    Args:
        grip: state of the grip frame.
        joints: positions of all joints (m or rad).
        thing: state of the object.
        period: duration of a control step (s).
    """
    gx, gy, gz = grip.position
    ox, oy, oz = thing.position
    gvx, gvy, gvz = grip.linear
    ovx, ovy, ovz = thing.linear
    wx, wy, wz = thing.angular
    grip_matrix, thing_matrix = rotations.matrix(grip.rotation), rotations.matrix(thing.rotation)
    return [
        gx, gy, gz,
        *rotations.rotation_6d(grip_matrix),
        *joints,
        gvx * period, gvy * period, gvz * period,
        ox, oy, oz,
        ox - gx, oy - gy, oz - gz,
        *rotations.rotation_6d(thing_matrix),
        *rotations.relative_rotation_6d(grip_matrix, thing_matrix),
        (ovx - gvx) * period, (ovy - gvy) * period, (ovz - gvz) * period,
        wx * period, wy * period, wz * period,
    ]  # fmt: skip

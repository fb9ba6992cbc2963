"""The pregrasp: an initial state with the open gripper just above a grasp of the object.

Training is easier from there and may use it for some of its episodes. Dext-Gen has no such state.
Lengths in m, "world" frame.
"""

import math

import numpy as np

from ..robots.robot import Robot
from ..sim import rotations
from ..sim.rotations import Quaternion, Vector
from ..sim.simulation import Simulation
from .arenas import ResetError

# Greatest offset from the grasp along each axis.
_NOISE = 0.015
# Greatest further height above the grasp.
_MAX_HEIGHT = 0.06
# Least distance of the gripper to all other bodies.
_CLEARANCE = 0.001
# A gripper that is too close is raised in steps, by 0.4 m at most.
_RISE, _MAX_RISES = 0.005, 80


def sample_offset(rng: np.random.Generator) -> Vector:
    """Samples the initial offset of the gripper from the grasp."""
    x, y, z = (_NOISE * (2.0 * rng.random(3) - 1.0)).tolist()
    return x, y, z + _MAX_HEIGHT * rng.random()


def place_gripper(robot: Robot, sim: Simulation, body: int, offset: Vector) -> None:
    """Moves the open gripper near its grasp of an object, and up until it touches nothing.

    Args:
        robot: the gripper.
        sim: the world.
        body: the object's body, in its initial pose.
        offset: of the gripper from the grasp.

    Raises:
        ResetError: the gripper is too close to other bodies at all heights.
    """
    state, spec = sim.state(body), robot.spec
    x, y, z = (a + b for a, b in zip(state.position, offset, strict=True))
    down = rotations.about_y(math.pi / 2.0 + spec.grasp_tilt)
    facing = rotations.multiply(_square_to(state.rotation), down)
    # A gripper whose actions cannot rotate it starts in its fixed orientation.
    if not spec.rotation_action.size:
        facing = spec.rotation_action.orientation([]) or facing
    for rise in range(_MAX_RISES):
        robot.reset((x, y, z + spec.grasp_height + _RISE * rise), facing)
        if sim.is_clear(robot.body, _CLEARANCE):
            return
    raise ResetError(
        f"no free place for the gripper above ({x:.3f}, {y:.3f}, {z:.3f}) m at {_MAX_RISES} heights"
    )


def _square_to(rotation: Quaternion) -> Quaternion:
    """Returns the smallest rotation about the vertical that aligns the gripper with an object."""
    m = rotations.matrix(rotation)
    x, y = max(((m[i], m[3 + i]) for i in range(3)), key=lambda axis: math.hypot(*axis))
    yaw = math.atan2(y, x)
    return rotations.about_z(yaw - math.pi / 2.0 * round(yaw / (math.pi / 2.0)))

"""Easy initial states: the gripper is just above a grasp of the object, or already holds it.

Training may use them for some of its episodes. Dext-Gen has no such states. Starts with the object
in the gripper: Andrychowicz et al. 2017, arXiv:1707.01495, section 4. Lengths in m, "world" frame.
"""

import math

import numpy as np

from ..robots.robot import Robot
from ..sim import rotations
from ..sim.rotations import Quaternion, Vector
from ..sim.simulation import Simulation
from .arenas import ResetError

# Greatest offset of the open gripper from the grasp along each axis.
_NOISE = 0.015
# Greatest further height above the grasp.
_MAX_HEIGHT = 0.06
# Probability that a held object still rests on the ground.
_P_RESTING = 0.25
# Greatest height of a held object above its resting place.
MAX_RAISED = 0.15
# Control steps in which the gripper closes, and its upward movement in each one after them.
_CLOSING, _RAISE = 6, 0.025
# Least distance of the gripper to all other bodies.
_CLEARANCE = 0.001
# A gripper that is too close is raised in steps, by 0.4 m at most.
_RISE, _MAX_RISES = 0.005, 80


def sample_offset(rng: np.random.Generator) -> Vector:
    """Samples the initial offset of the gripper from the grasp."""
    x, y, z = (_NOISE * (2.0 * rng.random(3) - 1.0)).tolist()
    return x, y, z + _MAX_HEIGHT * rng.random()


def sample_hold(rng: np.random.Generator) -> tuple[Vector, float]:
    """Samples the offset of a closed gripper from the grasp, and how high it holds the object."""
    x, y = (_NOISE * (rng.random(2) - 0.5)).tolist()
    height = MAX_RAISED * rng.random()
    return (x, y, 0.0), 0.0 if rng.random() < _P_RESTING else height


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


def take_hold(robot: Robot, sim: Simulation, height: float) -> None:
    """Closes the gripper, which is at its grasp of an object, and raises it by `height`.

    This takes some steps of simulation. Objects may slip from a hand that holds them badly.
    """
    position, rotation = robot.state()[:2]
    for _ in range(_CLOSING):
        robot.drive(position, rotation, robot.spec.grasp_joints)
        sim.step()
    x, y, z = position
    n_steps = math.ceil(height / _RAISE)
    for step in range(1, n_steps + 1):
        robot.drive((x, y, z + height * step / n_steps), rotation, robot.spec.grasp_joints)
        sim.step()


def _square_to(rotation: Quaternion) -> Quaternion:
    """Returns the smallest rotation about the vertical that aligns the gripper with an object."""
    m = rotations.matrix(rotation)
    x, y = max(((m[i], m[3 + i]) for i in range(3)), key=lambda axis: math.hypot(*axis))
    yaw = math.atan2(y, x)
    return rotations.about_z(yaw - math.pi / 2.0 * round(yaw / (math.pi / 2.0)))

"""The start that is easy to learn from: an open hand that faces the object, just above a grasp.

Training may begin some episodes so; Dext-Gen has no such start. Lengths in m, "world" frame.
"""

import math

import numpy as np

from ..robots.robot import Robot
from ..sim import rotations
from ..sim.rotations import Quaternion, Vector
from ..sim.simulation import Simulation
from .arenas import ResetError

_NOISE = 0.015  # in each direction
_HEIGHT = 0.06  # greatest, above the grasp
_CLEARANCE = 0.001  # least distance of the hand to everything
_RISE, _RISES = 0.005, 80  # a hand that is too close is raised, by 0.4 m at most


def sample_offset(rng: np.random.Generator) -> Vector:
    """Draws how far from the grasp the hand begins."""
    x, y, z = (_NOISE * (2.0 * rng.random(3) - 1.0)).tolist()
    return x, y, z + _HEIGHT * rng.random()


def place_hand(robot: Robot, sim: Simulation, thing: int, offset: Vector) -> None:
    """Puts the open hand beside its grasp of an object, higher where it would touch anything.

    Args:
        robot: the hand.
        sim: the world.
        thing: body of the object, in its place.
        offset: from the grasp.

    Raises:
        ResetError: no height is free.
    """
    state, spec = sim.state(thing), robot.spec
    x, y, z = (a + b for a, b in zip(state.position, offset, strict=True))
    down = rotations.about_y(math.pi / 2.0 + spec.grasp_tilt)
    facing = rotations.multiply(_square_to(state.rotation), down)
    if not spec.rotation_action.size:  # a hand that cannot turn begins as it will stay
        facing = spec.rotation_action.orientation([]) or facing
    for rise in range(_RISES):
        robot.reset((x, y, z + spec.grasp_height + _RISE * rise), facing)
        if sim.is_clear(robot.body, _CLEARANCE):
            return
    raise ResetError(f"no place for the hand above ({x:.3f}, {y:.3f}, {z:.3f}) m in {_RISES} tries")


def _square_to(rotation: Quaternion) -> Quaternion:
    """The smallest turn about the vertical that squares the hand to an object."""
    m = rotations.matrix(rotation)
    x, y = max(((m[i], m[3 + i]) for i in range(3)), key=lambda axis: math.hypot(*axis))
    yaw = math.atan2(y, x)
    return rotations.about_z(yaw - math.pi / 2.0 * round(yaw / (math.pi / 2.0)))

"""What is grasped: shapes with masses, and the orientations they lie in when an episode begins.

Sizes and masses by gripper follow Dext-Gen. Lengths in m, masses in kg; an object's frame is at its
centre of mass.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..sim import rotations
from ..sim.colours import OBJECT
from ..sim.rotations import Quaternion
from ..sim.types import Mesh, Shape

MESH_MARGIN = 1e-3  # m by which PyBullet surrounds the pieces of a mesh
_LYING: Quaternion = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # +90 degrees about x


def sample_yaw(rng: np.random.Generator) -> Quaternion:
    """A uniform turn about the vertical."""
    return rotations.about_z(2.0 * math.pi * rng.random())


def sample_standing_or_lying(rng: np.random.Generator) -> Quaternion:
    """Upright or on its side, each with probability 1/2, with a uniform turn about the vertical."""
    yaw = sample_yaw(rng)
    return yaw if rng.random() < 0.5 else rotations.multiply(yaw, _LYING)


def sample_rest(rests: tuple[Quaternion, ...], rng: np.random.Generator) -> Quaternion:
    """One of several ways to rest, with a uniform turn about the vertical."""
    return rotations.multiply(sample_yaw(rng), rests[int(rng.integers(len(rests)))])


class ObjectSpec(NamedTuple):
    """An object.

    Attributes:
        name: of the object.
        shape: its only shape, around its centre of mass.
        mass: the same at all sizes.
        sample_rotation: draws the quaternion xyzw in which it is put on the surface.
        rolling_friction: PyBullet's coefficient. Without any, a lying cylinder rolls off by itself,
            up to 7 cm in an episode; 1e-4 keeps it at 0.03 mm, with long substeps 1e-3 does.
    """

    name: str
    shape: Shape | Mesh
    mass: float
    sample_rotation: Callable[[np.random.Generator], Quaternion]
    rolling_friction: float = 0.0


def rest_height(shape: Shape | Mesh, rotation: Quaternion) -> float:
    """Height of a shape's centre above the surface that it touches, when turned by `rotation`."""
    m = rotations.matrix(rotation)
    if isinstance(shape, Mesh):
        return MESH_MARGIN - shape.scale * float((shape.outline @ np.array(m[6:])).min())
    if shape.kind == "box":
        return sum(abs(m[6 + i]) * shape.size[i] for i in range(3))
    if shape.kind == "sphere":
        return shape.size[0]
    radius, half_length = shape.size
    return radius * math.sqrt(max(0.0, 1.0 - m[8] * m[8])) + half_length * abs(m[8])


def _primitives(
    cube: float, sphere: float, cylinder: float, mass: float, rolling_friction: float
) -> dict[str, ObjectSpec]:
    """The objects of one gripper.

    Args:
        cube: half edge (m).
        sphere: radius (m).
        cylinder: radius and half length (m).
        mass: of each (kg).
        rolling_friction: of what may roll.
    """
    return {
        "Cube": ObjectSpec("Cube", Shape("box", (cube,) * 3, colour=OBJECT), mass, sample_yaw),
        "Sphere": ObjectSpec("Sphere", Shape("sphere", (sphere,), colour=OBJECT), mass, sample_yaw),
        "Cylinder": ObjectSpec(
            "Cylinder",
            Shape("cylinder", (cylinder, cylinder), colour=OBJECT),
            mass,
            sample_standing_or_lying,
            rolling_friction,
        ),
    }


OBJECTS = {  # one table by gripper: published sizes differ with the hand
    "ParallelJaw": _primitives(0.025, 0.025, 0.025, mass=2.0, rolling_friction=1e-4),
    "BarrettHand": _primitives(0.04, 0.04, 0.04, mass=0.5, rolling_friction=1e-4),
    "ShadowHand": _primitives(0.025, 0.035, 0.025, mass=0.2, rolling_friction=1e-3),
}

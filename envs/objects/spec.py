"""Objects: their shapes and masses, and the rotations in which they lie when an episode starts.

Sizes and masses depend on the gripper and follow Dext-Gen. Lengths in m, masses in kg. An object's
frame is at its centre of mass.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from ..sim import rotations
from ..sim.colours import MARKS, OBJECT
from ..sim.rotations import Quaternion
from ..sim.surfaces import Ball, Hull, Look, default_look, rounded
from ..sim.types import Mesh, Shape

# PyBullet adds a collision margin around the pieces of a mesh.
MESH_MARGIN = 1e-3
# +90 degrees about x.
_LYING: Quaternion = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))


def sample_yaw(rng: np.random.Generator) -> Quaternion:
    """Samples a uniform rotation about the vertical, quaternion xyzw."""
    return rotations.about_z(2.0 * math.pi * rng.random())


def sample_standing_or_lying(rng: np.random.Generator) -> Quaternion:
    """Samples upright or lying, each with probability 1/2, and a uniform yaw; quaternion xyzw."""
    yaw = sample_yaw(rng)
    return yaw if rng.random() < 0.5 else rotations.multiply(yaw, _LYING)


def sample_stable(stable: tuple[Quaternion, ...], rng: np.random.Generator) -> Quaternion:
    """Samples one of several stable rotations and a uniform yaw; quaternion xyzw."""
    return rotations.multiply(sample_yaw(rng), stable[int(rng.integers(len(stable)))])


class ObjectSpec(NamedTuple):
    """An object.

    Attributes:
        name: of the object.
        shape: centred at its centre of mass.
        mass: in kg, the same at all sizes.
        sample_rotation: samples the rotation in which it rests on a plane, quaternion xyzw.
        rolling_friction: PyBullet's coefficient. At 0 a lying cylinder rolls up to 7 cm per episode
            without being touched, at 1e-4 it rolls 0.03 mm. Long substeps need 1e-3.
        look: what it looks like at its standard size; if empty, like its shape.
    """

    name: str
    shape: Shape | Mesh
    mass: float
    sample_rotation: Callable[[np.random.Generator], Quaternion]
    rolling_friction: float = 0.0
    look: tuple[Hull, ...] = ()

    def look_at(self, size: float) -> Look:
        """Returns what it looks like at a factor on its standard size."""
        look = tuple(hull.scaled(size) for hull in self.look)
        return look or default_look(self.shape.scaled(size))


def rest_height(shape: Shape | Mesh, rotation: Quaternion) -> float:
    """Returns the height (m) of a rotated shape's centre above the plane that it touches."""
    m = rotations.matrix(rotation)
    if isinstance(shape, Mesh):
        return MESH_MARGIN - shape.scale * float((shape.outline @ np.array(m[6:])).min())
    if shape.kind == "box":
        return sum(abs(m[6 + i]) * shape.size[i] for i in range(3))
    if shape.kind == "sphere":
        return shape.size[0]
    radius, half_length = shape.size
    return radius * math.sqrt(max(0.0, 1.0 - m[8] * m[8])) + half_length * abs(m[8])


def outer_radius(shape: Shape | Mesh) -> float:
    """Returns the distance (m) of a box's, cylinder's, sphere's or mesh's farthest point."""
    if isinstance(shape, Mesh):
        return shape.scale * float(np.linalg.norm(shape.outline, axis=1).max())
    return math.hypot(*shape.size)


def _cube(half: float, mass: float) -> ObjectSpec:
    """Returns a cube with marks on two faces, by which its rotation is seen."""
    shape = Shape("box", (half,) * 3, colour=OBJECT)
    edge, low, high = 0.1 * half, 0.6 * half, 0.92 * half
    corners = tuple((a, b) for a in (-low, low) for b in (-low, low))
    marks = (
        Hull(tuple(Ball(a, b, high, edge) for a, b in corners), MARKS[0]),
        Hull(tuple(Ball(high, a, b, edge) for a, b in corners), MARKS[1]),
    )
    return ObjectSpec("Cube", shape, mass, sample_yaw, look=(rounded(shape), *marks))


def _primitives(
    cube: float, sphere: float, cylinder: float, mass: float, rolling_friction: float
) -> dict[str, ObjectSpec]:
    """Returns the objects for one gripper.

    Args:
        cube: half edge (m).
        sphere: radius (m).
        cylinder: radius, and also half length (m).
        mass: of each object (kg).
        rolling_friction: of the cylinder.
    """
    return {
        "Cube": _cube(cube, mass),
        "Sphere": ObjectSpec("Sphere", Shape("sphere", (sphere,), colour=OBJECT), mass, sample_yaw),
        "Cylinder": ObjectSpec(
            "Cylinder",
            Shape("cylinder", (cylinder, cylinder), colour=OBJECT),
            mass,
            sample_standing_or_lying,
            rolling_friction,
        ),
    }


# By gripper, because the published sizes differ.
OBJECTS = {
    "ParallelJaw": _primitives(0.025, 0.025, 0.025, mass=2.0, rolling_friction=1e-4),
    "BarrettHand": _primitives(0.04, 0.04, 0.04, mass=0.5, rolling_friction=1e-4),
    "ShadowHand": _primitives(0.025, 0.035, 0.025, mass=0.2, rolling_friction=1e-3),
}

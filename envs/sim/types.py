"""Plain values that describe a scene: shapes, states, a camera, and how time is integrated.

Lengths in m, quaternions x, y, z, w.
"""

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np

from .rotations import IDENTITY, Quaternion, Vector

Colour = tuple[float, float, float, float]


class Shape(NamedTuple):
    """A primitive, placed in the frame of its link.

    Attributes:
        kind: "box", "sphere", or along its own z axis "cylinder" or "capsule".
        size: box: three half extents; sphere: radius; cylinder: radius, half length; capsule: the
            same, without its round ends (m).
        position: of its centre (m).
        rotation: quaternion xyzw.
        colour: red, green, blue, alpha in [0, 1].
    """

    kind: str
    size: tuple[float, ...]
    position: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = IDENTITY
    colour: Colour = (0.5, 0.5, 0.5, 1.0)

    @property
    def key(self) -> Hashable:
        """Equal for shapes that collide and look alike, wherever they are."""
        return self.kind, self.size, self.colour

    def scaled(self, factor: float) -> "Shape":
        """The same shape with its size and offset multiplied."""
        x, y, z = self.position
        size = tuple(factor * s for s in self.size)
        return self._replace(size=size, position=(factor * x, factor * y, factor * z))


class Piece(NamedTuple):
    """A convex part of a mesh.

    Attributes:
        points: [n, 3], its corners (m).
        triangles: integers [m, 3], its surface as indices of corners, outward.
    """

    points: np.ndarray
    triangles: np.ndarray


class Mesh(NamedTuple):
    """A rigid body of convex pieces, in a frame around its centre of mass.

    Attributes:
        name: tells it from other meshes.
        pieces: at a scale of 1.
        outline: [n, 3], corners of the convex hull of all pieces, at a scale of 1 (m).
        scale: factor on all lengths.
        position: of its frame (m).
        rotation: quaternion xyzw.
        colour: red, green, blue, alpha in [0, 1].
    """

    name: str
    pieces: tuple[Piece, ...]
    outline: np.ndarray
    scale: float = 1.0
    position: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = IDENTITY
    colour: Colour = (0.5, 0.5, 0.5, 1.0)

    @property
    def key(self) -> Hashable:
        """As `Shape.key`."""
        return self.name, self.scale, self.colour

    def scaled(self, factor: float) -> "Mesh":
        """The same mesh with its size and offset multiplied."""
        x, y, z = self.position
        return self._replace(
            scale=factor * self.scale, position=(factor * x, factor * y, factor * z)
        )


class Stepping(NamedTuple):
    """How one control step of `substeps * time_step` seconds is integrated."""

    substeps: int
    time_step: float
    iterations: int
    erp: float  # share of the error of joints closed per substep; the weld ignores its own
    contact_erp: float = 0.08  # likewise of contacts; the default is PyBullet's


class Camera(NamedTuple):
    """A fixed view: positions in the world frame (m), vertical field of view in degrees."""

    eye: Vector
    target: Vector
    fov: float


class Pose(NamedTuple):
    """Where a body is (world frame, m, xyzw) and its joints are (m or rad)."""

    position: Vector
    rotation: Quaternion
    joints: tuple[float, ...]


class BodyState(NamedTuple):
    """Pose and velocity of a body's base in the world frame (m, xyzw, m/s, rad/s)."""

    position: Vector
    rotation: Quaternion
    linear: Vector
    angular: Vector


class Contact(NamedTuple):
    """A point where a body touched another one, in the last substep.

    Attributes:
        link: name of the body's link.
        position: on the other body (world, m).
        frame: rows are the normal, which points into the other body, and two tangents (world).
        force: on the other body, along the rows of `frame` (N).
        distance: between the surfaces (m); negative where they overlap.
    """

    link: str
    position: Vector
    frame: tuple[Vector, Vector, Vector]
    force: Vector
    distance: float

"""Plain values that describe a scene: shapes, states, contacts, cameras, integration settings.

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
        kind: "box", "sphere", "cylinder" or "capsule"; the latter two lie along their z axis.
        size: of a box three half extents, of a sphere the radius, of a cylinder radius and half
            length, of a capsule the same without its round ends (m).
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
        """Identifies kind, size and colour; shapes that differ only in their pose share a key."""
        return self.kind, self.size, self.colour

    def scaled(self, factor: float) -> "Shape":
        """Returns the shape with its size and position multiplied by a factor."""
        x, y, z = self.position
        size = tuple(factor * s for s in self.size)
        return self._replace(size=size, position=(factor * x, factor * y, factor * z))


class Piece(NamedTuple):
    """A convex part of a mesh.

    Attributes:
        points: corners (m), [n, 3].
        triangles: corner indices of the surface, facing outwards, integers [m, 3].
    """

    points: np.ndarray
    triangles: np.ndarray


class Mesh(NamedTuple):
    """A rigid body made of convex pieces, in a frame at its centre of mass.

    Attributes:
        name: unique among meshes.
        pieces: at a scale of 1.
        outline: corners of the convex hull of all pieces at a scale of 1 (m), [n, 3].
        surface: what it looks like, at a scale of 1; it need not be convex.
        scale: factor on all lengths.
        position: of its frame (m).
        rotation: quaternion xyzw.
        colour: red, green, blue, alpha in [0, 1].
    """

    name: str
    pieces: tuple[Piece, ...]
    outline: np.ndarray
    surface: Piece
    scale: float = 1.0
    position: Vector = (0.0, 0.0, 0.0)
    rotation: Quaternion = IDENTITY
    colour: Colour = (0.5, 0.5, 0.5, 1.0)

    @property
    def key(self) -> Hashable:
        """Identifies name, scale and colour, as `Shape.key` does."""
        return self.name, self.scale, self.colour

    def scaled(self, factor: float) -> "Mesh":
        """Returns the mesh with its size and position multiplied by a factor."""
        x, y, z = self.position
        return self._replace(
            scale=factor * self.scale, position=(factor * x, factor * y, factor * z)
        )


class Stepping(NamedTuple):
    """Integration settings of one control step, which lasts `substeps * time_step` seconds.

    Attributes:
        substeps: simulation steps per control step.
        time_step: duration of a substep (s).
        iterations: of the constraint solver per substep.
        erp: fraction of a joint's position error that a substep corrects. It also applies to the
            weld, because PyBullet ignores the weld's own setting.
        contact_erp: the same for contacts; the default is PyBullet's.
    """

    substeps: int
    time_step: float
    iterations: int
    erp: float
    contact_erp: float = 0.08


class Camera(NamedTuple):
    """A camera: positions in the world frame (m), vertical field of view `fov` in degrees."""

    eye: Vector
    target: Vector
    fov: float


class Pose(NamedTuple):
    """Pose of a body's base (world frame, m, xyzw) and positions of its joints (m or rad)."""

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
    """A point where a body touched another one in the last substep.

    Attributes:
        link: name of the body's link.
        position: of the point on the other body (world, m).
        frame: rows are the normal, which points into the other body, and two tangents (world).
        force: acting on the other body, in components along the rows of `frame` (N).
        distance: between the surfaces (m); negative if they overlap.
    """

    link: str
    position: Vector
    frame: tuple[Vector, Vector, Vector]
    force: Vector
    distance: float

"""Surfaces that are seen and never touched.

Most are convex hulls of balls, made by code: two balls make a tapered bone with round ends, eight
small ones a box with round edges, two rings of them a disc. The normal at a corner of such a hull
is that of the ball on which it lies, so few triangles suffice for smooth shading. Lengths in m.
"""

import bisect
import functools
import itertools
import math
import os
import tempfile
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from .rotations import Vector
from .types import Colour, Mesh, Piece, Shape

_Z: Vector = (0.0, 0.0, 1.0)
# Edges of primitives are rounded by this fraction of their smallest size, up to a limit.
_ROUNDING, _MAX_ROUNDING = 0.12, 0.008
# Angle (rad) up to which neighbouring triangles of a mesh file are shaded as one smooth surface.
_CREASE = 0.6
# From each of these radii on, a quarter of a circle is drawn with one more side.
_RADII = (0.0035, 0.006, 0.009, 0.015, 0.03, 0.05, 0.08)


class Ball(NamedTuple):
    """A ball of a hull or, with `ring` > 0, a ring of balls around the hull's axis.

    Attributes:
        x: of the centre.
        y: of the centre.
        z: of the centre.
        radius: of the ball.
        ring: radius of the circle on which the centres of the balls lie.
    """

    x: float
    y: float
    z: float
    radius: float
    ring: float = 0.0

    def scaled(self, factor: float) -> "Ball":
        """Returns the ball with all lengths multiplied by a factor."""
        return Ball(*(factor * length for length in self))


@dataclass(frozen=True)
class Hull:
    """The convex hull of balls.

    Attributes:
        balls: in the frame of the link.
        colour: red, green, blue, alpha in [0, 1].
        axis: of the rings; hulls are smoothest along it.
        inverted: whether only the far side is seen, from inside.
    """

    balls: tuple[Ball, ...]
    colour: Colour
    axis: Vector = _Z
    inverted: bool = False

    def scaled(self, factor: float) -> "Hull":
        """Returns the hull with all lengths multiplied by a factor."""
        return replace(self, balls=tuple(ball.scaled(factor) for ball in self.balls))


@dataclass(frozen=True)
class FilePart:
    """The light or the dark parts of a mesh file, by the brightness of their materials.

    Attributes:
        path: of the file.
        light: which parts.
        colour: red, green, blue, alpha in [0, 1].
        scale: factors on x, y and z; two negative ones make half a turn.
        position: of the file's origin in the frame of the link.
    """

    path: str
    light: bool
    colour: Colour
    scale: Vector = (1.0, 1.0, 1.0)
    position: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Faces:
    """A surface of triangles.

    Attributes:
        name: equal names have equal triangles.
        triangles: at a scale of 1 (m).
        scale: factor on all lengths.
        colour: red, green, blue, alpha in [0, 1].
    """

    name: str
    triangles: Piece = field(compare=False)
    scale: float
    colour: Colour


Surface = Hull | FilePart | Faces
# What a body or a link looks like, in its frame.
Look = tuple[Surface, ...]


def bone(a: Ball, b: Ball, colour: Colour) -> Hull:
    """Returns the hull of two balls, or of two rings around the line between their centres."""
    return Hull((a, b), colour, (b.x - a.x, b.y - a.y, b.z - a.z))


def cylinder(a: Vector, b: Vector, radius: float, colour: Colour, edge: float = 0.001) -> Hull:
    """Returns a cylinder between the centres of its ends, with edges of a radius (m)."""
    length = math.dist(a, b)
    x, y, z = (edge * (q - p) / length for p, q in zip(a, b, strict=True))
    start = Ball(a[0] + x, a[1] + y, a[2] + z, edge, radius - edge)
    return bone(start, start._replace(x=b[0] - x, y=b[1] - y, z=b[2] - z), colour)


def default_look(shape: Shape | Mesh) -> Look:
    """Returns what a shape without a look of its own looks like, in its own frame."""
    if isinstance(shape, Shape):
        return (rounded(shape),)
    return (Faces(shape.name, shape.surface, shape.scale, shape.colour),)


def rounded(shape: Shape) -> Hull:
    """Returns a primitive with rounded edges, in its own frame."""
    edge = min(_ROUNDING * min(shape.size), _MAX_ROUNDING)
    if shape.kind == "box":
        x, y, z = (half - edge for half in shape.size)
        corners = itertools.product((-x, x), (-y, y), (-z, z))
        return Hull(tuple(Ball(*corner, edge) for corner in corners), shape.colour)
    radius = shape.size[0]
    half = 0.0 if shape.kind == "sphere" else shape.size[1]
    end = Ball(0.0, 0.0, half, radius)
    if shape.kind == "cylinder":
        end = Ball(0.0, 0.0, half - edge, edge, radius - edge)
    return Hull((end._replace(z=-end.z), end), shape.colour)


@functools.cache
def surface_file(surface: Surface) -> str:
    """Returns the path of a Wavefront file of a surface, which lasts as long as the process."""
    descriptor, path = tempfile.mkstemp(suffix=".obj", dir=_folder().name)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(_wavefront(*triangulate(surface)))
    return path


@functools.cache
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="grasp_func_")


def _wavefront(points: np.ndarray, normals: np.ndarray, triangles: np.ndarray) -> str:
    lines = ["v {:.6g} {:.6g} {:.6g}".format(*point) for point in points]
    lines += ["vn {:.4g} {:.4g} {:.4g}".format(*normal) for normal in normals]
    lines += ["f {0}//{0} {1}//{1} {2}//{2}".format(*corners) for corners in triangles + 1]
    return "\n".join(lines) + "\n"


def triangulate(surface: Surface) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns corners and normals (m), [n, 3] each, and corner indices of triangles, [m, 3]."""
    if isinstance(surface, Hull):
        return _hull(surface)
    # Slow to import.
    import trimesh

    mesh: Any
    if isinstance(surface, Faces):
        corners = surface.scale * surface.triangles.points
        mesh = trimesh.Trimesh(corners, surface.triangles.triangles)
    else:
        scene = trimesh.load_scene(surface.path, group_material=True, split_object=False)
        parts = (
            trimesh.Trimesh(part.vertices * surface.scale + surface.position, part.faces)
            for part in scene.geometry.values()
            if (part.visual.material.main_color[:3].mean() > 127.0) == surface.light
        )
        mesh = trimesh.util.concatenate(parts)
    mesh = trimesh.graph.smooth_shade(mesh, angle=_CREASE)
    return mesh.vertices, mesh.vertex_normals, mesh.faces


def _hull(hull: Hull) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    # Slow to import.
    from scipy.spatial import ConvexHull

    clouds = [_sample(ball, hull.axis) for ball in hull.balls]
    points, normals = (np.concatenate(arrays) for arrays in zip(*clouds, strict=True))
    found = ConvexHull(points)
    used, triangles = np.unique(found.simplices, return_inverse=True)
    points, normals, triangles = points[used], normals[used], triangles.reshape(-1, 3)
    a, b, c = (points[triangles[:, i]] for i in range(3))
    inwards = (np.cross(b - a, c - a) * found.equations[:, :3]).sum(axis=1) < 0.0
    reverse = inwards != hull.inverted
    triangles[reverse] = triangles[reverse, ::-1]
    return points, -normals if hull.inverted else normals, triangles


def _sample(ball: Ball, axis: Vector) -> tuple[np.ndarray, np.ndarray]:
    """Returns points on a ball and the normals there, [n, 3] each."""
    around, across = _quarter(ball.radius + ball.ring), _quarter(ball.radius)
    turns = np.arange(4 * around)[:, None, None] * (0.5 * math.pi / around)
    rises = np.arange(-across, across + 1)[:, None] * (0.5 * math.pi / across)
    up = np.array(axis) / np.linalg.norm(axis)
    # Any other direction will do, but along z it makes the sides of boxes flat.
    side = np.cross(up, (0.0, 1.0, 0.0) if abs(up[1]) < 0.9 else (1.0, 0.0, 0.0))
    side /= np.linalg.norm(side)
    outwards = np.cos(turns) * side + np.sin(turns) * np.cross(up, side)
    normals = np.cos(rises) * outwards + np.sin(rises) * up
    points = np.array(ball[:3]) + ball.ring * outwards + ball.radius * normals
    return points.reshape(-1, 3), normals.reshape(-1, 3)


def _quarter(radius: float) -> int:
    """Returns the number of sides that draw a quarter of a circle."""
    return 1 + bisect.bisect_right(_RADII, radius)

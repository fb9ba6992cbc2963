"""Finds the rotations in which a mesh rests on a plane.

The faces of the convex hull are the candidates; a simulation rejects those on which the mesh does
not come to rest within a second or does not stay for two more. Lengths in m, quaternions x, y, z,
w.
"""

import itertools
import math

import numpy as np
from scipy.spatial import ConvexHull, QhullError

from ..sim import rotations
from ..sim.rotations import Quaternion
from ..sim.simulation import Simulation
from ..sim.types import Mesh, Shape, Stepping
from .spec import rest_height

_STEPPING = Stepping(substeps=8, time_step=1.0 / 200.0, iterations=20, erp=0.12)
_PLANE = Shape("box", (1.0, 1.0, 0.1), (0.0, 0.0, -0.1))
_MASS, _ROLLING_FRICTION = 1.0, 1e-4
# Control steps of 0.04 s.
_SETTLING_STEPS, _STAYING_STEPS = 25, 50
# A mesh that stays rotates by less than this.
_MAX_ROTATION = math.radians(1.0)
# A stable face withstands tilts of at least this angle.
_MIN_STABILITY = math.radians(8.0)
# Corners this close to the lowest one support the mesh.
_SUPPORT = 1e-3
# Faces whose normals enclose a smaller angle count as one.
_PARALLEL = math.cos(math.radians(15.0))
_MAX_ROTATIONS = 4


def rest_rotations(mesh: Mesh) -> tuple[Quaternion, ...]:
    """Returns the at most 4 rotations in which a mesh of a few cm rests, the most stable first.

    In each of them, a tilt of 8 degrees does not tip the mesh over, and the mesh stays by itself.
    If there are none, as for a ball, only the most stable face is returned.
    """
    faces = _faces(mesh.outline)
    sim = Simulation(_STEPPING, None)
    sim.add_body(_PLANE, 0.0)
    body = sim.add_body(mesh, _MASS, _ROLLING_FRICTION)
    settled = (_settle(sim, body, mesh, normal) for tilt, normal in faces if tilt >= _MIN_STABILITY)
    stable = tuple(itertools.islice((rotation for rotation in settled if rotation), _MAX_ROTATIONS))
    sim.close()
    return stable or (_facing_down(faces[0][1]),)


def _settle(sim: Simulation, body: int, mesh: Mesh, normal: np.ndarray) -> Quaternion | None:
    """Returns the rotation in which a body comes to rest on a face; None if it does not stay."""
    start = _facing_down(normal)
    sim.flush([body])
    sim.reset_body(body, (0.0, 0.0, rest_height(mesh, start)), start)
    for _ in range(_SETTLING_STEPS):
        sim.step()
    rotation = sim.state(body).rotation
    sim.flush([body])
    sim.reset_body(body, (0.0, 0.0, rest_height(mesh, rotation)), rotation)
    for _ in range(_STAYING_STEPS):
        sim.step()
    change = rotations.multiply(sim.state(body).rotation, rotations.inverse(rotation))
    return rotation if 2.0 * math.hypot(*change[:3]) < _MAX_ROTATION else None


def _faces(points: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Returns stability (rad) and outward normal of each hull face, the most stable first."""
    normals = ConvexHull(points).equations[:, :3]
    stability = np.array([_stability(points, normal) for normal in normals])
    faces: list[tuple[float, np.ndarray]] = []
    for index in np.argsort(-stability, kind="stable"):
        if all(float(normals[index] @ other) < _PARALLEL for _, other in faces):
            faces.append((float(stability[index]), normals[index]))
    return faces


def _stability(points: np.ndarray, normal: np.ndarray) -> float:
    """Returns the least tilt (rad) that tips a body over while `normal` points down.

    Negative if the body falls over by itself.
    """
    depths = points @ normal
    lowest = float(depths.max())
    support = points[depths > lowest - _SUPPORT]
    u = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    v = np.cross(normal, u / np.linalg.norm(u))
    try:
        edges = ConvexHull(support @ np.column_stack([u / np.linalg.norm(u), v])).equations
    except (QhullError, ValueError):
        # The supporting corners lie on a line.
        return -math.inf
    return math.atan2(-float(edges[:, 2].max()), lowest)


def _facing_down(normal: np.ndarray) -> Quaternion:
    """Returns the smallest rotation that takes a unit vector to -z."""
    x, y, z = normal.tolist()
    w = 1.0 - z
    if w < 1e-9:
        return 1.0, 0.0, 0.0, 0.0
    length = math.sqrt(x * x + y * y + w * w)
    return -y / length, x / length, 0.0, w / length

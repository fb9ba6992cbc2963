"""How a mesh lies or stands on a plane: on faces of its hull that it stays on in a simulation.

Geometry proposes, the simulation decides: what still moves after a second is no way to rest.
Lengths in m, quaternions x, y, z, w.
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
_SETTLES, _STAYS = 25, 50  # control steps
_STILL = math.radians(1.0)  # that it turns by at most while it stays
_FIRM = math.radians(8.0)  # least tilt that tips it over
_SUPPORT = 1e-3  # corners this close to the lowest one support
_ALIKE = math.cos(math.radians(15.0))  # faces this parallel are one
_MOST = 4


def rest_rotations(mesh: Mesh) -> tuple[Quaternion, ...]:
    """Rotations in which a mesh rests, the firmest first, at most 4; of things a few cm long.

    One counts where a tilt of 8 degrees does not tip the body over and where it stays by itself. If
    there is none, as for a ball, the firmest face alone.
    """
    faces = _faces(mesh.outline)
    sim = Simulation(_STEPPING, None)
    sim.add_body(_PLANE, 0.0)
    body = sim.add_body(mesh, _MASS, _ROLLING_FRICTION)
    settled = (_settle(sim, body, mesh, normal) for firm, normal in faces if firm >= _FIRM)
    found = tuple(itertools.islice((rotation for rotation in settled if rotation), _MOST))
    sim.close()
    return found or (_facing_down(faces[0][1]),)


def _settle(sim: Simulation, body: int, mesh: Mesh, normal: np.ndarray) -> Quaternion | None:
    """The rotation in which a body comes to rest with `normal` down; None if it does not."""
    start = _facing_down(normal)
    sim.flush([body])
    sim.reset_body(body, (0.0, 0.0, rest_height(mesh, start)), start)
    for _ in range(_SETTLES):
        sim.step()
    rotation = sim.state(body).rotation
    sim.flush([body])
    sim.reset_body(body, (0.0, 0.0, rest_height(mesh, rotation)), rotation)
    for _ in range(_STAYS):
        sim.step()
    turned = rotations.multiply(sim.state(body).rotation, rotations.inverse(rotation))
    return rotation if 2.0 * math.hypot(*turned[:3]) < _STILL else None


def _faces(points: np.ndarray) -> list[tuple[float, np.ndarray]]:
    """Outward normals of a convex hull and the tilt (rad) that tips it off each, firmest first."""
    normals = ConvexHull(points).equations[:, :3]
    firm = np.array([_firmness(points, normal) for normal in normals])
    faces: list[tuple[float, np.ndarray]] = []
    for place in np.argsort(-firm, kind="stable"):
        if all(float(normals[place] @ other) < _ALIKE for _, other in faces):
            faces.append((float(firm[place]), normals[place]))
    return faces


def _firmness(points: np.ndarray, normal: np.ndarray) -> float:
    """The least tilt (rad) that tips a body over when `normal` points down; negative: it falls."""
    depths = points @ normal
    lowest = float(depths.max())
    support = points[depths > lowest - _SUPPORT]
    u = np.cross(normal, np.eye(3)[int(np.argmin(np.abs(normal)))])
    v = np.cross(normal, u / np.linalg.norm(u))
    try:
        edges = ConvexHull(support @ np.column_stack([u / np.linalg.norm(u), v])).equations
    except (QhullError, ValueError):  # a line
        return -math.inf
    return math.atan2(-float(edges[:, 2].max()), lowest)


def _facing_down(normal: np.ndarray) -> Quaternion:
    """The smallest turn that takes a unit vector to -z."""
    x, y, z = normal.tolist()
    w = 1.0 - z
    if w < 1e-9:
        return 1.0, 0.0, 0.0, 0.0
    length = math.sqrt(x * x + y * y + w * w)
    return -y / length, x / length, 0.0, w / length

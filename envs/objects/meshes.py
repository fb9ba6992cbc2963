"""Turns a closed surface into a rigid body made of convex pieces around its centre of mass.

A surface whose parts are all convex is used as it is; any other is decomposed by decomposition.py.
Lengths in m. This module is slow to import, so it is imported only when a mesh is needed.
"""

import functools
import itertools

import numpy as np
import trimesh

from ..sim.colours import OBJECT
from ..sim.rotations import Quaternion
from ..sim.types import Mesh, Piece
from .decomposition import decompose
from .mesh_files import read_surface
from .stable_poses import rest_rotations

# Limits for convex parts that are used without decomposition.
_MAX_PARTS = 32
_MAX_CORNERS = 1000
# A part counts as convex if it fills at least this fraction of its convex hull.
_CONVEX = 0.98
# The 6 directions to the faces and the 8 to the corners of a cube.
_CUBE = list(itertools.product((-1.0, 0.0, 1.0), repeat=3))
_DIRECTIONS = np.array([d for d in _CUBE if np.abs(d).sum() in (1.0, 3.0)])
# Longest edge at which stable poses are searched for.
_STABLE_POSE_SIZE = 0.06


@functools.lru_cache(maxsize=64)
def load_mesh(path: str, authored: bool = False) -> tuple[Mesh, tuple[Quaternion, ...]]:
    """Reads a mesh and finds the rotations in which it rests on a plane.

    Results are cached for the lifetime of the process.

    Args:
        path: of the file.
        authored: whether the file's parts are meant as convex pieces, even if they are not exactly
            convex; such pieces are simplified.

    Returns:
        The mesh and quaternions xyzw. The mesh is centred at its centre of mass, for uniform
        density, and the longest edge of its bounding box, along the file's axes, is 1 m.

    Raises:
        ValueError: the file cannot be read or does not hold a closed surface.
    """
    surface = read_surface(path)
    parts = surface.split(only_watertight=False)
    if authored:
        clouds = [_simple(np.asarray(part.vertices)) for part in parts]
    elif len(parts) <= _MAX_PARTS and all(_is_piece(part) for part in parts):
        clouds = [np.asarray(part.vertices) for part in parts]
    else:
        clouds = decompose(np.asarray(surface.vertices), np.asarray(surface.faces))
    pieces = tuple(_piece(cloud - surface.center_mass) for cloud in clouds)
    seen = Piece(np.array(surface.vertices - surface.center_mass), np.array(surface.faces))
    outline = _piece(np.vstack([piece.points for piece in pieces])).points
    mesh = Mesh(path, pieces, outline, seen, colour=OBJECT)
    return mesh, rest_rotations(mesh.scaled(_STABLE_POSE_SIZE))


def _is_piece(part: trimesh.Trimesh) -> bool:
    """Whether a part is convex and simple enough for fast collision detection."""
    if not part.is_volume or len(part.vertices) > _MAX_CORNERS:
        return False
    return bool(part.volume >= _CONVEX * part.convex_hull.volume)


def _piece(cloud: np.ndarray) -> Piece:
    hull = trimesh.convex.convex_hull(cloud)
    return Piece(np.array(hull.vertices), np.array(hull.faces))


def _simple(cloud: np.ndarray) -> np.ndarray:
    """Returns the extreme points in 14 directions.

    The pieces have up to 150 corners, most of which only cost time.
    """
    corners: np.ndarray = cloud[np.unique(np.argmax(_DIRECTIONS @ cloud.T, axis=1))]
    return corners

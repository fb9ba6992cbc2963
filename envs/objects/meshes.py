"""Meshes as rigid bodies: a closed surface becomes convex pieces around its centre of mass.

A surface whose parts are convex is used as it is; any other is decomposed
(`decomposition`).
Lengths in m. Slow to import, so only what needs a mesh does.
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

_MOST_PARTS = 32  # convex parts that are taken as they are
_MOST_CORNERS = 1000  # of each
_CONVEX = 0.98  # least share of its hull that a convex part fills
_CUBE = list(itertools.product((-1.0, 0.0, 1.0), repeat=3))
_REACH = np.array([d for d in _CUBE if np.abs(d).sum() in (1.0, 3.0)])  # to its faces and corners
_USUAL = 0.06  # m, the size at which ways to rest are looked for


@functools.lru_cache(maxsize=64)
def load_mesh(path: str, authored: bool = False) -> tuple[Mesh, tuple[Quaternion, ...]]:
    """Reads a mesh and the rotations in which it rests on a plane; a file once in a process.

    Args:
        path: of the file.
        authored: whether the file's parts are meant as convex pieces, even where they are not
            exactly convex; such pieces are simplified.

    Returns:
        The mesh, around its centre of mass for uniform density, scaled so that the longest edge of
        the box around it, along the file's axes, is 1 m; and quaternions xyzw.

    Raises:
        ValueError: the file cannot be read, or holds no closed surface.
    """
    surface = read_surface(path)
    parts = surface.split(only_watertight=False)
    if authored:
        clouds = [_simple(np.asarray(part.vertices)) for part in parts]
    elif len(parts) <= _MOST_PARTS and all(_is_piece(part) for part in parts):
        clouds = [np.asarray(part.vertices) for part in parts]
    else:
        clouds = decompose(np.asarray(surface.vertices), np.asarray(surface.faces))
    pieces = tuple(_piece(cloud - surface.center_mass) for cloud in clouds)
    outline = _piece(np.vstack([piece.points for piece in pieces])).points
    mesh = Mesh(path, pieces, outline, colour=OBJECT)
    return mesh, rest_rotations(mesh.scaled(_USUAL))


def _is_piece(part: trimesh.Trimesh) -> bool:
    """Whether a part is convex, and simple enough for collisions to stay fast."""
    if not part.is_volume or len(part.vertices) > _MOST_CORNERS:
        return False
    return bool(part.volume >= _CONVEX * part.convex_hull.volume)


def _piece(cloud: np.ndarray) -> Piece:
    hull = trimesh.convex.convex_hull(cloud)
    return Piece(np.array(hull.vertices), np.array(hull.faces))


def _simple(cloud: np.ndarray) -> np.ndarray:
    """The points that reach farthest in 14 directions; all others cost time, up to 150 a piece."""
    corners: np.ndarray = cloud[np.unique(np.argmax(_REACH @ cloud.T, axis=1))]
    return corners

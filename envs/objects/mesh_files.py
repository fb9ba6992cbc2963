"""Reads a mesh file and says what is wrong with it; what passes is a closed surface.

The only file that knows formats.
"""

import os
from pathlib import Path

import numpy as np
import trimesh

FORMATS = (".obj", ".off", ".ply", ".stl")
_LARGEST_FILE = 64 * 2**20  # bytes
_LARGEST_MESH = 200_000  # triangles
_LARGEST_NUMBER = 1e100  # of a coordinate
_FLAT = 1e-3  # least ratio of the shortest to the longest extent


def read_surface(path: str) -> trimesh.Trimesh:
    """Reads a closed surface with outward triangles, of one part or several.

    Returns:
        The surface, scaled so that the longest edge of the box around it, along the file's axes, is
        1, and moved so that the middle of that box is at the origin.

    Raises:
        ValueError: the file is missing, too large, unreadable or not such a surface.
    """
    _check_file(path)
    try:
        surface = trimesh.load_mesh(path, process=False, skip_materials=True)
        n = len(surface.faces)
        corners = np.array(surface.vertices, np.float64)
    except ImportError:  # it looks for help with bytes that are no text
        raise ValueError(f"{path}: not a readable mesh") from None
    except Exception as error:  # whatever a parser makes of arbitrary bytes
        raise ValueError(f"{path}: not a readable mesh ({type(error).__name__}: {error})") from None
    if not 4 <= n <= _LARGEST_MESH:
        raise ValueError(f"{path}: {n} triangles, expected 4 to {_LARGEST_MESH}")
    if not np.abs(corners).max() < _LARGEST_NUMBER:  # True for NaN too
        raise ValueError(f"{path}: a coordinate is not a number below {_LARGEST_NUMBER}")
    low, high = corners.min(axis=0), corners.max(axis=0)
    extents = high - low
    if not extents.min() > _FLAT * extents.max():
        raise ValueError(f"{path}: extents {extents.tolist()} are flat, expected a solid")
    surface.vertices = (corners - (low + high) / 2.0) / extents.max()
    _close(surface, path)
    return surface


def _check_file(path: str) -> None:
    file = Path(path)
    if file.suffix.lower() not in FORMATS:
        raise ValueError(f"{path}: format {file.suffix!r}, expected one of {list(FORMATS)}")
    if not file.is_file():
        raise ValueError(f"{path}: no such file")
    size = os.path.getsize(path)
    if size > _LARGEST_FILE:
        raise ValueError(f"{path}: {size} bytes, expected at most {_LARGEST_FILE}")


def _close(surface: trimesh.Trimesh, path: str) -> None:
    """Joins corners and turns triangles as far as needed."""
    if not surface.is_watertight:
        surface.merge_vertices(merge_tex=True, merge_norm=True)
        surface.update_faces(surface.nondegenerate_faces())
    if not surface.is_watertight:
        _, counts = np.unique(surface.edges_sorted, axis=0, return_counts=True)
        raise ValueError(
            f"{path}: {int((counts != 2).sum())} of {len(counts)} edges do not belong to exactly 2 "
            "triangles, expected a closed surface (mesh editors can repair it)"
        )
    if not surface.is_volume:
        surface.fix_normals(multibody=True)
    if not surface.is_volume:
        raise ValueError(f"{path}: volume {surface.volume:.3g}, expected a surface around one")

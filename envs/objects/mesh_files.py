"""Reads mesh files and checks that they hold a closed surface."""

import os
from pathlib import Path

import numpy as np
import trimesh

FORMATS = (".obj", ".off", ".ply", ".stl")
# In bytes.
_MAX_FILE_SIZE = 64 * 2**20
_MAX_TRIANGLES = 200_000
_MAX_COORDINATE = 1e100
# Least ratio of the shortest to the longest extent.
_MIN_THICKNESS = 1e-3


def read_surface(path: str) -> trimesh.Trimesh:
    """Reads a closed surface of one or several parts, with triangles facing outwards.

    Returns:
        The surface, scaled and moved so that its bounding box, along the file's axes, is centred at
        the origin and has a longest edge of 1.

    Raises:
        ValueError: the file is missing, too large, unreadable or does not hold a closed surface.
    """
    _check_file(path)
    try:
        surface = trimesh.load_mesh(path, process=False, skip_materials=True)
        n = len(surface.faces)
        corners = np.array(surface.vertices, np.float64)
    except ImportError:
        # Raised for bytes that are not text, where trimesh looks for an optional package.
        raise ValueError(f"{path}: not a readable mesh") from None
    except Exception as error:
        # Parsers raise all kinds of errors on arbitrary bytes.
        raise ValueError(f"{path}: not a readable mesh ({type(error).__name__}: {error})") from None
    if n == 0:
        # Some parsers find no mesh in arbitrary bytes and raise nothing.
        raise ValueError(f"{path}: not a readable mesh (0 triangles)")
    if not 4 <= n <= _MAX_TRIANGLES:
        raise ValueError(f"{path}: {n} triangles, expected 4 to {_MAX_TRIANGLES}")
    # Written so that NaN fails, too.
    if not np.abs(corners).max() < _MAX_COORDINATE:
        raise ValueError(f"{path}: a coordinate is not a number below {_MAX_COORDINATE}")
    low, high = corners.min(axis=0), corners.max(axis=0)
    extents = high - low
    if not extents.min() > _MIN_THICKNESS * extents.max():
        raise ValueError(f"{path}: extents {extents.tolist()} are flat, expected a solid body")
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
    if size > _MAX_FILE_SIZE:
        raise ValueError(f"{path}: {size} bytes, expected at most {_MAX_FILE_SIZE}")


def _close(surface: trimesh.Trimesh, path: str) -> None:
    """Merges duplicate corners and flips triangles, where needed."""
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
        raise ValueError(f"{path}: volume {surface.volume:.3g}, expected a positive one")

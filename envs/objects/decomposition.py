"""Convex decomposition by V-HACD 4, cached in the user's cache directory.

V-HACD (https://github.com/kmammou/v-hacd) takes seconds and gives the same bits in every process;
CoACD fits more closely but takes minutes. The name of a cache file is a hash of everything the
result depends on, and files are written atomically, so concurrent processes do not conflict.
"""

import hashlib
import importlib.metadata
import os
import tempfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import vhacdx

_SETTINGS = {
    "maxConvexHulls": 16,
    "resolution": 100_000,
    "maxNumVerticesPerCH": 32,
    "asyncACD": False,
}


def decompose(vertices: np.ndarray, triangles: np.ndarray) -> list[np.ndarray]:
    """Splits a closed surface into at most 16 convex pieces with at most 32 corners each.

    Args:
        vertices: float64 [n, 3].
        triangles: integers [m, 3].

    Returns:
        The corners of each piece, float64 [k, 3].
    """
    triangles = np.ascontiguousarray(triangles, np.uint32)
    vertices = np.ascontiguousarray(vertices, np.float64)
    key = hashlib.sha256(vertices.tobytes() + triangles.tobytes())
    key.update(f"{importlib.metadata.version('vhacdx')} {_SETTINGS}".encode())
    try:
        file = _folder() / f"{key.hexdigest()}.npz"
    except RuntimeError as error:  # no home directory
        _warn(error)
        return _split(vertices, triangles)
    pieces = _load(file)
    if pieces is None:
        pieces = _split(vertices, triangles)
        _store(file, pieces)
    return pieces


def _split(vertices: np.ndarray, triangles: np.ndarray) -> list[np.ndarray]:
    pieces = vhacdx.compute_vhacd(vertices, triangles, **_SETTINGS)
    return [np.array(corners) for corners, _ in pieces]


def _folder() -> Path:
    """Returns the cache directory, following the XDG Base Directory Specification."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "grasp_func" / "convex_pieces"


def _load(file: Path) -> list[np.ndarray] | None:
    """Reads the pieces from a file; None if it is missing or damaged."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            return [stored[f"arr_{i}"] for i in range(len(stored.files))] or None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _store(file: Path, pieces: list[np.ndarray]) -> None:
    """Writes a file atomically: first under a temporary name, then renamed."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
        with os.fdopen(descriptor, "wb") as part:
            np.savez(part, *pieces)
        os.replace(name, file)
    except OSError as error:
        _warn(error)


def _warn(error: Exception) -> None:
    warnings.warn(f"convex pieces cannot be cached: {error}", stacklevel=3)

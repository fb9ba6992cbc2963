"""Convex decomposition by V-HACD 4, kept in a folder of the user's: seconds once, then nothing.

V-HACD (https://github.com/kmammou/v-hacd) gives the same bits in every process and takes seconds;
CoACD fits closer and takes minutes. A result is addressed by all that it depends on and written at
once, so processes that need the same one at the same time cannot harm each other.
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

_MOST_PIECES = 16
_SETTINGS = {
    "maxConvexHulls": _MOST_PIECES,
    "resolution": 100_000,
    "maxNumVerticesPerCH": 32,
    "asyncACD": False,
}


def decompose(vertices: np.ndarray, triangles: np.ndarray) -> list[np.ndarray]:
    """Splits a closed surface into at most 16 convex pieces of at most 32 corners.

    Args:
        vertices: float64 [n, 3].
        triangles: integers [m, 3].

    Returns:
        corners [k, 3] of each piece.
    """
    triangles = np.ascontiguousarray(triangles, np.uint32)
    vertices = np.ascontiguousarray(vertices, np.float64)
    address = hashlib.sha256(vertices.tobytes() + triangles.tobytes())
    address.update(f"{importlib.metadata.version('vhacdx')} {_SETTINGS}".encode())
    file = _folder() / f"{address.hexdigest()}.npz"
    pieces = _load(file)
    if pieces is None:
        pieces = _split(vertices, triangles)
        _store(file, pieces)
    return pieces


def _split(vertices: np.ndarray, triangles: np.ndarray) -> list[np.ndarray]:
    pieces = vhacdx.compute_vhacd(vertices, triangles, **_SETTINGS)
    return [np.array(corners) for corners, _ in pieces]


def _folder() -> Path:
    """Where the XDG Base Directory Specification puts what can be computed again."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "grasp_func" / "convex_pieces"


def _load(file: Path) -> list[np.ndarray] | None:
    """The pieces of a file; None where it is missing or damaged."""
    try:
        with np.load(file, allow_pickle=False) as stored:
            return [stored[f"arr_{i}"] for i in range(len(stored.files))] or None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _store(file: Path, pieces: list[np.ndarray]) -> None:
    """Writes under another name first: a file under its own name is whole."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
        with os.fdopen(descriptor, "wb") as part:
            np.savez(part, *pieces)
        os.replace(name, file)
    except OSError as error:
        warnings.warn(f"convex pieces are computed each time: {error}", stacklevel=2)

"""Replay buffers on disk: the new episodes of an epoch, one file per worker, written once.

A buffer is the last episodes of its segments, so a checkpoint costs one epoch's episodes however
large the buffer is, and a file that exists is never written to again.
"""

import io
import math
from pathlib import Path

import numpy as np

from grasp_func.atomic import SaveError, atomic_write_bytes
from grasp_func.replay import ReplayBuffer
from grasp_func.types import Array, Episode, Layout


def write_segment(directory: Path, worker: int, epoch: int, episodes: Episode) -> None:
    """Writes the episodes [n, ...] that a worker played in an epoch as rows of float32.

    Raises:
        SaveError: the file cannot be written.
    """
    rows = [field.reshape(len(field), -1) for field in episodes]
    stream = io.BytesIO()
    np.save(stream, np.concatenate(rows, axis=1), allow_pickle=False)
    path = _path(directory, worker, epoch)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_write_bytes(path, stream.getvalue())


def read_buffer(
    directory: Path, worker: int, epochs: int, per_epoch: int, empty: ReplayBuffer, layout: Layout
) -> ReplayBuffer:
    """Fills `empty` as it was after `epochs` epochs of `per_epoch` episodes, and returns it.

    Raises:
        SaveError: a segment is missing, damaged or of another size.
    """
    capacity = len(empty.moved)
    held = min(epochs * per_epoch, capacity)
    first = first_needed(epochs, per_epoch, capacity)
    segments = [
        _read(_path(directory, worker, epoch), min(per_epoch, capacity), layout)
        for epoch in range(first, epochs + 1)
    ]
    rows = np.concatenate(segments)[-held:]
    empty.n_seen = epochs * per_epoch - held
    for row in rows:
        empty.append(_episode(row, layout))
    return empty


def first_needed(epochs: int, per_epoch: int, capacity: int) -> int:
    """Returns the first epoch whose segment a buffer needs after `epochs` epochs."""
    return max(1, epochs + 1 - math.ceil(capacity / min(per_epoch, capacity)))


def prune(directory: Path, worker: int, first: int) -> None:
    """Deletes a worker's segments of epochs before `first`."""
    for path in _path(directory, worker, first).parent.glob("*.npy"):
        if path.name < _path(directory, worker, first).name:
            path.unlink(missing_ok=True)


def _path(directory: Path, worker: int, epoch: int) -> Path:
    return directory / "replay" / f"worker_{worker:05d}" / f"epoch_{epoch:07d}.npy"


def _read(path: Path, n_rows: int, layout: Layout) -> Array:
    try:
        rows: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise SaveError(f"{path}: replay cannot be read ({error}); resume an older run") from None
    expected = (n_rows, _width(layout))
    if rows.shape != expected or rows.dtype != np.float32 or not np.isfinite(rows).all():
        found = f"{rows.dtype} {rows.shape}"
        raise SaveError(f"{path}: replay is {found}, expected finite float32 {expected}")
    return rows


def _sizes(layout: Layout) -> tuple[tuple[int, ...], ...]:
    steps = layout.horizon
    return (
        (steps + 1, layout.obs),
        (steps + 1, layout.goal),
        (layout.goal,),
        (steps, layout.action),
    )


def _width(layout: Layout) -> int:
    return sum(math.prod(shape) for shape in _sizes(layout))


def _episode(row: Array, layout: Layout) -> Episode:
    shapes = _sizes(layout)
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    parts = np.split(row, ends)
    return Episode(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))

"""Replay buffers on disk: the new episodes of an epoch, one file per worker, written once.

A buffer is the last episodes of its shards, so a checkpoint costs one epoch's episodes however
large the buffer is, and a file that exists is never written to again.
"""

import contextlib
import io
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from grasp_func.core.replay import ReplayBuffer
from grasp_func.core.types import Array, Episode
from grasp_func.errors import SaveError
from grasp_func.storage.atomic import reason, write_folder


def write_shard(directory: Path, worker: int, epoch: int, episodes: Episode) -> None:
    """Writes the episodes [n, ...] that a worker played in an epoch as rows of float32.

    Raises:
        SaveError: the file cannot be written.
    """
    rows = [field.reshape(len(field), -1) for field in episodes]
    stream = io.BytesIO()
    np.save(stream, np.concatenate(rows, axis=1), allow_pickle=False)
    path = _path(directory, worker, epoch)
    write_folder(path.parent, {path.name: stream.getvalue()})


def read_buffer(
    directory: Path, worker: int, epoch: int, per_epoch: int, n_seen: int, empty: ReplayBuffer
) -> ReplayBuffer:
    """Fills `empty` as it was after an epoch, and returns it.

    Args:
        directory: of the run's checkpoints.
        worker: whose buffer.
        epoch: epochs completed.
        per_epoch: episodes that a worker plays in an epoch.
        n_seen: episodes that the buffer had been given by then.
        empty: where to.

    Raises:
        SaveError: a segment is missing, damaged or of another size.
    """
    capacity = len(empty.moved)
    held = min(n_seen, capacity)
    first = first_needed(epoch, per_epoch, held)
    shapes = tuple(field.shape[1:] for field in empty.episodes)
    expected = min(per_epoch, capacity), sum(map(math.prod, shapes))
    replay_shards = [_read(_path(directory, worker, e), expected) for e in range(first, epoch + 1)]
    empty.n_seen = n_seen - held
    for row in np.concatenate(replay_shards)[-held:] if held else ():
        empty.append(_episode(row, shapes))
    return empty


def first_needed(epoch: int, per_epoch: int, held: int) -> int:
    """Returns the first epoch whose segment a buffer of `held` episodes needs after an epoch."""
    return max(1, epoch + 1 - math.ceil(held / per_epoch))


def prune(directory: Path, worker: int, first: int) -> None:
    """Deletes a worker's shards of epochs before `first`; one that cannot be deleted stays."""
    for path in _path(directory, worker, first).parent.glob("*.npy"):
        if path.name < _path(directory, worker, first).name:
            with contextlib.suppress(OSError):
                path.unlink()


def _path(directory: Path, worker: int, epoch: int) -> Path:
    return directory / "replay" / f"worker_{worker:05d}" / f"epoch_{epoch:07d}.npy"


def _read(path: Path, expected: tuple[int, int]) -> Array:
    remedy = "resume --without-replay, or another run"
    try:
        if not path.is_file():
            raise OSError("no such file")
        rows: Array = np.lib.format.open_memmap(path, mode="r")  # np.load would try zip and pickle
    except Exception as error:  # a damaged header can raise a dozen kinds
        raise SaveError(f"{path}: replay cannot be read ({reason(error)}); {remedy}") from None
    if rows.shape != expected or rows.dtype != np.float32 or not np.isfinite(rows).all():
        found = f"{rows.dtype} {rows.shape}"
        raise SaveError(f"{path}: replay is {found}, not finite float32 {expected}; {remedy}")
    return rows


def _episode(row: Array, shapes: Sequence[tuple[int, ...]]) -> Episode:
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    parts = np.split(row, ends)
    return Episode(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))

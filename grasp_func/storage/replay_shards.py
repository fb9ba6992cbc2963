"""Replay buffers on disk: one file per worker and epoch with the episodes of that epoch.

A buffer is the last episodes of its shards. A checkpoint therefore writes one epoch's episodes,
however large the buffer is.
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
from grasp_func.storage.atomic import StrPath, folder_inside, reason, write_folder
from grasp_func.storage.parts import Part, part_of

FOLDER = "replay"


def shard_name(worker: int, epoch: int) -> str:
    """Returns a shard's name relative to the folder of the run's checkpoints."""
    return f"{FOLDER}/worker_{worker:05d}/epoch_{epoch:07d}.npy"


def write_shard(directory: StrPath, worker: int, epoch: int, episodes: Episode) -> Part:
    """Writes the episodes [n, ...] that a worker played in an epoch as rows of float32.

    Returns:
        size and checksum of the shard.

    Raises:
        SaveError: the file cannot be written, or its folder is a symbolic link.
    """
    rows = [field.reshape(len(field), -1) for field in episodes]
    stream = io.BytesIO()
    np.save(stream, np.concatenate(rows, axis=1), allow_pickle=False)
    *folders, name = shard_name(worker, epoch).split("/")
    write_folder(folder_inside(directory, *folders), {name: stream.getvalue()})
    return part_of(stream.getvalue())


def read_buffer(
    directory: StrPath, worker: int, epoch: int, per_epoch: int, n_seen: int, empty: ReplayBuffer
) -> ReplayBuffer:
    """Fills `empty` with the episodes that the buffer held after an epoch, and returns it.

    Args:
        directory: of the run's checkpoints.
        worker: whose buffer.
        epoch: epochs completed.
        per_epoch: episodes that a worker plays in an epoch.
        n_seen: episodes that the buffer had been given by then.
        empty: an empty buffer.

    Raises:
        SaveError: a shard is missing, damaged or of another size.
    """
    capacity = empty.capacity
    held = min(n_seen, capacity)
    shapes = tuple(field.shape[1:] for field in empty.episodes)
    expected = min(per_epoch, capacity), sum(map(math.prod, shapes))
    first = first_needed(epoch, per_epoch, held)
    names = [shard_name(worker, number) for number in range(first, epoch + 1)]
    shards = [_read(Path(directory, name), expected) for name in names]
    empty.n_seen = n_seen - held
    for row in np.concatenate(shards)[-held:] if held else ():
        empty.append(_episode(row, shapes))
    return empty


def first_needed(epoch: int, per_epoch: int, held: int) -> int:
    """Returns the first epoch whose shard a buffer of `held` episodes needs after an epoch."""
    return max(1, epoch + 1 - math.ceil(held / per_epoch))


def prune(directory: StrPath, worker: int, first: int) -> None:
    """Deletes a worker's shards of epochs before `first`; one that cannot be deleted stays."""
    first_kept = Path(directory, shard_name(worker, first))
    folder = first_kept.parent
    if folder.is_symlink() or folder.parent.is_symlink():
        return
    for path in folder.glob("*.npy"):
        if path.name < first_kept.name:
            with contextlib.suppress(OSError):
                path.unlink()


def _read(path: Path, expected: tuple[int, int]) -> Array:
    remedy = "begin with an empty replay buffer: --resume --without-replay"
    try:
        if not path.is_file():
            raise OSError("no such file")
        # np.load would also open zip files and pickles.
        rows: Array = np.lib.format.open_memmap(path, mode="r")
    # A damaged header can raise a dozen kinds.
    except Exception as error:
        raise SaveError(f"{path}: replay cannot be read ({reason(error)}); {remedy}") from None
    if rows.shape != expected or rows.dtype != np.float32 or not np.isfinite(rows).all():
        found = f"{rows.dtype} {rows.shape}"
        raise SaveError(f"{path}: replay is {found}, not finite float32 {expected}; {remedy}")
    return rows


def _episode(row: Array, shapes: Sequence[tuple[int, ...]]) -> Episode:
    ends = np.cumsum([math.prod(shape) for shape in shapes])[:-1]
    parts = np.split(row, ends)
    return Episode(*(part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)))

"""Statistics of a run as append-only JSON lines: `stats.jsonl` beside its checkpoints.

One line per epoch is appended and flushed. A checkpoint lists size and checksum of the lines that
it knows; what a killed run has appended after them is cut off when the run goes on.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grasp_func.errors import SaveError
from grasp_func.storage.atomic import StrPath, cannot_write, open_plain, read_bytes
from grasp_func.storage.parts import Part

NAME = "stats.jsonl"
STATS = "stats.json"
COLUMNS = {"epoch", "env_steps", "updates", "seconds", "success"}  # of every row in a stats.json
MAX_BYTES = 2**30
Row = Mapping[str, Any]  # of one epoch


class StatsLog:
    """Appends rows and keeps size and checksum of all lines."""

    def __init__(self, path: StrPath, size: int = 0) -> None:
        """Begins after the first `size` bytes; the next row overwrites whatever follows them.

        Raises:
            SaveError: the file cannot be read.
        """
        self._path, self._size = Path(path), size
        before = read_bytes(path, MAX_BYTES)[:size] if size else b""
        self._digest = hashlib.sha256(before)

    @property
    def part(self) -> Part:
        """Size and checksum of all lines so far."""
        return Part(self._size, self._digest.hexdigest())

    def append(self, row: Row) -> None:
        """Writes a row as one line and flushes it to the disk.

        Raises:
            SaveError: it cannot be written, or is not plain JSON.
        """
        line = json_line(row).encode() + b"\n"
        try:
            with os.fdopen(open_plain(self._path, os.O_RDWR | os.O_CREAT), "r+b") as file:
                file.truncate(self._size)
                file.seek(self._size)
                file.write(line)
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise cannot_write(self._path, error) from error
        self._size += len(line)
        self._digest.update(line)


def json_line(value: Any) -> str:
    """Returns a value as one line of JSON.

    Raises:
        SaveError: not plain JSON: a number that is not finite, or an object.
    """
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SaveError(f"statistics: not plain JSON ({error})") from error


def read_rows(path: StrPath, size: int) -> list[dict[str, Any]]:
    """Returns the rows in the first `size` bytes.

    Raises:
        SaveError: not readable, or not JSON lines.
    """
    lines = read_bytes(path, MAX_BYTES)[:size].splitlines()
    try:
        rows = [json.loads(line) for line in lines]
    except (ValueError, RecursionError):
        raise SaveError(f"{path}: damaged, its lines are not JSON") from None
    if not all(isinstance(row, dict) for row in rows):
        raise SaveError(f"{path}: damaged, its lines are not rows of statistics")
    return rows


def read_stats(path: StrPath) -> dict[str, Any]:
    """Returns the content of a stats.json, or of the one in a folder.

    Raises:
        SaveError: there is none, or it is not the statistics of a run with an epoch.
    """
    file = Path(path, STATS) if Path(path).is_dir() else Path(path)
    data = read_bytes(file, MAX_BYTES)
    try:
        stats = json.loads(data)
        rows = stats["epochs"]
        if isinstance(stats["env"], str) and rows and all(row.keys() >= COLUMNS for row in rows):
            return dict(stats)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    raise SaveError(f"{file}: not the statistics of a run, expected a stats.json or its folder")

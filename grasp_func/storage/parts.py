"""Sizes and SHA-256 checksums of files, and a manifest that lists them.

A manifest contains a checksum of itself, so that a change of any of its bytes is noticed, too.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from typing import NamedTuple

from grasp_func.storage.atomic import StrPath, open_plain

CHUNK = 2**20
# Relative, without "..", so that no manifest leads out of its folder.
NAME = re.compile(r"(?!\.\.?(/|$))[\w.-]+(/(?!\.\.?(/|$))[\w.-]+)*", re.ASCII)


class Part(NamedTuple):
    """Size and checksum of a file."""

    size: int  # bytes
    sha256: str  # hexadecimal


def part_of(data: bytes) -> Part:
    """Returns size and checksum of a content."""
    return Part(len(data), hashlib.sha256(data).hexdigest())


def part_of_file(path: StrPath, size: int | None = None) -> Part:
    """Returns size and checksum of a file, or of its first `size` bytes.

    Raises:
        OSError: missing, not readable, or not a regular file.
    """
    digest = hashlib.sha256()
    n_read = 0
    with os.fdopen(open_plain(path, os.O_RDONLY), "rb") as file:
        while chunk := file.read(CHUNK if size is None else min(CHUNK, size - n_read)):
            digest.update(chunk)
            n_read += len(chunk)
    return Part(n_read, digest.hexdigest())


def manifest_bytes(parts: Mapping[str, Part]) -> bytes:
    """Returns a manifest: parts by name, one a line, and the checksum of those lines."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(parts[name])}" for name in sorted(parts))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    return f'{{"sha256": "{digest}",\n"parts": {{\n{lines}\n}}}}\n'.encode()


def parse_manifest(data: bytes) -> dict[str, Part]:
    """Returns the parts that a manifest lists.

    Raises:
        ValueError: a byte of it was changed, or it was not written by `manifest_bytes`.
    """
    try:
        parts = {name: Part(*entry) for name, entry in json.loads(data)["parts"].items()}
        valid = manifest_bytes(parts) == data
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError("not a manifest") from None
    if not valid:
        raise ValueError("its checksum does not match")
    for name, part in parts.items():
        if not NAME.fullmatch(name) or type(part.size) is not int or type(part.sha256) is not str:
            raise ValueError("lists something else than files")
    return parts

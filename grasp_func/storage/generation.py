"""Several files that are replaced as one generation: a reader gets all old or all new ones.

A writer writes all temporary files, then replaces the manifest `agent.json`, which lists name,
temporary name, size and SHA-256 of each file, then renames the temporary files. The manifest is
the switch: a reader takes for each file the one under its final name or, if that is not the one
listed, the one under its temporary name. A writer that is killed anywhere leaves a whole
generation. A folder without a manifest is read unchecked.
Departs from Dext-Gen, which writes its four files in place, one after the other.
"""

import contextlib
import json
import os
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from grasp_func.errors import SaveError
from grasp_func.storage.atomic import (
    LOCK_SECONDS,
    StrPath,
    cannot_write,
    flush,
    locked,
    read_bytes,
    remove,
    rename_all,
    replace_all,
    sweep,
    write_temporaries,
    writing,
)
from grasp_func.storage.parts import Part, part_of

MANIFEST = "agent.json"
MAX_MANIFEST_BYTES = 2**16
# A file that is missing from an unchanged manifest may just have been renamed: look again.
LOOKS = 3
PAUSE_SECONDS = 0.005


class _Listed(NamedTuple):
    """What a manifest says of a file."""

    part: Part
    temporary: str


def write_generation(
    directory: StrPath, contents: Mapping[str, bytes], others: Mapping[str, bytes] | None = None
) -> None:
    """Replaces the files of a folder as one generation.

    Args:
        directory: created if need be.
        contents: new content of each file of the generation.
        others: files replaced under the same lock, each on its own.

    Raises:
        SaveError: no space, no permission, or another process holds the lock for a minute. The old
            or the new generation can be read.
    """
    directory, others = Path(directory), others or {}
    with writing(directory):
        sweep(directory, others)
        replace_all({directory / name: data for name, data in others.items()})
        temporaries = write_temporaries({directory / name: contents[name] for name in contents})
        listed = {
            path.name: {**part_of(contents[path.name])._asdict(), "temporary": temporary.name}
            for path, temporary in temporaries.items()
        }
        manifest = (json.dumps({"format": 1, "files": listed}, indent=1) + "\n").encode()
        try:
            flush(directory)
            replace_all({directory / MANIFEST: manifest})
            rename_all(temporaries)
        except (OSError, SaveError) as error:
            # Once the manifest is replaced, the temporary files are the new generation.
            if _manifest(directory) != manifest:
                remove(temporaries.values())
            if isinstance(error, OSError):
                raise cannot_write(directory, error) from error
            raise
        sweep(directory, [*contents, MANIFEST])


def read_generation(directory: StrPath, limits: Mapping[str, int]) -> dict[str, bytes]:
    """Returns the files' contents, all of one generation.

    Holds the folder's lock where it may write to the folder. Where it may not, it looks again when
    a writer was at work.

    Args:
        directory: holds the files.
        limits: largest number of bytes of each file.

    Raises:
        SaveError: a file is missing, too large, or not the one that the manifest lists.
    """
    directory = Path(directory)
    with locked(directory) if os.access(directory, os.W_OK) else contextlib.nullcontext():
        deadline = time.monotonic() + LOCK_SECONDS
        before: bytes | None = None
        looks = 0
        while True:
            manifest = _manifest(directory)
            looks = looks + 1 if manifest == before else 1
            before = manifest
            try:
                contents = _read(directory, limits, manifest)
            except SaveError:
                if looks >= LOOKS or time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_SECONDS)
                continue
            if manifest is not None or _manifest(directory) is None:
                return contents


def _manifest(directory: Path) -> bytes | None:
    """Returns the manifest's content; None where there is none."""
    path = directory / MANIFEST
    return read_bytes(path, MAX_MANIFEST_BYTES) if os.path.lexists(path) else None


def _read(directory: Path, limits: Mapping[str, int], manifest: bytes | None) -> dict[str, bytes]:
    """Makes one attempt to read all files."""
    listed = None if manifest is None else _listed(directory / MANIFEST, manifest, list(limits))
    names = {name: [name] if listed is None else [name, listed[name].temporary] for name in limits}
    missing = [n for n in limits if not any((directory / name).is_file() for name in names[n])]
    if missing:
        raise SaveError(
            f"{directory}: no {', '.join(missing)}: train first, or name another folder"
        )
    contents = {}
    for name, limit in limits.items():
        if listed is None:
            contents[name] = read_bytes(directory / name, limit)
        else:
            contents[name] = _read_listed(directory, name, listed[name], limit)
    return contents


def _read_listed(directory: Path, name: str, listed: _Listed, limit: int) -> bytes:
    """Returns the content that the manifest lists, under either name of the file."""
    for path in (directory / name, directory / listed.temporary):
        with contextlib.suppress(OSError, SaveError):
            if path.stat().st_size == listed.part.size <= limit:
                data = read_bytes(path, limit)
                if part_of(data) == listed.part:
                    return data
    raise SaveError(
        f"{directory / name}: not the file that {MANIFEST} lists, damaged or copied from another "
        f"agent: restore it, delete {MANIFEST} if these files belong together, or name another "
        "folder"
    )


def _listed(path: Path, manifest: bytes, names: list[str]) -> dict[str, _Listed]:
    """Returns what a manifest says of the named files; it is as untrusted as they are."""
    try:
        content = json.loads(manifest)
        if content["format"] != 1:
            raise ValueError("another format")
        return {name: _checked(name, content["files"][name]) for name in names}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise SaveError(
            f"{path}: not a list of {', '.join(names)}: restore it, delete it if these files "
            "belong together, or name another folder"
        ) from None


def _checked(name: str, entry: Any) -> _Listed:
    size, sha256, temporary = entry["size"], entry["sha256"], entry["temporary"]
    if type(size) is not int or not re.fullmatch(
        re.escape(f".{name}.") + r"[\w.]{1,64}\.tmp", temporary
    ):
        raise ValueError("not a temporary name")
    return _Listed(Part(size, sha256), temporary)

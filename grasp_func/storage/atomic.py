"""Atomic file replacement, and one lock per folder.

A file is written under a temporary name in its own folder, flushed to the disk and renamed. A
crash, a full disk or a second writer leaves the old or the new content, never a part of it. A
killed writer leaves temporary files behind, whose names are hidden; the next writer removes them.
No symbolic link is followed in writing: it is replaced, removed or refused.
Departs from Dext-Gen, which writes in place.
"""

import contextlib
import os
import secrets
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

import filelock

from grasp_func.errors import SaveError

StrPath = str | os.PathLike[str]
P = TypeVar("P", bound=StrPath)
LOCK_SECONDS = 60.0


def atomic_write_bytes(path: StrPath, data: bytes) -> None:
    """Replaces a file by `data` atomically.

    Raises:
        SaveError: it cannot be written; the old content is unchanged.
    """
    replace_all({path: data})


def atomic_write_text(path: StrPath, text: str) -> None:
    """Replaces a file by `text` in UTF-8; see `atomic_write_bytes`."""
    atomic_write_bytes(path, text.encode())


def write_folder(directory: StrPath, contents: Mapping[str, bytes]) -> None:
    """Replaces files of a folder, each atomically, under the folder's lock.

    Raises:
        SaveError: no space, no permission, or another process holds the lock for a minute.
    """
    with writing(directory):
        sweep(directory, contents)
        replace_all({Path(directory, name): data for name, data in contents.items()})


@contextlib.contextmanager
def writing(directory: StrPath) -> Iterator[None]:
    """Creates a folder and holds its lock.

    Raises:
        SaveError: no permission, or another process holds the lock for LOCK_SECONDS.
    """
    try:
        Path(directory).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(directory, error) from error
    with locked(directory):
        yield


def folder_inside(directory: StrPath, *names: str) -> Path:
    """Creates nested folders of a training below `directory`, none through a symbolic link.

    Raises:
        SaveError: one is a symbolic link or a file, or cannot be created.
    """
    path = Path(directory)
    try:
        path.mkdir(parents=True, exist_ok=True)
        for name in names:
            path /= name
            if path.is_symlink():
                raise SaveError(
                    f"{path}: is a symbolic link, expected a folder: remove the link, or choose "
                    "another place with --save-dir DIR"
                )
            path.mkdir(exist_ok=True)
    except OSError as error:
        raise SaveError(f"{cannot_write(path, error)} with --save-dir DIR") from error
    return path


def read_bytes(path: StrPath, limit: int) -> bytes:
    """Returns the content of an untrusted file.

    Raises:
        SaveError: not a regular file, not readable, or larger than `limit` bytes.
    """
    try:
        # Opening a pipe would block, and /dev/zero never ends.
        if not Path(path).is_file():
            raise FileNotFoundError(0, "no such file")
        with open(path, "rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise SaveError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > limit:
        raise SaveError(f"{path}: larger than {limit} bytes, restore or delete it")
    return data


def reason(error: Exception) -> str:
    """Returns an error's first line, shortened and printable."""
    lines = str(error).splitlines() or [type(error).__name__]
    return ascii(lines[0])[1:-1][:100]


def cannot_write(path: StrPath, error: OSError) -> SaveError:
    """Returns the error that names path, reason and remedy."""
    problem = error.strerror or str(error)
    return SaveError(f"{path}: cannot be written ({problem}): choose another place")


def replace_all(contents: Mapping[P, bytes]) -> None:
    """Replaces several files; all temporary files are complete before the first is renamed.

    Raises:
        SaveError: one cannot be written; if the disk is full, all old files are unchanged.
    """
    temporaries = write_temporaries({Path(path): data for path, data in contents.items()})
    try:
        rename_all(temporaries)
    except OSError as error:
        raise cannot_write(next(iter(temporaries)), error) from error
    finally:
        remove(temporaries.values())


def write_temporaries(contents: Mapping[Path, bytes]) -> dict[Path, Path]:
    """Writes and flushes a temporary file beside each path; returns them by path.

    Raises:
        SaveError: one cannot be written; none is left.
    """
    temporaries: dict[Path, Path] = {}
    path = Path()
    try:
        for path, data in contents.items():
            token = f"{os.getpid()}.{secrets.token_hex(4)}"
            temporary = path.with_name(f".{path.name}.{token}.tmp")
            # Exclusive creation fails on whatever exists, symbolic links included.
            with open(temporary, "xb") as file:
                temporaries[path] = temporary
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        remove(temporaries.values())
        raise cannot_write(path, error) from error
    return temporaries


def rename_all(temporaries: Mapping[Path, Path]) -> None:
    """Renames temporary files to their paths and flushes the names to the disk."""
    for path, temporary in temporaries.items():
        os.replace(temporary, path)
    for directory in {path.parent for path in temporaries}:
        flush(directory)


def sweep(directory: StrPath, names: Iterable[str]) -> None:
    """Removes the temporary files that killed writers of `names` have left behind.

    The caller holds the folder's lock, so no temporary file belongs to a living writer.
    """
    for name in names:
        remove(Path(directory).glob(f".{name}.*.tmp"))


def remove(paths: Iterable[Path]) -> None:
    """Removes files; one that cannot be removed stays."""
    for path in list(paths):
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def flush(path: StrPath) -> None:
    """Flushes a file, or the names in a folder, to the disk, so that they survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        # Some file systems cannot flush folders.
        with contextlib.suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


def open_plain(path: StrPath, flags: int) -> int:
    """Opens a regular file without following a symbolic link or blocking on a pipe.

    Raises:
        OSError: missing, a link, or something else than a file.
    """
    handle = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(0, "not a regular file")
    return handle


@contextlib.contextmanager
def locked(directory: StrPath) -> Iterator[None]:
    """Holds a folder's lock.

    Raises:
        SaveError: no permission, or another process holds the lock for LOCK_SECONDS.
    """
    lock = filelock.FileLock(Path(directory, ".lock"), timeout=LOCK_SECONDS)
    try:
        lock.acquire()
    except filelock.Timeout:
        problem = f"another process has held it for {LOCK_SECONDS:.0f} s, end that one or try later"
        raise SaveError(f"{lock.lock_file}: {problem}") from None
    except OSError as error:
        raise cannot_write(Path(lock.lock_file), error) from error
    try:
        yield
    finally:
        lock.release()

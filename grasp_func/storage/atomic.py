"""Files that are always complete: atomic replacement and one lock per folder.

A file is written under a temporary name in its own folder, flushed to the disk and renamed, so that
a crash, a full disk or a second writer leaves either the old or the new content. What a killed
writer leaves behind has a hidden name that no reader looks at; `write_folder` sweeps it up.
Departs from Dext-Gen, which writes in place.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import filelock

from grasp_func.errors import SaveError

LOCK_SECONDS = 60.0


def atomic_write_bytes(path: Path, data: bytes) -> None:
    """Replaces a file by `data`; whatever happens, the old or the new content is there, complete.

    Raises:
        SaveError: it cannot be written; the old content is unchanged.
    """
    replace_all({path: data})


def atomic_write_text(path: Path, text: str) -> None:
    """Replaces a file by `text` in UTF-8; see `atomic_write_bytes`."""
    atomic_write_bytes(path, text.encode())


def write_folder(directory: Path, contents: Mapping[str, bytes]) -> None:
    """Replaces files of a folder, complete or not at all, never mixed with another writer's.

    Raises:
        SaveError: no space, no permission, or another process holds the folder for a minute.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(directory, error) from error
    with locked(directory):
        for name in contents:  # the lock is ours, so these are of writers that were killed
            for leftover in directory.glob(f".{name}.*.tmp"):
                with contextlib.suppress(OSError):
                    leftover.unlink()
        replace_all({directory / name: data for name, data in contents.items()})


def read_bytes(path: Path, limit: int) -> bytes:
    """Returns the content of a file that a stranger may have written.

    Raises:
        SaveError: not a file, not readable, or larger than `limit` bytes.
    """
    try:
        if not path.is_file():  # a pipe would keep us waiting, /dev/zero never ends
            raise FileNotFoundError(0, "no such file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise SaveError(f"{path}: cannot be read ({error.strerror})") from error
    if len(data) > limit:
        raise SaveError(f"{path}: larger than {limit} bytes, restore or delete it")
    return data


def reason(error: Exception) -> str:
    """Returns an error's first line, short and printable, whatever a hostile file put into it."""
    lines = str(error).splitlines() or [type(error).__name__]
    return ascii(lines[0])[1:-1][:100]


def cannot_write(path: Path, error: OSError) -> SaveError:
    """Returns the error that names path, reason and remedy."""
    problem = error.strerror or str(error)
    return SaveError(f"{path}: cannot be written ({problem}), choose a place with --save-dir DIR")


def replace_all(contents: Mapping[Path, bytes]) -> None:
    """Replaces several files; all temporary ones are complete before the first is renamed.

    Raises:
        SaveError: one cannot be written; if the disk is full, all old ones are unchanged.
    """
    temporaries: dict[Path, Path] = {}
    try:
        for path, data in contents.items():
            token = f"{os.getpid()}.{secrets.token_hex(4)}"
            temporaries[path] = path.with_name(f".{path.name}.{token}.tmp")
            with temporaries[path].open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
        for path, temporary in temporaries.items():
            os.replace(temporary, path)
        for directory in {path.parent for path in contents}:
            _flush_names(directory)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        for temporary in temporaries.values():
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def _flush_names(directory: Path) -> None:
    """Sees to it that renamed files keep their new names when the power fails."""
    handle = os.open(directory, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):  # some file systems do not know how
            os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Holds a folder's lock, so that files which belong together are never mixed.

    Raises:
        SaveError: no permission, or another process holds the lock for LOCK_SECONDS.
    """
    lock = filelock.FileLock(directory / ".lock", timeout=LOCK_SECONDS)
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

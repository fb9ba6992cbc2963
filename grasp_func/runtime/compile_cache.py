"""Keeps compiled programs in the user's cache directory.

An entry is machine code, so it is loaded only if no other user could have written it: the folder
and the file belong to this user, nobody else can write them, neither is a symbolic link, and the
SHA-256 at the head of the file is that of its key and contents. Anything else is compiled anew.
Files are written atomically, so concurrent processes do not conflict.
"""

import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

# The files used last stay, among them those that killed processes left half-written.
MAX_FILES = 20
DIGEST_SIZE = hashlib.sha256().digest_size
WRITABLE_BY_OTHERS = stat.S_IWGRP | stat.S_IWOTH
# O_NONBLOCK: opening a named pipe would otherwise wait for its writer.
READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def load_or_build(key: str, build: Callable[[], bytes]) -> bytes:
    """Returns the entry of a key; builds and stores it if there is none that can be trusted.

    Prints one line about what it does, and one if the cache cannot be used, which is no error.

    Args:
        key: hexadecimal hash of everything the entry depends on.
        build: makes the entry; its exceptions are passed on.
    """
    try:
        path = folder_path()
        folder = _open_folder(path)
    except (OSError, RuntimeError) as error:
        print(f"compiled updates are not cached: {error}", flush=True)
        return _build(build)
    try:
        entry = _try_to_read(key, folder, path)
        if entry is None:
            entry = _build(build)
            _try_to_write(key, entry, folder)
    finally:
        os.close(folder)
    return entry


def folder_path() -> Path:
    """Returns the folder of the entries, following the XDG Base Directory Specification.

    Raises:
        RuntimeError: the user has no home directory.
    """
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "grasp_func" / "compiled_updates"


def _build(build: Callable[[], bytes]) -> bytes:
    print("compiling the updates: about half a minute", flush=True)
    return build()


def _open_folder(path: Path) -> int:
    """Creates the folder if it is missing; returns its file descriptor.

    Raises:
        OSError: it cannot be opened, or cannot be trusted.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder = os.open(path, READ | os.O_DIRECTORY)
    try:
        _check_owner(os.fstat(folder), str(path))
    except OSError:
        os.close(folder)
        raise
    return folder


def _try_to_read(key: str, folder: int, path: Path) -> bytes | None:
    """Returns an entry; None if there is none that can be trusted, which is said if it exists."""
    try:
        entry = _read(key, folder)
    except FileNotFoundError:
        return None
    except OSError as error:
        print(f"compiled updates in {path} are not loaded: {error}", flush=True)
        return None
    print(f"compiled updates loaded from {path}", flush=True)
    return entry


def _try_to_write(key: str, entry: bytes, folder: int) -> None:
    """Stores an entry and removes old ones; says if that fails."""
    try:
        _write(key, entry, folder)
        _remove_oldest(folder)
    except OSError as error:
        print(f"compiled updates are not cached: {error}", flush=True)


def _read(key: str, folder: int) -> bytes:
    """Returns an entry and notes that it was used.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read, or cannot be trusted.
    """
    with os.fdopen(os.open(key, READ, dir_fd=folder), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{key} is not a regular file")
        _check_owner(status, key)
        digest, entry = file.read(DIGEST_SIZE), file.read()
        if digest != _digest(key, entry):
            raise OSError(f"{key} is damaged")
        with suppress(OSError):
            os.utime(file.fileno())
    return entry


def _write(key: str, entry: bytes, folder: int) -> None:
    """Writes an entry under a temporary name and renames it."""
    name = f"{key}.{secrets.token_hex(8)}.part"
    try:
        with os.fdopen(os.open(name, CREATE, 0o600, dir_fd=folder), "wb") as file:
            file.write(_digest(key, entry) + entry)
        os.replace(name, key, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)
        raise


def _remove_oldest(folder: int) -> None:
    """Removes all but the files used last."""
    used: dict[str, int] = {}
    for name in os.listdir(folder):
        # Another process may have removed it.
        with suppress(FileNotFoundError):
            used[name] = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mtime_ns
    for name in sorted(used, key=lambda name: used[name], reverse=True)[MAX_FILES:]:
        with suppress(OSError):
            os.unlink(name, dir_fd=folder)


def _check_owner(status: os.stat_result, subject: str) -> None:
    """Raises PermissionError if another user owns a file or can write it."""
    if status.st_uid != os.geteuid():
        raise PermissionError(f"{subject} belongs to another user")
    if status.st_mode & WRITABLE_BY_OTHERS:
        raise PermissionError(f"other users can write {subject}; chmod go-w lets it be used")


def _digest(key: str, entry: bytes) -> bytes:
    """Returns the SHA-256 of an entry under its key."""
    return hashlib.sha256(key.encode() + entry).digest()

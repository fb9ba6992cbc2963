"""Loads PyBullet, and works around two of its habits.

Its compiled code writes to the terminal, which `quiet` and `silence` prevent, and it reads robots
and meshes from files only, which `text_file` provides. The other modules import PyBullet from here.
"""

import contextlib
import os
import tempfile
from collections.abc import Iterator

STDOUT, STDERR = 1, 2


def silence(*descriptors: int) -> None:
    """Redirects file descriptors to the null device for good."""
    null = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(null, descriptor)
    os.close(null)


@contextlib.contextmanager
def quiet(*descriptors: int) -> Iterator[None]:
    """Redirects file descriptors to the null device inside the context.

    This also affects Python's own streams on these descriptors.
    """
    saved = [os.dup(descriptor) for descriptor in descriptors]
    try:
        silence(*descriptors)
        yield
    finally:
        for descriptor, copy in zip(descriptors, saved, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)


@contextlib.contextmanager
def text_file(text: str, suffix: str) -> Iterator[str]:
    """Writes text to a temporary file, yields its path, and deletes the file afterwards."""
    descriptor, path = tempfile.mkstemp(suffix=suffix, text=True)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)


# On import, PyBullet prints its build time to standard error.
with quiet(STDERR):
    import pybullet as pybullet

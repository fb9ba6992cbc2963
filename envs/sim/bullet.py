"""Keeps compiled code from writing to the terminal."""

import contextlib
import os
from collections.abc import Iterator

STDOUT, STDERR = 1, 2


def silence(*descriptors: int) -> None:
    """Sends file descriptors to nowhere from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in descriptors:
        os.dup2(nowhere, descriptor)
    os.close(nowhere)


@contextlib.contextmanager
def quiet(*descriptors: int) -> Iterator[None]:
    """Sends file descriptors to nowhere within the context; Python's own streams included."""
    kept = [os.dup(descriptor) for descriptor in descriptors]
    try:
        silence(*descriptors)
        yield
    finally:
        for descriptor, copy in zip(descriptors, kept, strict=True):
            os.dup2(copy, descriptor)
            os.close(copy)

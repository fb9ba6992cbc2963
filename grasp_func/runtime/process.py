"""The process of a run: threads and memory, errors of users, signals."""

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType

import torch

from grasp_func.errors import UserError
from grasp_func.runtime.comm import Comm

USER_ERROR = 2  # exit code
STDERR = 2  # file descriptor
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)  # mpirun passes on the last only
CONTAINER_LIMIT = Path("/sys/fs/cgroup/memory.max")
STOP_NOTICE = b"stopping after this epoch; Ctrl-C ends at once\n"
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # malloc.h


def tune_process() -> None:
    """Sets one torch thread and keeps freed memory in the process.

    Without the latter glibc maps and unmaps every tensor over 128 KB anew, which doubles the cost
    of an Adam step.
    """
    torch.set_num_threads(1)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc only
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, 1 << 30)


@contextlib.contextmanager
def user_errors(comm: Comm) -> Iterator[None]:
    """Turns a UserError that every process sees into one line on the first and exit code 2."""
    try:
        yield
    except UserError as error:
        if comm.Get_rank() == 0:
            print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(USER_ERROR)


@contextlib.contextmanager
def stop_requests(comm: Comm) -> Iterator[Callable[[], bool]]:
    """Lets STOP_SIGNALS ask for a stop instead of ending the process; a Ctrl-C after that ends it.

    Yields:
        a function that tells whether any process was asked; every process must call it.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # also ends a process that waits for others
        if not asked and comm.Get_rank() == 0:
            with contextlib.suppress(OSError):
                os.write(STDERR, STOP_NOTICE)  # print must not be entered twice
        asked = True

    before = {number: signal.signal(number, ask) for number in STOP_SIGNALS}
    try:
        yield lambda: any(comm.allgather(asked))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def machine_memory() -> int:
    """Returns the bytes of memory that this machine or container has."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    with contextlib.suppress(OSError, ValueError):  # no container, or one without a limit
        limits.append(int(CONTAINER_LIMIT.read_text()))
    return min(limits)

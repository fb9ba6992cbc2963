"""The state of a process: threads and memory, signals, and the end of a program.

A program on several ranks must end on all of them: a rank that ends alone leaves the others waiting
in their next collective. `user_errors` goes around the main function for that.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NoReturn

import torch

from grasp_func.errors import UserError
from grasp_func.runtime.comm import Comm, all_ranks_say
from grasp_func.runtime.launch import launcher_rank

# Exit codes. Shells use 128 + the signal's number for programs that a signal ended.
FAILURE, USER_ERROR, INTERRUPTED = 1, 2, 128 + signal.SIGINT
# Signals that ask for a stop. mpirun passes on only the last one to its processes.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
STOPPING = "stopping after this epoch, Ctrl-C ends at once"
STDERR = 2
OUTPUT_SECONDS = 0.5
# Parameters of mallopt, from malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3


def tune_process() -> None:
    """Sets one torch thread and keeps freed memory in the process.

    Otherwise glibc maps and unmaps every tensor over 128 KB anew, which doubles the cost of an Adam
    step.
    """
    torch.set_num_threads(1)
    # Only glibc has mallopt.
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 1 << 30)
        mallopt(M_TRIM_THRESHOLD, 1 << 30)


@contextlib.contextmanager
def stop_requests(comm: Comm, notify: Callable[[int], None]) -> Iterator[Callable[[], bool]]:
    """Makes STOP_SIGNALS ask for a stop instead of ending the process.

    After the first signal, Ctrl-C ends the process at once.

    Args:
        comm: the processes.
        notify: called on the first one in the signal handler, with the number of the first signal.

    Yields:
        a function that tells whether any rank was asked to stop; every rank must call it.
    """
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        # The default action also ends a process that waits in a collective.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        if not asked and comm.Get_rank() == 0:
            notify(number)
        asked = True

    before = {number: signal.signal(number, ask) for number in STOP_SIGNALS}
    try:
        yield lambda: any(comm.allgather(asked))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def write_stop_notice(number: int, resuming: str) -> None:
    """Prints what a signal does; may be called by a signal handler.

    At Ctrl-C, Open MPI drops all output of its processes, sends them SIGTERM, and kills them a
    quarter of a second later. So the notice goes where mpirun's own output goes, or else to the
    terminal.
    """
    # A signal handler must not enter print, which it may have interrupted.
    if number == signal.SIGTERM and launcher_rank() is not None:
        notice = f"\nstopping; if mpirun stops, the epoch in progress is lost; {resuming}\n"
        for path in (f"/proc/{os.getppid()}/fd/{STDERR}", "/dev/tty"):
            with contextlib.suppress(OSError):
                output = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_NOCTTY)
                os.write(output, notice.encode())
                return os.close(output)
    with contextlib.suppress(OSError):
        os.write(STDERR, f"{STOPPING}; {resuming}\n".encode())


@contextlib.contextmanager
def user_errors(comm: Comm) -> Iterator[None]:
    """Ends all ranks if an exception is raised on any; goes around a program's main function.

    A UserError on all ranks becomes one line on rank 0 and exit code 2. Ctrl-C becomes the line
    "interrupted" and exit code 130. SystemExit on all ranks is an ordinary end. Everything else,
    a UserError or SystemExit on some ranks only included, ends all ranks with a traceback and an
    exit code other than 0.
    """
    try:
        yield
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr, flush=True)
        _end(comm, INTERRUPTED)
    except UserError as error:
        if not all_ranks_say(comm, "user error"):
            _end(comm, USER_ERROR, error)
        if comm.Get_rank() == 0:
            print(f"error: {error}", file=sys.stderr, flush=True)
        sys.exit(USER_ERROR)
    except SystemExit as error:
        if not all_ranks_say(comm, "exit"):
            _end(comm, error.code if isinstance(error.code, int) else FAILURE, error)
        raise
    except BaseException as error:
        if comm.Get_size() == 1:
            raise
        _end(comm, FAILURE, error)


def _end(comm: Any, code: int, error: BaseException | None = None) -> NoReturn:
    """Prints the error's traceback and ends all ranks at once, with a code other than 0."""
    if error is not None:
        traceback.print_exception(error)
    sys.stdout.flush()
    sys.stderr.flush()
    if comm.Get_size() > 1:
        # An abort drops output that mpirun has not read yet.
        time.sleep(OUTPUT_SECONDS)
        comm.Abort(code or FAILURE)
    sys.exit(code)

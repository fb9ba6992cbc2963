"""The command `grasp-func`, whose sub-commands the examples start too.

Everything else is imported after the number of threads is limited and Ctrl-C ends the process.
"""

import os
import signal
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from types import FrameType
from typing import NoReturn

INTERRUPTED, STDERR = 130, 2  # exit code, file descriptor


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the sub-command that the arguments begin with; returns its exit code."""
    return run_command("grasp-func", argv)


def run_command(name: str, argv: Sequence[str] | None = None) -> int:
    """Runs a sub-command as a program of its own, or `grasp-func` itself; returns its exit code.

    NumPy and torch read the limits of threads when they are loaded. More than one thread per
    process makes training 20 times slower.
    """
    # Another file is in place of the standard ones where PyBullet's output is hidden.
    terminal = os.dup(STDERR)
    before = signal.signal(signal.SIGINT, partial(_quit, terminal))
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    try:
        return int(import_module("grasp_func.cli.commands").run(name, argv))
    finally:
        signal.signal(signal.SIGINT, before)
        os.close(terminal)


def _quit(terminal: int, number: int, frame: FrameType | None) -> NoReturn:
    """Ends the process at once; a KeyboardInterrupt is printed and forgotten by some libraries."""
    os.write(terminal, b"interrupted\n")
    os._exit(INTERRUPTED)

"""What a program does around training: arguments, errors of users, environment, first line."""

import argparse
import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any

import gymnasium
import torch

from grasp_func import matmul, resume
from grasp_func.comm import Comm, Workers, host_names
from grasp_func.config import Config, ConfigError, load_config
from grasp_func.run_folders import RunPaths, open_run, reopen_run

USER_ERROR = 2  # exit code
STDERR = 2  # file descriptor
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)  # mpirun passes on the last only
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
    """Turns a ValueError that every process sees into one line on the first and exit code 2."""
    try:
        yield
    except ValueError as error:
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


def parse_arguments(parser: argparse.ArgumentParser, comm: Comm) -> argparse.Namespace:
    """Parses argv on every process; only the first one prints help or errors."""
    if comm.Get_rank() == 0:
        return parser.parse_args()
    with (
        open(os.devnull, "w") as nowhere,
        contextlib.redirect_stderr(nowhere),
        contextlib.redirect_stdout(nowhere),
    ):
        return parser.parse_args()


def make_env(env_id: str, cfg: Config, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
    """Makes a registered environment with the configuration's `kwargs`.

    Raises:
        ConfigError: the environment does not take them.
    """
    kwargs = cfg.kwargs if render_mode is None else {**cfg.kwargs, "render_mode": render_mode}
    try:
        return gymnasium.make(env_id, **kwargs)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"{env_id}: kwargs {kwargs} not accepted: {error}") from error


def configure(args: argparse.Namespace, known_envs: Sequence[str]) -> tuple[Config, Path | None]:
    """Returns the configuration and the checkpoints of the run that is resumed.

    What it leaves open, seed and matrix products, is decided here.

    Raises:
        ConfigError, SaveError: the arguments name something that is not there or not allowed.
    """
    source = None
    if args.resume is None:
        cfg = load_config(args.config, args.env, args.set, known_envs)
    else:
        source = resume.find_run(args.save_dir, args.env, args.resume)
        cfg = resume.resumed_config(source, args.env, args.set)
    decided: dict[str, Any] = {}
    if cfg.seed is None:
        decided["seed"] = int.from_bytes(os.urandom(4), "little")
    if cfg.matmul == "auto":
        decided["matmul"] = matmul.choose()
    return cfg.model_copy(update=decided), source


def run_paths(args: argparse.Namespace, cfg: Config, source: Path | None) -> RunPaths | None:
    """Returns where the run writes; None if it does not.

    Raises:
        SaveError: the folders cannot be created.
    """
    if source is not None:
        return reopen_run(source)
    return open_run(args.save_dir, args.env, datetime.now()) if cfg.save else None


def start_line(env_id: str, cfg: Config, workers: Workers) -> str:
    """Returns what the first process says before training; every process must call it."""
    hosts, processes = host_names(workers.comm), workers.comm.Get_size()
    line = (
        f"{env_id}: {processes} process(es) on {', '.join(hosts)}; {workers.total} worker(s), "
        f"{torch.get_num_threads()} thread(s) each; matmul {cfg.matmul}; seed {cfg.seed}"
    )
    if processes > 1:
        return line
    return (
        f"{line}\nWARNING: this is ONE process: slower than several, and with another number of "
        "workers training takes another course. Start it as: mpirun -n 16 python examples/train.py"
    )


def stop_line(epoch: int, saved: bool) -> str:
    """Returns what the first process says when a run stops before its end."""
    rest = "--resume goes on" if saved else "nothing was saved"
    return f"stopped on request after epoch {epoch}: {rest}"

"""What a program does around training: arguments, errors of users, environment, first line."""

import argparse
import contextlib
import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import gymnasium
import torch

from grasp_func.config.load import Config, load_config
from grasp_func.core.replay import buffer_bytes
from grasp_func.core.rng import Key
from grasp_func.core.types import Transition
from grasp_func.errors import ConfigError
from grasp_func.runtime import matmul_precision
from grasp_func.runtime.comm import Comm, host_names
from grasp_func.runtime.consistency import cpu_names
from grasp_func.runtime.process import machine_memory
from grasp_func.runtime.process import stop_requests as stop_requests
from grasp_func.runtime.process import tune_process as tune_process
from grasp_func.runtime.process import user_errors as user_errors
from grasp_func.storage.run_dir import RunPaths, open_run, reopen_run
from grasp_func.training import resume
from grasp_func.training.loop import Run

GIB = 2**30


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


def configure(
    args: argparse.Namespace, known_envs: Sequence[str]
) -> tuple[Config, RunPaths | None]:
    """Returns the configuration and the folders of the run that is resumed.

    What the configuration leaves open, seed and matrix products, is decided here.

    Raises:
        ConfigError, SaveError: the arguments name something that is not there or not allowed, or
            a run that is still running.
    """
    if args.resume is not None:
        source = resume.find_run(args.save_dir, args.env, args.resume)
        cfg = resume.resumed_config(source, args.env, args.set)
        return cfg, reopen_run(source)
    if args.without_replay:
        raise ConfigError("--without-replay: goes with --resume only")
    cfg = load_config(args.config, args.env, args.set, known_envs)
    decided: dict[str, Any] = {}
    if cfg.seed is None:
        decided["seed"] = int.from_bytes(os.urandom(4), "little")
    if cfg.matmul == "auto":
        decided["matmul"] = matmul_precision.choose()
    return cfg.model_copy(update=decided), None


def new_run_paths(args: argparse.Namespace, cfg: Config) -> RunPaths | None:
    """Returns where a run that begins writes; None if it does not.

    Raises:
        SaveError: the folders cannot be created.
    """
    return open_run(args.save_dir, args.env, datetime.now()) if cfg.save else None


def check_memory(run: Run) -> None:
    """Refuses a run whose replay would not fit; every process must call it.

    Raises:
        ConfigError: on all processes; names the host, its memory and a size that fits.
    """
    place = os.uname().nodename, machine_memory()
    places = run.workers.gather([place] * len(run.workers.local_workers))
    for (host, limit), on_host in Counter(places).items():
        needed = on_host * buffer_bytes(run.env_spec, run.cfg.buffer_size)
        if needed > limit:
            fits = run.cfg.buffer_size * limit // needed
            raise ConfigError(
                f"buffer_size = {run.cfg.buffer_size}: the replay of {on_host} worker(s) would "
                f"take {needed / GIB:.1f} of {limit / GIB:.1f} GiB on {host}; less than {fits} fits"
            )


def compile_updates(run: Run) -> None:
    """Compiles where that is asked for, before training begins; every process must call it.

    Raises:
        ConfigError, CompileError: on all processes; CPUs differ, or the compiler does not work.
    """
    if run.cfg.updates != "compiled":
        return
    cpus = cpu_names(run.workers.comm)
    if len(cpus) > 1:
        raise ConfigError(
            f"updates = compiled: one program for all processes, but CPUs differ "
            f"({', '.join(cpus)}); start without --compile"
        )
    if run.workers.is_root:
        print("compiling the updates: about half a minute", flush=True)
    env_spec, learner = run.env_spec, run.learner
    sizes = (env_spec.obs, env_spec.goal, env_spec.action, 1, env_spec.obs)
    blank = Transition(*(torch.zeros(run.cfg.batch_size, size) for size in sizes))
    learner.update(learner.init(Key(0)), [blank] * len(run.workers.local_workers))


def start_line(run: Run, env_id: str) -> str:
    """Returns what the first process says before training; every process must call it."""
    workers, replay = run.workers, buffer_bytes(run.env_spec, run.cfg.buffer_size) / GIB
    hosts, processes = host_names(workers.comm), workers.comm.Get_size()
    line = (
        f"{env_id}: {processes} process(es) on {', '.join(hosts)}; {workers.total} worker(s), "
        f"{torch.get_num_threads()} thread(s) each; matmul {run.cfg.matmul}; "
        f"updates {run.cfg.updates}; seed {run.key.seed}\n"
        f"replay: float32, grows to {replay * len(workers.local_workers):.2f} GiB a process, "
        f"{replay * workers.total:.2f} GiB in all"
    )
    cpus = cpu_names(workers.comm)
    if len(cpus) > 1:
        line += (
            f"\nWARNING: CPUs differ ({', '.join(cpus)}): libraries may round differently there, "
            "so the result depends on which host computes which worker"
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

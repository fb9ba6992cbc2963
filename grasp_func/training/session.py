"""Prepares runs and carries them out, for the command line and for `grasp_func.train`.

Every function is called by every process, unless it says otherwise; an error of the user is raised
on all of them.
"""

import math
import os
from collections import Counter
from collections.abc import Generator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import torch

from grasp_func.config.load import Config
from grasp_func.core.replay import buffer_bytes
from grasp_func.core.rng import Key
from grasp_func.core.types import EnvSpec, Transition
from grasp_func.errors import ConfigError
from grasp_func.runtime import matmul_precision
from grasp_func.runtime.aot import compiler_problem
from grasp_func.runtime.comm import Comm, on_each, on_root
from grasp_func.runtime.consistency import cpu_names
from grasp_func.runtime.machine import machine_memory
from grasp_func.runtime.process import tune_process
from grasp_func.runtime.workers import Workers, make_workers
from grasp_func.storage.run_dir import RunPaths, open_run
from grasp_func.training import loop, recorder, resume
from grasp_func.training.goal_env import GymGoalEnv, make_env
from grasp_func.training.loop import EpochResult
from grasp_func.training.progress import OnCycle, OnProgress, Reporter
from grasp_func.training.setup import Run, make_run

GIB = 2**30
# Compiling takes half a minute at the first start, and saves about 0.6 ms a gradient: with 16
# workers on 2 processes it pays after 6 epochs.
MANY_GRADIENTS = 100_000


def decided(cfg: Config, comm: Comm) -> Config:
    """Returns the configuration with everything chosen that it leaves open, by the first process.

    These are the seed, the number of workers, the kind of matrix products, and whether updates are
    compiled.
    """
    cpus = cpu_names(comm)
    return on_root(comm, lambda: _decided(cfg, len(cpus), comm.Get_size()))


def _decided(cfg: Config, n_cpu_models: int, n_processes: int) -> Config:
    workers = cfg.workers or n_processes * math.ceil(cfg.min_workers / n_processes)
    changes: dict[str, Any] = {"workers": workers}
    if cfg.seed is None:
        changes["seed"] = int.from_bytes(os.urandom(4), "little")
    if cfg.matmul == "auto":
        changes["matmul"] = matmul_precision.choose()
    if cfg.updates == "auto":
        compiled = compiling_pays(cfg, workers) and n_cpu_models == 1 and not compiler_problem()
        changes["updates"] = "compiled" if compiled else "traced"
    return cfg.model_copy(update=changes)


def compiling_pays(cfg: Config, workers: int) -> bool:
    """Returns whether a run has so many gradients that compiled updates save time."""
    return cfg.epochs * cfg.cycles * cfg.batches * workers > MANY_GRADIENTS


def prepare(
    cfg: Config,
    env: str | gymnasium.Env[Any, Any],
    comm: Comm,
    on_progress: OnProgress | None = None,
) -> Run:
    """Makes a run; `compile_updates` makes it ready to train.

    Sets the process's number of threads and the precision of matrix products.

    Args:
        cfg: settings, as `decided` returns them.
        env: Gymnasium goal environment, or the id of one, which gets the `kwargs` of `cfg`.
        comm: the processes.
        on_progress: called when this process begins an activity.

    Raises:
        ConfigError, UserError: the environment or the configuration cannot be used.
    """

    def make_goal_env() -> GymGoalEnv:
        return GymGoalEnv(make_env(env, cfg.kwargs) if isinstance(env, str) else env)

    report = Reporter(on_progress)
    report("environment")
    tune_process()
    on_each(comm, lambda: matmul_precision.use(cfg.matmul))
    workers = make_workers(comm, cfg.workers)
    goal_env = on_each(comm, make_goal_env)
    check_memory(cfg, goal_env.spec, workers)
    return on_each(comm, lambda: make_run(cfg, goal_env, workers))


def begin(run: Run, save_dir: Path) -> resume.ResumePoint:
    """Returns the beginning of a run, with a pre-trained agent where the configuration says so.

    Raises:
        SaveError: there is no such agent, or it does not fit.
    """
    cfg, start = run.cfg, resume.fresh(run)
    if not cfg.load_pretrained:
        return start
    load = partial(resume.load_pretrained, run, start.state, save_dir, run.env.name)
    state, origin = on_root(run.workers.comm, load)
    return start._replace(state=state, history=[origin])


def new_paths(run: Run, save_dir: Path) -> RunPaths:
    """Creates the folders of a run that begins.

    Raises:
        SaveError: they cannot be created.
    """
    return on_root(run.workers.comm, lambda: open_run(save_dir, run.env.name, datetime.now()))


def train_and_record(
    run: Run,
    start: resume.ResumePoint,
    paths: RunPaths | None,
    on_cycle: OnCycle | None = None,
    on_progress: OnProgress | None = None,
) -> Generator[EpochResult, None, None]:
    """Trains, and writes to `paths` after each epoch; at the end the run is released.

    The seconds of the results are those since the run began, without the time between a stop and
    a resume.

    A caller that stops early closes the iterator, on every process: that completes the statistics.

    Raises:
        SaveError: a file cannot be written; see `loop.train` for others.
    """
    record = recorder.Recorder(run, recorder.describe(run, run.env.name), paths, start)
    before = start.rows[-1]["seconds"] if start.rows else 0.0
    begun = start.state, start.progress, start.buffers
    try:
        for result in loop.train(run, *begun, on_cycle, on_progress):
            result = result._replace(seconds=before + result.seconds)
            record(result)
            yield result
    except GeneratorExit:
        record.stop()
        raise
    finally:
        if paths is not None and run.workers.is_root:
            paths.release()


def check_memory(cfg: Config, env_spec: EnvSpec, workers: Workers) -> None:
    """Refuses a run that would not fit into memory; every process must call it.

    Counts what is certainly held at once: replay, batches with the outputs of all layers, and five
    vectors of parameters (both networks, targets, gradient and its two moments).

    Raises:
        ConfigError: names the setting that takes most, the host, its memory and a size that fits.
    """
    local, inputs = len(workers.local_workers), env_spec.obs + env_spec.goal
    numbers = {"buffer_size": local * buffer_bytes(env_spec, cfg.buffer_size) // 4}
    numbers["batch_size"] = cfg.batch_size * (3 * inputs + env_spec.action)
    for net, outputs in (("actor", env_spec.action), ("critic", 1)):
        width, layers = (getattr(cfg, f"{net}_net_{size}") for size in ("layer_width", "nlayers"))
        per_layer = inputs + (layers - 2) * width + outputs
        numbers[f"{net}_net_layer_width"] = 5 * width * per_layer
        numbers["batch_size"] += cfg.batch_size * (layers - 1) * width
    key = max(numbers, key=numbers.__getitem__)
    places = workers.comm.allgather((os.uname().nodename, machine_memory()))
    for (host, limit), processes in Counter(places).items():
        needed = 4 * processes * sum(numbers.values())
        if needed > limit:
            own = 4 * processes * numbers[key]
            part = max(0.0, (limit - needed + own) / own)
            # The size of a network grows with the square of its width.
            size = int(getattr(cfg, key) * part ** (0.5 if key.endswith("width") else 1))
            raise ConfigError(
                f"{key} = {getattr(cfg, key)}: {processes} process(es) would take at least "
                f"{needed / GIB:.1f} of {limit / GIB:.1f} GiB on {host}; "
                + (f"less than {size} fits" if size else "lower it, and other sizes as well")
            )


def compile_updates(run: Run, on_progress: OnProgress | None = None) -> None:
    """Compiles or loads the updates before training begins, where the configuration says so.

    That may take half a minute, so it comes after everything is read that may be missing. Call it
    before folders are created: a run that cannot compile leaves none.

    Args:
        run: what stays fixed.
        on_progress: called when this process begins to compile.

    Raises:
        ConfigError: the processes run on different kinds of CPU.
        CompileError: the compiler does not work.
    """
    if run.cfg.updates != "compiled":
        return
    Reporter(on_progress)("compiling")
    cpus = cpu_names(run.workers.comm)
    if len(cpus) > 1:
        raise ConfigError(
            f"updates = compiled: one program for all processes, but CPUs differ "
            f"({', '.join(cpus)}); start a new run with --set updates=traced"
        )
    env_spec, learner = run.env_spec, run.learner
    sizes = (env_spec.obs, env_spec.goal, env_spec.action, 1, env_spec.obs)
    blank = Transition(*(torch.zeros(run.cfg.batch_size, size) for size in sizes))
    learner.update(learner.init(Key(0)), [blank] * len(run.workers.local_workers))

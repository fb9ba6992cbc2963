"""Prepares runs and carries them out, for the command line and for `grasp_func.train`.

Every function is called by every process, unless it says otherwise; an error of the user is raised
on all of them.
"""

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
from grasp_func.core.types import Transition
from grasp_func.errors import ConfigError
from grasp_func.runtime import matmul_precision
from grasp_func.runtime.aot import compiler_problem
from grasp_func.runtime.comm import Comm, on_each, on_root
from grasp_func.runtime.consistency import cpu_names
from grasp_func.runtime.process import machine_memory, tune_process
from grasp_func.runtime.workers import make_workers
from grasp_func.storage.run_dir import RunPaths, open_run
from grasp_func.training import loop, recorder, resume
from grasp_func.training.goal_env import GymGoalEnv, make_env
from grasp_func.training.loop import EpochResult
from grasp_func.training.progress import OnCycle, OnProgress, Reporter
from grasp_func.training.setup import Run, make_run

GIB = 2**30
# Compiling takes half a minute at the first start: up to about as many steps, more than it saves.
MANY_UPDATES = 100_000


def decided(cfg: Config, comm: Comm) -> Config:
    """Returns the configuration with everything chosen that it leaves open, by the first process.

    These are the seed, the kind of matrix products, and whether updates are compiled.
    """
    cpus = cpu_names(comm)
    return on_root(comm, lambda: _decided(cfg, len(cpus)))


def _decided(cfg: Config, n_cpu_models: int) -> Config:
    changes: dict[str, Any] = {}
    if cfg.seed is None:
        changes["seed"] = int.from_bytes(os.urandom(4), "little")
    if cfg.matmul == "auto":
        changes["matmul"] = matmul_precision.choose()
    if cfg.updates == "auto":
        compiled = compiling_pays(cfg) and n_cpu_models == 1 and not compiler_problem()
        changes["updates"] = "compiled" if compiled else "traced"
    return cfg.model_copy(update=changes)


def compiling_pays(cfg: Config) -> bool:
    """Returns whether a run has so many gradient steps that compiled ones save time."""
    return cfg.epochs * cfg.cycles * cfg.batches > MANY_UPDATES


def prepare(
    cfg: Config,
    env: str | gymnasium.Env[Any, Any],
    comm: Comm,
    on_progress: OnProgress | None = None,
) -> Run:
    """Makes a run that is ready to train.

    Sets the process's number of threads and the precision of matrix products.

    Args:
        cfg: settings, as `decided` returns them.
        env: Gymnasium goal environment, or the id of one, which gets the `kwargs` of `cfg`.
        comm: the processes.
        on_progress: called when this process begins an activity.

    Raises:
        ConfigError, UserError: the environment or the configuration cannot be used.
        CompileError: the C++ compiler does not work.
    """

    def make_goal_env() -> GymGoalEnv:
        return GymGoalEnv(make_env(env, cfg.kwargs) if isinstance(env, str) else env)

    report = Reporter(on_progress)
    report("environment")
    tune_process()
    on_each(comm, lambda: matmul_precision.use(cfg.matmul))
    workers = make_workers(comm, cfg.workers)
    goal_env = on_each(comm, make_goal_env)
    run = on_each(comm, lambda: make_run(cfg, goal_env, workers))
    check_memory(run)
    if cfg.updates == "compiled":
        report("compiling")
        compile_updates(run)
    return run


def begin(run: Run, save_dir: Path) -> resume.ResumePoint:
    """Returns the beginning of a run, with a pre-trained agent where the configuration says so.

    Raises:
        SaveError: there is no such agent, or it does not fit.
    """
    start = resume.fresh(run)
    if not run.cfg.load_pretrained:
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
    """Trains, and writes to `paths` after each epoch.

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


def check_memory(run: Run) -> None:
    """Refuses a run whose replay would not fit.

    Raises:
        ConfigError: names the host, its memory and a size that fits.
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
    """Compiles or loads the updates before training begins.

    Raises:
        ConfigError: the processes run on different kinds of CPU.
        CompileError: the compiler does not work.
    """
    cpus = cpu_names(run.workers.comm)
    if len(cpus) > 1:
        raise ConfigError(
            f"updates = compiled: one program for all processes, but CPUs differ "
            f"({', '.join(cpus)}); start with --set updates=traced"
        )
    env_spec, learner = run.env_spec, run.learner
    sizes = (env_spec.obs, env_spec.goal, env_spec.action, 1, env_spec.obs)
    blank = Transition(*(torch.zeros(run.cfg.batch_size, size) for size in sizes))
    learner.update(learner.init(Key(0)), [blank] * len(run.workers.local_workers))

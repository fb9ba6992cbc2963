"""Trains an agent: `mpirun -n 16 grasp-func train --env FlatPJCube-v0`."""

import contextlib
import os
import re
import sys
from functools import partial
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import rich_click as click

from grasp_func.cli import arguments, settings
from grasp_func.config.load import load_config
from grasp_func.runtime import launch
from grasp_func.shipped import DEFAULT_CONFIG

if TYPE_CHECKING:
    from grasp_func.cli.display import Display
    from grasp_func.config.schema import Config
    from grasp_func.runtime.comm import Comm
    from grasp_func.storage.run_dir import RunPaths
    from grasp_func.training.loggers import EpochLog
    from grasp_func.training.resume import ResumePoint
    from grasp_func.training.setup import Run

FILM_SIZE = {"render_width": 240, "render_height": 180}


@click.command(cls=arguments.Command, help=__doc__, params=list(arguments.ENV_OPTIONS))
@click.option(
    "-n",
    "processes",
    type=click.IntRange(min=1),
    metavar="N",
    help="Start N processes with mpirun, with the options that it needs on this machine.",
)
@click.option("--eager", "updates", flag_value="eager", help="Short for --updates eager.")
@click.option("--compile", "updates", flag_value="compiled", help="Short for --updates compiled.")
@click.option(
    "--save-dir", type=arguments.FOLDER, default="saves", metavar="DIR", show_default=True
)
@click.option(
    "--resume",
    is_flag=False,
    flag_value="auto",
    metavar="[DIR]",
    help="Resume saves/<env>/checkpoints/<run>[/<epoch>]; by default the newest.",
)
@click.option(
    "--without-replay",
    is_flag=True,
    help="With --resume: begin with an empty replay buffer, which gives another result.",
)
@click.option("--plain", is_flag=True, help="Print lines on a terminal, too.")
@click.option(
    "--log",
    type=click.Choice(["tensorboard", "wandb"]),
    multiple=True,
    help="Log epochs in the run's folder, or to Weights & Biases; repeatable.",
)
@click.option(
    "--film-every",
    type=click.IntRange(min=0),
    default=10,
    metavar="N",
    show_default=True,
    help="With --log: film the agent after every N epochs; 0: never.",
)
@click.pass_context
def command(ctx: click.RichContext, /, **options: Any) -> None:
    """Trains on all processes of the job."""
    options["changes"] += tuple(settings.changes(options))
    args = SimpleNamespace(**options)
    if args.resume is not None and args.config is not None:
        raise click.UsageError(
            "--resume --config: a resumed run keeps its configuration; leave out --config"
        )
    if args.without_replay and args.resume is None:
        raise click.UsageError("--without-replay: only with --resume")
    if args.processes and launch.launcher_rank() is not None:
        raise click.UsageError(f"-n {args.processes}: mpirun runs already; leave out one of them")
    if args.resume is None and not launch.launcher_rank():
        path, ids = args.config or DEFAULT_CONFIG, arguments.known_envs(args.modules)
        args.cfg = load_config(path, args.env, args.changes, ids)
    if args.processes:
        _start(args.processes)
    args.program = ctx.command_path
    _train(args)


command.params += settings.options()
command.panels = [click.RichOptionPanel("Options")]


def _start(n: int) -> NoReturn:
    """Starts this command without -n under mpirun, in place of this process."""
    words = iter(sys.orig_argv[1:])
    # The number stands behind -n, or is the next word, which the list skips.
    kept = (w for w in words if not re.fullmatch(r"-n\d+", w) and not (w == "-n" and next(words)))
    mpirun = launch.mpirun(n, [sys.executable, *kept])
    print(mpirun, flush=True)
    mpirun.replace_process()


def _train(args: SimpleNamespace) -> None:
    from grasp_func.cli.display import Display

    show = Display(args.env, args.plain)
    with contextlib.closing(show):
        from grasp_func.runtime import comm, process

        world = comm.connect()
        # The display is closed before an error is printed.
        with process.user_errors(world), contextlib.closing(show):
            _train_on(world, args, show)


def _train_on(world: "Comm", args: SimpleNamespace, show: "Display") -> None:
    from grasp_func.cli import messages
    from grasp_func.cli.environments import envs
    from grasp_func.runtime import comm, consistency, process
    from grasp_func.training import resume, session

    packages = [module for module in args.modules if hasattr(module, "__path__")]
    facts = consistency.program_facts(envs, import_module("grasp_func"), *packages)
    consistency.assert_alike(world, facts, os.uname().nodename)
    cfg, paths = comm.on_root(world, lambda: _configure(args))
    run = session.prepare(session.decided(cfg, world), args.env, world, show.on_progress)
    if paths is not None and paths.resume_from is not None:
        show.stage("reading the checkpoint")
        start = resume.restore(run, paths.resume_from, not args.without_replay)
    else:
        start = session.begin(run, args.save_dir)
    session.compile_updates(run, show.on_progress)
    if paths is None and cfg.save:
        paths = session.new_paths(run, args.save_dir)
    if args.log:
        show.stage("opening the logs")
    log = comm.on_each(world, lambda: _open_log(args, run, start, paths))
    start_lines = messages.start_lines(run, args.program)
    resuming = messages.how_to_resume(args, paths, world)
    notify = partial(show.on_stop_request, resuming=resuming)
    with contextlib.closing(log), process.stop_requests(world, notify) as asked_to_stop:
        show.say(*start.history[-1:], start_lines)
        show.begin(run, start.rows, paths)
        results = session.train_and_record(run, start, paths, show.on_cycle, show.on_progress)
        for result in results:
            show.on_epoch(result)
            log(result)
            if not result.is_last(cfg) and asked_to_stop():
                results.close()
                break
    show.close()
    modules = [module.__name__ for module in args.modules]
    show.say(*messages.end_lines(run, paths, result, show.status.best, resuming, modules))


def _open_log(
    args: SimpleNamespace, run: "Run", start: "ResumePoint", paths: "RunPaths | None"
) -> "EpochLog":
    """Returns the log of the first process; those of the others write nothing.

    Raises:
        UserError: a package is missing, the environment draws no pictures, or nothing is saved.
    """
    from grasp_func.cli.environments import ENV_IDS
    from grasp_func.errors import UserError
    from grasp_func.training.goal_env import make_env
    from grasp_func.training.loggers import EpochLog, Film, Logger, TensorBoard, WeightsAndBiases

    if not args.log or not run.workers.is_root:
        return EpochLog(run.cfg, [])
    if paths is None:
        raise UserError(f"--log {args.log[0]}: save = false, so the run has no folder for logs")
    loggers: list[Logger] = []
    resumed_at = start.rows[-1]["env_steps"] if start.rows else None
    if "tensorboard" in args.log:
        folder = paths.backup / "tensorboard"
        loggers.append(TensorBoard(folder, run.cfg, args.env, resumed_at))
    if "wandb" in args.log:
        loggers.append(WeightsAndBiases(paths.backup, run.cfg, args.env))
    if not args.film_every:
        return EpochLog(run.cfg, loggers)
    size = FILM_SIZE if args.env in ENV_IDS else {}
    env = make_env(args.env, {**size, **run.cfg.kwargs}, "rgb_array")
    return EpochLog(run.cfg, loggers, Film(run, env, args.film_every))


def _configure(args: SimpleNamespace) -> "tuple[Config, RunPaths | None]":
    """Returns the configuration, and the folders of the run that is resumed.

    Raises:
        ConfigError: an argument names a value that a resumed run does not allow.
        SaveError: there is no such run, or it is still running.
    """
    from grasp_func.storage.run_dir import reopen_run
    from grasp_func.training import resume

    if args.resume is not None:
        source = resume.find_run(args.save_dir, args.env, args.resume)
        cfg = resume.resumed_config(source, args.env, args.changes)
        return cfg, reopen_run(source)
    return args.cfg, None

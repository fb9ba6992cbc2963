"""Trains an agent: `mpirun -n 16 grasp-func train --env FlatPJCube-v0`."""

import os
import re
import sys
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NoReturn

import rich_click as click

from grasp_func.cli import arguments, settings
from grasp_func.config.load import load_config
from grasp_func.runtime import launch
from grasp_func.shipped import DEFAULT_CONFIG

if TYPE_CHECKING:
    from grasp_func.config.schema import Config
    from grasp_func.storage.run_dir import RunPaths


@click.command(cls=arguments.Command, help=__doc__, params=list(arguments.ENV_OPTIONS))
@click.option(
    "-n",
    "processes",
    type=click.IntRange(min=1),
    metavar="N",
    help="Start N processes with mpirun, with the options that it needs on this machine.",
)
@click.option(
    "--eager",
    "updates",
    flag_value="eager",
    help="Short for --updates eager.",
)
@click.option(
    "--compile",
    "updates",
    flag_value="compiled",
    help="Short for --updates compiled.",
)
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
    kept = [
        word
        for word in words
        if not re.fullmatch(r"-n\d+", word) and not (word == "-n" and next(words))
    ]
    mpirun = launch.mpirun(n, [sys.executable, *kept])
    print(mpirun, flush=True)
    mpirun.replace_process()


def _train(args: SimpleNamespace) -> None:
    from grasp_func.cli import messages
    from grasp_func.cli.environments import envs
    from grasp_func.runtime import comm, consistency, process
    from grasp_func.training import resume, session

    world = comm.connect()
    packages = [module for module in args.modules if hasattr(module, "__path__")]
    with process.user_errors(world):
        facts = consistency.program_facts(envs, import_module("grasp_func"), *packages)
        consistency.assert_alike(world, facts, os.uname().nodename)
        cfg, paths = comm.on_root(world, lambda: _configure(args))
        run = session.prepare(session.decided(cfg, world), args.env, world)
        if paths is not None and paths.resume_from is not None:
            start = resume.restore(run, paths.resume_from, not args.without_replay)
        else:
            start = session.begin(run, args.save_dir)
            paths = session.new_paths(run, args.save_dir) if cfg.save else None
        start_lines = messages.start_lines(run, args.program)
        resuming = messages.how_to_resume(args, paths, world)
        with process.stop_requests(world, resuming) as asked_to_stop:
            if run.workers.is_root:
                print(*start.history[-1:], start_lines, sep="\n", flush=True)
            results = session.train_and_record(run, start, paths)
            for result in results:
                if not result.is_last(cfg) and asked_to_stop():
                    results.close()
                    if run.workers.is_root:
                        epoch = result.schedule.epoch
                        print(f"stopped on request after epoch {epoch}; {resuming}", flush=True)
                    break


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

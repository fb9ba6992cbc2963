"""Trains an agent: `mpirun -n 16 grasp-func train --env FlatPJCube-v0`."""

import os
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import rich_click as click

from grasp_func.cli import arguments
from grasp_func.shipped import DEFAULT_CONFIG

if TYPE_CHECKING:
    from grasp_func.config.schema import Config
    from grasp_func.storage.run_dir import RunPaths


@click.command(cls=arguments.Command, help=__doc__, params=list(arguments.ENV_OPTIONS))
@click.option(
    "--eager",
    "updates",
    flag_value="updates=eager",
    help="Updates operator by operator: the same bits, slower.",
)
@click.option(
    "--compile",
    "updates",
    flag_value="updates=compiled",
    help="Updates in machine code: faster, other bits; takes a compiler.",
)
@click.option("--save-dir", type=arguments.PATH, default="saves", metavar="DIR", show_default=True)
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
def command(updates: str | None, **options: Any) -> None:
    """Trains on all processes of the job."""
    args = SimpleNamespace(**options)
    args.changes += (updates,) if updates else ()
    if args.resume is not None and args.config is not None:
        raise click.UsageError(
            "--resume --config: a resumed run keeps its configuration; leave out --config"
        )
    if args.without_replay and args.resume is None:
        raise click.UsageError("--without-replay: only with --resume")
    _train(args)


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
        start_lines = messages.start_lines(run)
        with process.stop_requests(world) as asked_to_stop:
            if run.workers.is_root:
                print(*start.history[-1:], start_lines, sep="\n", flush=True)
            results = session.train_and_record(run, start, paths)
            for result in results:
                if not result.is_last(cfg) and asked_to_stop():
                    results.close()
                    if run.workers.is_root:
                        line = messages.stop_line(result.schedule.epoch, saved=cfg.save)
                        print(line, flush=True)
                    break


def _configure(args: SimpleNamespace) -> "tuple[Config, RunPaths | None]":
    """Returns the configuration, and the folders of the run that is resumed.

    Raises:
        ConfigError: an argument names a value that is not allowed.
        SaveError: there is no such run, or it is still running.
    """
    from grasp_func.config.load import load_config
    from grasp_func.storage.run_dir import reopen_run
    from grasp_func.training import resume

    if args.resume is not None:
        source = resume.find_run(args.save_dir, args.env, args.resume)
        cfg = resume.resumed_config(source, args.env, args.changes)
        return cfg, reopen_run(source)
    config = args.config or DEFAULT_CONFIG
    ids = arguments.known_envs(args.modules)
    return load_config(config, args.env, args.changes, ids), None
